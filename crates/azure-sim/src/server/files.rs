//! What the data directory keeps besides the state: certificate authority, port, secrets, and the lock that lets one process use it. The state itself is in `state::journal`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::tls::Authority;
use crate::Error;
use crate::auth::SigningKey;
use crate::faults::{self, Rule};

pub(crate) struct Files {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) authority: Authority,
    pub(crate) client_secret: String,
    /// Signs the access tokens; kept, so that a client's token outlives a restart as it does in Azure.
    pub(crate) token_key: String,
    pub(crate) port: Option<u16>,
    lock: Option<File>,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    client_secret: String,
    /// Empty in a directory from before tokens were signed with RSA.
    #[serde(default)]
    token_key: String,
}

impl Files {
    pub(crate) fn open(directory: Option<&Path>, secret: Option<&str>) -> Result<Files, Error> {
        let Some(directory) = directory else {
            return Ok(Files {
                directory: None,
                authority: Authority::generate()?,
                client_secret: secret.map_or_else(random, str::to_owned),
                token_key: passing_key()?,
                port: None,
                lock: None,
            });
        };
        make_private(directory).map_err(|source| data(directory, source))?;
        let lock_path = directory.join("lock");
        let lock = private()
            .write(true)
            .truncate(true)
            .open(&lock_path)
            .map_err(|source| data(&lock_path, source))?;
        if lock.try_lock().is_err() {
            return Err(Error::InUse(directory.to_owned()));
        }

        let (certificate, key) = (directory.join("ca.pem"), directory.join("ca-key.pem"));
        let authority = match (read(&certificate)?, read(&key)?) {
            (Some(certificate_pem), Some(key_pem)) => Authority {
                certificate_pem,
                key_pem,
            },
            _ => {
                let made = Authority::generate()?;
                write(&key, &made.key_pem)?;
                write(&certificate, &made.certificate_pem)?;
                made
            }
        };
        let path = directory.join("identity.json");
        let mut identity = match read(&path)? {
            Some(text) => {
                serde_json::from_str::<Identity>(&text).map_err(|error| Error::Damaged {
                    path: path.clone(),
                    reason: error.to_string(),
                })?
            }
            None => Identity {
                client_secret: random(),
                token_key: String::new(),
            },
        };
        if identity.token_key.is_empty() {
            identity.token_key = SigningKey::generate()?;
            let text = serde_json::to_string(&identity)
                .map_err(|error| Error::Config(error.to_string()))?;
            write(&path, &text)?;
        }
        if let Some(secret) = secret {
            identity.client_secret = secret.to_owned();
        }
        let port = read(&directory.join("port"))?.and_then(|text| text.trim().parse().ok());
        Ok(Files {
            directory: Some(directory.to_owned()),
            authority,
            client_secret: identity.client_secret,
            token_key: identity.token_key,
            port,
            lock: Some(lock),
        })
    }

    pub(crate) fn keep_port(&mut self, port: u16) -> Result<(), Error> {
        if self.port != Some(port)
            && let Some(directory) = &self.directory
        {
            write(&directory.join("port"), &port.to_string())?;
        }
        self.port = Some(port);
        Ok(())
    }

    /// Rules that lie in the directory as `faults.json` take the place of those that were kept.
    pub(crate) fn faults(&self) -> Result<Option<Vec<Rule>>, Error> {
        let Some(path) = self.directory.as_ref().map(|at| at.join("faults.json")) else {
            return Ok(None);
        };
        let Some(text) = read(&path)? else {
            return Ok(None);
        };
        let damaged = |reason: String| Error::Damaged {
            path: path.clone(),
            reason,
        };
        let body = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        faults::read(body)
            .map(Some)
            .map_err(|refusal| damaged(refusal.problem.message))
    }

    /// The lock lives as long as whoever writes the state.
    pub(crate) fn take_lock(&mut self) -> Option<File> {
        self.lock.take()
    }
}

/// The file's text, or `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(data(path, source)),
    }
}

/// Readable by this user only, and never half written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let fresh = path.with_extension("new");
    private()
        .write(true)
        .truncate(true)
        .open(&fresh)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(|source| data(path, source))
}

/// Options that create a file which only this user can read: state, journal and request log hold what people typed.
pub(crate) fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a directory that only this user can enter; one that others could enter is closed to them.
fn make_private(directory: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(directory, mode)?;
    }
    Ok(())
}

pub(crate) fn data(path: &Path, source: std::io::Error) -> Error {
    Error::Data {
        path: path.to_owned(),
        source,
    }
}

/// For simulators without a data directory: one per process, because making one takes longer than many a test.
fn passing_key() -> Result<String, Error> {
    static KEY: std::sync::Mutex<Option<String>> = std::sync::Mutex::new(None);
    let mut kept = KEY
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(key) = &*kept {
        return Ok(key.clone());
    }
    let made = SigningKey::generate()?;
    *kept = Some(made.clone());
    Ok(made)
}

fn random() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
