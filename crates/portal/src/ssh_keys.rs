//! SSH public keys: which ones a machine may be given. Private halves are recognised here, so that they can be refused wherever they are pasted.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Least modulus of an RSA key in bits: 128-bit security, as NIST SP 800-57 part 1 wants it beyond 2030. Azure itself takes 2,048.
const RSA_BITS: usize = 3072;

/// `ssh-keygen` pads, some tools do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a key was refused; the text never holds any of what was pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyError {
    /// Stable word for programs.
    pub(crate) code: &'static str,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

fn refuse(code: &'static str, message: impl Into<String>) -> KeyError {
    KeyError {
        code,
        message: message.into(),
    }
}

/// Takes one OpenSSH public key in the form `type base64 comment` and gives it back on one line.
///
/// Ed25519 and RSA from 3,072 bits are accepted: what Azure takes for Linux machines
/// (<https://learn.microsoft.com/azure/virtual-machines/linux/create-ssh-keys-detailed>), less what is weak.
///
/// # Errors
/// Every other text, with what to do.
pub(crate) fn accept(text: &str) -> Result<String, KeyError> {
    if is_private(text) {
        return Err(private());
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(refuse("required", "Paste a public SSH key."));
    }
    if text.lines().count() > 1 {
        return Err(refuse(
            "one_key",
            "Paste one public key on one line. Further keys can be added on the machine.",
        ));
    }
    let mut words = text.splitn(3, [' ', '\t']);
    let (Some(kind), Some(data)) = (words.next(), words.next()) else {
        return Err(malformed());
    };
    let comment = words.next().unwrap_or("").trim();
    match kind {
        "ssh-ed25519" | "ssh-rsa" => {}
        "ssh-dss" => {
            return Err(refuse(
                "weak_key",
                "DSA keys are broken and refused everywhere. Make a new one: ssh-keygen -t ed25519",
            ));
        }
        _ if kind.starts_with("ecdsa-") || kind.starts_with("sk-") => {
            return Err(refuse(
                "key_type",
                "Azure does not accept ECDSA and security-key types for Linux machines. Use Ed25519: ssh-keygen -t ed25519",
            ));
        }
        _ => return Err(malformed()),
    }
    let blob = BASE64.decode(data).map_err(|_| malformed())?;
    let mut wire = Wire(&blob);
    if wire.string() != Some(kind.as_bytes()) {
        return Err(malformed());
    }
    if kind == "ssh-ed25519" {
        if wire.string().map(<[u8]>::len) != Some(32) || !wire.0.is_empty() {
            return Err(malformed());
        }
    } else {
        let (Some(exponent), Some(modulus)) = (wire.string(), wire.string()) else {
            return Err(malformed());
        };
        if !wire.0.is_empty() || bits(exponent) == 0 {
            return Err(malformed());
        }
        let bits = bits(modulus);
        if bits < RSA_BITS {
            return Err(refuse(
                "weak_key",
                format!(
                    "This RSA key has {bits} bits; at least {RSA_BITS} are needed. Better: ssh-keygen -t ed25519"
                ),
            ));
        }
    }
    if comment.is_empty() {
        Ok(format!("{kind} {data}"))
    } else {
        Ok(format!("{kind} {data} {comment}"))
    }
}

/// Whether a text holds a private key: PEM of any kind, OpenSSH's own format without its lines around it, PuTTY's.
#[must_use]
pub(crate) fn is_private(text: &str) -> bool {
    // "openssh-key-v1\0" in base64: what is left when only the middle of the file was copied.
    text.contains("PRIVATE KEY-----")
        || text.contains("b3BlbnNzaC1rZXktdjE")
        || text.contains("PuTTY-User-Key-File")
        || text.contains("PRIVATE KEY BLOCK-----")
}

/// What to say about a private key.
pub(crate) fn private() -> KeyError {
    refuse(
        "private_key",
        "This is a private key. It was not stored. Paste the public half, from the file that ends in .pub. If this page is not only yours to see, replace the pair.",
    )
}

fn malformed() -> KeyError {
    refuse(
        "malformed_key",
        "This is not an OpenSSH public key. It begins with ssh-ed25519 or ssh-rsa and stands in the file that ends in .pub.",
    )
}

/// The wire format of RFC 4251: strings with four bytes of length before them.
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn string(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if rest.len() < length {
            return None;
        }
        let (string, rest) = rest.split_at(length);
        self.0 = rest;
        Some(string)
    }
}

/// Significant bits of a multiple-precision integer, big end first.
fn bits(integer: &[u8]) -> usize {
    let Some(first) = integer.iter().position(|byte| *byte != 0) else {
        return 0;
    };
    let leading = usize::try_from(integer[first].leading_zeros()).unwrap_or(0);
    (integer.len() - first) * 8 - leading
}
