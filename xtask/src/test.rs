//! `cargo xtask test`: every check that CI makes, in the order in which they fail fastest.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::advisories;
use crate::conformance;
use crate::site;
use crate::tools::{
    announce, cargo, cargo_deny, cargo_machete, check, chromium, command, debian_package,
    node_program, npm_packages, on_path, postgres, target,
};

/// One part of the test run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// rustfmt.
    Format,
    /// cargo-deny: licences, banned crates, sources.
    Dependencies,
    /// clippy, for the server and for the browser, warnings as errors.
    Lint,
    /// rustdoc, warnings as errors.
    Docs,
    /// Unit, contract, API and process tests, on SQLite and PostgreSQL.
    Rust,
    /// Playwright in Chromium.
    Browser,
    /// Microsoft's SDK for Python and the Azure CLI against the simulator; only when it is named.
    Conformance,
}

impl Part {
    const ALL: [Part; 6] = [
        Part::Format,
        Part::Dependencies,
        Part::Lint,
        Part::Docs,
        Part::Rust,
        Part::Browser,
    ];
}

/// Runs the named parts, or all.
///
/// # Errors
/// When a tool is missing (the message says what to type) or a check fails.
pub(crate) fn run(parts: &[Part], arguments: &[String]) -> Result<()> {
    let parts = if parts.is_empty() {
        &Part::ALL[..]
    } else {
        parts
    };
    let begin = Instant::now();
    for part in parts {
        let start = Instant::now();
        match part {
            Part::Format => format()?,
            Part::Dependencies => dependencies()?,
            Part::Lint => lint()?,
            Part::Docs => docs()?,
            Part::Rust => rust()?,
            Part::Browser => browser(arguments)?,
            Part::Conformance => conformance::run(arguments)?,
        }
        eprintln!("  {} took {} s", name(*part), start.elapsed().as_secs());
    }
    eprintln!("\n✓ all green in {} s", begin.elapsed().as_secs());
    Ok(())
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Format => "format",
        Part::Dependencies => "dependencies",
        Part::Lint => "lint",
        Part::Docs => "docs",
        Part::Rust => "rust",
        Part::Browser => "browser",
        Part::Conformance => "conformance",
    }
}

fn format() -> Result<()> {
    announce("Format");
    check(cargo().args(["fmt", "--all", "--check"]))
}

fn dependencies() -> Result<()> {
    let deny = cargo_deny()?;
    let machete = cargo_machete()?;
    announce("Dependencies");
    check(command(&deny).args(["--log-level=error", "check", "licenses", "bans", "sources"]))?;
    announce("Unused dependencies");
    check(&mut command(machete))?;
    advisories::check(&deny)
}

fn lint() -> Result<()> {
    // The server embeds site/, so it must be there before anything of it compiles.
    site::build()?;
    announce("Clippy");
    // `frontend` is left out: it would turn on `hydrate` beside `ssr` in one build of the interface.
    check(cargo().args([
        "clippy",
        "--workspace",
        "--exclude=frontend",
        "--all-targets",
        "--quiet",
        "--",
        "--deny=warnings",
    ]))?;
    check(cargo().args([
        "clippy",
        "--package=frontend",
        "--package=app",
        "--features=app/hydrate",
        "--profile=wasm-release",
        "--target=wasm32-unknown-unknown",
        "--target-dir=target/front",
        "--quiet",
        "--",
        "--deny=warnings",
    ]))
}

fn docs() -> Result<()> {
    announce("Documentation");
    check(
        cargo()
            .args([
                "doc",
                "--workspace",
                "--exclude=frontend",
                "--no-deps",
                "--quiet",
            ])
            .env("RUSTDOCFLAGS", "--deny=warnings"),
    )
}

fn rust() -> Result<()> {
    postgres()?;
    for (package, program) in [("curl", "curl"), ("jq", "jq"), ("openssl", "openssl")] {
        debian_package(package, || on_path(program))?;
    }
    // The tests of the binary serve pages, which it reads from site/.
    site::build()?;
    announce("Rust tests");
    check(workspace_tests().arg("--no-fail-fast"))
}

/// One selection of packages for everything: another would turn on other features and build the dependencies once more.
pub(crate) fn workspace_tests() -> Command {
    let mut test = cargo();
    test.args(["test", "--workspace", "--exclude=frontend"]);
    test
}

fn browser(arguments: &[String]) -> Result<()> {
    postgres()?;
    let chromium = chromium()?;
    npm_packages()?;
    site::build()?;
    announce("Compiling the server");
    check(workspace_tests().arg("--no-run"))?;
    check(cargo().args(["build", "--package=test-postgres"]))?;
    announce("Type check of the browser tests");
    check(command(node_program("tsc")).args(["--noEmit", "--project", "e2e"]))?;
    announce("Browser tests");
    let binary = target().join("debug/slipway");
    if !binary.is_file() {
        bail!("{} is missing", binary.display());
    }
    check(
        command(node_program("playwright"))
            .args(["test", "--config=e2e/playwright.config.ts"])
            .args(arguments)
            .env("CHROMIUM", chromium)
            .env("SLIPWAY_BINARY", binary),
    )
}
