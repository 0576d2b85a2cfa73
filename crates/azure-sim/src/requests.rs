//! The request log: who asked for what and what was answered, never a body and never a header. Readable at `GET /_sim/requests`, kept in `requests.jsonl`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Error;
use crate::server::private;

/// How many are kept: changes are what stories are checked by, reads are mostly polling.
const KEEP_WRITES: usize = 100_000;
const KEEP_READS: usize = 10_000;
/// The file is begun anew, with what is kept, when it is larger at a start.
const COMPACT_AT: u64 = 64 << 20;

/// One request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) time: OffsetDateTime,
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) api_version: String,
    /// What was, or would have been, answered.
    pub(crate) status: u16,
    /// The connection was closed on order: the client saw no answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) dropped: bool,
    pub(crate) request_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_request_id: Option<String>,
    pub(crate) correlation_id: String,
    pub(crate) ms: u64,
}

impl Entry {
    fn reads(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

pub(crate) struct Log {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    reads: VecDeque<Entry>,
    writes: VecDeque<Entry>,
    file: Option<File>,
}

impl Log {
    pub(crate) fn open(directory: Option<&Path>) -> Result<Log, Error> {
        let mut inner = Inner::default();
        if let Some(directory) = directory {
            let path = directory.join("requests.jsonl");
            inner
                .load(&path)
                .map_err(|source| crate::server::data(&path, source))?;
        }
        Ok(Log {
            inner: Mutex::new(inner),
        })
    }

    /// In the operating system's hands before the answer is: a killed process loses none that it answered.
    pub(crate) fn add(&self, mut entry: Entry) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.next += 1;
        entry.seq = inner.next;
        if let Some(file) = &mut inner.file
            && let Ok(mut line) = serde_json::to_vec(&entry)
        {
            line.push(b'\n');
            // A full disk must not stop the simulator; the journal speaks up for both.
            let _ = file.write_all(&line);
        }
        inner.keep(entry);
    }

    /// The newest entries that fit, in order: after a sequence number, of a method, with a piece of path.
    pub(crate) fn find(
        &self,
        after: u64,
        method: Option<&str>,
        path: Option<&str>,
        limit: usize,
    ) -> Vec<Entry> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let path = path.map(str::to_ascii_lowercase);
        let mut found: Vec<Entry> = inner
            .reads
            .iter()
            .chain(&inner.writes)
            .filter(|entry| {
                entry.seq > after
                    && method.is_none_or(|method| entry.method.eq_ignore_ascii_case(method))
                    && path
                        .as_ref()
                        .is_none_or(|path| entry.path.to_ascii_lowercase().contains(path))
            })
            .cloned()
            .collect();
        found.sort_by_key(|entry| entry.seq);
        let surplus = found.len().saturating_sub(limit);
        found.split_off(surplus)
    }
}

impl Inner {
    fn keep(&mut self, entry: Entry) {
        let (kept, most) = if entry.reads() {
            (&mut self.reads, KEEP_READS)
        } else {
            (&mut self.writes, KEEP_WRITES)
        };
        if kept.len() == most {
            kept.pop_front();
        }
        kept.push_back(entry);
    }

    fn load(&mut self, path: &PathBuf) -> std::io::Result<()> {
        let mut size = 0;
        if let Ok(file) = File::open(path) {
            size = file.metadata()?.len();
            for line in BufReader::new(file).lines() {
                // A torn last line belongs to a request that was never answered.
                if let Ok(entry) = serde_json::from_str::<Entry>(&line?) {
                    self.next = self.next.max(entry.seq);
                    self.keep(entry);
                }
            }
        }
        let compact = size > COMPACT_AT;
        let mut file = private()
            .write(true)
            .append(!compact)
            .truncate(compact)
            .open(path)?;
        if compact {
            let mut all: Vec<&Entry> = self.reads.iter().chain(&self.writes).collect();
            all.sort_by_key(|entry| entry.seq);
            for entry in all {
                serde_json::to_writer(&mut file, entry)?;
                file.write_all(b"\n")?;
            }
        } else if size > 0 {
            // Ends a torn line, if there is one; an empty line is skipped when read.
            file.write_all(b"\n")?;
        }
        self.file = Some(file);
        Ok(())
    }
}
