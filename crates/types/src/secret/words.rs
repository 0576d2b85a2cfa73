//! Private keys by the words around them. A word alone is none, people write about keys: there has to be what only a key has beside it.

/// Fewest characters of the data of an age key that are taken for one, and the characters it is made of (Bech32, BIP 173).
const AGE: usize = 24;
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Fewest characters of a line of a key: PEM has 64 in all but the last.
const LINE: usize = 40;
/// Fewest characters of a value of a JSON Web Key.
const VALUE: usize = 16;
/// Bytes between colons that are taken for a number, as OpenSSL prints one.
const NUMBER: usize = 15;
/// Characters of 32 bytes in base64, without the one that fills them up.
const SHORT_KEY: usize = 43;

/// The words around a key, in lower case and without white space.
pub(super) fn has_marker(squeezed: &str, plain: &str) -> bool {
    const WORDS: [&str; 8] = [
        "proc-type:4,encrypted",
        "beginopenvpnstatickey",
        "beginopenvpntls-crypt-v2",
        "sshprivatekeyfileformat1.",
        // Secret keys of minisign and signify: their first bytes in base64, behind the line of words before them.
        "secretkeyrwrty0iy",
        "secretkeyrwrcsw",
        // "openssh-key-v1" in base64: what is left when only the middle of the file was copied.
        "b3blbnnzac1rzxktdje",
        // The same in hexadecimal.
        "6f70656e7373682d6b65792d7631",
    ];
    WORDS.iter().any(|word| squeezed.contains(word))
        || is_putty(squeezed)
        || is_age(squeezed)
        || is_age_plugin(squeezed)
        || is_tink(squeezed)
        || has_number(squeezed)
        || is_dnssec(squeezed)
        || (squeezed.contains("modulus>") && squeezed.contains("<d>"))
        || is_pem(squeezed, plain)
}

/// A line of PEM: `BEGIN … PRIVATE KEY`, or `PRIVATE KEY-----` where there is data too; a heading has neither.
fn is_pem(squeezed: &str, plain: &str) -> bool {
    let separators = ['_', '+'];
    let mut data = None;
    squeezed.match_indices("private").any(|(at, word)| {
        let after = squeezed[at + word.len()..].trim_start_matches(separators);
        let Some(after) = after.strip_prefix("key") else {
            return false;
        };
        let after = after.trim_start_matches(separators);
        let after = after.strip_prefix("block").unwrap_or(after);
        if (after.trim_start_matches(separators).starts_with("----") || begins_with_rule(after))
            && *data.get_or_insert_with(|| has_line_of_data(plain))
        {
            return true;
        }
        // The label between BEGIN and PRIVATE is a few words.
        let before = &squeezed[..at];
        let from = before
            .char_indices()
            .rev()
            .nth(40)
            .map_or(0, |(from, _)| from);
        before[from..].rfind("begin").is_some_and(|begin| {
            let before = &before[from..from + begin];
            before.trim_end_matches(separators).ends_with("--") || ends_with_rule(before)
        })
    })
}

/// Whether there is a line of base64, or most of one: no word has capitals, small letters and digits and this length.
fn has_line_of_data(plain: &str) -> bool {
    plain
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/')))
        .any(|word| {
            let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
            word.len() >= LINE
                && has(u8::is_ascii_uppercase)
                && has(u8::is_ascii_lowercase)
                && has(u8::is_ascii_digit)
        })
}

/// Characters that people and programs put in the place of a PEM line's hyphens.
fn is_rule(c: char) -> bool {
    matches!(c, '-' | '=' | '_' | '*' | '#' | '~' | '+')
}

fn begins_with_rule(text: &str) -> bool {
    text.chars().take_while(|c| is_rule(*c)).count() >= 4
}

fn ends_with_rule(text: &str) -> bool {
    text.chars().rev().take_while(|c| is_rule(*c)).count() >= 4
}

/// A file of PuTTY, or one of its lines with its value.
fn is_putty(squeezed: &str) -> bool {
    let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let code = |rest: &str| rest.chars().take_while(char::is_ascii_hexdigit).count() >= 32;
    after(squeezed, "putty-user-key-file-").any(|rest| digit(rest) && rest[1..].starts_with(':'))
        || after(squeezed, "private-lines:").any(digit)
        || after(squeezed, "private-mac:").any(code)
        || after(squeezed, "private-hash:").any(code)
}

/// What follows each place where a word stands.
fn after<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(word)
        .map(move |(at, word)| &text[at + word.len()..])
}

/// A secret key of age: `AGE-SECRET-KEY-1` or `AGE-SECRET-KEY-PQ-1`, and the data. The words alone are no key.
fn is_age(squeezed: &str) -> bool {
    after(squeezed, "age-secret-key-").any(|rest| {
        let rest = rest.strip_prefix("pq-").unwrap_or(rest);
        rest.strip_prefix('1').is_some_and(is_bech32)
    })
}

/// An identity of a plugin of age: `AGE-PLUGIN-NAME-1` and the data.
fn is_age_plugin(squeezed: &str) -> bool {
    const NAME: usize = 40;
    after(squeezed, "age-plugin-").any(|rest| {
        let name = rest
            .bytes()
            .take(NAME)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(byte))
            .count();
        after(&rest[..name], "-1").any(|data| is_bech32(&rest[name - data.len()..]))
    })
}

fn is_bech32(text: &str) -> bool {
    let data = text.chars().take(AGE);
    data.filter(|c| BECH32.contains(*c)).count() == AGE
}

/// A keyset of Tink in JSON, not encrypted: what holds a key and not only its name has a value.
fn is_tink(squeezed: &str) -> bool {
    if !squeezed.contains("google.crypto.tink.") || !squeezed.contains("value:") {
        return false;
    }
    after(squeezed, "keymaterialtype:")
        .any(|kind| kind.starts_with("asymmetric_private") || kind.starts_with("symmetric"))
        || squeezed.contains("privatekey,value:")
}

/// A number of a private key as OpenSSL and GnuTLS print it.
fn has_number(squeezed: &str) -> bool {
    const LABELS: [&str; 7] = [
        "privateexponent:",
        "prime1:",
        "prime2:",
        "exponent1:",
        "exponent2:",
        "coefficient:",
        "priv:",
    ];
    let is_number = |rest: &str| {
        let bytes = rest.as_bytes().chunks_exact(3).take(NUMBER);
        let colons = bytes.filter(|byte| {
            byte[0].is_ascii_hexdigit() && byte[1].is_ascii_hexdigit() && byte[2] == b':'
        });
        colons.count() == NUMBER
    };
    LABELS
        .iter()
        .any(|label| after(squeezed, label).any(is_number))
}

/// BIND's file of a private key.
fn is_dnssec(squeezed: &str) -> bool {
    squeezed.contains("private-key-format:v")
        && ["privatekey:", "privateexponent:", "prime1:", "key:"]
            .iter()
            .any(|label| after(squeezed, label).any(|rest| run(rest) >= VALUE))
}

/// Characters of base64 at the beginning, up to as many as matter.
fn run(text: &str) -> usize {
    text.bytes()
        .take(SHORT_KEY)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
        .count()
}

/// `PrivateKey = ` and 32 bytes in base64, as WireGuard, DNSSEC and many others write them. The bytes alone could be a public key.
pub(super) fn has_label(plain: &str) -> bool {
    const LABELS: [&str; 4] = ["privatekey", "private_key", "private-key", "private key"];
    let lower = plain.to_ascii_lowercase();
    LABELS.iter().any(|label| {
        after(&lower, label).any(|rest| {
            let rest = &plain[plain.len() - rest.len()..];
            let Some(rest) = space(rest).strip_prefix([':', '=']) else {
                return false;
            };
            let rest = space(rest);
            run(rest) == SHORT_KEY && rest[SHORT_KEY..].starts_with('=')
        })
    })
}

/// Without the first few characters of white space.
fn space(text: &str) -> &str {
    let white = text
        .bytes()
        .take(8)
        .take_while(u8::is_ascii_whitespace)
        .count();
    &text[white..]
}

/// A JSON Web Key with a private part: `d` or the factors of RSA, or `k` of a symmetric key (RFC 7518). Also as YAML and as lines of `name=value`.
pub(super) fn is_jwk(plain: &str) -> bool {
    if !plain.contains("kty") {
        return false;
    }
    // Between words such as `name=value` white space separates; inside JSON, and where something wrapped a line, it does not.
    [true, false]
        .into_iter()
        .any(|separates| has_secret_member(plain, separates))
}

fn has_secret_member(plain: &str, separates: bool) -> bool {
    let members: String = plain
        .chars()
        .filter_map(|c| match c {
            '\n' => separates.then_some(';'),
            c if c.is_whitespace() => separates.then_some(','),
            c => Some(c),
        })
        .collect();
    let member = |name: &str| {
        members.match_indices(name).any(|(at, _)| {
            // A name stands behind no other name, and not inside a value such as `"kid": "q=…"`.
            let before = &members[..at];
            let begins = before
                .chars()
                .next_back()
                .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '/'));
            let first = begins && !before.trim_end_matches(',').ends_with([':', '=']);
            let Some(value) = members[at + name.len()..].strip_prefix([':', '=']) else {
                return false;
            };
            // What stands behind a colon of YAML.
            let value = value.trim_start_matches([',', ';']);
            first && run(value) >= VALUE
        })
    };
    let secret = ["d", "p", "q", "dp", "dq", "qi"];
    secret.into_iter().any(member) || (members.contains("oct") && member("k"))
}
