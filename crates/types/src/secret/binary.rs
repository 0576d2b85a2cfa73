//! Private keys as bytes: what in DER, OpenSSH and OpenPGP only a private key has. Each place is judged by itself, because the beginning of a key may be cut
//! off; each mark is at least four fixed bytes and a length that fits, so that random bytes have none.

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0]` and `[1]`: curve and public key in a key of SEC 1.
const CURVE: u8 = 0xa0;
const PUBLIC: u8 = 0xa1;
/// 1.2.840.113549.1.5, password-based encryption (RFC 8018).
const PKCS5: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
/// 1.2.840.113549.1.12.1, the encryption of PKCS #12 (RFC 7292).
const PKCS12: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
/// 1.2.840.113549.1.7, content types (RFC 5652).
const PKCS7: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
/// 1.3.6.1.4.1.42.2, in which Java encrypts the keys of its keystores.
const SUN: [u8; 7] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02];
/// 1.3.101, the algorithms of Curve25519 and Curve448 (RFC 8410).
const EDWARDS: [u8; 2] = [0x2b, 0x65];
/// 1.2.840.10045.3.1 and 1.3.132.0, named curves (RFC 5480).
const CURVES: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01],
    &[0x2b, 0x81, 0x04, 0x00],
];
/// Fewest and most bytes of a number that is a modulus, a prime or an exponent: RSA from 512 to 16,384 bits.
const LARGE: usize = 32;
const LARGEST: usize = 2_049;
/// Bytes of the secret number of the usual curves: P-224, P-256, P-384, P-521.
const SCALARS: [usize; 4] = [28, 32, 48, 66];

/// Whether the bytes hold a private key, or so much of one that nothing else looks like it.
pub(super) fn is_private(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| {
        let here = &bytes[at..];
        match here[0] {
            SEQUENCE => is_private_der(here),
            INTEGER => has_private_numbers(here),
            OBJECT_ID => is_private_algorithm(here),
            CURVE => names_curve(here),
            PUBLIC => has_point(here),
            b's' | b'e' | b'o' => is_private_openssh(here),
            0 => is_private_openssh(here) || is_pair(here),
            b'P' | b'A' | b'=' => is_armor(here),
            b'g' => is_tink(here),
            0xfe | 0xce => is_keystore(here),
            _ => false,
        }
    })
}

/// Text inside base64.
fn is_armor(text: &[u8]) -> bool {
    [
        &b"PRIVATE KEY-----"[..],
        b"PRIVATE KEY BLOCK-----",
        b"PuTTY-User-Key-File-",
        b"AGE-SECRET-KEY-1",
        // Tor's.
        b"== ed25519v1-secret: ",
    ]
    .iter()
    .any(|mark| text.starts_with(mark))
}

/// Whether DER, of which only the beginning may be there, is a private key: PKCS #1 (RFC 8017), #8 (RFC 5208), #12 (RFC 7292) or SEC 1 (RFC 5915).
fn is_private_der(der: &[u8]) -> bool {
    let private = || {
        let (mut outer, _) = element(der, SEQUENCE)?;
        if let Some((algorithm, rest)) = element(outer, SEQUENCE) {
            // EncryptedPrivateKeyInfo: a public key has a bit string where this has octets, and another algorithm.
            let (id, _) = element(algorithm, OBJECT_ID)?;
            element(rest, OCTETS)?;
            return Some(encrypts(id));
        }
        let (version, rest) = element(outer, INTEGER)?;
        let [version] = version else { return None };
        outer = rest;
        if let Some((inner, after)) = element(outer, SEQUENCE) {
            let (id, _) = element(inner, OBJECT_ID)?;
            // PKCS #8 has the key after the algorithm; an old certificate has its issuer there.
            let pkcs8 = *version <= 1 && element(after, OCTETS).is_some();
            return Some(pkcs8 || (*version == 3 && id.starts_with(&PKCS7)));
        }
        let number = |tag| element(outer, tag).and(length(outer));
        // A modulus or prime; the secret number of a curve.
        Some(
            *version <= 1
                && (is_modulus(outer)
                    || number(OCTETS).is_some_and(|bytes| (20..=66).contains(&bytes))),
        )
    };
    private().unwrap_or(false)
}

/// Numbers as only a private key has them, from any of its numbers on.
fn has_private_numbers(der: &[u8]) -> bool {
    let private = || {
        let (first, rest) = element(der, INTEGER)?;
        match first {
            // RSA: a version and the modulus, or the public exponent and the private one. A public key has no version and ends with its exponent.
            [0 | 1] if is_modulus(rest) => return Some(true),
            [1, 0, 1] if is_large(rest) => return Some(true),
            // SEC 1: a version and the secret number, then the curve, the public key or nothing.
            [1] => {
                let (_, after) = element(rest, OCTETS)?;
                let fits = length(rest).is_some_and(|n| SCALARS.contains(&n));
                let follows = after
                    .first()
                    .is_none_or(|tag| matches!(*tag, CURVE | PUBLIC));
                return Some(fits && follows);
            }
            // PKCS #12: a version and its content. Older programs write its length as indefinite.
            [3] if rest.first() == Some(&SEQUENCE) => {
                let (id, _) = element(rest.get(header(rest)?..)?, OBJECT_ID)?;
                return Some(id.starts_with(&PKCS7));
            }
            _ => {}
        }
        // Primes and exponents one after another, as long as each other; parameters of DSA have a small number between two large ones.
        let (second, third) = (rest, element(rest, INTEGER)?.1);
        let alike = length(second)?.abs_diff(length(third)?) <= 2;
        Some(alike && is_large(der) && is_large(second) && is_large(third))
    };
    private().unwrap_or(false)
}

/// Whether a positive number of cryptographic size begins here, written as DER writes it; its end may be missing.
fn is_large(der: &[u8]) -> bool {
    let Some(((content, _), length)) = element(der, INTEGER).zip(length(der)) else {
        return false;
    };
    let short = match der[1] {
        0x81 => length >= 128,
        0x82 => length >= 256,
        first => first < 0x80,
    };
    let positive = match content {
        [0, second, ..] => *second >= 0x80,
        [first, ..] => *first < 0x80,
        [] => true,
    };
    short && positive && (LARGE..=LARGEST).contains(&length)
}

/// Whether it is a modulus, or the prime of DSA: its first bit is set, so DER puts a zero before it.
fn is_modulus(der: &[u8]) -> bool {
    is_large(der) && element(der, INTEGER).is_some_and(|(content, _)| content.first() == Some(&0))
}

/// Whether an algorithm encrypts private keys with a password.
fn encrypts(id: &[u8]) -> bool {
    [&PKCS5[..], &PKCS12, &SUN]
        .iter()
        .any(|arc| id.starts_with(arc))
}

/// An algorithm that a private key follows. Signatures and encrypted keys stand in octets too: the content has to be a key as well.
fn is_private_algorithm(der: &[u8]) -> bool {
    let private = || {
        let (id, mut rest) = element(der, OBJECT_ID)?;
        let encrypted = encrypts(id);
        let edwards = id.len() == 3 && id.starts_with(&EDWARDS);
        let known =
            id.len() >= 5 && (id.starts_with(&[0x2a, 0x86, 0x48]) || id.starts_with(&[0x2b]));
        if !(encrypted || edwards || known) {
            return None;
        }
        for parameters in [NULL, OBJECT_ID, SEQUENCE] {
            if let Some((_, after)) = element(rest, parameters) {
                rest = after;
                break;
            }
        }
        let (key, _) = element(rest, OCTETS)?;
        let whole = length(rest)?;
        if encrypted {
            // What PBES2 encrypts in other formats stands in no octets of their own tag; a key is not shorter than this.
            return Some(whole >= LARGE);
        }
        if edwards {
            return Some(element(key, OCTETS).is_some() && length(key)? + 2 == whole);
        }
        Some(is_private_der(key))
    };
    private().unwrap_or(false)
}

/// The curve of a SEC 1 key, which stands behind its secret number: public keys name their curve in another way.
fn names_curve(der: &[u8]) -> bool {
    let curve = || {
        let (inner, _) = element(der, CURVE)?;
        let (id, rest) = element(inner, OBJECT_ID)?;
        let whole = length(inner)? == id.len() && rest.is_empty() && length(der)? == id.len() + 2;
        Some(whole && CURVES.iter().any(|known| id.starts_with(known)))
    };
    curve().unwrap_or(false)
}

/// The public key behind the secret number of SEC 1; elsewhere it stands in no tag of its own.
fn has_point(der: &[u8]) -> bool {
    const BITS: u8 = 0x03;
    let point = || {
        let (inner, _) = element(der, PUBLIC)?;
        let (content, _) = element(inner, BITS)?;
        let whole = length(der)? == length(inner)? + header(inner)?;
        Some(whole && length(inner)? >= 2 * SCALARS[0] && content.starts_with(&[0, 4]))
    };
    point().unwrap_or(false)
}

/// OpenSSH's own format (PROTOCOL.key): its magic, the names of no encryption, or a type with more numbers behind it than a public key has.
fn is_private_openssh(bytes: &[u8]) -> bool {
    const NONE: &[u8] = b"\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01";
    const BCRYPT: &[u8] = b"\0\0\0\x06bcrypt\0\0\0";
    if [b"openssh-key-v1\0", NONE, BCRYPT]
        .iter()
        .any(|mark| bytes.starts_with(mark))
    {
        return true;
    }
    let private = || {
        if let Some(rest) = bytes.strip_prefix(b"ssh-ed25519") {
            // Public key, then private and public key in one; a signature has the 64 bytes at once.
            let (public, rest) = string(rest)?;
            return Some(public.len() == 32 && rest.starts_with(&[0, 0, 0, 64]));
        }
        if let Some(rest) = bytes.strip_prefix(b"ssh-rsa") {
            // A public key begins with its exponent.
            let (_, after) = string(rest)?;
            let modulus = (2 * LARGE..=LARGEST).contains(&size(rest)?);
            return Some(modulus && size(after).is_none_or(|n| n <= 8));
        }
        let rest = bytes.strip_prefix(b"ecdsa-sha2-nistp")?.get(3..)?;
        let (curve, rest) = string(rest)?;
        let (_, rest) = string(rest)?;
        let scalar =
            size(rest).is_some_and(|n| matches!(n, 0x1f..=0x21 | 0x2f..=0x31 | 0x40..=0x42));
        Some(curve.starts_with(b"nistp") && scalar)
    };
    private().unwrap_or(false)
}

/// The public key of an Ed25519 pair and, behind the secret number, the same again: what is left where the name of the type was cut off.
fn is_pair(bytes: &[u8]) -> bool {
    const SHORT: [u8; 4] = [0, 0, 0, 32];
    const LONG: [u8; 4] = [0, 0, 0, 64];
    // So many bytes of the second one are enough.
    let pair = || {
        let public = bytes.strip_prefix(&SHORT)?;
        let again = public.get(32..)?.strip_prefix(&LONG)?.get(32..)?;
        let length = again.len().min(32);
        Some(length >= 8 && public[..length] == again[..length])
    };
    pair().unwrap_or(false)
}

/// Java's keystores, JKS and JCEKS: the magic, a version, how many entries, and the first one's tag: a private or a secret key.
fn is_keystore(bytes: &[u8]) -> bool {
    let head = |at: usize| bytes.get(at..at + 4);
    let magic = matches!(
        head(0),
        Some([0xfe, 0xed, 0xfe, 0xed] | [0xce, 0xce, 0xce, 0xce])
    );
    magic && matches!(head(4), Some([0, 0, 0, 1 | 2])) && matches!(head(12), Some([0, 0, 0, 1 | 3]))
}

/// A key of Tink as a protocol buffer: the name of its type, and behind it the field of the value, which an encrypted or listed key has not.
fn is_tink(bytes: &[u8]) -> bool {
    const VALUE: u8 = 0x12;
    bytes
        .strip_prefix(b"google.crypto.tink.")
        .is_some_and(|rest| {
            let name = rest.iter().take(60);
            let name = name.take_while(|byte| byte.is_ascii_alphanumeric()).count();
            rest.get(name) == Some(&VALUE)
                && rest[..name].ends_with(b"Key")
                && !rest[..name].ends_with(b"PublicKey")
        })
}

/// Whether bytes are a secret key of minisign or signify: a public key and a signature are shorter.
pub(super) fn is_signify(bytes: &[u8]) -> bool {
    const SECRET: usize = 100;
    bytes.len() >= SECRET && (bytes.starts_with(b"EdScB2") || bytes.starts_with(b"EdBK"))
}

/// How long a string of SSH says it is.
fn size(bytes: &[u8]) -> Option<usize> {
    let length: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok()
}

/// A string of SSH, as much of it as is there, and what follows.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let content = bytes.get(4..)?;
    Some(content.split_at(size(bytes)?.min(content.len())))
}

/// Whether OpenPGP data begins with a secret key or subkey of version 4 (RFC 9580, 5.5).
pub(super) fn is_secret_packet(bytes: &[u8]) -> bool {
    let secret = || {
        let (tag, second) = (*bytes.first()?, *bytes.get(1)?);
        let (packet, header) = match tag {
            0xc0.. => (
                tag & 0x3f,
                match second {
                    0..192 => 2,
                    192..224 => 3,
                    255 => 6,
                    _ => return None,
                },
            ),
            0x80.. => (
                (tag >> 2) & 0xf,
                [2, 3, 5].get(usize::from(tag & 3)).copied()?,
            ),
            _ => return None,
        };
        let body = bytes.get(header..)?;
        let [4, _, _, _, _, algorithm, numbers @ ..] = body else {
            return None;
        };
        let fits = match (algorithm, numbers) {
            // A number with its length in bits, which says where its first bit is.
            (1..=3 | 16 | 17, [high, low, first, ..]) => {
                let bits = u16::from_be_bytes([*high, *low]);
                (512..=16_384).contains(&bits) && first >> ((bits - 1) % 8) == 1
            }
            // The length of a curve's id, and its beginning.
            (18 | 19 | 22, [length, first, ..]) => {
                (3..=10).contains(length) && matches!(first, 0x2a | 0x2b)
            }
            _ => false,
        };
        Some(matches!(packet, 5 | 7) && fits)
    };
    secret().unwrap_or(false)
}

/// An element's content, as much of it as is there, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, _) = der.split_first()?;
    if *found != tag {
        return None;
    }
    let length = length(der)?;
    let content = der.get(header(der)?..)?;
    let at = length.min(content.len());
    Some(content.split_at(at))
}

/// How long an element's content says it is.
fn length(der: &[u8]) -> Option<usize> {
    let first = *der.get(1)?;
    if first < 0x80 {
        return Some(usize::from(first));
    }
    let bytes = usize::from(first & 0x7f);
    if !(1..=3).contains(&bytes) {
        return None;
    }
    let bytes = der.get(2..2 + bytes)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
    )
}

fn header(der: &[u8]) -> Option<usize> {
    let first = *der.get(1)?;
    Some(if first < 0x80 {
        2
    } else {
        2 + usize::from(first & 0x7f)
    })
}
