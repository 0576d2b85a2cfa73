//! Who is connected, what each connection waits for, and which one has to go: for taking too long, or to make room for another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portal::network;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;

/// How often times are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often the log says what had to go.
const REPORT: Duration = Duration::from_secs(60);
/// A client that takes nothing for this long may be closed to make room.
const STALL: Duration = Duration::from_secs(1);

/// There is no room, and every connection is being answered.
pub(super) struct Refused;

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Us, to read what may have come with the connection.
    New,
    /// The next request, of which nothing has come yet.
    Idle,
    /// The rest of a head, or the first byte of a connection that brought none.
    Head,
    /// The rest of a body.
    Body,
    /// Us.
    Handler,
    /// Us or the client: an answer is on its way.
    Answer,
    /// Us or the client: an event stream, which has no end of its own.
    Stream,
    /// The client, to take the rest of an answer.
    Flush,
}

struct State {
    phase: Phase,
    /// When the phase began; `Flush` keeps the time at which its answer began.
    since: Instant,
    /// Since when the client takes nothing of what waits to be written.
    stalled: Option<Instant>,
}

/// One connection: in the table, in its own task, and in the extensions of its requests.
pub(crate) struct Connection {
    number: u64,
    source: IpAddr,
    state: Mutex<State>,
    closing: CancellationToken,
}

impl Connection {
    fn new(number: u64, source: IpAddr) -> Self {
        Self {
            number,
            source,
            state: Mutex::new(State {
                phase: Phase::New,
                since: Instant::now(),
                stalled: None,
            }),
            closing: CancellationToken::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        state.since = Instant::now();
    }

    /// There is nothing to read.
    pub(super) fn waits(&self) {
        let mut state = self.state();
        if state.phase == Phase::New {
            state.phase = Phase::Head;
        }
    }

    /// Bytes came.
    pub(super) fn hears(&self) {
        if self.state().phase == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    /// The client takes nothing.
    pub(super) fn stalls(&self) {
        self.state().stalled.get_or_insert_with(Instant::now);
    }

    /// The client took something.
    pub(super) fn moves(&self) {
        self.state().stalled = None;
    }

    /// Nothing waits to be written.
    pub(super) fn flushed(&self) {
        if self.state().phase == Phase::Flush {
            self.enter(Phase::Idle);
        }
    }

    /// A head came whole, with a body to follow or without.
    pub(super) fn request(&self, without_body: bool) {
        self.enter(if without_body {
            Phase::Handler
        } else {
            Phase::Body
        });
    }

    /// The body came whole, or is not wanted.
    pub(crate) fn body_ended(&self) {
        if self.state().phase == Phase::Body {
            self.enter(Phase::Handler);
        }
    }

    /// The head of an answer is there.
    pub(super) fn answer(&self, streams: bool) {
        self.enter(if streams {
            Phase::Stream
        } else {
            Phase::Answer
        });
    }

    /// The body of an answer is there, whole.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        if state.phase == Phase::Stream {
            state.since = Instant::now();
        }
        state.phase = Phase::Flush;
    }

    /// Waits until the table wants this connection closed.
    pub(super) async fn has_to_go(&self) {
        self.closing.cancelled().await;
    }
}

/// How long each phase may take.
struct Times {
    header: Duration,
    idle: Duration,
    body: Duration,
    write: Duration,
}

impl State {
    /// True when the client took too long. What the handler may take is limited where it runs.
    fn is_overdue(&self, now: Instant, times: &Times) -> bool {
        let stalled = self
            .stalled
            .is_some_and(|since| now.duration_since(since) >= times.write);
        let limit = match self.phase {
            Phase::Idle => times.idle,
            Phase::New | Phase::Head => times.header,
            // The layer that reads it answers 408 before; this is for a body that no handler asks for.
            Phase::Body => times.body * 4,
            Phase::Handler | Phase::Stream => return stalled,
            Phase::Answer | Phase::Flush => times.write * 10,
        };
        stalled || now.duration_since(self.since) >= limit
    }

    /// Since when the client keeps this connection waiting; `None` while it waits for us.
    fn waits_since(&self, now: Instant) -> Option<Instant> {
        match self.phase {
            Phase::Idle | Phase::Head | Phase::Body | Phase::Flush => Some(self.since),
            Phase::New | Phase::Handler | Phase::Answer | Phase::Stream => self
                .stalled
                .filter(|since| now.duration_since(*since) >= STALL),
        }
    }
}

/// What happened since the last line in the log.
#[derive(Default)]
struct Tally {
    overdue: u64,
    for_room: u64,
    refused: u64,
    accept_errors: u64,
}

struct Inner {
    connections: HashMap<u64, Arc<Connection>>,
    by_source: HashMap<IpAddr, usize>,
    /// Told to close, not closed yet.
    leaving: usize,
    next: u64,
    tally: Tally,
}

/// Every connection.
pub(super) struct Table {
    room: usize,
    per_source: Option<usize>,
    times: Times,
    inner: Mutex<Inner>,
}

impl Table {
    pub(super) fn new(room: usize, limits: &Limits) -> Self {
        Self {
            room,
            per_source: limits.connections_per_address(),
            times: Times {
                header: limits.header_timeout,
                idle: limits.idle_timeout,
                body: limits.body_timeout,
                write: limits.write_timeout,
            },
            inner: Mutex::new(Inner {
                connections: HashMap::new(),
                by_source: HashMap::new(),
                leaving: 0,
                next: 0,
                tally: Tally::default(),
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a new connection. Where there is no room, the connection that has kept us waiting longest makes it: of the same address where that
    /// has too many, else of the address that has most. So half-open connections only ever displace each other.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Arc<Connection>, Refused> {
        let source = network(address);
        let mut inner = self.inner();
        let held = inner.by_source.get(&source).copied().unwrap_or_default();
        let fits = if self.per_source.is_some_and(|most| held >= most) {
            inner.displace(Some(source))
        } else if inner.connections.len() >= self.room {
            inner.displace_for_room()
        } else {
            true
        };
        if !fits {
            inner.tally.refused += 1;
            return Err(Refused);
        }
        let number = inner.next;
        inner.next += 1;
        let connection = Arc::new(Connection::new(number, source));
        inner.connections.insert(number, connection.clone());
        *inner.by_source.entry(source).or_default() += 1;
        Ok(connection)
    }

    /// Takes the connection off the table when its task ends, however it ends.
    pub(super) fn listed(self: &Arc<Self>, connection: Arc<Connection>) -> Listed {
        Listed {
            table: self.clone(),
            connection,
        }
    }

    /// True while so many connections were told to close that their descriptors count.
    pub(super) fn is_crowded(&self) -> bool {
        self.inner().leaving > 16
    }

    /// Closes one connection, because the process has no descriptor left; false where every one is being answered.
    pub(super) fn make_room(&self) -> bool {
        self.inner().displace_for_room()
    }

    pub(super) fn note_accept_error(&self, error: &std::io::Error) {
        tracing::debug!(%error, "a connection cannot be taken");
        self.inner().tally.accept_errors += 1;
    }

    /// Closes what waits for its client.
    pub(super) fn close_silent(&self) {
        let now = Instant::now();
        self.close(|state| state.waits_since(now).is_some());
    }

    /// Closes everything.
    pub(super) fn close_all(&self) {
        self.close(|_| true);
    }

    fn close(&self, which: impl Fn(&State) -> bool) -> usize {
        let mut inner = self.inner();
        let numbers: Vec<u64> = inner
            .connections
            .values()
            .filter(|connection| which(&connection.state()))
            .map(|connection| connection.number)
            .collect();
        for number in &numbers {
            inner.dismiss(*number);
        }
        numbers.len()
    }

    fn report(&self) {
        let tally = std::mem::take(&mut self.inner().tally);
        let Tally {
            overdue,
            for_room,
            refused,
            accept_errors,
        } = tally;
        if overdue + for_room + refused + accept_errors > 0 {
            tracing::warn!(
                overdue,
                for_room,
                refused,
                accept_errors,
                "connections were closed in the last minute: their clients took too long, or there was no room"
            );
        }
    }
}

impl Inner {
    /// Closes the connection, of `source` or of anybody, that has kept us waiting longest; false when there is none.
    fn displace(&mut self, source: Option<IpAddr>) -> bool {
        let now = Instant::now();
        let longest = self
            .connections
            .values()
            .filter(|connection| source.is_none_or(|source| connection.source == source))
            .filter_map(|connection| {
                Some((connection.state().waits_since(now)?, connection.number))
            })
            .min();
        let Some((_, number)) = longest else {
            return false;
        };
        self.tally.for_room += 1;
        self.dismiss(number);
        true
    }

    fn displace_for_room(&mut self) -> bool {
        let biggest = self
            .by_source
            .iter()
            .max_by_key(|(_, held)| **held)
            .map(|(source, _)| *source);
        self.displace(biggest) || self.displace(None)
    }

    /// Takes a connection off the table and tells its task to close it.
    fn dismiss(&mut self, number: u64) {
        if let Some(connection) = self.remove(number) {
            connection.closing.cancel();
            self.leaving += 1;
        }
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Connection>> {
        let connection = self.connections.remove(&number)?;
        if let Some(held) = self.by_source.get_mut(&connection.source) {
            *held -= 1;
            if *held == 0 {
                self.by_source.remove(&connection.source);
            }
        }
        Some(connection)
    }
}

/// A connection's place in the table.
pub(super) struct Listed {
    table: Arc<Table>,
    connection: Arc<Connection>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut inner = self.table.inner();
        if inner.remove(self.connection.number).is_none() {
            inner.leaving = inner.leaving.saturating_sub(1);
        }
    }
}

/// Closes what is overdue and reports, until `ended`.
pub(super) async fn watch(table: Arc<Table>, ended: CancellationToken) {
    let mut reported = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = ended.cancelled() => break,
        }
        let now = Instant::now();
        let overdue = table.close(|state| state.is_overdue(now, &table.times));
        table.inner().tally.overdue += overdue as u64;
        if now.duration_since(reported) >= REPORT {
            reported = now;
            table.report();
        }
    }
    table.report();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(room: usize, per_source: usize) -> Table {
        Table {
            room,
            per_source: Some(per_source),
            times: Times {
                header: Duration::from_secs(10),
                idle: Duration::from_secs(75),
                body: Duration::from_secs(30),
                write: Duration::from_secs(30),
            },
            inner: Mutex::new(Inner {
                connections: HashMap::new(),
                by_source: HashMap::new(),
                leaving: 0,
                next: 0,
                tally: Tally::default(),
            }),
        }
    }

    fn from(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    fn admitted(table: &Table, last: u8) -> Arc<Connection> {
        table
            .admit(from(last))
            .unwrap_or_else(|Refused| panic!("127.0.0.{last} is refused"))
    }

    fn is_closing(connection: &Connection) -> bool {
        connection.closing.is_cancelled()
    }

    /// One that brought nothing.
    fn half_open(table: &Table, last: u8) -> Arc<Connection> {
        let connection = admitted(table, last);
        connection.waits();
        connection
    }

    #[tokio::test(start_paused = true)]
    async fn half_open_connections_displace_each_other_and_nobody_else() {
        let table = table(6, 4);
        let honest = admitted(&table, 1);
        honest.request(true);
        let mut flood = Vec::new();
        for _ in 0..20 {
            tokio::time::advance(Duration::from_millis(10)).await;
            flood.push(half_open(&table, 2));
        }
        for (index, connection) in flood.iter().enumerate() {
            assert_eq!(is_closing(connection), index < 16, "{index}");
        }
        // Room for everybody is full: what makes room is of the address that has most.
        let second = admitted(&table, 3);
        let third = admitted(&table, 4);
        for connection in [&honest, &second, &third] {
            assert!(!is_closing(connection));
        }
        assert!(is_closing(&flood[16]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_address_that_has_most_gives_way_before_the_one_that_waits_longest() {
        let table = table(4, 4);
        let honest = half_open(&table, 1);
        tokio::time::advance(Duration::from_secs(5)).await;
        let flood: Vec<_> = (0..3).map(|_| half_open(&table, 2)).collect();
        let newcomer = admitted(&table, 3);
        assert!(!is_closing(&honest) && !is_closing(&newcomer));
        assert_eq!(flood.iter().filter(|held| is_closing(held)).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_being_answered_is_never_displaced() {
        let table = table(2, 2);
        admitted(&table, 1).request(true);
        // Nor who may have sent a request that was not read yet.
        admitted(&table, 2);
        assert!(table.admit(from(3)).is_err());
        assert_eq!(table.inner().tally.refused, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_time() {
        let table = table(9, 9);
        let seconds = Duration::from_secs;
        let overdue =
            |connection: &Connection| connection.state().is_overdue(Instant::now(), &table.times);
        let connection = admitted(&table, 1);
        tokio::time::advance(seconds(9)).await;
        assert!(!overdue(&connection), "a head has ten seconds");
        // One byte now and then buys no time.
        connection.hears();
        tokio::time::advance(seconds(1)).await;
        assert!(overdue(&connection));

        connection.request(true);
        tokio::time::advance(seconds(3600)).await;
        assert!(!overdue(&connection), "the handler has its own limit");

        connection.answer(false);
        connection.stalls();
        tokio::time::advance(seconds(29)).await;
        connection.moves();
        connection.stalls();
        assert!(!overdue(&connection), "it took something");
        tokio::time::advance(seconds(30)).await;
        assert!(overdue(&connection), "it takes nothing");
        for _ in 0..13 {
            connection.moves();
            tokio::time::advance(seconds(20)).await;
        }
        assert!(overdue(&connection), "it takes a byte at a time");

        connection.answered();
        connection.flushed();
        tokio::time::advance(seconds(74)).await;
        assert!(!overdue(&connection), "idle connections are kept a while");
        connection.hears();
        tokio::time::advance(seconds(9)).await;
        assert!(!overdue(&connection), "the next head has its ten seconds");

        connection.request(true);
        connection.answer(true);
        tokio::time::advance(seconds(86_400)).await;
        assert!(!overdue(&connection), "an event stream has no end");
        connection.stalls();
        tokio::time::advance(seconds(30)).await;
        assert!(overdue(&connection), "but somebody has to read it");
    }

    #[test]
    fn one_ipv6_host_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:aaaa::1"), of("2001:db8:1:2:bbbb::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
