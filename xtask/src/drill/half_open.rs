//! `drill half-open`: thousands of connections that send half of something, or read nothing, for minutes. The server has fewer descriptors than they are;
//! probes from another address must be answered all the while. Loopback only, bounded in number and time.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::HalfOpen;
use crate::run;
use crate::tools::{announce, command, target};

/// Where the half-open connections come from.
const FLOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// How long a probe may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often each held connection is looked after: a byte more where it sends, a new one where the server closed it.
const TICK: Duration = Duration::from_secs(1);
/// How often the server is probed.
const PROBE: Duration = Duration::from_millis(250);
/// Threads that hold connections.
const HOLDERS: usize = 4;

pub(super) fn run(options: &HalfOpen) -> Result<()> {
    raise_open_files(u64::from(options.connections) + 256)?;
    let binary = run::build(!options.debug)?;
    announce(&format!(
        "Drill: {} half-open connections for {} s, against {} open files",
        options.connections, options.seconds, options.open_files
    ));
    let mut server = Server::start(&binary, options.open_files)?;
    let cookie = sign_in(server.address)?;
    let flood = Flood::default();
    let probes = thread::scope(|scope| {
        for holder in 0..HOLDERS {
            let (flood, address) = (&flood, server.address);
            let held = (holder..options.connections as usize).step_by(HOLDERS);
            scope.spawn(move || flood.hold(held, address));
        }
        let probes = Probes::run(options, &server, &cookie, &flood);
        flood.over.store(true, Ordering::Relaxed);
        probes
    });
    let ended = server.end();
    probes.print(&flood);
    ended?;
    let failed = probes.failures.len();
    if failed > 0 {
        bail!("{failed} probes failed, the first: {}", probes.failures[0]);
    }
    Ok(())
}

/// Lets this process hold as many connections as it must.
fn raise_open_files(wanted: u64) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        },
    )
    .with_context(|| {
        format!("this drill needs {wanted} open files itself: raise the hard limit (ulimit -Hn)")
    })
}

/// The server that is drilled, with a data directory of its own.
struct Server {
    child: Child,
    address: SocketAddr,
    log: std::path::PathBuf,
}

impl Server {
    fn start(binary: &Path, open_files: u32) -> Result<Self> {
        let data = target().join("drill/half-open");
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data)?;
        let log = data.join("log");
        let mut shell = command("sh");
        shell
            .arg("-c")
            .arg(format!("ulimit -n {open_files} && exec \"$@\""))
            .arg("sh")
            .arg(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?);
        for name in std::env::vars_os().map(|(name, _)| name) {
            if name.to_string_lossy().starts_with("SLIPWAY_") {
                shell.env_remove(name);
            }
        }
        let mut child = shell.spawn().context("the server cannot be started")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = loop {
            let Some(Ok(line)) = lines.next() else {
                let _ = child.kill();
                bail!("the server ended: {}", fs::read_to_string(&log)?);
            };
            if let Some((_, rest)) = line.split_once("http://") {
                let address = rest.split_whitespace().next().unwrap_or_default();
                break address.trim_end_matches('/').parse()?;
            }
        };
        thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            child,
            address,
            log,
        })
    }

    /// Open files now; 0 where that cannot be seen.
    fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Ends it with SIGTERM, while its last half-open connections are still held.
    fn end(&mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        command("kill").args(["-TERM", &pid]).status()?;
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!(
                        "the server ended with {status}; its log is {}",
                        self.log.display()
                    );
                }
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("the server does not end on SIGTERM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ways to hold a connection open.
#[derive(Clone, Copy)]
enum Way {
    Silent,
    Head,
    Body,
    Unread,
}

const WAYS: [Way; 4] = [Way::Silent, Way::Head, Way::Body, Way::Unread];

impl Way {
    /// What is sent at once.
    fn first(self, host: SocketAddr) -> String {
        match self {
            Way::Silent => String::new(),
            Way::Head => format!("GET /readyz HTTP/1.1\r\nhost: {host}\r\nx-slow: "),
            Way::Body => format!(
                "POST /sign-in HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: 2000\r\n\r\nsubject="
            ),
            Way::Unread => {
                format!("GET /api/openapi.json HTTP/1.1\r\nhost: {host}\r\n\r\n").repeat(100)
            }
        }
    }

    /// What is sent with each tick.
    fn more(self, host: SocketAddr) -> String {
        match self {
            Way::Silent => String::new(),
            Way::Head | Way::Body => "x".to_owned(),
            Way::Unread => format!("GET /livez HTTP/1.1\r\nhost: {host}\r\n\r\n"),
        }
    }
}

/// What the holders did.
#[derive(Default)]
struct Flood {
    over: AtomicBool,
    opened: AtomicU64,
    closed: AtomicU64,
    held: AtomicUsize,
}

impl Flood {
    /// Holds the connections with these numbers until it is over.
    fn hold(&self, numbers: impl Iterator<Item = usize>, to: SocketAddr) {
        let mut slots: Vec<(Way, Option<TcpStream>)> = numbers
            .map(|number| (WAYS[number % WAYS.len()], None))
            .collect();
        while !self.over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            for (way, slot) in &mut slots {
                if let Some(stream) = slot
                    && !is_open(stream, *way, to)
                {
                    *slot = None;
                    self.closed.fetch_add(1, Ordering::Relaxed);
                    self.held.fetch_sub(1, Ordering::Relaxed);
                }
                if slot.is_none()
                    && let Ok(stream) = connect(to)
                {
                    send(&stream, &way.first(to));
                    *slot = Some(stream);
                    self.opened.fetch_add(1, Ordering::Relaxed);
                    self.held.fetch_add(1, Ordering::Relaxed);
                }
                if self.over.load(Ordering::Relaxed) {
                    break;
                }
            }
            thread::sleep(TICK.saturating_sub(begin.elapsed()));
        }
    }
}

/// A connection from the flood's address, whose reads and writes do not wait.
fn connect(to: SocketAddr) -> Result<TcpStream> {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddrV4::new(FLOOD, 0))?;
    connect(&socket, &to)?;
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Sends as much as the socket takes.
fn send(mut stream: &TcpStream, text: &str) {
    let mut rest = text.as_bytes();
    while let Ok(written @ 1..) = stream.write(rest) {
        rest = &rest[written..];
    }
}

/// Sends what comes next; false once the server has closed the connection.
fn is_open(mut stream: &TcpStream, way: Way, host: SocketAddr) -> bool {
    let more = way.more(host);
    if !more.is_empty()
        && let Err(error) = stream.write(more.as_bytes())
        && error.kind() != ErrorKind::WouldBlock
    {
        return false;
    }
    // Whoever reads nothing hears of the end by writing.
    if matches!(way, Way::Unread) {
        return true;
    }
    match stream.read(&mut [0; 4096]) {
        Ok(read) => read > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// What the probes found.
#[derive(Default)]
struct Probes {
    ready: Vec<Duration>,
    page: Vec<Duration>,
    failures: Vec<String>,
    held: (usize, usize),
    open_files: usize,
}

impl Probes {
    fn run(options: &HalfOpen, server: &Server, cookie: &str, flood: &Flood) -> Self {
        let mut probes = Self {
            held: (usize::MAX, 0),
            ..Self::default()
        };
        let begin = Instant::now();
        let mut told = 0;
        while begin.elapsed() < Duration::from_secs(options.seconds) {
            let at = begin.elapsed().as_secs();
            for (path, cookie) in [("/readyz", ""), ("/requests", cookie)] {
                let start = Instant::now();
                let answer = ask(server.address, &format!("GET {path}"), cookie, "");
                let took = start.elapsed();
                match answer {
                    Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => {
                        if cookie.is_empty() {
                            probes.ready.push(took);
                        } else {
                            probes.page.push(took);
                        }
                    }
                    Ok(answer) => {
                        let line = answer.lines().next().unwrap_or_default();
                        probes.failures.push(format!("{path} after {at} s: {line}"));
                    }
                    Err(error) => probes
                        .failures
                        .push(format!("{path} after {at} s: {error:#}")),
                }
            }
            let held = flood.held.load(Ordering::Relaxed);
            // The first seconds build the flood up.
            if at >= 3 {
                probes.held = (probes.held.0.min(held), probes.held.1.max(held));
            }
            probes.open_files = probes.open_files.max(server.open_files());
            if at / 30 > told {
                told = at / 30;
                eprintln!(
                    "  {at} s: {held} held, {} opened, {} closed by the server, {} probes, {} failed",
                    flood.opened.load(Ordering::Relaxed),
                    flood.closed.load(Ordering::Relaxed),
                    probes.ready.len() + probes.page.len(),
                    probes.failures.len()
                );
            }
            thread::sleep(PROBE);
        }
        probes
    }

    fn print(&self, flood: &Flood) {
        println!(
            "held at once        {} to {}\nopened              {}\nclosed by server    {}\nserver's open files {} at most",
            self.held.0,
            self.held.1,
            flood.opened.load(Ordering::Relaxed),
            flood.closed.load(Ordering::Relaxed),
            self.open_files
        );
        for (name, times) in [
            ("/readyz", &self.ready),
            ("/requests, signed in", &self.page),
        ] {
            let mut times = times.clone();
            times.sort();
            let at = |share: usize| {
                times
                    .get((times.len() * share / 100).min(times.len().saturating_sub(1)))
                    .copied()
                    .unwrap_or_default()
            };
            println!(
                "{name}: {} probes, p50 {:.1?}, p99 {:.1?}, slowest {:.1?}",
                times.len(),
                at(50),
                at(99),
                at(100)
            );
        }
        println!("failed probes       {}", self.failures.len());
        for failure in self.failures.iter().take(10) {
            println!("  {failure}");
        }
    }
}

/// The session's cookie of a persona.
fn sign_in(address: SocketAddr) -> Result<String> {
    let answer = ask(address, "POST /sign-in", "", "subject=developer")?;
    let cookie = answer
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .and_then(|(_, value)| value.split(';').next());
    Ok(cookie
        .with_context(|| format!("signing in failed: {answer}"))?
        .trim()
        .to_owned())
}

/// One request on a connection of its own; its whole answer.
fn ask(address: SocketAddr, what: &str, cookie: &str, form: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{what} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nconnection: close\r\ncookie: {cookie}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
