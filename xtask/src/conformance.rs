//! `test conformance`: Microsoft's SDK for Python and the Azure CLI, unmodified, against `slipway sim`. What they do is in `conformance/`; this installs them and starts what they talk to.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::tools::{announce, cargo, check, command, output, root, target};

/// Tenant and application of every simulator (`crates/azure-sim/src/seed.rs`).
const TENANT: &str = "51179a1e-0000-4000-8000-00000000007e";
const CLIENT: &str = "51179a1e-0000-4000-8000-0000000000c1";
/// Fast enough that no operation outlasts a poll, slow enough that polls see it run.
const SPEED: &str = "40";

/// Runs the stories that are named, or both.
///
/// # Errors
/// When Python is missing, a package cannot be installed, or a step of a story fails.
pub(crate) fn run(stories: &[String]) -> Result<()> {
    let binary = simulator()?;
    let mut failed = Vec::new();
    for story in ["sdk", "az"] {
        if !stories.is_empty() && !stories.iter().any(|wanted| wanted == story) {
            continue;
        }
        let environment = environment(story)?;
        announce(&format!("Conformance: {story}"));
        // A simulator of its own for each, so that what one leaves is not the other's to trip over.
        let simulator = Simulator::start(&binary, story)?;
        let whole = std::env::var_os("SIM_ONLY").is_none();
        let mut python = command(environment.join("bin/python"));
        python
            .arg(format!("conformance/{story}.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("AZ", environment.join("bin/az"))
            .env("SIM_ENDPOINT", &simulator.endpoint)
            .env("SIM_CA", simulator.data.join("ca.pem"))
            .env("SIM_TENANT", TENANT)
            .env("SIM_CLIENT", CLIENT)
            .env("SIM_SECRET", simulator.secret()?);
        if whole {
            python.env("SIM_SEEN", root().join("conformance/seen"));
        }
        if check(&mut python).is_err() {
            failed.push(story);
        }
    }
    if !failed.is_empty() {
        bail!("not every step of {} passed", failed.join(" and "));
    }
    Ok(())
}

/// What is driven: the whole binary where there is one, otherwise the simulator alone.
fn simulator() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("SLIPWAY_BINARY") {
        return Ok(binary.into());
    }
    let binary = target().join("debug/slipway");
    if binary.is_file() {
        return Ok(binary);
    }
    announce("Compiling the simulator");
    check(cargo().args(["build", "--package=azure-sim", "--example=sim"]))?;
    Ok(target().join("debug/examples/sim"))
}

/// The virtual environment of a story, made anew when its requirements change.
fn environment(story: &str) -> Result<PathBuf> {
    let requirements = root().join(format!("conformance/requirements-{story}.txt"));
    let text = fs::read(&requirements)?;
    let digest: String = Sha256::digest(&text)[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let home = target().join(format!("conformance/{story}-{digest}"));
    let ready = home.join("ready");
    if ready.is_file() {
        return Ok(home);
    }
    let version = output("python3", &["--version"])
        .context("python3 cannot be started. Type: sudo apt-get install python3 python3-venv")?;
    announce(&format!(
        "Installing {} into {} ({})",
        requirements.display(),
        home.display(),
        version.trim()
    ));
    check(
        command("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&home),
    )
    .context("a virtual environment cannot be made. Type: sudo apt-get install python3-venv")?;
    check(
        command(home.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg("-r")
            .arg(&requirements),
    )?;
    fs::write(ready, digest)?;
    Ok(home)
}

/// A simulator in a directory of its own, ended when it is dropped.
struct Simulator {
    child: Child,
    endpoint: String,
    data: PathBuf,
}

impl Simulator {
    fn start(binary: &Path, story: &str) -> Result<Simulator> {
        let home = target().join(format!("conformance/data-{story}"));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home)?;
        let alone = binary.ends_with("examples/sim");
        let mut run = command(binary);
        if alone {
            run.arg(&home).args(["0", SPEED]);
        } else {
            run.args([
                "sim",
                "--listen=127.0.0.1:0",
                "--sim-speed",
                SPEED,
                "--data",
            ])
            .arg(&home);
        }
        let mut child = run
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let mut lines = child
            .stdout
            .take()
            .map(|output| BufReader::new(output).lines())
            .context("the simulator's output cannot be read")?;
        let endpoint = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, endpoint) = line.split_once("Simulated Azure on ")?;
            Some(endpoint.trim().trim_end_matches('/').to_owned())
        });
        // Read on to the end: a program whose output nobody takes ends at its next line.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let data = if alone { home } else { home.join("azure-sim") };
        match endpoint {
            Some(endpoint) => Ok(Simulator {
                child,
                endpoint,
                data,
            }),
            None => {
                let _ = child.kill();
                bail!("{} did not tell where it listens", binary.display())
            }
        }
    }

    fn secret(&self) -> Result<String> {
        let path = self.data.join("identity.json");
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        let identity: serde_json::Value = serde_json::from_slice(&text)?;
        identity["client_secret"]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("{} has no secret", path.display()))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
