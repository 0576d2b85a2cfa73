//! The one build driver: `cargo xtask run` serves the sandbox, `cargo xtask test` checks everything. What each step does lives in the modules beside this file.

mod advisories;
mod conformance;
mod corpus;
mod run;
mod site;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs and tests Slipway.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds what is missing and serves the sandbox on http://127.0.0.1:3000.
    Run {
        /// Optimised build: slower to make, faster to use.
        #[arg(long)]
        release: bool,
        /// Handed to `slipway`, for example `-- --listen 127.0.0.1:4000`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Builds the browser's half and the server.
    Build {
        /// Leaves the whole product in target/release/slipway.
        #[arg(long)]
        release: bool,
    },
    /// Builds only the browser's half (CSS, WebAssembly) into site/.
    Site,
    /// Runs every check; with names, only those parts.
    Test {
        /// Parts: format, lint, docs, rust, browser; all of these when none is named. And conformance, which takes ten minutes and PyPI.
        parts: Vec<test::Part>,
        /// Handed to Playwright, for example `-- --grep approvals`; after `conformance`, the stories to tell: `-- sdk`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Measures against the budgets, in a release build.
    Bench {
        /// All of these when none is named.
        what: Vec<run::Bench>,
    },
    /// Measures the template evaluator on a folder of compiled ARM templates.
    Corpus {
        /// The folder; every template under it counts.
        folder: std::path::PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run { release, arguments } => run::run(release, &arguments),
        Command::Build { release } => run::build(release).map(|_| ()),
        Command::Site => site::build(),
        Command::Test { parts, arguments } => test::run(&parts, &arguments),
        Command::Bench { what } => run::bench(&what),
        Command::Corpus { folder } => corpus::run(&folder),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
