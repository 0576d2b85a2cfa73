//! Durability: an append-only journal of transactions with snapshots between. Each generation is a snapshot and the journal that follows it; who changes the world is in `state.rs`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::model::{Change, World};
use crate::Error;
use crate::server::private;

/// Past this many bytes a snapshot is written and the journal begins anew.
const ROTATE_AT: u64 = 32 << 20;

/// Where transactions go. Without a directory they go nowhere.
pub(crate) struct Journal {
    writer: Option<Writer>,
}

struct Writer {
    // A mutex, because the sender is used under a shared lock when the simulator stops.
    send: Mutex<Option<mpsc::Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    durable: watch::Receiver<u64>,
    sequence: AtomicU64,
    bytes: Arc<AtomicU64>,
    broken: Arc<AtomicBool>,
}

enum Message {
    Append { sequence: u64, changes: Vec<Change> },
    Rotate(Vec<Change>),
}

/// A promise that a transaction will be on disk.
pub(crate) struct Ticket(Option<(u64, watch::Receiver<u64>)>);

impl Ticket {
    /// Waits; false when it could not be written.
    pub(crate) async fn durable(self) -> bool {
        match self.0 {
            None => true,
            Some((sequence, mut durable)) => {
                durable.wait_for(|done| *done >= sequence).await.is_ok()
            }
        }
    }
}

impl Journal {
    pub(crate) fn none() -> Journal {
        Journal { writer: None }
    }

    /// Reads what is there into the world and goes on writing after it. A torn last line, the mark of a killed process, was never answered and is dropped.
    pub(crate) fn open(
        directory: &Path,
        lock: Option<File>,
        world: &mut World,
    ) -> Result<Journal, Error> {
        let generation = newest(directory)?.unwrap_or(0);
        let mut disk = Disk {
            directory: directory.to_owned(),
            generation,
            file: None,
            _lock: lock,
        };
        read(&disk.path("snapshot", generation), world)?;
        let journal = disk.path("journal", generation);
        let length = read(&journal, world)?;
        disk.file = Some(
            open_at(&journal, length).map_err(|source| crate::server::data(&journal, source))?,
        );

        let (send, receive) = mpsc::channel();
        let (done, durable) = watch::channel(0);
        let bytes = Arc::new(AtomicU64::new(length));
        let broken = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("azure-sim-journal".to_owned())
            .spawn({
                let (bytes, broken) = (bytes.clone(), broken.clone());
                move || {
                    if let Err(error) = disk.run(&receive, &done, &bytes) {
                        broken.store(true, Ordering::Release);
                        tracing::error!(%error, "the simulator cannot write its data directory and refuses changes from now on");
                    }
                }
            })
            .map_err(|source| crate::server::data(directory, source))?;
        Ok(Journal {
            writer: Some(Writer {
                send: Mutex::new(Some(send)),
                thread: Mutex::new(Some(thread)),
                durable,
                sequence: AtomicU64::new(0),
                bytes,
                broken,
            }),
        })
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.writer
            .as_ref()
            .is_some_and(|writer| writer.broken.load(Ordering::Acquire))
    }

    /// Called under the world's write lock, so that the journal has the order of the changes.
    pub(crate) fn append(&self, changes: Vec<Change>, world: &World) -> Ticket {
        let Some(writer) = &self.writer else {
            return Ticket(None);
        };
        if changes.is_empty() {
            // Nothing of its own, but what it saw must be durable before it is told.
            let sequence = writer.sequence.load(Ordering::Acquire);
            return Ticket(Some((sequence, writer.durable.clone())));
        }
        let sequence = writer.sequence.fetch_add(1, Ordering::AcqRel) + 1;
        writer.send(Message::Append { sequence, changes });
        if writer.bytes.load(Ordering::Acquire) > ROTATE_AT {
            writer.bytes.store(0, Ordering::Release);
            writer.send(Message::Rotate(world.changes()));
        }
        Ticket(Some((sequence, writer.durable.clone())))
    }

    /// Writes a last snapshot and waits for the thread.
    pub(crate) fn close(&self, world: &World) {
        let Some(writer) = &self.writer else { return };
        writer.send(Message::Rotate(world.changes()));
        let sender = writer
            .send
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(sender);
        let thread = writer
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Writer {
    fn send(&self, message: Message) {
        if let Some(sender) = &*self.send.lock().unwrap_or_else(PoisonError::into_inner) {
            // A closed channel means a broken journal, which every writer sees by itself.
            let _ = sender.send(message);
        }
    }
}

/// The thread's side: the only one that writes the files.
struct Disk {
    directory: PathBuf,
    generation: u64,
    file: Option<File>,
    _lock: Option<File>,
}

impl Disk {
    fn path(&self, what: &str, generation: u64) -> PathBuf {
        self.directory.join(format!("{what}-{generation}.jsonl"))
    }

    fn run(
        &mut self,
        receive: &mpsc::Receiver<Message>,
        done: &watch::Sender<u64>,
        bytes: &AtomicU64,
    ) -> std::io::Result<()> {
        let mut buffer = Vec::new();
        while let Ok(first) = receive.recv() {
            // One fsync for everything that came in meanwhile.
            let mut last = 0;
            let mut rotate = None;
            for message in std::iter::once(first).chain(receive.try_iter()) {
                match message {
                    Message::Append { sequence, changes } => {
                        serde_json::to_writer(&mut buffer, &changes)?;
                        buffer.push(b'\n');
                        last = sequence;
                    }
                    Message::Rotate(snapshot) => {
                        rotate = Some(snapshot);
                        break;
                    }
                }
            }
            if let Some(file) = &mut self.file
                && !buffer.is_empty()
            {
                file.write_all(&buffer)?;
                file.sync_data()?;
                bytes.fetch_add(buffer.len() as u64, Ordering::AcqRel);
                buffer.clear();
            }
            if last > 0 {
                done.send_replace(last);
            }
            if let Some(snapshot) = rotate {
                self.rotate(&snapshot)?;
            }
        }
        Ok(())
    }

    /// The new generation exists when its snapshot has its name; until then a restart reads the old one.
    fn rotate(&mut self, snapshot: &[Change]) -> std::io::Result<()> {
        let next = self.generation + 1;
        let fresh = self.directory.join("snapshot.new");
        let mut writer = BufWriter::new(private().write(true).truncate(true).open(&fresh)?);
        for change in snapshot {
            serde_json::to_writer(&mut writer, std::slice::from_ref(change))?;
            writer.write_all(b"\n")?;
        }
        let file = writer
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let journal = self.path("journal", next);
        self.file = Some(open_at(&journal, 0)?);
        fs::rename(&fresh, self.path("snapshot", next))?;
        File::open(&self.directory)?.sync_all()?;
        let _ = fs::remove_file(self.path("snapshot", self.generation));
        let _ = fs::remove_file(self.path("journal", self.generation));
        self.generation = next;
        Ok(())
    }
}

fn open_at(path: &Path, length: u64) -> std::io::Result<File> {
    let file = private().append(true).open(path)?;
    file.set_len(length)?;
    file.sync_all()?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(file)
}

/// The newest generation that has a snapshot; a directory that never rotated has generation 0 and none.
fn newest(directory: &Path) -> Result<Option<u64>, Error> {
    let entries =
        fs::read_dir(directory).map_err(|source| crate::server::data(directory, source))?;
    Ok(entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_prefix("snapshot-")?
                .strip_suffix(".jsonl")?
                .parse()
                .ok()
        })
        .max())
}

/// Applies a file's transactions and answers how many bytes of it were whole.
fn read(path: &Path, world: &mut World) -> Result<u64, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(crate::server::data(path, source)),
    };
    let mut reader = BufReader::new(file);
    let (mut line, mut whole, mut number) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = reader
            .read_until(b'\n', &mut line)
            .map_err(|source| crate::server::data(path, source))?;
        if read == 0 || line.last() != Some(&b'\n') {
            return Ok(whole);
        }
        number += 1;
        let changes: Vec<Change> =
            serde_json::from_slice(&line).map_err(|error| Error::Damaged {
                path: path.to_owned(),
                reason: format!("line {number}: {error}"),
            })?;
        for change in &changes {
            world.apply(change);
        }
        whole += read as u64;
    }
}
