//! `drill`: what is done to a whole server, in earnest and at length, of which the test suite keeps a short form. One file per drill.

#[cfg(unix)]
mod half_open;
mod takeover;

use anyhow::Result;
use clap::{Args, Subcommand};

/// What can be drilled.
#[derive(Subcommand)]
pub(crate) enum Drill {
    /// Holds half-open connections from 127.0.0.2 against a server with 1,024 open files, and probes it from 127.0.0.1.
    HalfOpen(HalfOpen),
    /// Takes nodes of one project's cluster from another, in every order, with a kill at each step; two installations likewise.
    Takeover,
}

/// How `half-open` goes.
#[derive(Args)]
pub(crate) struct HalfOpen {
    /// Against the debug build, which is compiled sooner and answers later; otherwise the optimised one.
    #[arg(long)]
    debug: bool,
    /// How long.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
    /// How many connections.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(8..=10_000))]
    connections: u32,
    /// The server's limit of open files, soft and hard.
    #[arg(long, value_name = "NUMBER", default_value_t = 1024)]
    open_files: u32,
}

/// Runs a drill.
///
/// # Errors
/// When building fails, or the server did not stand it.
pub(crate) fn run(drill: &Drill) -> Result<()> {
    match drill {
        #[cfg(unix)]
        Drill::HalfOpen(options) => half_open::run(options),
        #[cfg(not(unix))]
        Drill::HalfOpen(_) => {
            anyhow::bail!("this drill needs a limit of open files, as Unix has one")
        }
        Drill::Takeover => takeover::run(),
    }
}
