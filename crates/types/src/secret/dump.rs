//! Dumps of files as `xxd`, `hexdump -C` and `od -A x -t x1` print them: lines of an offset, bytes in hexadecimal, and the same as characters.

/// Most bytes in a line: `xxd -c 32` and less.
const LINE: usize = 64;
/// Most digits of an offset and fewest.
const OFFSET: std::ops::RangeInclusive<usize> = 4..=16;
/// Most digits in one group of bytes: `xxd -g 8`.
const GROUP: usize = 16;

/// The bytes of all lines that are such; other lines are left out.
pub(super) fn bytes(plain: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in plain.lines() {
        read(line, &mut bytes);
    }
    bytes
}

fn read(line: &str, bytes: &mut Vec<u8>) {
    let line = line.trim_start_matches([' ', '>', '|']);
    let digits = line.bytes().take(OFFSET.end() + 1);
    let digits = digits.take_while(u8::is_ascii_hexdigit).count();
    if !OFFSET.contains(&digits) {
        return;
    }
    let mut rest = &line[digits..];
    // xxd puts a colon behind the offset, and two spaces before the characters; hexdump has a bar there, and two spaces in the middle of the bytes.
    let colon = rest.starts_with(':');
    if colon {
        rest = &rest[1..];
    }
    if !rest.starts_with(' ') {
        return;
    }
    let end = bytes.len() + LINE;
    loop {
        let spaces = rest
            .bytes()
            .take(4)
            .take_while(|byte| *byte == b' ')
            .count();
        rest = &rest[spaces..];
        let group = rest.bytes().take(GROUP + 2);
        let group = group.take_while(u8::is_ascii_hexdigit).count();
        let ends = rest[group..].is_empty() || rest[group..].starts_with(' ');
        let first = end == bytes.len() + LINE;
        let characters = colon && spaces > 1 && !first;
        let fits = (2..=GROUP).contains(&group) && group % 2 == 0 && ends;
        if spaces == 0 || characters || !fits || bytes.len() >= end {
            return;
        }
        for pair in rest.as_bytes()[..group].chunks_exact(2) {
            let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
            let byte = digit(pair[0]) << 4 | digit(pair[1]);
            bytes.push(u8::try_from(byte).unwrap_or(0));
        }
        rest = &rest[group..];
    }
}
