//! The door of the ARM simulator: [`start`] it, read where it listens and how to sign in from [`Running`]; everything behind it speaks Azure's wire protocol only.
//!
//! Slipway's sandbox runs it in the process, `slipway sim` runs it alone, tests drive it over HTTP. It listens on loopback only.
//! Its own small control surface lives under `/_sim` (request log, state counts, faults, clock, changes behind everybody's back); `faults.rs` documents the rules.

use std::net::SocketAddr;
use std::path::PathBuf;

mod auth;
mod engine;
mod faults;
pub mod fidelity;
mod prices;
mod providers;
mod requests;
pub mod seed;
mod server;
mod state;
mod wire;

pub use server::{Running, Within};

/// How a simulator is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; anything but a loopback address is refused. Port 0 means: the port this data directory used before, or a free one.
    pub listen: SocketAddr,
    /// The data directory: state, certificate authority, port and secret survive a restart there. `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// What clients may speak to it.
    pub transport: Transport,
    /// How many times faster than Azure operations run; at 8 a virtual machine takes about 2.5 seconds. Must be positive.
    pub speed: f64,
    /// Whose clock it goes by.
    pub time: Time,
    /// Whether the token buckets of ARM and Compute answer 429 when they are empty. Their headers are always sent.
    pub throttle: bool,
    /// vCPUs per region, for the total and for every family alike; `None` for the built-in limits, which a few dozen machines can reach.
    pub cores: Option<u32>,
    /// The secret of the sandbox application; `None` takes the one in the data directory, or makes one.
    pub client_secret: Option<String>,
    /// The subscriptions. The seeds of [`seed`] are planted in the two of them that are named there.
    pub subscriptions: Vec<Subscription>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            transport: Transport::Https,
            speed: 8.0,
            time: Time::Machine,
            throttle: false,
            cores: None,
            client_secret: None,
            subscriptions: vec![
                Subscription::new(seed::SUBSCRIPTION_DEV, seed::SUBSCRIPTION_DEV_NAME),
                Subscription::new(seed::SUBSCRIPTION_PROD, seed::SUBSCRIPTION_PROD_NAME),
            ],
        }
    }
}

/// What clients may speak to a simulator. Whatever it is, they all speak to one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// https, with a certificate authority of the simulator's own.
    #[default]
    Https,
    /// https, and plain http beside it for clients that cannot be given a certificate. Whoever comes over http is led on over http.
    HttpsAndHttp,
    /// Plain http alone.
    Http,
}

/// Whose clock a simulator goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    /// The machine's.
    #[default]
    Machine,
    /// That of the tokio runtime which it was started in. Where the runtime's time is paused, it jumps to whatever is waited for next:
    /// hours pass in seconds, and a client in the same runtime lives in the same time. Reach such a simulator through [`Running::within`], not over its port.
    Runtime,
}

/// A subscription of the simulated tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, a UUID in lower case.
    pub id: String,
    /// What people see.
    pub name: String,
}

impl Subscription {
    /// A subscription by id and display name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Subscription {
            id: id.into(),
            name: name.into(),
        }
    }
}

/// Why a simulator could not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is reachable from outside this machine.
    #[error(
        "the simulator listens on loopback only, not on {0}: use 127.0.0.1:{port}",
        port = .0.port()
    )]
    NotLoopback(SocketAddr),
    /// Another process holds the address.
    #[error(
        "cannot listen on {address}: {source}; stop what uses the port or choose another with --listen"
    )]
    Listen {
        /// What was tried.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another simulator uses the data directory.
    #[error("the data directory {0} is in use by another simulator")]
    InUse(PathBuf),
    /// The data directory could not be read or written.
    #[error("{path}: {source}")]
    Data {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the data directory does not make sense.
    #[error(
        "{path} is damaged ({reason}); move the directory away to start with an empty simulator"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate could not be made.
    #[error("the simulator's certificate could not be made: {0}")]
    Certificate(String),
    /// A configuration value cannot be used.
    #[error("configuration: {0}")]
    Config(String),
}

/// Starts a simulator and returns when it accepts connections. It stops when [`Running`] is dropped or [`Running::shutdown`] returns.
///
/// # Errors
/// See [`Error`]; nothing keeps running after one.
pub async fn start(config: Config) -> Result<Running, Error> {
    server::start(config).await
}
