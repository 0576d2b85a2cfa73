//! `cargo xtask corpus DIR`: measures the template evaluator on a folder of compiled ARM templates. The measuring itself is
//! the example `corpus` of the crate `template`, so that this driver needs none of the product's crates.

use std::path::Path;

use anyhow::Result;

use crate::tools::{announce, cargo, check};

/// Runs the measurement in a release build.
///
/// # Errors
/// When building fails, less than all templates can be read, or less than 98 % evaluated.
pub(crate) fn run(folder: &Path) -> Result<()> {
    announce("Measuring the template evaluator");
    check(
        cargo()
            .args([
                "run",
                "--release",
                "--quiet",
                "--package=template",
                "--example=corpus",
                "--",
            ])
            .arg(std::path::absolute(folder)?),
    )
}
