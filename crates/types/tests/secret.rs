//! Private keys of every format and writing, and what looks like one and is public. All are made here, of random bytes: no key is in the repository.

use proptest::collection::vec;
use proptest::prelude::*;
use types::secret::looks_private;

type Bytes = Vec<u8>;

// --- DER, by hand -------------------------------------------------------------------------------------------------------------------------------

fn tagged(tag: u8, content: &[u8]) -> Bytes {
    let n = content.len();
    let mut der = vec![tag];
    match n {
        0..128 => der.push(n as u8),
        128..256 => der.extend([0x81, n as u8]),
        _ => der.extend([0x82, (n >> 8) as u8, n as u8]),
    }
    der.extend(content);
    der
}

fn sequence(parts: &[Bytes]) -> Bytes {
    tagged(0x30, &parts.concat())
}

/// A number of this many bytes whose first bit is set.
fn number(random: &[u8], length: usize) -> Bytes {
    let mut content = vec![0, random[0] | 0x80];
    content.extend(random[1..].iter().copied().cycle().take(length - 1));
    tagged(2, &content)
}

fn small(n: u8) -> Bytes {
    tagged(2, &[n])
}

fn id(bytes: &[u8]) -> Bytes {
    tagged(6, bytes)
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const SHA256_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const SIGNED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

fn rsa_algorithm() -> Bytes {
    sequence(&[id(RSA), tagged(5, &[])])
}

fn bits(content: &[u8]) -> Bytes {
    tagged(3, &[&[0], content].concat())
}

fn exponent() -> Bytes {
    tagged(2, &[1, 0, 1])
}

fn rsa_private(r: &[u8], size: usize) -> Bytes {
    let half = |from: usize| number(&r[from..], size / 2);
    sequence(&[
        small(0),
        number(r, size),
        exponent(),
        number(&r[1..], size),
        half(2),
        half(3),
        half(4),
        half(5),
        half(6),
    ])
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Bytes {
    sequence(&[small(0), algorithm.to_vec(), tagged(4, key)])
}

fn sec1(r: &[u8], curve: Option<&[u8]>, size: usize) -> Bytes {
    let mut parts = vec![small(1), tagged(4, &r[..size])];
    parts.extend(curve.map(|curve| tagged(0xa0, &id(curve))));
    parts.push(tagged(
        0xa1,
        &bits(&[&[4], &r[..size], &r[..size]].concat()),
    ));
    sequence(&parts)
}

fn encrypted(r: &[u8]) -> Bytes {
    let kdf = sequence(&[
        id(PBKDF2),
        sequence(&[tagged(4, &r[..16]), tagged(2, &[8, 0])]),
    ]);
    let cipher = sequence(&[
        id(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]),
        tagged(4, &r[..16]),
    ]);
    sequence(&[
        sequence(&[id(PBES2), sequence(&[kdf, cipher])]),
        tagged(4, &r[..64]),
    ])
}

fn pkcs12(r: &[u8]) -> Bytes {
    sequence(&[
        small(3),
        sequence(&[id(DATA), tagged(0xa0, &tagged(4, &r[..200]))]),
    ])
}

// --- SSH ----------------------------------------------------------------------------------------------------------------------------------------

fn string(content: &[u8]) -> Bytes {
    [&(content.len() as u32).to_be_bytes(), content].concat()
}

/// A number as SSH writes it.
fn mpint(r: &[u8], size: usize) -> Bytes {
    let mut content = vec![0, r[0] | 0x80];
    content.extend(r[1..].iter().copied().cycle().take(size - 1));
    string(&content)
}

fn openssh(r: &[u8], kind: usize) -> Bytes {
    let (public, private) = match kind {
        0 => {
            let public = [string(b"ssh-ed25519"), string(&r[..32])].concat();
            // The secret number, and the public one again.
            let secret = [&r[32..64], &r[..32]].concat();
            (public.clone(), [public, string(&secret)].concat())
        }
        1 => (
            [string(b"ssh-rsa"), string(&[1, 0, 1]), mpint(r, 384)].concat(),
            [
                string(b"ssh-rsa"),
                mpint(r, 384),
                string(&[1, 0, 1]),
                mpint(&r[1..], 384),
                mpint(&r[2..], 192),
                mpint(&r[3..], 192),
                mpint(&r[4..], 192),
            ]
            .concat(),
        ),
        _ => {
            let point = [&[4][..], &r[..64]].concat();
            let public = [
                string(b"ecdsa-sha2-nistp256"),
                string(b"nistp256"),
                string(&point),
            ]
            .concat();
            (public.clone(), [public, mpint(r, 32)].concat())
        }
    };
    [
        b"openssh-key-v1\0".to_vec(),
        string(b"none"),
        string(b"none"),
        string(b""),
        vec![0, 0, 0, 1],
        string(&public),
        string(
            &[
                r[..4].to_vec(),
                r[..4].to_vec(),
                private,
                string(b"me@host"),
            ]
            .concat(),
        ),
    ]
    .concat()
}

/// Lines as they stand in `authorized_keys`: keys and certificates of every type.
fn ssh_public(r: &[u8], rsa: usize) -> Vec<String> {
    let point = [&[4][..], &r[..64]].concat();
    let ecdsa = |name: &str, curve: &str, rest: &[u8]| {
        let body = [
            string(name.as_bytes()),
            string(curve.as_bytes()),
            string(&point),
            rest.to_vec(),
        ];
        (name.to_owned(), body.concat())
    };
    let signed_by = [string(b"ssh-ed25519"), string(&r[..32])].concat();
    let signature = [string(b"ssh-ed25519"), string(&r[..64])].concat();
    let end = |inner: Bytes| {
        [
            inner,
            vec![0; 8],
            vec![0, 0, 0, 1],
            string(b"id"),
            string(&string(b"me")),
            vec![0; 8],
            vec![0xff; 8],
            string(b""),
            string(b""),
            string(b""),
            string(&signed_by),
            string(&signature),
        ]
        .concat()
    };
    let (ecdsa_ca, ecdsa_blob) = ecdsa("ecdsa-sha2-nistp256", "nistp256", &[]);
    let by_ecdsa = [
        string(b"ssh-ed25519-cert-v01@openssh.com"),
        string(&r[..32]),
        string(&r[..32]),
        vec![0; 8],
        vec![0, 0, 0, 1],
        string(b"id"),
        string(b""),
        vec![0; 16],
        string(b""),
        string(b""),
        string(b""),
        string(&ecdsa_blob),
        string(
            &[
                string(ecdsa_ca.as_bytes()),
                string(&[mpint(r, 32), mpint(&r[1..], 32)].concat()),
            ]
            .concat(),
        ),
    ]
    .concat();
    let keys = [
        (
            "ssh-rsa".to_owned(),
            [string(b"ssh-rsa"), string(&[1, 0, 1]), mpint(r, rsa)].concat(),
        ),
        ("ssh-ed25519".to_owned(), signed_by.clone()),
        ecdsa("ecdsa-sha2-nistp256", "nistp256", &[]),
        ecdsa("ecdsa-sha2-nistp521", "nistp521", &[]),
        ecdsa(
            "sk-ecdsa-sha2-nistp256@openssh.com",
            "nistp256",
            &string(b"ssh:"),
        ),
        (
            "sk-ssh-ed25519@openssh.com".to_owned(),
            [
                string(b"sk-ssh-ed25519@openssh.com"),
                string(&r[..32]),
                string(b"ssh:"),
            ]
            .concat(),
        ),
        (
            "ssh-ed25519-cert-v01@openssh.com".to_owned(),
            end([
                string(b"ssh-ed25519-cert-v01@openssh.com"),
                string(&r[..32]),
                string(&r[..32]),
            ]
            .concat()),
        ),
        (
            "ssh-rsa-cert-v01@openssh.com".to_owned(),
            end([
                string(b"ssh-rsa-cert-v01@openssh.com"),
                string(&r[..32]),
                string(&[1, 0, 1]),
                mpint(r, rsa),
            ]
            .concat()),
        ),
        ("ssh-ed25519-cert-v01@openssh.com".to_owned(), by_ecdsa),
    ];
    keys.into_iter()
        .map(|(name, blob)| format!("{name} {} me@host", base64(&blob, STANDARD)))
        .collect()
}

// --- OpenPGP ------------------------------------------------------------------------------------------------------------------------------------

/// A key packet of version 4; tag 5 is secret, 6 public.
fn packet(r: &[u8], tag: u8, rsa: bool) -> Bytes {
    let mut body = vec![4, 0x65, 0x5f, 1, 2];
    if rsa {
        body.extend([1, 0x0c, 0]);
        body.push(r[0] | 0x80);
        body.extend(r.iter().cycle().take(383));
        body.extend([0, 17, 1, 0, 1]);
    } else {
        body.extend([22, 9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1, 1, 7, 0x40]);
        body.extend(&r[..32]);
    }
    body.push(0);
    body.extend(&r[..96]);
    let mut packet = vec![0x80 | tag << 2 | 1];
    packet.extend((body.len() as u16).to_be_bytes());
    packet.extend(body);
    packet
}

// --- Writings -----------------------------------------------------------------------------------------------------------------------------------

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let whole = group
            .iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for n in 0..=group.len() {
            text.push(char::from(alphabet[(whole >> (18 - 6 * n)) as usize & 63]));
        }
        if alphabet == STANDARD {
            text.extend(std::iter::repeat_n('=', 3 - group.len()));
        }
    }
    text
}

fn hex(bytes: &[u8], before: &str, between: &str, line: usize) -> String {
    let mut text = String::new();
    for (n, byte) in bytes.iter().enumerate() {
        if n > 0 {
            text.push_str(if n % line == 0 { "\n" } else { between });
        }
        text.push_str(&format!("{before}{byte:02x}"));
    }
    text
}

fn lines(text: &str, length: usize, end: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines: Vec<String> = characters
        .chunks(length)
        .map(|line| line.iter().collect())
        .collect();
    lines.join(end)
}

/// The same bytes as people paste them.
fn writings(bytes: &[u8]) -> Vec<String> {
    let plain = base64(bytes, STANDARD);
    vec![
        plain.clone(),
        base64(bytes, URL),
        lines(&plain, 64, "\n"),
        lines(&plain, 76, "\r\n"),
        lines(&plain, 20, "\\n"),
        lines(&plain, 64, "\n> "),
        lines(&plain, 30, "\u{200b}"),
        format!("use this {plain}, please"),
        base64(plain.as_bytes(), STANDARD),
        hex(bytes, "", "", usize::MAX),
        hex(bytes, "", ":", 15),
        hex(bytes, "", " ", 16).to_uppercase(),
        hex(bytes, "0x", ", ", 12),
        hex(bytes, "\\x", "", usize::MAX),
        format!("0x{}", hex(bytes, "", "", usize::MAX)),
    ]
}

fn private_keys(r: &[u8]) -> Vec<(&'static str, Bytes)> {
    let ec = |curve| sequence(&[id(EC), id(curve)]);
    vec![
        ("PKCS #1, 2048", rsa_private(r, 256)),
        ("PKCS #1, 4096", rsa_private(r, 512)),
        (
            "PKCS #8, RSA",
            pkcs8(&rsa_algorithm(), &rsa_private(r, 256)),
        ),
        ("SEC 1, P-256", sec1(r, Some(P256), 32)),
        ("SEC 1, P-384", sec1(r, Some(P384), 48)),
        ("PKCS #8, EC", pkcs8(&ec(P256), &sec1(r, None, 32))),
        (
            "PKCS #8, Ed25519",
            pkcs8(&sequence(&[id(ED25519)]), &tagged(4, &r[..32])),
        ),
        ("PKCS #8, encrypted", encrypted(r)),
        ("PKCS #12", pkcs12(r)),
        ("OpenSSH, Ed25519", openssh(r, 0)),
        ("OpenSSH, RSA", openssh(r, 1)),
        ("OpenSSH, ECDSA", openssh(r, 2)),
    ]
}

fn pem_of(der: &[u8], label: &str) -> String {
    let body = lines(&base64(der, STANDARD), 64, "\n");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// The characters of a line of a dump.
fn characters(line: &[u8]) -> String {
    line.iter()
        .map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        })
        .collect()
}

fn xxd(bytes: &[u8]) -> String {
    let line = |(n, line): (usize, &[u8])| {
        let groups: Vec<String> = line
            .chunks(2)
            .map(|pair| hex(pair, "", "", usize::MAX))
            .collect();
        format!(
            "{:08x}: {:<39}  {}\n",
            16 * n,
            groups.join(" "),
            characters(line)
        )
    };
    bytes.chunks(16).enumerate().map(line).collect()
}

fn hexdump(bytes: &[u8]) -> String {
    let line = |(n, line): (usize, &[u8])| {
        let halves: Vec<String> = line
            .chunks(8)
            .map(|half| hex(half, "", " ", usize::MAX))
            .collect();
        format!(
            "{:08x}  {:<48}  |{}|\n",
            16 * n,
            halves.join("  "),
            characters(line)
        )
    };
    bytes.chunks(16).enumerate().map(line).collect()
}

fn utf16(text: &str, big: bool) -> Bytes {
    text.encode_utf16()
        .flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    (0..bytes.len() * 8)
        .step_by(5)
        .map(|at| {
            let digit = (0..5).fold(0, |sum, n| sum << 1 | bit(at + n));
            char::from(DIGITS[usize::from(digit)])
        })
        .collect()
}

/// A number as OpenSSL prints one under its label.
fn printed(label: &str, number: &[u8]) -> String {
    let text = hex(number, "", ":", usize::MAX);
    format!("{label}:\n    {}\n", lines(&text, 45, "\n    "))
}

/// A keystore of Java up to the end of its first entry.
fn keystore(r: &[u8], magic: [u8; 4], tag: u8) -> Bytes {
    let java = id(&[0x2b, 6, 1, 4, 1, 0x2a, 2, 17, 1, 1]);
    let key = sequence(&[sequence(&[java, tagged(5, &[])]), tagged(4, &r[..300])]);
    let content = match tag {
        2 => sequence(&[tagged(0x0c, b"X.509"), tagged(3, &r[..200])]),
        _ => key,
    };
    [
        magic.to_vec(),
        vec![0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, tag, 0, 1, b'a'],
        r[..8].to_vec(),
        string(&content),
    ]
    .concat()
}

/// Formats of single tools: the private forms, and the public ones that look alike.
fn pairs(r: &[u8]) -> Vec<(&'static str, Vec<String>, Vec<String>)> {
    let b64 = |bytes: &[u8]| base64(bytes, STANDARD);
    let short = b64(&r[..32]);
    let url = base64(&r[..32], URL);
    let modulus = &number(r, 256)[4..];
    let tink = |kind: &str, material: &str| {
        let name = format!("type.googleapis.com/google.crypto.tink.{kind}");
        let json = format!(
            r#"{{"primaryKeyId":1,"key":[{{"keyData":{{"typeUrl":"{name}","value":"{short}","keyMaterialType":"{material}"}},"status":"ENABLED"}}]}}"#
        );
        let binary = [
            &[0x0a, name.len() as u8],
            name.as_bytes(),
            &[0x12, 32],
            &r[..32],
        ]
        .concat();
        vec![json.replace(',', ",\n  "), json, b64(&binary)]
    };
    let listed = r#"{"keysetInfo":{"primaryKeyId":1,"keyInfo":[{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey","status":"ENABLED"}]}}"#;
    let java = |tag| {
        [[0xfe, 0xed, 0xfe, 0xed], [0xce; 4]]
            .iter()
            .flat_map(|magic| {
                let store = keystore(r, *magic, tag);
                let cut = &store[12..];
                let cut = if tag == 2 { &store } else { cut };
                [b64(&store), hex(&store, "", "", usize::MAX), b64(cut)]
            })
            .collect::<Vec<_>>()
    };
    let bech32 = |n: usize| -> String {
        r[..n]
            .iter()
            .map(|byte| char::from(b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"[usize::from(byte & 31)]))
            .collect()
    };
    let base58 = |n: usize| -> String {
        r[..n]
            .iter()
            .map(|byte| {
                char::from(
                    b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
                        [usize::from(byte % 58)],
                )
            })
            .collect()
    };
    let rsa_public = format!(
        "Public-Key: (2048 bit)\n{}Exponent: 65537 (0x10001)\n",
        printed("Modulus", modulus)
    );
    let point = printed("pub", &[&[4], &r[..64]].concat());
    let xml = |inner: &str| {
        format!(
            "<RSAParameters><Exponent>AQAB</Exponent><Modulus>{}</Modulus>{inner}</RSAParameters>",
            b64(modulus)
        )
    };
    let parts = [&b"Ed"[..], &r[..8]].concat();
    let minisign = b64(&[&b"EdScB2"[..], &r[..152]].concat());
    let signify = b64(&[&b"EdBK\0\0\0\x2a"[..], &r[..96]].concat());
    let signature = b64(&[&parts[..], &r[..64]].concat());
    vec![
        (
            "openssl pkey -text, RSA",
            vec![
                format!("{rsa_public}{}", printed("privateExponent", modulus)),
                printed("prime1", &modulus[..128]),
                printed("coefficient", &modulus[..128]),
            ],
            vec![
                rsa_public,
                printed("        X509v3 Subject Key Identifier", &r[..20]),
            ],
        ),
        (
            "openssl pkey -text, curves",
            vec![
                format!(
                    "Private-Key: (256 bit)\n{}{point}",
                    printed("priv", &r[..32])
                ),
                format!("ED25519 Private-Key:\n{}", printed("priv", &r[..32])),
            ],
            vec![format!(
                "Public-Key: (256 bit)\n{point}ASN1 OID: prime256v1\n"
            )],
        ),
        (
            "JWK in YAML",
            vec![
                format!("kty: OKP\ncrv: Ed25519\nd: {url}\n"),
                format!("jwk:\n  d: {url}\n  kty: EC\n"),
                format!("- d: \"{url}\"\n  kty: OKP\n"),
            ],
            vec![
                format!("kty: OKP\ncrv: Ed25519\nx: {url}\nkid: d\n"),
                format!("kty: EC\nkid: {url}\nx: {url}\ny: {url}\n"),
            ],
        ),
        ("Java keystores", [java(1), java(3)].concat(), java(2)),
        (
            "Tink",
            [
                tink("Ed25519PrivateKey", "ASYMMETRIC_PRIVATE"),
                tink("AesGcmKey", "SYMMETRIC"),
            ]
            .concat(),
            [
                tink("Ed25519PublicKey", "ASYMMETRIC_PUBLIC"),
                vec![listed.to_owned()],
            ]
            .concat(),
        ),
        (
            "OpenVPN",
            vec![format!(
                "-----BEGIN OpenVPN Static key V1-----\n{}\n-----END OpenVPN Static key V1-----",
                hex(&r[..256], "", "", 16)
            )],
            vec![],
        ),
        (
            "DNSSEC",
            vec![
                format!(
                    "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {short}"
                ),
                format!(
                    "Private-key-format: v1.2\nAlgorithm: 8 (RSASHA256)\nModulus: {0}\nPublicExponent: AQAB\nPrivateExponent: {0}",
                    b64(modulus)
                ),
            ],
            vec![
                format!("example.com. IN DNSKEY 257 3 13 {}", b64(&r[..64])),
                format!(
                    "example.com. IN DS 370 13 2 {}",
                    hex(&r[..32], "", "", usize::MAX)
                ),
            ],
        ),
        (
            "minisign and signify",
            vec![
                format!("untrusted comment: minisign encrypted secret key\n{minisign}"),
                format!("untrusted comment: signify secret key\n{signify}"),
                minisign,
                signify,
            ],
            vec![
                format!(
                    "untrusted comment: minisign public key\n{}",
                    b64(&[&parts[..], &r[..32]].concat())
                ),
                format!(
                    "untrusted comment: signature from minisign secret key\n{signature}\ntrusted comment: file:x\n{}",
                    b64(&r[..64])
                ),
            ],
        ),
        (
            "age",
            vec![
                format!("AGE-PLUGIN-YUBIKEY-1{}", bech32(58)),
                format!("age-plugin-fido2-hmac-1{}", bech32(90).to_lowercase()),
            ],
            vec![
                format!("age1yubikey1{}", bech32(58).to_lowercase()),
                format!("age1{}", bech32(58).to_lowercase()),
            ],
        ),
        (
            ".NET",
            vec![xml(&format!("<D>{}</D>", b64(modulus)))],
            vec![xml("")],
        ),
        (
            "WireGuard",
            vec![
                format!("[Interface]\nPrivateKey = {short}\nAddress = 10.0.0.1/24"),
                format!("private_key: \"{short}\""),
            ],
            vec![
                format!("[Peer]\nPublicKey = {short}\nEndpoint = vpn.example.com:51820"),
                format!("PrivateKeyFile = {short}"),
                format!("private key fingerprint: SHA256:{short}"),
            ],
        ),
        (
            "wallets",
            vec![format!("xprv{}", base58(107))],
            vec![format!("xpub{}", base58(107))],
        ),
    ]
}

fn random() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 700..720)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_private_key_is_known_in_every_writing(r in random()) {
        for (what, key) in private_keys(&r) {
            for (n, text) in writings(&key).into_iter().enumerate() {
                prop_assert!(looks_private(&text), "{what}, writing {n}: {text}");
            }
        }
    }

    /// Somebody copied without the first line, or a field took so many characters.
    #[test]
    fn a_private_key_is_known_without_its_beginning_or_end(r in random(), cut in 1_usize..60) {
        for (what, key) in private_keys(&r) {
            // What is left of the short ones would be random bytes.
            let most = match what {
                "PKCS #8, Ed25519" => 8,
                "PKCS #8, encrypted" => 6,
                "PKCS #12" => 4,
                _ => 60,
            };
            for text in [base64(&key, STANDARD), hex(&key, "", "", usize::MAX)] {
                let begun = &text[cut.min(most)..];
                prop_assert!(looks_private(begun), "{what} without {cut} at its beginning: {begun}");
                let ended = &text[..text.len() - cut.min(text.len() / 4)];
                prop_assert!(looks_private(ended), "{what} without {cut} at its end: {ended}");
            }
        }
    }

    #[test]
    fn what_openpgp_keeps_secret_is_known_and_what_it_publishes_is_not(r in random()) {
        for rsa in [true, false] {
            let secret = base64(&packet(&r, 5, rsa), STANDARD);
            prop_assert!(looks_private(&secret), "{secret}");
            let public = base64(&packet(&r, 6, rsa), STANDARD);
            prop_assert!(!looks_private(&lines(&public, 64, "\n")), "{public}");
        }
    }

    /// Each private half beside its public one, in the form that its own tools write.
    #[test]
    fn formats_of_their_own_are_known_and_their_public_halves_are_not(r in random()) {
        for (what, private, public) in pairs(&r) {
            for text in private {
                prop_assert!(looks_private(&text), "{what}: {text}");
                prop_assert!(looks_private(&text.replace('\n', "\\n")), "{what}, escaped: {text}");
                prop_assert!(looks_private(&format!("Take this, please:\n{text}\nThank you.")), "{what}, in a letter: {text}");
            }
            for text in public {
                prop_assert!(!looks_private(&text), "public, {what}: {text}");
            }
        }
    }

    #[test]
    fn a_file_is_known_in_a_dump_in_utf_16_and_in_base32(r in random()) {
        for (what, key) in private_keys(&r) {
            let pem = pem_of(&key, "PRIVATE KEY");
            for text in [
                xxd(&key), xxd(pem.as_bytes()), hexdump(&key), hexdump(pem.as_bytes()),
                base64(&utf16(&pem, false), STANDARD), base64(&utf16(&pem, true), STANDARD),
                base64(&utf16(&base64(&key, STANDARD), false), STANDARD),
                hex(base64(&key, STANDARD).as_bytes(), "", "", usize::MAX),
                base32(&key), base32(pem.as_bytes()),
            ] {
                prop_assert!(looks_private(&text), "{what}: {text}");
            }
        }
        let public = [pem_of(&sequence(&[rsa_algorithm(), bits(&sequence(&[number(&r, 256), exponent()]))]), "PUBLIC KEY"), ssh_public(&r, 384).join("\n")];
        for text in public {
            for text in [xxd(text.as_bytes()), hexdump(text.as_bytes()), base64(&utf16(&text, false), STANDARD), base32(text.as_bytes())] {
                prop_assert!(!looks_private(&text), "{text}");
            }
        }
        for text in [xxd(&r), hexdump(&r), base32(&r), base64(&utf16(&base64(&r, STANDARD), true), STANDARD)] {
            prop_assert!(!looks_private(&text), "{text}");
        }
    }

    /// Cut inside the name of the type, a pair of Ed25519 is known by its public key, which stands there twice.
    #[test]
    fn the_second_half_of_a_file_of_openssh_is_known(r in random(), cut in 1_usize..10) {
        let key = openssh(&r, 0);
        let name = key.windows(11).rposition(|part| part == b"ssh-ed25519").unwrap_or(0);
        let rest = &key[name + cut..];
        for text in [base64(rest, STANDARD), hex(rest, "", "", usize::MAX), xxd(rest)] {
            prop_assert!(looks_private(&text), "{text}");
        }
    }

    #[test]
    fn what_is_public_is_never_refused(r in random(), size in prop::sample::select(vec![256_usize, 384, 512, 1_024, 2_048])) {
        for line in ssh_public(&r, size) {
            prop_assert!(!looks_private(&line), "{line}");
        }
        let rsa = sequence(&[number(&r, size), exponent()]);
        let spki = sequence(&[rsa_algorithm(), bits(&rsa)]);
        let name = sequence(&[tagged(0x31, &sequence(&[id(&[0x55, 4, 3]), tagged(12, b"example")]))]);
        let life = sequence(&[tagged(23, b"260101000000Z"), tagged(23, b"270101000000Z")]);
        let signing = sequence(&[id(SHA256_RSA), tagged(5, &[])]);
        let inner = sequence(&[
            tagged(0xa0, &small(2)),
            small(r[0] & 3),
            signing.clone(),
            name.clone(),
            life,
            name.clone(),
            spki.clone(),
            tagged(0xa3, &sequence(&[sequence(&[id(&[0x55, 0x1d, 0x13]), tagged(1, &[0xff]), tagged(4, &sequence(&[tagged(1, &[0xff]), small(1)]))])])),
        ]);
        let certificate = sequence(&[inner, signing.clone(), bits(&r[..256])]);
        let first = sequence(&[sequence(&[small(r[0] & 3), signing.clone(), name.clone(), name.clone(), spki.clone()]), signing, bits(&r[..256])]);
        let signed_by = sequence(&[small(1), sequence(&[name.clone(), small(1)]), sequence(&[id(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1])]), rsa_algorithm(), tagged(4, &r[..256])]);
        let cms = sequence(&[id(SIGNED), tagged(0xa0, &sequence(&[small(1), tagged(0x31, &[]), sequence(&[id(DATA)]), tagged(0x31, &signed_by)]))]);
        let for_it = sequence(&[sequence(&[small(0), name, spki.clone(), tagged(0xa0, &[])]), rsa_algorithm(), bits(&r[..256])]);
        let point = [&[4][..], &r[..64]].concat();
        let ec = sequence(&[sequence(&[id(EC), id(P256)]), bits(&point)]);
        let ed = sequence(&[sequence(&[id(ED25519)]), bits(&r[..32])]);
        let signature = sequence(&[number(&r, 32), number(&r[1..], 32)]);
        for (what, der) in [
            ("a public key of PKCS #1", rsa), ("a public key", spki), ("a certificate", certificate), ("a certificate of version 1", first),
            ("a signed message", cms), ("a request for a certificate", for_it), ("an EC key", ec), ("an Ed25519 key", ed), ("a signature", signature),
        ] {
            for (n, text) in writings(&der).into_iter().enumerate() {
                prop_assert!(!looks_private(&text), "{what}, writing {n}: {text}");
            }
        }
    }

    #[test]
    fn random_data_digests_and_ids_are_never_refused(r in random(), length in 16_usize..700) {
        for text in writings(&r[..length]) {
            prop_assert!(!looks_private(&text), "{text}");
        }
        let digest = hex(&r[..32], "", "", usize::MAX);
        let uuid = format!("{}-{}-{}-{}-{}", &digest[..8], &digest[8..12], &digest[12..16], &digest[16..20], &digest[20..32]);
        for text in [
            format!("sha256:{digest}"),
            format!("{uuid}, {uuid}\n{uuid}"),
            format!("/subscriptions/{uuid}/resourceGroups/rg-{digest}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"),
            format!("The image {} has the digest sha256:{digest} and replaces what we had.", base64(&r[..48], STANDARD)),
            // A key of WireGuard is 32 bytes, the public one too.
            base64(&r[..32], STANDARD),
        ] {
            prop_assert!(!looks_private(&text), "{text}");
        }
    }
}

#[test]
fn a_private_key_is_known_by_the_words_around_it() {
    let body = "AAAAB3NzaC1yc2EAAAADAQABAAABgQ";
    let pem = |label: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let mut texts = Vec::new();
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
        "ANY NEW PRIVATE KEY",
    ] {
        let key = pem(label);
        for dash in [
            "\u{2010}",
            "\u{2212}",
            "\u{2500}",
            "=",
            "_",
            "*",
            "#",
            "~",
            "\u{200b}-",
            "- ",
        ] {
            texts.push(key.replace('-', dash));
        }
        texts.push(key.replace('\n', "\\n"));
        texts.push(key.replace('\n', ""));
        texts.push(key.replace(' ', "\u{a0}"));
        texts.push(key.replace("PRIVATE", "PRI\u{200b}VA\u{2060}TE"));
        texts.push(key.replace("PRIVATE", "P R I V A T E"));
        texts.push(base64(format!("key: {key}").as_bytes(), STANDARD));
    }
    texts.push(format!(
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"x\"\n{body}"
    ));
    for version in [2, 3] {
        texts.push(format!(
            "PuTTY-User-Key-File-{version}: ssh-rsa Encryption: none Comment: x Public-Lines: 1 {body} Private-Lines: 1 {body} Private-MAC: 00"
        ));
    }
    let age = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE";
    texts.push(format!("AGE-SECRET-KEY-1{age}"));
    texts.push(format!("key=age-secret-key-pq-1{}", age.to_lowercase()));
    texts.push(lines(&format!("AGE-SECRET-KEY-1{age}"), 20, "\n"));
    for json in [
        format!(r#"{{"kty":"RSA","n":"{body}","e":"AQAB","d":"{body}"}}"#),
        format!(r#"{{"kty":"RSA","n":"{body}","e":"AQAB","p":"{body}","q":"{body}"}}"#),
        format!(r#"{{"kty": "EC", "crv": "P-256", "x": "{body}", "y": "{body}", "d": "{body}"}}"#),
        format!(r#"{{"keys":[{{"d":"{body}","kty":"OKP","crv":"Ed25519","x":"{body}"}}]}}"#),
    ] {
        texts.push(base64(json.as_bytes(), URL));
        texts.push(json);
    }
    texts.push(format!(
        "<RSAKeyValue><Modulus>{body}</Modulus><D>{body}</D></RSAKeyValue>"
    ));
    for text in texts {
        assert!(looks_private(&text), "{text}");
    }
}

#[test]
fn words_about_private_keys_are_none() {
    let body = "AAAAB3NzaC1yc2EAAAADAQABAAABgQ";
    for text in [
        "The private key -- ask the platform team -- is rotated every 90 days.",
        "We begin to use a private key of our own.",
        "Where is the private key??? It was here!!!!",
        "An AGE-SECRET-KEY-1 line must never be pasted here, whoever asks for it by mail.",
        "age1qpzry9x8gf2tvdw0s3jn54khce6mua7lqpzry9x8gf2tvdw0s3jn54khcex",
        "Private key\n====\nWe never share it.",
        "private key ****",
        "We keep the PRIVATE KEY ------ in an HSM.",
        "== private_key ====\nwe rotate every 90 days whatever happens in between",
        "| private key |\n|-------------|\n| no |",
        "PuTTY-User-Key-File is what PuTTY writes, as PuTTY-User-Key-File-3 in its newest form.",
        "private-hash: abc",
        "Private-key-format: v1.3 is how such a file of BIND begins.",
        "The label privateExponent: and prime1: are what openssl prints, priv: for curves.",
        "PrivateKey = is the line that WireGuard wants.",
        "Use age-plugin-yubikey-1.0 or AGE-PLUGIN-YUBIKEY-1 and what follows it.",
        "minisign encrypted secret key files and signify secret key files stay at home.",
        "google.crypto.tink.Ed25519PrivateKey is a type, and value: 3 another thing.",
        "<RSAParameters> has a <D> in it, FEEDFEED and CECECECE are magic numbers.",
        "deadbeef cafe babe, 0x30 0x82 and so on: a dead cafe faced a bad decade.",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----",
        "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"x\"\n---- END SSH2 PUBLIC KEY ----",
    ] {
        assert!(!looks_private(text), "{text}");
    }
    for text in [
        format!(r#"{{"keys": [{{"kty": "RSA", "kid": "q={body}", "n": "x", "e": "AQAB"}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"RSA","kid":"q={body}","n":"x","e":"AQAB"}}]}}"#),
        format!("kty: RSA\nkid: \"d: {body}\"\nn: {body}\ne: AQAB"),
        format!(r#"{{"kty":"RSA","n":"{body}","e":"AQAB"}}"#),
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{body}","y":"{body}","kid":"{body}"}}"#),
        format!("<RSAKeyValue><Modulus>{body}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"),
    ] {
        assert!(!looks_private(&text), "{text}");
    }
}
