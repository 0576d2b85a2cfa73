//! The `slipway` binary: reads the command line, starts what it names, and ends cleanly on SIGTERM.

#![recursion_limit = "512"]

mod api;
mod audit;
mod buckets;
mod cli;
mod connections;
mod http;
mod installation;
mod limits;
mod logging;
mod private;
mod sandbox;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

/// Plans are many small allocations: this allocator takes a fifth off their time. Without huge pages (`no_thp`), which would add 25 MB to an idle server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    private::from_now_on();
    logging::start(arguments.log.as_deref());
    match cli::run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("slipway: {error:#}");
            ExitCode::FAILURE
        }
    }
}
