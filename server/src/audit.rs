//! The audit record's settings, and `slipway audit …`: exporting it, verifying an export without a database, checking an installation's record.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use futures::TryStreamExt as _;
use portal::{Destination, Signing};
use record::{Checkpoints, Keys, Line, PublicKey, Read, SigningKey, Span, Verifier};
use store::Store;
use types::audit::{AuditCheck, Finding};

use crate::cli::Options;

/// The folder of key and checkpoints in the data directory.
const FOLDER: &str = "audit";
/// Checkpoints go to the log where this stands in place of a file.
const LOG: &str = "log";
/// The signing key itself, for where a secret comes as a variable and not as a file.
const KEY_PEM: &str = "SLIPWAY_AUDIT_KEY_PEM";
/// The exit code where nothing can be told about the record.
const CANNOT_TELL: u8 = 2;
/// The longest line that is read: what Slipway writes has a few kilobytes.
const LONGEST: u64 = 1 << 20;

/// Options of the audit record.
#[derive(Args, Clone)]
pub(crate) struct AuditOptions {
    /// File with the Ed25519 key (PEM, mode 0600) that signs the audit record; made in the data directory in the sandbox, not signed without it elsewhere.
    #[arg(long, env = "SLIPWAY_AUDIT_KEY", global = true, value_name = "FILE")]
    audit_key: Option<PathBuf>,

    /// File with the public keys (PEM) that signed before the present one.
    #[arg(
        long,
        env = "SLIPWAY_AUDIT_EARLIER_KEYS",
        global = true,
        value_name = "FILE"
    )]
    audit_earlier_keys: Option<PathBuf>,

    /// File that checkpoints are appended to, or `log`; a file in the data directory in the sandbox, the log elsewhere.
    #[arg(
        long,
        env = "SLIPWAY_AUDIT_CHECKPOINTS",
        global = true,
        value_name = "FILE|log"
    )]
    audit_checkpoints: Option<String>,

    /// A checkpoint after so many new lines.
    #[arg(long, env = "SLIPWAY_AUDIT_CHECKPOINT_LINES", global = true, value_name = "N", default_value_t = 500,
        value_parser = clap::value_parser!(i64).range(1..=100_000))]
    audit_checkpoint_lines: i64,

    /// A checkpoint after so many minutes, where there are new lines.
    #[arg(long, env = "SLIPWAY_AUDIT_CHECKPOINT_MINUTES", global = true, value_name = "MINUTES", default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=1_440))]
    audit_checkpoint_minutes: u64,
}

/// What `slipway audit` does.
#[derive(Subcommand, Clone)]
pub(crate) enum AuditCommand {
    /// Prints the record as JSON lines, each in canonical form (RFC 8785).
    Export {
        /// The first line.
        #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(i64).range(1..))]
        from: Option<i64>,
        /// The last line.
        #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(i64).range(1..))]
        to: Option<i64>,
    },
    /// Verifies an export against signed checkpoints; needs no database. Ends with 0 when all of it fits, 1 when not, 2 when it cannot tell.
    Verify {
        /// The export, or `-` for standard input.
        file: PathBuf,
        /// File with checkpoints; may be given several times.
        #[arg(long, required = true, value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        /// The public key: a PEM file, or the key in base64; may be given several times.
        #[arg(long, required = true, value_name = "PUBLIC")]
        key: Vec<String>,
        /// The export begins with this line.
        #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(i64).range(1..))]
        from: Option<i64>,
        /// The export ends with this line.
        #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(i64).range(1..))]
        to: Option<i64>,
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Checks the record in the database against the checkpoints, comments and decisions included. Ends as `verify` does.
    Check {
        /// Answers as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints the public key of the installation.
    Key,
}

/// What becomes of the sandbox's key file when it is missing.
#[derive(Clone, Copy)]
pub(crate) enum KeyFile {
    /// It is made: by the process that signs.
    Make,
    /// That is told: a new key would make every checkpoint a foreign one.
    MustExist,
}

/// How the record is signed, by these options.
///
/// # Errors
/// When a key cannot be used.
pub(crate) fn signing(options: &Options, file: KeyFile) -> Result<Signing> {
    let audit = &options.audit;
    let key = signing_key(options, file)?;
    if key.is_none() {
        tracing::warn!(
            "the audit record is not signed: without a key outside the database (--audit-key FILE), whoever can write the database can change it unseen"
        );
    }
    let earlier = match &audit.audit_earlier_keys {
        Some(file) => public_keys_of(file)?,
        None => Vec::new(),
    };
    let to = match audit.audit_checkpoints.as_deref() {
        Some(LOG) => Destination::Log,
        Some(file) => Destination::File(file.into()),
        None if options.is_sandbox() => {
            Destination::File(folder(options)?.join("checkpoints.jsonl"))
        }
        None => Destination::Log,
    };
    Ok(Signing::new(
        key,
        &earlier,
        to,
        audit.audit_checkpoint_lines,
        Duration::from_secs(audit.audit_checkpoint_minutes * 60),
    ))
}

fn signing_key(options: &Options, missing: KeyFile) -> Result<Option<SigningKey>> {
    let in_environment = std::env::var(KEY_PEM).ok().filter(|pem| !pem.is_empty());
    match (&options.audit.audit_key, in_environment) {
        (Some(_), Some(_)) => {
            bail!("there are two audit keys: set either --audit-key or {KEY_PEM}")
        }
        (Some(file), None) => Ok(Some(SigningKey::from_file(file)?)),
        (None, Some(pem)) => Ok(Some(SigningKey::from_pem(&pem).context(KEY_PEM)?)),
        (None, None) if options.is_sandbox() => {
            let file = folder(options)?.join("key.pem");
            match missing {
                KeyFile::Make => record::make_key_file(&file)?,
                KeyFile::MustExist if !file.exists() => {
                    bail!(
                        "the audit key {} is missing: only `slipway serve` makes one, and what another key signed cannot be checked with a new one. Put \
                         the key back, or name the one that signed with --audit-key FILE",
                        file.display()
                    )
                }
                KeyFile::MustExist => {}
            }
            Ok(Some(SigningKey::from_file(&file)?))
        }
        (None, None) => Ok(None),
    }
}

/// The folder of key and checkpoints, made for this user only.
fn folder(options: &Options) -> Result<PathBuf> {
    let folder = options.data()?.join(FOLDER);
    let mut make = std::fs::DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        make.mode(0o700);
    }
    make.create(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}

fn public_keys_of(file: &Path) -> Result<Vec<PublicKey>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    PublicKey::parse(&text).with_context(|| file.display().to_string())
}

/// Runs one of the commands. What cannot be told at all ends with 2, to be told apart from a record that is bad.
pub(crate) async fn run(command: AuditCommand, options: &Options) -> Result<ExitCode> {
    let done = match command {
        AuditCommand::Export { from, to } => export(options, from, to).await,
        AuditCommand::Verify {
            file,
            checkpoints,
            key,
            from,
            to,
            json,
        } => {
            let span = Span {
                from: from.unwrap_or(1),
                to,
            };
            verify(&file, &checkpoints, &key, span).and_then(|check| {
                let code = answer(&check, span.from, json)?;
                // Nothing is proven, and nothing is bad: the auditor needs a part with a checkpoint in it.
                let unsigned = check.result == Finding::NotSigned;
                Ok(if unsigned { CANNOT_TELL.into() } else { code })
            })
        }
        AuditCommand::Check { json } => check(options)
            .await
            .and_then(|check| answer(&check, 1, json)),
        AuditCommand::Key => key(options),
    };
    Ok(done.unwrap_or_else(|error| {
        eprintln!("slipway: {error:#}");
        CANNOT_TELL.into()
    }))
}

fn answer(check: &AuditCheck, from: i64, json: bool) -> Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string(check)?);
    } else {
        print!("{}", record::describe(check, from));
    }
    Ok(if check.result.is_bad() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

async fn export(options: &Options, from: Option<i64>, to: Option<i64>) -> Result<ExitCode> {
    let store = existing_store(options).await?;
    let mut lines = std::pin::pin!(portal::export_record(store, from, to).await?);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while let Some(line) = lines.try_next().await? {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn check(options: &Options) -> Result<AuditCheck> {
    let store = existing_store(options).await?;
    Ok(portal::check_record(&store, &signing(options, KeyFile::MustExist)?).await?)
}

fn key(options: &Options) -> Result<ExitCode> {
    let Some(key) = signing_key(options, KeyFile::MustExist)? else {
        bail!("there is no audit key: set --audit-key FILE");
    };
    print!("{}", key.public().to_pem());
    eprintln!("Fingerprint: {}", key.public().fingerprint());
    Ok(ExitCode::SUCCESS)
}

/// The database, which must be there: a record that is read is never made.
async fn existing_store(options: &Options) -> Result<Store> {
    let url = options.database()?;
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.trim_start_matches("//");
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        if !Path::new(path).exists() {
            bail!("there is no database at {path}; name it with --database-url or --data");
        }
    }
    Store::open(&url)
        .await
        .context("the database cannot be opened")
}

fn verify(
    file: &Path,
    checkpoint_files: &[PathBuf],
    keys: &[String],
    span: Span,
) -> Result<AuditCheck> {
    let mut public = Vec::new();
    for key in keys {
        let path = Path::new(key);
        public.extend(if path.exists() {
            public_keys_of(path)?
        } else {
            PublicKey::parse(key).with_context(|| format!("--key {key}"))?
        });
    }
    let keys = Keys::new(&public);
    let mut checkpoints = Checkpoints::default();
    for file in checkpoint_files {
        let source = std::fs::File::open(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        record::read_checkpoints(
            BufReader::new(source),
            &file.display().to_string(),
            &keys,
            &mut checkpoints,
        )
        .with_context(|| format!("{} cannot be read", file.display()))?;
    }
    let mut verifier = Verifier::new(checkpoints, span);
    let read = |source: &mut dyn BufRead, verifier: &mut Verifier| read_lines(source, verifier);
    if file == Path::new("-") {
        read(&mut std::io::stdin().lock(), &mut verifier)
    } else {
        let source = std::fs::File::open(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        read(
            &mut BufReader::with_capacity(1 << 16, source),
            &mut verifier,
        )
    }
    .with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(verifier.finish())
}

fn read_lines(mut source: &mut dyn BufRead, verifier: &mut Verifier) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        (&mut source).take(LONGEST).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        let line = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| Line::parse(text).ok());
        let read = line.map_or(Read::Unreadable, |line| Read::Line(Box::new(line)));
        if verifier.push(read).is_break() {
            return Ok(());
        }
    }
}
