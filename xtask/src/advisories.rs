//! Known vulnerabilities of what Slipway is built from: RustSec's database for crates, the npm registry's audit for packages.
//!
//! Both are on the Internet. Where one cannot be reached the run says so and goes on: a build in a closed network must not fail for it,
//! and must not look as if it had been checked.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::tools::{announce, check as run, command};

/// Checks crates and packages.
///
/// # Errors
/// For a known vulnerability without an exception. The exceptions for crates, each with its reason, stand in `deny.toml`.
pub(crate) fn check(deny: &Path) -> Result<()> {
    crates(deny)?;
    packages()
}

fn crates(deny: &Path) -> Result<()> {
    announce("Advisories of crates");
    let fetched = command(deny)
        .args(["--log-level=off", "fetch", "db"])
        .status()
        .context("cargo-deny cannot be started")?;
    if !fetched.success() {
        not_checked("RustSec's database", "cargo deny check advisories");
        return Ok(());
    }
    run(command(deny).args([
        "--log-level=error",
        "check",
        "--disable-fetch",
        "advisories",
    ]))
}

fn packages() -> Result<()> {
    announce("Advisories of npm packages");
    let output = command("npm")
        .args(["audit", "--package-lock-only", "--json"])
        .output()
        .context("npm cannot be started; is Node installed?")?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    // A report lists vulnerabilities, none included; anything else is an error of the registry or of the way to it.
    let Some(found) = report["vulnerabilities"].as_object() else {
        not_checked("the npm registry's audit", "npm audit");
        return Ok(());
    };
    if !found.is_empty() {
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        bail!(
            "npm audit knows of vulnerabilities in {}; `npm audit` tells them",
            names.join(", ")
        );
    }
    Ok(())
}

fn not_checked(database: &str, command: &str) {
    eprintln!("  NOT CHECKED: {database} cannot be reached from here. Where it can: {command}");
}
