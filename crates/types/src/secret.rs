//! Private keys that people paste by mistake: recognised however they are written, so that every field can refuse them without showing them again.
//!
//! Words of a format are looked for without regard to capitals, white space, quotes and escapes (`secret::words`); a bare body, in base64, Base32,
//! hexadecimal or a dump of a file (`secret::dump`), is decoded and read as the structure that it holds (`secret::binary`), so that certificates and public
//! keys, which begin alike, are none.

mod binary;
mod dump;
#[cfg(test)]
mod tests;
mod words;

use std::fmt::Write as _;

use crate::Object;
use crate::problem::FieldError;
use crate::request::RequestDraft;
use crate::text::deceptive;
use words::{has_label, has_marker, is_jwk};

/// How many times text may be base64 of text: once is what Kubernetes secrets and CI variables do.
const WRAPPED: u8 = 2;
/// Fewest bytes in a row that are text: random ones never are.
const TEXT: usize = 24;
/// Fewest hexadecimal digits that can hold a key's head.
const HEX: usize = 32;
/// Fewest characters of base64 that are read as an OpenPGP packet.
const PACKET: usize = 40;
/// Fewest characters of Base32 in a row that are read.
const BASE32: usize = 64;
/// Characters of an extended private key (BIP 32), and how it begins on the networks that have one.
const EXTENDED: usize = 111;
const EXTENDED_PRIVATE: [&str; 4] = ["xprv", "yprv", "zprv", "tprv"];
/// Longest name of a field that an error repeats.
const NAME: usize = 60;

/// Whether a text holds a private key: PEM of any label, OpenSSH, PKCS #1, #8 and #12, SEC 1, PuTTY, SSH2, PGP, age, minisign, JWK, .NET XML, Java's
/// keystores, Tink, DNSSEC, WireGuard, OpenVPN, what OpenSSL prints of one; with or without what stands around it, as base64, Base32, hexadecimal or a dump,
/// also where its beginning or end is missing.
#[must_use]
pub fn looks_private(text: &str) -> bool {
    looks(text, WRAPPED)
}

/// What to say about a field that held one; the text is in none of it.
#[must_use]
pub fn refusal(field: &str) -> FieldError {
    let field = if looks_private(field) {
        String::new()
    } else {
        field.chars().take(NAME).collect()
    };
    FieldError {
        field,
        message: "This looks like a private key, so it was thrown away and not stored. Where a key is asked for, paste the public half, from the file that ends in .pub. If anybody else has seen this page or file, replace the pair.".to_owned(),
        code: "private_key".to_owned(),
    }
}

impl RequestDraft {
    /// Empties every field that holds a private key, and says which. A field of several entries is looked at as a whole: a pasted file is cut into lines.
    #[must_use]
    pub fn forget_secrets(&mut self) -> Vec<FieldError> {
        let mut found = Vec::new();
        for (name, text) in [
            ("project", &mut self.project),
            ("tier", &mut self.tier),
            ("template", &mut self.template),
            ("name", &mut self.name),
            ("region", &mut self.region),
            ("zone", &mut self.zone),
            ("cost_centre", &mut self.cost_centre),
            ("expiry", &mut self.expiry),
            ("justification", &mut self.justification),
        ] {
            if looks_private(text) {
                text.clear();
                found.push(refusal(name));
            }
        }
        let mut tags = String::new();
        for (name, value) in &self.tags {
            let _ = writeln!(tags, "{name}={value}");
        }
        if looks_private(&tags) {
            self.tags.clear();
            found.push(refusal("tags"));
        }
        forget_parameters(&mut self.parameters, &mut found);
        found
    }
}

fn forget_parameters(parameters: &mut Object, found: &mut Vec<FieldError>) {
    let mut names_too = false;
    parameters.retain(|name, value| {
        if looks_private(name) {
            names_too = true;
            return false;
        }
        let private = match &*value {
            serde_json::Value::String(text) => looks_private(text),
            other => looks_private(&other.to_string()),
        };
        if private {
            *value = serde_json::Value::String(String::new());
            found.push(refusal(&format!("parameters.{name}")));
        }
        true
    });
    // What is a key only together, such as the members of a JWK.
    let all: String = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    if looks_private(&all) {
        parameters.clear();
        names_too = true;
    }
    if names_too {
        found.push(refusal("parameters"));
    }
}

fn looks(text: &str, wrapped: u8) -> bool {
    if text.len() < 16 {
        return false;
    }
    let plain = plain(text);
    let squeezed: String = plain
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    has_marker(&squeezed, &plain)
        || has_label(&plain)
        || is_jwk(&plain)
        || has_body(&plain, wrapped)
        || has_packet(&plain)
        || has_base32(&plain, wrapped)
        || holds(&dump::bytes(&plain), wrapped)
        || has_hex(text, wrapped)
        || (plain != text && has_hex(&plain, wrapped))
}

/// Whether bytes are a private key, or text that holds one.
fn holds(bytes: &[u8], wrapped: u8) -> bool {
    binary::is_private(bytes) || (wrapped > 0 && wraps_key(bytes, wrapped))
}

/// The text without what tools put around and between its characters: escapes, quotes, marks that cannot be seen; dashes of all kinds are hyphens.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((decoded, length)) = escape(rest) {
            push(&mut plain, decoded);
            rest = &rest[length..];
        } else {
            push(&mut plain, c);
            rest = &rest[c.len_utf8()..];
        }
    }
    plain
}

fn push(plain: &mut String, c: char) {
    match c {
        // What word processors make of two hyphens.
        '\u{2014}' | '\u{2015}' => plain.push_str("--"),
        '\u{2010}'..='\u{2013}'
        | '\u{2212}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF0D}'
        | '\u{2500}'
        | '\u{2501}' => {
            plain.push('-');
        }
        '"' | '\'' | '`' | '\\' | '\u{2018}'..='\u{201F}' | '\u{AB}' | '\u{BB}' | '\u{AD}' => {}
        c if c.is_whitespace() => {
            plain.push(if matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
                '\n'
            } else {
                ' '
            })
        }
        c if deceptive(c) => {}
        c => plain.push(c),
    }
}

/// An escape at the beginning of a text, and its length: of JSON, JavaScript or C, of an address, of HTML.
fn escape(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    let hex = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        let sign = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| sign)?)
    };
    match bytes {
        [b'\\', b'n' | b'r', ..] => Some(('\n', 2)),
        [b'\\', b't', ..] => Some((' ', 2)),
        [b'\\', b'/', ..] => Some(('/', 2)),
        [b'\\', b'u', ..] => Some((hex(2, 6)?, 6)),
        [b'\\', b'x', ..] => Some((hex(2, 4)?, 4)),
        [b'%', ..] => Some((hex(1, 3).filter(char::is_ascii)?, 3)),
        [b'&', b'#', b'x' | b'X', ..] => {
            let end = semicolon(bytes)?;
            Some((hex(3, end)?, end + 1))
        }
        [b'&', b'#', ..] => {
            let end = semicolon(bytes)?;
            let number = text.get(2..end)?.parse().ok()?;
            Some((char::from_u32(number)?, end + 1))
        }
        [b'&', ..] => ["&quot;", "&apos;", "&nbsp;"]
            .iter()
            .find(|name| text.starts_with(**name))
            .map(|name| (' ', name.len())),
        _ => None,
    }
}

/// Where the semicolon of a numeric character reference stands: within its first ten bytes, whatever follows them.
fn semicolon(reference: &[u8]) -> Option<usize> {
    reference.iter().take(10).position(|byte| *byte == b';')
}

/// A key as base64, without the lines around it.
fn has_body(plain: &str, wrapped: u8) -> bool {
    // In one run: what breaks lines, and what lists put between them, is left out.
    let mut run: Vec<u8> = Vec::new();
    for c in plain.chars().chain(['\0']) {
        match c {
            '-' => run.push(b'+'),
            '_' => run.push(b'/'),
            c if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=') => run.push(c as u8),
            // White space, what lists put between lines, and what mail puts before them.
            c if c.is_whitespace() || matches!(c, ',' | '>' | '|') => {}
            _ => {
                if holds_key(&run, wrapped) {
                    return true;
                }
                run.clear();
            }
        }
    }
    false
}

fn holds_key(run: &[u8], wrapped: u8) -> bool {
    // What stands before a key, or was cut from it, says nothing about where a group of four begins.
    run.split(|byte| *byte == b'=')
        .any(|part| (0..4).any(|missing| holds(&decoded(part, missing), wrapped)))
}

/// Text that holds a key, as bytes: what Kubernetes and CI variables make of a file. A zero between two characters is half of one in UTF-16, in which
/// PowerShell writes.
fn wraps_key(bytes: &[u8], wrapped: u8) -> bool {
    let mut text = String::new();
    let mut zero = false;
    for byte in bytes.iter().chain(&[0, 0]) {
        if byte.is_ascii_graphic() || byte.is_ascii_whitespace() {
            text.push(char::from(*byte));
            zero = false;
        } else if *byte == 0 && !zero && !text.is_empty() {
            zero = true;
        } else {
            if text.len() >= TEXT && looks(&text, wrapped - 1) {
                return true;
            }
            text.clear();
            zero = false;
        }
    }
    false
}

/// A secret key that is known by its beginning only, so each word is read from there: of OpenPGP without the lines around it, of minisign and signify; and
/// extended private keys of wallets.
fn has_packet(plain: &str) -> bool {
    plain
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/')))
        .filter(|word| word.len() >= PACKET)
        .any(|word| {
            let bytes = decoded(word.as_bytes(), 0);
            binary::is_secret_packet(&bytes) || binary::is_signify(&bytes) || is_extended(word)
        })
}

fn is_extended(word: &str) -> bool {
    word.len() == EXTENDED
        && EXTENDED_PRIVATE.iter().any(|head| word.starts_with(head))
        && !word.contains(['0', 'O', 'I', 'l', '+', '/'])
}

/// A key in Base32, from the beginning of a run of its characters, whatever breaks its lines.
fn has_base32(plain: &str, wrapped: u8) -> bool {
    let mut run: Vec<u8> = Vec::new();
    for c in plain.chars().chain(['\0']) {
        match c {
            'A'..='Z' => run.push(c as u8 - b'A'),
            '2'..='7' => run.push(c as u8 - b'2' + 26),
            c if c.is_whitespace() => {}
            _ => {
                if run.len() >= BASE32 && holds(&of_base32(&run), wrapped) {
                    return true;
                }
                run.clear();
            }
        }
    }
    false
}

fn of_base32(digits: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(digits.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits {
        bits = bits << 5 | u32::from(*digit);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    bytes
}

/// A key in hexadecimal, however its bytes are set apart: colons, spaces, commas, `0x`, `\\x`.
fn has_hex(text: &str, wrapped: u8) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let mut chars = text.chars().peekable();
    let mut before = None;
    loop {
        let next = chars.next();
        match next {
            // The x of 0x takes its zero along.
            Some('x' | 'X') if before == Some('0') => {
                digits.pop();
            }
            Some('x' | 'X') if chars.peek().is_some_and(char::is_ascii_hexdigit) => {}
            Some(c) if c.is_ascii_hexdigit() => {
                digits.push(u8::try_from(c.to_digit(16).unwrap_or(0)).unwrap_or(0));
            }
            Some(c) if c.is_whitespace() || deceptive(c) || ":;,-\\\"'{}[]|>".contains(c) => {}
            _ => {
                if digits.len() >= HEX && (0..2).any(|from| holds(&bytes(&digits[from..]), wrapped))
                {
                    return true;
                }
                digits.clear();
                if next.is_none() {
                    return false;
                }
            }
        }
        before = next;
    }
}

fn bytes(digits: &[u8]) -> Vec<u8> {
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Base64 up to the first character that is none, where so many characters are missing at its beginning: they count as zeros, so that the byte that is
/// cut in two keeps what is left of it.
fn decoded(text: &[u8], missing: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4 + 3);
    let (mut bits, mut count) = (0_u32, 6 * missing % 8);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    bytes
}
