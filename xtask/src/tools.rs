//! Programs that the build calls: finding them, running them, and saying what to type when one is missing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts the server's build: `CARGO_TARGET_DIR` or `target`.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// Says which part begins, so that a long build is never silent.
pub(crate) fn announce(what: &str) {
    eprintln!("\n▸ {what}");
}

/// A command in the repository's root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// `cargo` as this process was started by.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program of node_modules.
pub(crate) fn node_program(name: &str) -> PathBuf {
    root().join("node_modules/.bin").join(name)
}

/// Runs a command to its end; its failure is an error that names it.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let arguments: Vec<String> = command
        .get_args()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let status = command
        .status()
        .with_context(|| format!("{name} cannot be started; is it installed and on PATH?"))?;
    if !status.success() {
        bail!("{name} {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}

/// What a command prints, or `None` when it cannot be run.
pub(crate) fn output(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = command(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True when a program is on PATH.
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    })
}

/// The WebAssembly target, added by rustup where it is missing.
pub(crate) fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot = output("rustc", &["--print", "sysroot"])
        .context("rustc cannot be started; install Rust from https://rustup.rs")?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(TARGET)
        .is_dir()
    {
        return Ok(());
    }
    announce("Adding the WebAssembly target");
    if !on_path("rustup") {
        bail!(
            "the Rust target {TARGET} is missing and there is no rustup to add it; see docs/building.md"
        );
    }
    check(command("rustup").args(["target", "add", TARGET]))
        .with_context(|| format!("type: rustup target add {TARGET}"))
}

/// The npm packages, installed when the lock file changed since the last time.
pub(crate) fn npm_packages() -> Result<()> {
    let lock = std::fs::read_to_string(root().join("package-lock.json"))?;
    let stamp = root().join("node_modules/.slipway-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    announce("Installing npm packages (Tailwind, wasm-opt, Playwright)");
    if !on_path("npm") {
        bail!("npm is missing. Type: {}", apt_line("nodejs npm"));
    }
    check(
        command("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )?;
    std::fs::write(stamp, lock)?;
    Ok(())
}

/// A Debian package, installed where this user may, otherwise named with the line to type.
///
/// `present` says whether it is there, before and after.
pub(crate) fn debian_package(package: &str, present: impl Fn() -> bool) -> Result<()> {
    if present() {
        return Ok(());
    }
    let is_root = output("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    if is_root && on_path("apt-get") {
        announce(&format!("Installing {package}"));
        check(command("apt-get").args(["update", "-qq"]))?;
        check(
            command("apt-get")
                .args(["install", "-y", "-qq", "--no-install-recommends", package])
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
    }
    if !present() {
        bail!("{package} is missing. Type: {}", apt_line(package));
    }
    Ok(())
}

fn apt_line(packages: &str) -> String {
    format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {packages}")
}

/// cargo-deny: licences, banned crates, sources, advisories.
///
/// # Errors
/// When it cannot be installed.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    cargo_tool("cargo-deny", "0.20.2")
}

/// cargo-machete: dependencies that nothing names.
///
/// # Errors
/// When it cannot be installed.
pub(crate) fn cargo_machete() -> Result<PathBuf> {
    cargo_tool("cargo-machete", "0.9.2")
}

/// A program from crates.io, built once into the target directory.
fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    let home = target().join("tools").join(format!("{name}-{version}"));
    let program = home.join("bin").join(name);
    if !program.is_file() {
        announce(&format!("Installing {name} {version}"));
        check(
            cargo()
                .args(["install", name, "--locked", "--debug", "--quiet"])
                .args(["--version", version, "--root"])
                .arg(&home)
                .arg("--target-dir")
                .arg(target().join("tools/build"))
                .env_remove("CARGO_TARGET_DIR"),
        )?;
        // What it was built from is as large as the server's whole build.
        std::fs::remove_dir_all(target().join("tools/build"))?;
    }
    Ok(program)
}

/// Chromium for the browser tests: `CHROMIUM`, or Debian's.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Ok(path.into());
    }
    let debian = Path::new("/usr/bin/chromium");
    debian_package("chromium", || debian.is_file())?;
    Ok(debian.to_path_buf())
}

/// PostgreSQL's server programs.
pub(crate) fn postgres() -> Result<()> {
    debian_package("postgresql", || {
        on_path("initdb")
            || std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| {
                versions
                    .flatten()
                    .any(|version| version.path().join("bin/initdb").is_file())
            })
    })
}
