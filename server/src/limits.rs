//! The settings that say how much one client may ask of `slipway serve`: connections, times, calls, streams, keys. What enforces them is in `connections` and `http`.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Limits of `serve`. The defaults are far above what people and pipelines need.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of `serve`")]
pub(crate) struct Limits {
    /// `off` lifts the limits on calls and on connections per address; for measurements.
    #[arg(
        long = "limits",
        env = "SLIPWAY_LIMITS",
        global = true,
        value_name = "on|off",
        default_value = "on",
        hide_possible_values = true
    )]
    limits: Switch,

    /// Every client has the address of a proxy: lifts the limits per address, keeps those per person.
    #[arg(
        long,
        env = "SLIPWAY_BEHIND_PROXY",
        global = true,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    behind_proxy: bool,

    /// Connections in all; when absent, what the limit of open files leaves, at most 4096.
    #[arg(
        long,
        env = "SLIPWAY_CONNECTIONS",
        global = true,
        value_name = "NUMBER"
    )]
    pub(crate) connections: Option<NonZeroU32>,

    /// Connections of one address (IPv6: one /64 network).
    #[arg(
        long,
        env = "SLIPWAY_CONNECTIONS_PER_ADDRESS",
        global = true,
        value_name = "NUMBER",
        default_value = "256"
    )]
    connections_per_address: NonZeroU32,

    /// Seconds for the head of a request, from its first byte or from the start of the connection.
    #[arg(long, env = "SLIPWAY_HEADER_TIMEOUT", global = true, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) header_timeout: Duration,

    /// Seconds for the body of a request; silence ends it after a third of them.
    #[arg(long, env = "SLIPWAY_BODY_TIMEOUT", global = true, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) body_timeout: Duration,

    /// Seconds from the head of a request to the head of its answer.
    #[arg(long, env = "SLIPWAY_HANDLER_TIMEOUT", global = true, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) handler_timeout: Duration,

    /// Seconds for which a client may take nothing of an answer; taking it whole may last ten times as long.
    #[arg(long, env = "SLIPWAY_WRITE_TIMEOUT", global = true, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) write_timeout: Duration,

    /// Seconds that a connection without a request is kept.
    #[arg(long, env = "SLIPWAY_IDLE_TIMEOUT", global = true, value_name = "SECONDS", default_value = "75", value_parser = seconds)]
    pub(crate) idle_timeout: Duration,

    /// Writing calls per second of one person, tokens included.
    #[arg(
        long,
        env = "SLIPWAY_WRITE_RATE",
        global = true,
        value_name = "NUMBER",
        default_value = "10"
    )]
    write_rate: NonZeroU32,

    /// Writing calls of one person at once.
    #[arg(
        long,
        env = "SLIPWAY_WRITE_BURST",
        global = true,
        value_name = "NUMBER",
        default_value = "120"
    )]
    write_burst: NonZeroU32,

    /// Reading calls per second of one person; making a plan costs ten, opening a request three.
    #[arg(
        long,
        env = "SLIPWAY_READ_RATE",
        global = true,
        value_name = "NUMBER",
        default_value = "200"
    )]
    read_rate: NonZeroU32,

    /// Reading calls of one person at once.
    #[arg(
        long,
        env = "SLIPWAY_READ_BURST",
        global = true,
        value_name = "NUMBER",
        default_value = "1000"
    )]
    read_burst: NonZeroU32,

    /// Calls per second of one address, whoever makes them.
    #[arg(
        long,
        env = "SLIPWAY_ADDRESS_RATE",
        global = true,
        value_name = "NUMBER",
        default_value = "1000"
    )]
    address_rate: NonZeroU32,

    /// Calls of one address at once.
    #[arg(
        long,
        env = "SLIPWAY_ADDRESS_BURST",
        global = true,
        value_name = "NUMBER",
        default_value = "5000"
    )]
    address_burst: NonZeroU32,

    /// Failed sign-ins and bad tokens per second of one address.
    #[arg(
        long,
        env = "SLIPWAY_FAILURE_RATE",
        global = true,
        value_name = "NUMBER",
        default_value = "1"
    )]
    failure_rate: NonZeroU32,

    /// Failed sign-ins and bad tokens of one address at once.
    #[arg(
        long,
        env = "SLIPWAY_FAILURE_BURST",
        global = true,
        value_name = "NUMBER",
        default_value = "60"
    )]
    failure_burst: NonZeroU32,

    /// Event streams of one person at once, in one process.
    #[arg(
        long,
        env = "SLIPWAY_STREAMS_PER_PERSON",
        global = true,
        value_name = "NUMBER",
        default_value = "50"
    )]
    pub(crate) streams_per_person: u32,

    /// Different Idempotency-Keys of one person within a day; refused calls do not count.
    #[arg(
        long,
        env = "SLIPWAY_KEYS_PER_DAY",
        global = true,
        value_name = "NUMBER",
        default_value = "10000"
    )]
    pub(crate) keys_per_day: u32,

    /// Requests of one person that may wait for a decision or for changes at the same time; deletions and extensions do not count.
    #[arg(
        long,
        env = "SLIPWAY_OPEN_REQUESTS_PER_PERSON",
        global = true,
        value_name = "NUMBER",
        default_value = "50"
    )]
    open_requests_per_person: NonZeroU32,

    /// The same of everybody in one tier of a project.
    #[arg(
        long,
        env = "SLIPWAY_OPEN_REQUESTS_PER_TIER",
        global = true,
        value_name = "NUMBER",
        default_value = "200"
    )]
    open_requests_per_tier: NonZeroU32,

    /// Requests that one person sends within a day, whatever becomes of them; deletions do not count.
    #[arg(
        long,
        env = "SLIPWAY_REQUESTS_PER_DAY",
        global = true,
        value_name = "NUMBER",
        default_value = "2000"
    )]
    requests_per_day: NonZeroU32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Tokens that come back per second, and how many there are at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) per_second: NonZeroU32,
    pub(crate) burst: NonZeroU32,
}

impl Limits {
    /// How many requests may wait, and how many one person sends in a day. `--limits off` lifts the second only: what waits is of the installation, not of calls.
    pub(crate) fn open_requests(&self) -> portal::OpenLimits {
        portal::OpenLimits {
            per_person: self.open_requests_per_person.get(),
            per_tier: self.open_requests_per_tier.get(),
            per_day: match self.are_on() {
                true => self.requests_per_day.get(),
                false => u32::MAX,
            },
        }
    }

    /// False when `--limits off` lifts them.
    pub(crate) fn are_on(&self) -> bool {
        self.limits == Switch::On
    }

    /// True where an address tells clients apart.
    fn by_address(&self) -> bool {
        self.are_on() && !self.behind_proxy
    }

    /// Connections of one address; `None` without such a limit.
    pub(crate) fn connections_per_address(&self) -> Option<usize> {
        self.by_address()
            .then_some(self.connections_per_address.get() as usize)
    }

    /// Writing calls of one person.
    pub(crate) fn writes(&self) -> Option<Rate> {
        self.are_on()
            .then(|| rate(self.write_rate, self.write_burst))
    }

    /// Reading calls of one person.
    pub(crate) fn reads(&self) -> Option<Rate> {
        self.are_on().then(|| rate(self.read_rate, self.read_burst))
    }

    /// Calls of one address.
    pub(crate) fn calls_of_an_address(&self) -> Option<Rate> {
        self.by_address()
            .then(|| rate(self.address_rate, self.address_burst))
    }

    /// Failed sign-ins and bad tokens of one address.
    pub(crate) fn failures_of_an_address(&self) -> Option<Rate> {
        self.by_address()
            .then(|| rate(self.failure_rate, self.failure_burst))
    }

    /// Writing and reading calls of one address without a signed-in person.
    pub(crate) fn strangers(&self) -> (Option<Rate>, Option<Rate>) {
        if self.by_address() {
            (self.writes(), self.reads())
        } else {
            (None, None)
        }
    }

    /// Says in the log which limits this process goes without.
    pub(crate) fn announce(&self) {
        if !self.are_on() {
            tracing::warn!(
                "limits are off (--limits off): one client may make as many calls and connections as it likes"
            );
        } else if self.behind_proxy {
            tracing::info!(
                "behind a proxy (--behind-proxy): there are no limits per address; the proxy has to set them"
            );
        }
    }
}

fn rate(per_second: NonZeroU32, burst: NonZeroU32) -> Rate {
    Rate { per_second, burst }
}

/// A time as a whole number of seconds, at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("a whole number of seconds, 1 to 86400".to_owned()),
    }
}
