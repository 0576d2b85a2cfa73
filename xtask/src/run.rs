//! `run`, `build` and `bench`: the server, with the browser's half it carries.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::site;
use crate::tools::{announce, cargo, check, command, root, target};

/// Builds the browser's half and the server; answers where the binary lies.
///
/// # Errors
/// When a tool is missing or a build fails.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    site::build()?;
    announce("Compiling the server");
    let mut build = cargo();
    build.args(["build", "--package=server", "--bin=slipway"]);
    if release {
        build.arg("--release");
    }
    check(&mut build)?;
    Ok(target()
        .join(if release { "release" } else { "debug" })
        .join("slipway"))
}

/// Builds and serves until the server ends.
///
/// # Errors
/// When building fails or the server ends with an error.
pub(crate) fn run(release: bool, arguments: &[String]) -> Result<()> {
    let binary = build(release)?;
    announce("Starting Slipway");
    // Replacing this process hands signals straight to the server, which ends cleanly on SIGTERM.
    let mut serve = command(binary);
    serve.args(arguments);
    if std::env::var_os("SLIPWAY_DATA").is_none() {
        serve.env("SLIPWAY_DATA", root().join(".slipway"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        Err(anyhow::Error::from(serve.exec()).context("the server cannot be started"))
    }
    #[cfg(not(unix))]
    check(&mut serve)
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bench {
    /// Evaluate + policy + cost of 10,000 plans of each template.
    Plans,
    /// 10,000 stacks under Azure's limits, on virtual time.
    Stacks,
}

/// Runs the named benchmarks, or all.
///
/// # Errors
/// When building or a benchmark fails.
pub(crate) fn bench(what: &[Bench]) -> Result<()> {
    for bench in [Bench::Plans, Bench::Stacks] {
        if !what.is_empty() && !what.contains(&bench) {
            continue;
        }
        let (title, example) = match bench {
            Bench::Plans => ("Measuring 10,000 plans of each template", "plan_bench"),
            Bench::Stacks => (
                "Measuring 10,000 stacks under Azure's limits (takes minutes)",
                "stacks_bench",
            ),
        };
        announce(title);
        check(cargo().args(["run", "--release", "--package=portal", "--example", example]))?;
    }
    Ok(())
}
