//! Ed25519 keys as PEM files that `openssl genpkey -algorithm ed25519` makes and reads.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use crate::line::sha256;

/// PKCS#8 version 1 of an Ed25519 key up to its 32 bytes (RFC 8410, section 7). OpenSSL 3.0 refuses version 2, which carries the public key too.
const PRIVATE_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410, section 4).
const PUBLIC_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a key cannot be used. Never quotes the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the audit key {path} cannot be used: {cause}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// Others may read the private key.
    #[error(
        "the audit key {path} can be read by others (mode {mode:03o}): whoever reads it can sign another record. Run `chmod 600 {path}`"
    )]
    Open {
        /// Which file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// There is no private Ed25519 key in the text.
    #[error(
        "the audit key is no unencrypted Ed25519 key as PEM (PKCS#8); make one with `openssl genpkey -algorithm ed25519`"
    )]
    NotPrivate,
    /// There is no public Ed25519 key in the text.
    #[error(
        "this is no Ed25519 public key as PEM or base64; `openssl pkey -in KEY -pubout` prints it"
    )]
    NotPublic,
    /// A private key where a public one is wanted.
    #[error(
        "this is a private key: verifying needs the public one, which `openssl pkey -in KEY -pubout` prints"
    )]
    Private,
    /// The system gave no random bytes.
    #[error("the system gives no random numbers, so no audit key can be made")]
    Random,
}

/// The key that signs checkpoints; it never shows itself.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public.fingerprint())
    }
}

impl SigningKey {
    /// Reads a PEM text.
    ///
    /// # Errors
    /// [`KeyError::NotPrivate`] for anything but one unencrypted Ed25519 key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der =
            PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NotPrivate)?;
        // "Maybe unchecked": version 1 carries no public key to compare with.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|_| KeyError::NotPrivate)?;
        let bytes: [u8; 32] = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyError::NotPrivate)?;
        Ok(Self {
            pair,
            public: PublicKey(bytes),
        })
    }

    /// Reads a PEM file that nobody else can read.
    ///
    /// # Errors
    /// [`KeyError::Open`] when group or others may read it; otherwise as [`SigningKey::from_pem`].
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |cause| KeyError::File {
            path: path.display().to_string(),
            cause,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(path)
                .map_err(failed)?
                .permissions()
                .mode()
                & 0o777;
            if mode & 0o077 != 0 {
                return Err(KeyError::Open {
                    path: path.display().to_string(),
                    mode,
                });
            }
        }
        Self::from_pem(&std::fs::read_to_string(path).map_err(failed)?)
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.pair.sign(bytes))
    }
}

/// A key that verifies checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads every public key of a PEM text, or one key in base64 (32 bytes, or DER).
    ///
    /// # Errors
    /// [`KeyError::NotPublic`] when there is none, or one that is not Ed25519.
    pub fn parse(text: &str) -> Result<Vec<Self>, KeyError> {
        if text.contains("PRIVATE KEY") {
            return Err(KeyError::Private);
        }
        if text.contains("-----BEGIN") {
            let keys = SubjectPublicKeyInfoDer::pem_slice_iter(text.as_bytes())
                .map(|der| Self::from_der(&der.map_err(|_| KeyError::NotPublic)?))
                .collect::<Result<Vec<_>, _>>()?;
            return if keys.is_empty() {
                Err(KeyError::NotPublic)
            } else {
                Ok(keys)
            };
        }
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|_| KeyError::NotPublic)?;
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(vec![Self(key)]),
            Err(_) => Ok(vec![Self::from_der(&bytes)?]),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        der.strip_prefix(&PUBLIC_PREFIX)
            .and_then(|key| key.try_into().ok())
            .map(Self)
            .ok_or(KeyError::NotPublic)
    }

    fn der(&self) -> Vec<u8> {
        [PUBLIC_PREFIX.as_slice(), &self.0].concat()
    }

    /// SHA-256 of the key as DER, in hexadecimal: `openssl pkey -pubin -in PUBLIC -outform DER | sha256sum`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        sha256(&self.der())
    }

    /// The key as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &self.der())
    }

    pub(crate) fn verifies(&self, bytes: &[u8], signature: &str) -> bool {
        STANDARD.decode(signature).is_ok_and(|signature| {
            UnparsedPublicKey::new(&ED25519, self.0)
                .verify(bytes, &signature)
                .is_ok()
        })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    // Both kinds are shorter than one line of 64 characters.
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

/// Makes a key file that only this user can read; an existing one stays as it is.
///
/// # Errors
/// [`KeyError::File`] when it cannot be written.
pub fn make_key_file(path: &Path) -> Result<(), KeyError> {
    let failed = |cause| KeyError::File {
        path: path.display().to_string(),
        cause,
    };
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| KeyError::Random)?;
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        open.mode(0o600);
    }
    let mut file = match open.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    file.write_all(pem("PRIVATE KEY", &[PRIVATE_PREFIX.as_slice(), &seed].concat()).as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_read_only_by_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        make_key_file(&path).unwrap();
        let first = SigningKey::from_file(&path).unwrap().public();
        make_key_file(&path).unwrap();
        assert_eq!(SigningKey::from_file(&path).unwrap().public(), first);
        for mode in [0o640, 0o604, 0o644, 0o660] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = SigningKey::from_file(&path).unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    /// The example of RFC 8410, section 10: a key and its public half, as other programs write them.
    #[test]
    fn the_keys_of_the_standard_are_read_and_other_texts_are_not() {
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let key = SigningKey::from_pem(private).unwrap();
        assert_eq!(PublicKey::parse(public).unwrap(), [key.public()]);
        assert_eq!(key.public().to_pem(), public);
        let raw = STANDARD.encode(key.public().0);
        for text in [
            raw.as_str(),
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n",
        ] {
            assert_eq!(PublicKey::parse(text).unwrap(), [key.public()]);
        }
        assert!(matches!(PublicKey::parse(private), Err(KeyError::Private)));
        for text in [
            "",
            "nonsense",
            "AAAA",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ] {
            assert!(PublicKey::parse(text).is_err(), "{text}");
            assert!(SigningKey::from_pem(text).is_err(), "{text}");
        }
        assert!(!format!("{key:?}").contains("1O5y"));
    }
}
