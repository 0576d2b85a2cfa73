//! The file that checkpoints are appended to, and reading one or several of them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::checkpoint::{CheckpointError, Keys, Known};

/// A checkpoint has about 400 bytes; nothing much longer is read into memory.
const LONGEST: u64 = 4_096;

/// What a list of checkpoints holds.
#[derive(Debug, Default)]
pub struct Checkpoints {
    /// Those whose signature fits, in the order of the lines that they sign.
    pub good: Vec<Known>,
    /// The first that none of the keys signed: where it is, and why it does not count.
    pub foreign: Option<(String, CheckpointError)>,
}

impl Checkpoints {
    /// Adds one text; `place` names it when it is bad.
    pub fn add(&mut self, keys: &Keys, text: &str, place: impl FnOnce() -> String) {
        match keys.read(text) {
            Ok(known) => self.insert(known),
            Err(error) if self.foreign.is_none() => self.foreign = Some((place(), error)),
            Err(_) => {}
        }
    }

    /// The one that signs most lines.
    #[must_use]
    pub fn newest(&self) -> Option<&Known> {
        self.good.last()
    }

    /// Adds others; what both have counts once.
    pub fn merge(&mut self, others: Self) {
        for other in others.good {
            self.insert(other);
        }
        self.foreign = self.foreign.take().or(others.foreign);
    }

    fn insert(&mut self, new: Known) {
        let at = self.good.partition_point(|known| known.seq <= new.seq);
        let same = self.good[..at]
            .iter()
            .rev()
            .take_while(|known| known.seq == new.seq)
            .any(|known| *known == new);
        if !same {
            self.good.insert(at, new);
        }
    }
}

/// Reads checkpoints, one a line. A last line without its end was being written when the machine stopped: it never counted.
///
/// # Errors
/// When the source cannot be read.
pub fn read_checkpoints(
    mut source: impl BufRead,
    name: &str,
    keys: &Keys,
    into: &mut Checkpoints,
) -> io::Result<()> {
    let mut number = 0_u64;
    loop {
        number += 1;
        let mut bytes = Vec::new();
        source
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let whole = bytes.last() == Some(&b'\n');
        if whole {
            bytes.pop();
        }
        let text = String::from_utf8_lossy(&bytes);
        let torn = !whole && (bytes.len() as u64) < LONGEST;
        if torn && keys.read(&text) == Err(CheckpointError::Malformed) {
            return Ok(());
        }
        if !text.is_empty() {
            into.add(keys, &text, || format!("line {number} of {name}"));
        }
        if !whole && !torn {
            // The rest of a line that is far too long: what it holds is no checkpoint.
            skip_line(&mut source)?;
        }
    }
}

/// Reads the last checkpoints of a file, among them the newest. A file that is not there has none.
///
/// # Errors
/// When the file cannot be read.
pub fn read_newest(path: &Path, keys: &Keys) -> io::Result<Checkpoints> {
    let mut found = Checkpoints::default();
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    let start = file.metadata()?.len().saturating_sub(4 * LONGEST);
    file.seek(SeekFrom::Start(start))?;
    let mut source = BufReader::new(file);
    if start > 0 {
        // Its beginning is not known.
        skip_line(&mut source)?;
    }
    read_checkpoints(source, &path.display().to_string(), keys, &mut found)?;
    Ok(found)
}

fn skip_line(source: &mut impl BufRead) -> io::Result<()> {
    loop {
        let mut part = Vec::new();
        source.by_ref().take(LONGEST).read_until(b'\n', &mut part)?;
        if part.is_empty() || part.last() == Some(&b'\n') {
            return Ok(());
        }
    }
}

/// Appends one checkpoint and waits until the disk has it. The file is made where it is missing, for this user only.
///
/// # Errors
/// When the file cannot be opened, written or flushed.
pub fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut open = OpenOptions::new();
    open.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        open.mode(0o600);
    }
    let mut file = open.open(path)?;
    drop_torn_line(&mut file)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()
}

/// Takes away a last line that was being written when the machine stopped: it would spoil the next one.
fn drop_torn_line(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    (&*file).take(LONGEST).read_to_end(&mut tail)?;
    if tail.last().is_none_or(|byte| *byte == b'\n') {
        return Ok(());
    }
    let keep = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(start, |end| start + end as u64 + 1);
    file.set_len(keep)
}
