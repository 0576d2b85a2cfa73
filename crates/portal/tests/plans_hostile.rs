//! Bad input: every field says what is wrong with it, all at once, and nothing secret or endless comes back.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod fixture;

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixture::{TEMPLATES, World, draft};
use serde_json::{Value, json};
use types::problem::FieldError;
use types::request::RequestDraft;

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::new)
}

fn errors(change: impl FnOnce(&mut RequestDraft)) -> Vec<FieldError> {
    let mut draft = draft(TEMPLATES[0]);
    change(&mut draft);
    world().plan(&draft).err().unwrap_or_default()
}

fn codes(errors: &[FieldError]) -> Vec<(&str, &str)> {
    errors
        .iter()
        .map(|error| (error.field.as_str(), error.code.as_str()))
        .collect()
}

#[test]
fn all_bad_fields_are_named_at_once() {
    let found = errors(|d| {
        d.name = "../etc".to_owned();
        d.region = "atlantis".to_owned();
        d.zone = "4".to_owned();
        d.expiry = "soon".to_owned();
        d.cost_centre = "<b>".to_owned();
        d.tags.insert("a/b".to_owned(), "c".to_owned());
        d.parameters.insert("osDiskSizeGB".into(), json!("31"));
        d.parameters.insert("vmSize".into(), json!("Standard_M128"));
        d.parameters.shift_remove("sshPublicKey");
    });
    let mut names: Vec<&str> = found.iter().map(|e| e.field.as_str()).collect();
    names.sort_unstable();
    for wanted in [
        "cost_centre",
        "expiry",
        "name",
        "parameters.osDiskSizeGB",
        "parameters.sshPublicKey",
        "region",
        "tags",
        "zone",
    ] {
        assert!(names.contains(&wanted), "{wanted} in {names:?}");
    }
}

#[test]
fn hostile_text_is_refused_in_every_field() {
    let long = "x".repeat(10_240);
    let longer = "x".repeat(40_000);
    let texts = [
        ("path", "../../etc/passwd"),
        ("quotes", "a'\";--"),
        ("markup", "<script>alert(1)</script>"),
        ("null", "web\u{0}app"),
        ("control", "web\u{7}app"),
        ("right to left", "web\u{202E}ppa"),
        ("isolate", "web\u{2066}app"),
        ("zero width", "web\u{200B}app"),
        ("byte order mark", "web\u{FEFF}app"),
        ("10 kB", long.as_str()),
        ("40 kB", longer.as_str()),
    ];
    for (what, text) in texts {
        for (field, set) in [
            ("name", (|d, t| d.name = t) as fn(&mut RequestDraft, String)),
            ("region", |d, t| d.region = t),
            ("zone", |d, t| d.zone = t),
            ("tier", |d, t| d.tier = t),
            ("template", |d, t| d.template = t),
            ("expiry", |d, t| d.expiry = t),
            ("cost_centre", |d, t| d.cost_centre = t),
            ("parameters.adminUsername", |d, t| {
                d.parameters.insert("adminUsername".into(), json!(t));
            }),
            ("parameters.vmSize", |d, t| {
                d.parameters.insert("vmSize".into(), json!(t));
            }),
            ("parameters.subnetId", |d, t| {
                d.parameters.insert("subnetId".into(), json!(t));
            }),
            ("parameters.sshPublicKey", |d, t| {
                d.parameters.insert("sshPublicKey".into(), json!(t));
            }),
        ] {
            let found = errors(|d| set(d, text.to_owned()));
            assert!(
                found.iter().any(|error| error.field == field),
                "{what} in {field}: {found:?}"
            );
            assert!(
                found.iter().all(|error| error.message.len() < 600),
                "{what} in {field} comes back whole"
            );
        }
    }
    for (what, text) in &texts[3..] {
        for (field, set) in [
            (
                "justification",
                (|d, t| d.justification = t) as fn(&mut RequestDraft, String),
            ),
            ("tags", |d, t| {
                d.tags.insert("note".to_owned(), t);
            }),
            ("tags", |d, t| {
                d.tags.insert(t, "note".to_owned());
            }),
        ] {
            let found = errors(|d| set(d, (*text).to_owned()));
            assert!(found.iter().any(|e| e.field == field), "{what} in {field}");
        }
    }
    assert!(
        errors(|d| d.justification = "Zwei\nZeilen, größer als ÅÄÖ 日本 👩‍💻".to_owned()).is_empty()
    );
}

#[test]
fn tags_keep_to_azures_limits() {
    let cases: [(&str, String, String, &str); 16] = [
        ("a slash", "a/b".into(), "v".into(), "tag_name"),
        ("a question mark", "a?".into(), "v".into(), "tag_name"),
        ("a percent", "a%".into(), "v".into(), "tag_name"),
        ("Azure's prefix", "Azure-x".into(), "v".into(), "tag_name"),
        (
            "Slipway's own",
            "ENVIRONMENT".into(),
            "prod".into(),
            "tag_reserved",
        ),
        (
            "Slipway's prefix",
            "slipway-x".into(),
            "v".into(),
            "tag_reserved",
        ),
        ("a long name", "n".repeat(513), "v".into(), "too_long"),
        ("a long value", "n".into(), "v".repeat(257), "too_long"),
        ("no name", " ".into(), "v".into(), "required"),
        ("a space before", " team".into(), "v".into(), "tag_name"),
        ("a space after", "team ".into(), "v".into(), "tag_name"),
        (
            "Slipway's own, with spaces",
            " owner ".into(),
            "v".into(),
            "tag_reserved",
        ),
        (
            "Slipway's prefix, in capitals and with a space",
            "SLIPWAY-Stack ".into(),
            "v".into(),
            "tag_reserved",
        ),
        ("a mark", "$unknown".into(), "v".into(), "reserved_name"),
        (
            "a mark and a space",
            "$unknown ".into(),
            "v".into(),
            "reserved_name",
        ),
        (
            "another mark",
            "$secret".into(),
            "v".into(),
            "reserved_name",
        ),
    ];
    for (what, name, value, code) in cases {
        let found = errors(|d| {
            d.tags.insert(name, value);
        });
        assert_eq!(codes(&found), [("tags", code)], "{what}");
    }
    let many = |count: usize| {
        errors(|d| {
            d.tags = (0..count)
                .map(|n| (format!("t{n}"), String::new()))
                .collect()
        })
    };
    // 50 on a resource, less the project's one and Slipway's six.
    assert!(many(43).is_empty());
    assert_eq!(codes(&many(44)), [("tags", "too_many")]);
    let twice = errors(|d| {
        d.tags = [
            ("Team".to_owned(), "a".to_owned()),
            ("team".to_owned(), "b".to_owned()),
        ]
        .into()
    });
    assert_eq!(codes(&twice), [("tags", "duplicate")]);
    assert!(errors(|d| d.tags = [("n".repeat(512), "v".repeat(256))].into()).is_empty());
}

fn wire(parts: &[&[u8]]) -> String {
    let mut blob = Vec::new();
    for part in parts {
        blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        blob.extend_from_slice(part);
    }
    STANDARD.encode(blob)
}

fn rsa(bits: usize) -> String {
    let mut modulus = vec![0u8; bits / 8 + 1];
    modulus[1] = 0x80;
    format!(
        "ssh-rsa {} someone",
        wire(&[b"ssh-rsa", &[1, 0, 1], &modulus])
    )
}

fn key_errors(key: &str) -> Vec<FieldError> {
    errors(|d| {
        d.parameters.insert("sshPublicKey".into(), json!(key));
    })
}

#[test]
fn only_strong_public_keys_that_azure_takes_are_taken() {
    let ed25519 = format!("ssh-ed25519 {}", wire(&[b"ssh-ed25519", &[7; 32]]));
    for good in [
        ed25519.as_str(),
        &rsa(3072),
        &rsa(4096),
        &format!("  {ed25519}\n"),
    ] {
        assert!(key_errors(good).is_empty(), "{good}");
    }
    let dss = format!("ssh-dss {}", wire(&[b"ssh-dss", &[1], &[1], &[1], &[1]]));
    let ecdsa = format!(
        "ecdsa-sha2-nistp256 {}",
        wire(&[b"ecdsa-sha2-nistp256", b"nistp256", &[4; 65]])
    );
    let short = format!("ssh-ed25519 {}", wire(&[b"ssh-ed25519", &[7; 31]]));
    let lying = format!("ssh-ed25519 {}", wire(&[b"ssh-rsa", &[1, 0, 1], &[1; 512]]));
    let with_comment = format!("{ed25519} Søren's laptop, 日本");
    assert!(key_errors(&with_comment).is_empty());
    let options = format!("command=\"/bin/sh\" {ed25519}");
    for (bad, code) in [
        (rsa(1024), "weak_key"),
        (rsa(2048), "weak_key"),
        (dss, "weak_key"),
        (ecdsa, "key_type"),
        (short, "malformed_key"),
        (lying, "malformed_key"),
        (options, "key_options"),
        (
            format!("from=\"10.0.0.0/8\",no-pty {}", rsa(4096)),
            "key_options",
        ),
        ("hello".to_owned(), "malformed_key"),
        ("ssh-ed25519 AAAA!!".to_owned(), "malformed_key"),
    ] {
        assert_eq!(
            codes(&key_errors(&bad)),
            [("parameters.sshPublicKey", code)],
            "{bad}"
        );
    }
}

#[test]
fn one_key_is_one_key_by_anybodys_count_of_lines() {
    let key = format!("ssh-ed25519 {}", wire(&[b"ssh-ed25519", &[7; 32]]));
    let ecdsa = format!(
        "ecdsa-sha2-nistp256 {}",
        wire(&[b"ecdsa-sha2-nistp256", b"nistp256", &[4; 65]])
    );
    // What Python's splitlines() takes for the end of a line; cloud-init reads keys with it.
    for end in [
        "\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}", "\u{2028}",
        "\u{2029}",
    ] {
        for two in [
            format!("{key}{end}{key}"),
            format!("{key} me{end}{key} you"),
            format!("{key} me {end} {ecdsa}"),
            format!("{key}{end}command=\"/bin/sh\" {key}"),
        ] {
            assert_eq!(
                codes(&key_errors(&two)),
                [("parameters.sshPublicKey", "one_key")],
                "{end:?}: {two}"
            );
        }
        for broken in [
            format!("{key} me{end}and you"),
            format!("{}{end}{}", &key[..40], &key[40..]),
        ] {
            assert_eq!(
                codes(&key_errors(&broken)),
                [("parameters.sshPublicKey", "broken_key")],
                "{end:?}: {broken}"
            );
        }
    }
    for two in [
        format!("{key} {key}"),
        format!("{key} me {key}"),
        format!("{key} me\t{}", rsa(4096)),
        format!("{key} {ecdsa}"),
        // The second key's type is not even needed to see what it is.
        format!("{key} x,{}", wire(&[b"ssh-ed25519", &[9; 32]])),
        format!("{} {key}", rsa(4096)),
    ] {
        assert_eq!(
            codes(&key_errors(&two)),
            [("parameters.sshPublicKey", "one_key")],
            "{two}"
        );
    }
    assert!(
        key_errors(&format!("\r\n{key} me\r\n\n")).is_empty(),
        "around it, line ends are nothing"
    );
    assert!(key_errors(&format!("{key} AAAA battery")).is_empty());
}

#[test]
fn what_is_no_key_is_called_what_it_is() {
    let key = format!("ssh-ed25519 {}", wire(&[b"ssh-ed25519", &[7; 32]]));
    let data = key.split(' ').nth(1).unwrap();
    for (bad, code) in [
        (
            format!(
                "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"me\"\n{data}\n---- END SSH2 PUBLIC KEY ----"
            ),
            "rfc4716_key",
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----".to_owned(),
            "pem_key",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----".to_owned(),
            "certificate",
        ),
        (
            format!("ssh-ed25519-cert-v01@openssh.com {data} me"),
            "certificate",
        ),
        (format!("ssh-ed25519\u{a0}{data} me"), "spaces"),
        (format!("{key} my\u{a0}laptop"), "spaces"),
        (format!("ssh-ed25519  {data} me"), "spaces"),
        (format!("ssh-ed25519 \t{data} me"), "spaces"),
        (format!("{key}  me"), "spaces"),
        (format!("ssh-ed25519\u{3000}{data}"), "spaces"),
        (format!("{key} me\u{202e}"), "control_characters"),
        (format!("{key} me\u{0}"), "control_characters"),
        ("ssh-ed25519".to_owned(), "malformed_key"),
        (data.to_owned(), "malformed_key"),
    ] {
        let found = key_errors(&bad);
        assert_eq!(
            codes(&found),
            [("parameters.sshPublicKey", code)],
            "{bad:?}"
        );
        assert!(!found[0].message.contains(data), "{bad:?} comes back");
    }
}

/// Taints and labels that AKS or Kubernetes refuses are refused on the field, before anybody approves them: AKS takes some of them, and its nodes never join.
#[test]
fn taints_and_labels_are_what_kubernetes_takes() {
    let long = "k".repeat(64);
    let found = |field: &str, value: Value| {
        let mut pool = draft(TEMPLATES[2]);
        pool.parameters.insert(field.to_owned(), value);
        world().plan(&pool).err().unwrap_or_default()
    };
    for (taints, code) in [
        (json!(["a=b:NoSchedule", "a=c:NoSchedule"]), "duplicate"),
        (json!(["a=-b:NoSchedule"]), "pattern"),
        (json!(["a=b-:NoSchedule"]), "pattern"),
        (json!(["a-=b:NoSchedule"]), "pattern"),
        (json!(["a/=b:NoSchedule"]), "pattern"),
        (json!(["a//b=c:NoSchedule"]), "pattern"),
        (json!([format!("{long}=b:NoSchedule")]), "pattern"),
        (json!([format!("a={long}:NoSchedule")]), "pattern"),
        (json!(["Example.com/a=b:NoSchedule"]), "pattern"),
        (
            json!(["kubernetes.azure.com/x=c:NoSchedule"]),
            "reserved_name",
        ),
        // As the form sends them.
        (json!("a=b:NoSchedule\na=c:NoSchedule"), "duplicate"),
    ] {
        let found = found("nodeTaints", taints.clone());
        assert_eq!(
            codes(&found),
            [("parameters.nodeTaints", code)],
            "{taints}: {found:?}"
        );
    }
    for (label, code) in [
        ("a=-b", "pattern"),
        ("a-=b", "pattern"),
        ("a/=b", "pattern"),
        ("a//b=c", "pattern"),
        ("_a=b", "pattern"),
        ("node-role.kubernetes.io/batch=", "reserved_name"),
        ("agentpool=a", "reserved_name"),
    ] {
        let found = found("nodeLabels", json!(label));
        assert_eq!(
            codes(&found),
            [("parameters.nodeLabels", code)],
            "{label}: {found:?}"
        );
    }
    let key = &long[1..];
    for (field, value) in [
        (
            "nodeTaints",
            json!([
                "a=b:NoSchedule",
                "a=b:NoExecute",
                format!("example.com/{key}={key}:NoExecute"),
                "a.b_c-d=:PreferNoSchedule"
            ]),
        ),
        (
            "nodeLabels",
            json!({ "team": "a.b_c-d", "example.com/team": "", key: key }),
        ),
    ] {
        let found = found(field, value.clone());
        assert!(found.is_empty(), "{value}: {found:?}");
    }
}

#[test]
fn nobody_types_what_stands_for_the_unknown() {
    let marks = [
        json!({"$unknown": "x"}),
        json!({"$unknown": "x", "team": "payments"}),
        json!({"team": {"$unknown": 1}}),
        json!({"team": [{"a": [{"$unknown": null}]}]}),
        json!({" $unknown": "x"}),
        json!({"$secret": "hmac"}),
    ];
    for mark in marks {
        let mut pool = draft(TEMPLATES[2]);
        pool.parameters.insert("nodeLabels".into(), mark.clone());
        let found = world().plan(&pool).err().unwrap_or_default();
        assert!(
            codes(&found).contains(&("parameters.nodeLabels", "reserved_name")),
            "{mark}: {found:?}"
        );
        // Whatever the field is for, shown or not, known or not.
        for name in ["dataDiskSizeGB", "dataDisk", "vmSize", "nothing", "zones"] {
            let found = errors(|d| {
                d.parameters.insert(name.into(), mark.clone());
            });
            let field = format!("parameters.{name}");
            assert!(
                codes(&found).contains(&(field.as_str(), "reserved_name")),
                "{name} {mark}: {found:?}"
            );
        }
    }
    let mut pool = draft(TEMPLATES[2]);
    pool.parameters
        .insert("nodeLabels".into(), json!("$unknown=x\nteam=payments"));
    let found = world().plan(&pool).err().unwrap_or_default();
    assert!(
        codes(&found).contains(&("parameters.nodeLabels", "reserved_name")),
        "{found:?}"
    );
    let found = errors(|d| {
        d.parameters.insert("$unknown".into(), json!("x"));
    });
    assert!(codes(&found).contains(&("parameters", "reserved_name")));
}

#[test]
fn a_private_key_is_refused_wherever_it_is_pasted_and_never_comes_back() {
    let middle = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQ";
    let keys = [
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{middle}\n-----END OPENSSH PRIVATE KEY-----"),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"
            .to_owned(),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIEpAIB\n".to_owned(),
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n".to_owned(),
        middle.to_owned(),
    ];
    for key in keys {
        for (field, set) in [
            (
                "parameters.sshPublicKey",
                (|d, t| {
                    d.parameters.insert("sshPublicKey".into(), json!(t));
                }) as fn(&mut RequestDraft, String),
            ),
            ("justification", |d, t| d.justification = t),
            ("cost_centre", |d, t| d.cost_centre = t),
            ("name", |d, t| d.name = t),
            ("tags", |d, t| {
                d.tags.insert("key".to_owned(), t);
            }),
        ] {
            let found = errors(|d| set(d, key.clone()));
            assert!(
                found
                    .iter()
                    .any(|e| e.field == field && e.code == "private_key"),
                "{field}: {found:?}"
            );
            let said = serde_json::to_string(&found).unwrap();
            for secret in ["b3BlbnNzaC1rZXk", "MIIEpAIB", "Encryption: none"] {
                assert!(!said.contains(secret), "{field} gives the key back");
            }
        }
    }
}

#[test]
fn expiries_are_days_or_dates_in_the_future() {
    let ends = |expiry: &str| {
        let mut draft = draft(TEMPLATES[0]);
        draft.expiry = expiry.to_owned();
        world()
            .plan(&draft)
            .map(|outcome| outcome.parsed.expires_at.map(|at| at.to_string()))
    };
    assert_eq!(ends("").unwrap(), None);
    assert_eq!(ends("7d").unwrap().unwrap(), "2026-11-29T14:02:11Z");
    assert_eq!(ends("2026-12-24").unwrap().unwrap(), "2026-12-25T00:00:00Z");
    assert!(ends("2026-11-22").is_ok(), "today is not over yet");
    for bad in [
        "0d",
        "-1d",
        "d",
        "3651d",
        "1e9d",
        "99999999999999999999d",
        "7 d",
        "7w",
        "2026-11-21",
        "2026-02-30",
        "2099-01-01",
        "24.12.2026",
        "9999-99-99",
        "tomorrow",
    ] {
        assert_eq!(
            codes(&ends(bad).unwrap_err()),
            [("expiry", "pattern")],
            "{bad}"
        );
    }
}

#[test]
fn fields_that_are_slipways_or_nobodys_are_refused() {
    let found = errors(|d| {
        d.parameters
            .insert("tags".into(), json!({"environment": "prod"}));
        d.parameters.insert("nothing".into(), json!(1));
        d.parameters.insert("dataDisk".into(), json!({"a": 1}));
        d.parameters.insert("osDiskSizeGB".into(), json!(1.5));
    });
    let mut found = codes(&found);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("parameters.dataDisk", "type"),
            ("parameters.nothing", "unknown_field"),
            ("parameters.osDiskSizeGB", "type"),
            ("parameters.tags", "unknown_field"),
        ]
    );
}

#[test]
fn prod_wants_a_reason() {
    let found = errors(|d| {
        d.tier = "prod".to_owned();
        d.parameters.insert(
            "subnetId".into(),
            json!(fixture::subnet_id(fixture::PROD, "prod", "westeurope")),
        );
        d.justification = "because".to_owned();
    });
    assert_eq!(codes(&found), [("justification", "too_short")]);
    assert!(
        errors(|d| d.justification.clear()).is_empty(),
        "dev does not"
    );
}
