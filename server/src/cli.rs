//! The command line, which is a contract: commands, options and their environment variables (docs/configuration.md).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};

use crate::audit::{AuditCommand, AuditOptions};
use crate::limits::Limits;
use crate::{api, audit, installation, private, sandbox, serve};

/// Self-service provisioning of hardened Linux on Azure. Without a command it serves; without Azure settings it serves the sandbox.
#[derive(Parser)]
#[command(name = "slipway", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    options: Options,

    /// What is logged, as a tracing filter such as `info` or `portal=debug`.
    #[arg(long, env = "SLIPWAY_LOG", global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// Options of every command.
#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Where to listen; port 0 takes a free one. The default is 127.0.0.1:3000, for `sim` the port it had before.
    #[arg(long, env = "SLIPWAY_LISTEN", global = true, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// Where the sandbox keeps its state; made when it is missing.
    #[arg(long, env = "SLIPWAY_DATA", global = true, value_name = "DIR")]
    data: Option<PathBuf>,

    /// `sqlite:///path/slipway.db` or `postgres://user@host/database`; SQLite in the data directory when absent.
    #[arg(
        long,
        env = "SLIPWAY_DATABASE_URL",
        global = true,
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) database_url: Option<String>,

    /// File with the Azure settings (docs/configuration.md); without it, the simulator runs in this process.
    #[arg(long, env = "SLIPWAY_AZURE", global = true, value_name = "FILE")]
    pub(crate) azure: Option<PathBuf>,

    /// How people reach this installation, such as `https://slipway.example`; http://LISTEN when absent.
    #[arg(long, env = "SLIPWAY_PUBLIC_URL", global = true, value_name = "URL")]
    pub(crate) public_url: Option<url::Url>,

    /// With --azure: anybody signs in as anybody, as in the sandbox. For a simulator of your own (`slipway sim`) only; without --azure it is always so.
    #[arg(long, env = "SLIPWAY_SANDBOX", global = true)]
    pub(crate) sandbox: bool,

    /// How many times faster than Azure the simulator's operations run.
    #[arg(
        long,
        env = "SLIPWAY_SIM_SPEED",
        global = true,
        value_name = "FACTOR",
        default_value_t = 8.0
    )]
    pub(crate) sim_speed: f64,

    #[command(flatten)]
    pub(crate) audit: AuditOptions,

    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Subcommand, Clone)]
enum Command {
    /// Serves pages and REST, and works on operations (the default).
    Serve,
    /// Works on operations only: a replica without pages, on PostgreSQL.
    Worker,
    /// Brings the database up to this version and ends.
    Migrate,
    /// Runs the Azure simulator alone, on loopback.
    Sim {
        /// Serves plain http on the same port, beside https: for clients that cannot be given a certificate.
        #[arg(long)]
        http: bool,
    },
    /// Prints the OpenAPI document.
    Openapi,
    /// Exports and verifies the audit record.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

impl Options {
    /// Whether personas sign in: in the built-in sandbox, or where `--sandbox` says so. Never because of an address.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.azure.is_none() || self.sandbox
    }

    /// The data directory, made where it is missing; nobody but this user may enter it.
    pub(crate) fn data(&self) -> Result<PathBuf> {
        let directory = match &self.data {
            Some(directory) => directory.clone(),
            None => default_data()?,
        };
        private::directory(&directory)?;
        directory
            .canonicalize()
            .with_context(|| format!("the data directory {} cannot be read", directory.display()))
    }

    /// The database: as configured, or SQLite in the data directory.
    pub(crate) fn database(&self) -> Result<String> {
        match &self.database_url {
            Some(url) => Ok(url.clone()),
            None => Ok(format!(
                "sqlite://{}",
                self.data()?.join("slipway.db").display()
            )),
        }
    }
}

/// `$XDG_STATE_HOME/slipway` or `~/.local/state/slipway`: state that outlives a restart and is nobody's document.
fn default_data() -> Result<PathBuf> {
    if let Some(state) = std::env::var_os("XDG_STATE_HOME").filter(|state| !state.is_empty()) {
        return Ok(PathBuf::from(state).join("slipway"));
    }
    let home = std::env::var_os("HOME")
        .context("neither HOME nor SLIPWAY_DATA is set; say where to keep state with --data")?;
    Ok(PathBuf::from(home).join(".local/state/slipway"))
}

/// Runs the command to its end.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let options = arguments.options;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(&options).await?,
        Command::Worker => serve::work(&options).await?,
        Command::Migrate => {
            let database = options.database()?;
            installation::open_store(&database).await?;
            println!("The database is up to date.");
        }
        Command::Sim { http } => sandbox::run_alone(&options, http).await?,
        Command::Openapi => println!("{}", api::document_json()?),
        Command::Audit { command } => return audit::run(command, &options).await,
    }
    Ok(ExitCode::SUCCESS)
}
