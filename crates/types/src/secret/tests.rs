//! Ways of writing a key, and a draft that forgets it. Properties over formats are in `tests/secret.rs`.

use super::*;

/// Heads of keys that were made for this test and thrown away.
const ED25519: &str = "MC4CAQAwBQYDK2VwBCIEIHLLJ3gW0Bk0gqEwjYyVtRG9bR7dP4vTQb8zCq0k6SmE";
const RSA: &str = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgwMbRvI0MBZhpI";
const PKCS8_RSA: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
const SEC1: &str = "MHcCAQEEIGb9xZkP9Xz1c2Jq0m1vN4oQyR7sT6uVwXyZ0aBcDeFgoAoGCCqGSM49";
const ENCRYPTED: &str = "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBDyQXxQmB0aNnKQ5GrS1QwRAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQabcdefghijklmnopqrstuwRA";
const OPENSSH: &str =
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQ";

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[test]
fn a_private_key_is_known_however_it_is_written() {
    let keys = [
        pem("OPENSSH PRIVATE KEY", OPENSSH),
        pem("RSA PRIVATE KEY", "x"),
        pem("PRIVATE KEY", "x"),
        pem("ENCRYPTED PRIVATE KEY", "x"),
        pem("EC PRIVATE KEY", "x"),
        pem("PGP PRIVATE KEY BLOCK", "x"),
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nx".to_owned(),
        "-----BEGIN RSA PRIVATE KEY".to_owned(),
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none".to_owned(),
        "Private-Lines: 1\nAAAA".to_owned(),
        r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS"}"#.to_owned(),
        r#"{ "d" : "nWGxne_9WmC6hEr0kuwsxERJ", "kty" : "RSA" }"#.to_owned(),
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1DNENBUUF3QlFZREsyVndCQ0lF".to_owned(),
    ];
    let bodies = [ED25519, RSA, PKCS8_RSA, SEC1, ENCRYPTED, OPENSSH].map(str::to_owned);
    for key in keys.into_iter().chain(bodies) {
        let lines: String = key
            .as_bytes()
            .chunks(20)
            .map(|chunk| format!("{}\r\n", String::from_utf8_lossy(chunk)))
            .collect();
        let json = serde_json::to_string(&key).unwrap();
        for text in [
            key.clone(),
            format!("Please use this one: {key}, thank you."),
            key.replace('\n', "\\n"),
            key.replace('\n', "\\\\r\\\\n"),
            key.replace('\n', " "),
            key.replace('\n', "\r"),
            key.replace(' ', "%20").replace('\n', "%0A"),
            format!("'{}'", key.replace(' ', "  ")),
            lines,
            serde_json::to_string(&json).unwrap(),
        ] {
            assert!(looks_private(&text), "{text}");
        }
    }
    let end = "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n-----END NEW PRIVATE KEY-----";
    assert!(looks_private(end));
    let pem = pem("RSA PRIVATE KEY", "x");
    assert!(looks_private(&pem.to_lowercase()));
    assert!(looks_private(&pem.replace('-', "\u{2013}")));
    assert!(looks_private("PUTTY-USER-KEY-FILE-3: SSH-ED25519"));
    assert!(looks_private("kty=oct\nk=nWGxne_9WmC6hEr0kuwsxERJ"));
}

#[test]
fn what_is_public_is_no_private_key() {
    for text in [
        "",
        "The private key -- ask the platform team -- is rotated every 90 days.",
        "We begin to use a private key of our own.",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUdVK0aeED2PJKPLfPRWSr6dvPFFSA0uE0M5/6j6AtM developer",
        // Subject public keys (RSA, P-256), a certificate, a request for one.
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo\n-----END PUBLIC KEY-----",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n-----END CERTIFICATE-----",
        "MIICijCCAXICAQAwRTELMAkGA1UEBhMCQVUxEzARBgNVBAgMClNvbWUtU3RhdGUx",
        // An old certificate's inside: a version, the algorithm, then the issuer.
        "MIIBCgIBATANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTESMBAGA1UEChMJ",
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
        "/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
    ] {
        assert!(!looks_private(text), "{text}");
    }
}

#[test]
fn a_draft_forgets_keys_wherever_they_are() {
    let mut draft = RequestDraft {
        name: pem("PRIVATE KEY", "SECRET"),
        justification: "Fine.".into(),
        ..RequestDraft::default()
    };
    for line in pem("RSA PRIVATE KEY", "SECRET").lines() {
        draft.tags.insert(line.to_owned(), String::new());
    }
    let deep = serde_json::json!([{ "a": { OPENSSH: 1 } }]);
    draft.parameters.insert("deep".into(), deep);
    draft.parameters.insert("good".into(), 7.into());
    draft.parameters.insert(OPENSSH.into(), 1.into());
    let found = draft.forget_secrets();
    let fields: Vec<&str> = found.iter().map(|error| &*error.field).collect();
    assert_eq!(fields, ["name", "tags", "parameters.deep", "parameters"]);
    assert_eq!(draft.parameters["good"], 7);
    let left = serde_json::to_string(&(&draft, &found)).unwrap();
    assert!(
        !left.contains("SECRET") && !left.contains("b3Blbn"),
        "{left}"
    );
    assert_eq!(draft.justification, "Fine.");
    draft.parameters.insert("kty".into(), "RSA".into());
    draft
        .parameters
        .insert("d".into(), "nWGxne_9WmC6hEr0kuwsxERJ".into());
    assert_eq!(draft.forget_secrets()[0].field, "parameters");
    assert!(draft.parameters.is_empty());
}
