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

/// Exactly one OpenSSH public key, `type base64 comment`, on one line by anybody's count of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(String);

impl PublicKey {
    /// Takes one key. Ed25519 and RSA from 3,072 bits are accepted: what Azure takes for Linux machines
    /// (<https://learn.microsoft.com/azure/virtual-machines/linux/create-ssh-keys-detailed>), less what is weak.
    ///
    /// # Errors
    /// Every other text: what it is, and what to do.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        if is_private(text) {
            return Err(private());
        }
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.is_empty() {
            return Err(refuse("required", "Paste a public SSH key."));
        }
        whole(text)?;
        let mut words = text.splitn(3, [' ', '\t']);
        let (kind, data) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let comment = words.next().unwrap_or_default();
        accepted_type(kind, text)?;
        if data.is_empty() || comment.starts_with([' ', '\t']) {
            return Err(if text.contains([' ', '\t']) {
                spaces("two spaces")
            } else {
                malformed()
            });
        }
        holds(kind, data)?;
        if words_of(comment).any(is_key_type) || comment.split("AAAA").skip(1).any(is_key_data) {
            return Err(one_key());
        }
        Ok(Self(if comment.is_empty() {
            format!("{kind} {data}")
        } else {
            format!("{kind} {data} {comment}")
        }))
    }

    /// The line, as it goes into `authorized_keys`.
    pub(crate) fn into_line(self) -> String {
        self.0
    }
}

/// Where others end a line: what Python's `splitlines()` takes for an end, with which cloud-init reads keys
/// (<https://docs.python.org/3/library/stdtypes.html#str.splitlines>).
fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// One line of visible characters and plain spaces, and no file format of another tool.
fn whole(text: &str) -> Result<(), KeyError> {
    if text.contains("BEGIN SSH2 PUBLIC KEY") {
        return Err(refuse(
            "rfc4716_key",
            "This is a public key in the format of RFC 4716, as PuTTY saves it. Paste the line that PuTTYgen shows for authorized_keys, or convert the \
             file: ssh-keygen -i -f FILE",
        ));
    }
    if text.contains("-----BEGIN CERTIFICATE") {
        return Err(certificate());
    }
    if text.contains("-----BEGIN ") {
        return Err(refuse(
            "pem_key",
            "This is a public key in PEM format. Convert the file: ssh-keygen -i -m PKCS8 -f FILE",
        ));
    }
    if text.contains(is_line_end) {
        let keys = text
            .split(is_line_end)
            .filter(|line| words_of(line).any(is_key_type))
            .count();
        return Err(if keys > 1 {
            one_key()
        } else if keys == 1 {
            refuse(
                "broken_key",
                "Line breaks stand in this key, as a terminal or an editor makes them. Paste it as one line, as it is in the file that ends in .pub.",
            )
        } else {
            malformed()
        });
    }
    if let Some(space) = text.chars().find(|c| c.is_whitespace() && !c.is_ascii()) {
        return Err(spaces(if matches!(space, '\u{a0}' | '\u{202f}') {
            "a no-break space"
        } else {
            "a space of another kind"
        }));
    }
    if text
        .chars()
        .any(|c| c != '\t' && crate::checks::is_deceptive(c))
    {
        return Err(refuse(
            "control_characters",
            "This holds characters that cannot be seen. Copy the key again from the file that ends in .pub.",
        ));
    }
    Ok(())
}

fn accepted_type(kind: &str, text: &str) -> Result<(), KeyError> {
    match kind {
        "ssh-ed25519" | "ssh-rsa" => Ok(()),
        "ssh-dss" => Err(refuse(
            "weak_key",
            "DSA keys are broken and refused everywhere. Make a new one: ssh-keygen -t ed25519",
        )),
        _ if kind.ends_with("-cert-v01@openssh.com") => Err(certificate()),
        _ if is_key_type(kind) => Err(refuse(
            "key_type",
            "Azure does not accept ECDSA and security-key types for Linux machines. Use Ed25519: ssh-keygen -t ed25519",
        )),
        _ if words_of(text).any(is_key_type) => Err(refuse(
            "key_options",
            "Options or other words stand before the key. Paste the key alone: it begins with ssh-ed25519 or ssh-rsa.",
        )),
        _ => Err(malformed()),
    }
}

/// The base64 part is a key of the type that the line names, and strong enough.
fn holds(kind: &str, data: &str) -> Result<(), KeyError> {
    let blob = BASE64.decode(data).map_err(|_| malformed())?;
    let mut wire = Wire(&blob);
    if wire.string() != Some(kind.as_bytes()) {
        return Err(malformed());
    }
    if kind == "ssh-ed25519" {
        let is_key = wire.string().map(<[u8]>::len) == Some(32) && wire.0.is_empty();
        return if is_key { Ok(()) } else { Err(malformed()) };
    }
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
    Ok(())
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || is_line_end(c))
}

/// A word that begins a key, of whatever kind: <https://man.openbsd.org/sshd.8#AUTHORIZED_KEYS_FILE_FORMAT>.
fn is_key_type(word: &str) -> bool {
    matches!(word, "ssh-ed25519" | "ssh-rsa" | "ssh-dss")
        || word.starts_with("ecdsa-sha2-")
        || word.starts_with("sk-ssh-")
        || word.starts_with("sk-ecdsa-")
        || word.ends_with("-cert-v01@openssh.com")
}

/// Whether base64 after its first `AAAA` is a key: the wire format begins with the length of the type, whose first three bytes are nought.
fn is_key_data(rest: &str) -> bool {
    let rest: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'))
        // The type alone says it: a whole number of base64's groups of four, and no more than the longest type needs.
        .take(56)
        .collect();
    let whole = rest.len() - rest.len() % 4;
    let Ok(blob) = BASE64.decode(format!("AAAA{}", &rest[..whole])) else {
        return false;
    };
    let Some((length, kind)) = blob.split_first_chunk::<4>() else {
        return false;
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    kind.get(..length)
        .and_then(|kind| std::str::from_utf8(kind).ok())
        .is_some_and(is_key_type)
}

fn one_key() -> KeyError {
    refuse(
        "one_key",
        "These are several keys. Paste one public key; further ones can be added on the machine.",
    )
}

fn certificate() -> KeyError {
    refuse(
        "certificate",
        "This is a certificate, not a public key. Paste the key that it was made for, from the file that ends in .pub but not in -cert.pub.",
    )
}

fn spaces(what: &str) -> KeyError {
    refuse(
        "spaces",
        format!(
            "In this key stands {what} where one plain space belongs. Copy it again from the file that ends in .pub."
        ),
    )
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
