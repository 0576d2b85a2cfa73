//! The auditor's day: exporting the record, verifying it away from the database, and finding out what somebody did to either of them.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use record::{BEGINNING, Line};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use support::{Slipway, Start, state, vm};

/// `slipway audit …` on a data directory: exit code and what it printed.
fn audit(data: &Path, arguments: &[&str]) -> (i32, String) {
    let output = command(data).arg("audit").args(arguments).output().unwrap();
    told(&output)
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", data)
        .env("SLIPWAY_DATA", data);
    command
}

fn told(output: &Output) -> (i32, String) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap_or(-1), text)
}

/// The fixed word that an answer begins with, and the first bad line.
fn found(data: &Path, arguments: &[&str]) -> (String, Option<i64>) {
    let (code, text) = audit(data, &[arguments, &["--json"]].concat());
    let check: Value = serde_json::from_str(text.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    let word = check["result"].as_str().unwrap().to_owned();
    assert_eq!(
        code,
        i32::from(word != "ok" && word != "not_signed"),
        "{text}"
    );
    (word, check["first_bad"].as_i64())
}

fn serve(data: &Path) -> Slipway {
    Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
        .env("SLIPWAY_AUDIT_CHECKPOINT_LINES", "1")
        .start()
}

fn checkpoints(data: &Path) -> PathBuf {
    data.join("audit/checkpoints.jsonl")
}

fn public_key(data: &Path) -> String {
    let (code, text) = audit(data, &["key"]);
    assert_eq!(code, 0, "{text}");
    let file = data.join("public.pem");
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// A request that waits, with a comment, and a decision that asks for changes with another.
async fn talk(slipway: &Slipway, name: &str) {
    let owner = slipway.api("owner").await;
    let mut draft = vm(name);
    draft["tier"] = json!("prod");
    draft["parameters"]["subnetId"] = json!(support::PROD_SUBNET);
    let (status, sent) = owner.post("/requests", &draft).await;
    assert_eq!(status, 201, "{sent:#}");
    let id = sent["summary"]["id"].as_str().unwrap();
    let (status, answer) = owner
        .post(
            &format!("/requests/{id}/comments"),
            &json!({ "text": "Please look today, Zoë." }),
        )
        .await;
    assert!(status < 300, "{answer:#}");
    let request = owner.get(&format!("/requests/{id}")).await;
    assert_eq!(state(&request), "awaiting_approval");
    let (status, answer) = slipway
        .api("approver")
        .await
        .post(
                &format!("/requests/{id}/decisions"),
                &json!({ "decision": "request_changes", "comment": "Smaller, please.", "plan_digest": request["plan"]["digest"] }),
        )
        .await;
    assert!(status < 300, "{answer:#}");
}

/// Two days of an installation, each ended cleanly: a record that is signed to its end.
async fn two_days(data: &Path) {
    for name in ["monday", "tuesday"] {
        let slipway = serve(data);
        talk(&slipway, name).await;
        assert!(slipway.terminate(), "SIGTERM ends it cleanly");
    }
}

fn export(data: &Path) -> Vec<Line> {
    let (code, text) = audit(data, &["export"]);
    assert_eq!(code, 0, "{text}");
    text.lines()
        .map(|line| Line::parse(line).unwrap())
        .collect()
}

fn write(file: &Path, lines: &[Line]) {
    let text: String = lines
        .iter()
        .map(|line| line.to_text().unwrap() + "\n")
        .collect();
    std::fs::write(file, text).unwrap();
}

/// Computes numbers and hashes anew from an index on.
fn rebuild(lines: &mut [Line], from: usize) {
    for i in from..lines.len() {
        let previous = match i {
            0 => BEGINNING.to_owned(),
            _ => lines[i - 1].hash.clone(),
        };
        lines[i].seq = i64::try_from(i).unwrap() + 1;
        lines[i].hash = lines[i].hash_after(&previous).unwrap();
        lines[i].previous_hash = previous;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_verified_without_a_database_and_every_change_has_its_word() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    two_days(data).await;
    let (public, good) = (public_key(data), export(data));
    let file = data.join("export.jsonl");
    let signed = checkpoints(data);
    let verify = |lines: &[Line]| {
        write(&file, lines);
        found(
            data,
            &[
                "verify",
                file.to_str().unwrap(),
                "--checkpoints",
                signed.to_str().unwrap(),
                "--key",
                &public,
            ],
        )
    };
    let changed = |change: &dyn Fn(&mut Vec<Line>)| {
        let mut lines = good.clone();
        change(&mut lines);
        verify(&lines)
    };
    let last = i64::try_from(good.len()).unwrap();
    assert!(last > 12, "{last} lines");
    assert_eq!(verify(&good), ("ok".to_owned(), None));

    let word = |word: &str, line: i64| (word.to_owned(), Some(line));
    assert_eq!(
        changed(&|l| l[4].actor = "cto".into()),
        word("rewritten", 5)
    );
    assert_eq!(
        changed(&|l| l[4].detail = json!({ "other": true })),
        word("rewritten", 5)
    );
    assert_eq!(changed(&|l| drop(l.drain(..2))), word("cut", 1));
    assert_eq!(changed(&|l| drop(l.remove(6))), word("cut", 7));
    assert_eq!(changed(&|l| drop(l.pop())), word("cut", last));
    assert_eq!(changed(&|l| l.swap(5, 8)), word("reordered", 6));
    assert_eq!(
        changed(&|l| l.insert(3, l[2].clone())),
        word("duplicated", 3)
    );
    assert_eq!(changed(&Vec::clear), word("emptied", 1));
    let (found_word, line) = changed(&|l| {
        l[4].actor = "cto".into();
        rebuild(l, 4);
    });
    assert_eq!(found_word, "rebuilt");
    assert!(line.is_some_and(|line| line <= 5), "{line:?}");

    // For people: the word first, then what is proven.
    write(&file, &good);
    let with_key = |key: &str| {
        audit(
            data,
            &[
                "verify",
                file.to_str().unwrap(),
                "--checkpoints",
                signed.to_str().unwrap(),
                "--key",
                key,
            ],
        )
    };
    let (code, text) = with_key(&public);
    assert_eq!(code, 0, "{text}");
    let begins = format!("ok: {last} lines, hash chain verified; signed up to line {last}");
    assert!(text.starts_with(&begins), "{text}");
    // The key as text; a private key is refused as one, and a file that is not there is no finding about the record.
    let base64: String = std::fs::read_to_string(&public)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("-----") && !line.starts_with("Fingerprint"))
        .collect();
    assert_eq!(with_key(&base64).0, 0);
    let (code, text) = with_key(&data.join("audit/key.pem").display().to_string());
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("private key"), "{text}");
    std::fs::remove_file(&file).unwrap();
    let (code, text) = with_key(&public);
    assert_eq!(code, 2, "{text}");
    write(&file, &good);

    // A part in which no checkpoint lies: a forger made it anew, and nothing tells.
    let first = good[4].seq;
    let (one, rest): (Vec<_>, Vec<_>) = std::fs::read_to_string(&signed)
        .unwrap()
        .lines()
        .map(|line| line.to_owned() + "\n")
        .partition(|line| {
            let checkpoint: Value = serde_json::from_str(line).unwrap();
            let seq = checkpoint["seq"].as_i64().unwrap();
            (first..=first + 4).contains(&seq)
        });
    assert!(!rest.is_empty(), "{one:?}");
    let outside = data.join("outside.jsonl");
    std::fs::write(&outside, rest.concat()).unwrap();
    let part = data.join("part.jsonl");
    for forged in [false, true] {
        let mut lines = good.clone();
        if forged {
            lines[6].actor = "cto".into();
            rebuild(&mut lines, 6);
        }
        write(&part, &lines[4..9]);
        let (code, text) = audit(
            data,
            &[
                "verify",
                part.to_str().unwrap(),
                "--checkpoints",
                outside.to_str().unwrap(),
                "--key",
                &public,
                "--from",
                &first.to_string(),
                "--to",
                &(first + 4).to_string(),
            ],
        );
        assert_eq!(code, 2, "{text}");
        assert!(text.starts_with("not_signed: Lines 5 to 9,"), "{text}");
        assert!(text.contains("Not proven: lines 5 to 9,"), "{text}");
    }

    // Checkpoints that somebody else signed, and none at all.
    let other = tempfile::tempdir().unwrap();
    record::make_key_file(&other.path().join("key.pem")).unwrap();
    let foreign = record::SigningKey::from_file(&other.path().join("key.pem")).unwrap();
    let swapped = data.join("public-of-somebody.pem");
    std::fs::write(&swapped, foreign.public().to_pem()).unwrap();
    let with = |checkpoints: &Path, key: &str| {
        found(
            data,
            &[
                "verify",
                file.to_str().unwrap(),
                "--checkpoints",
                checkpoints.to_str().unwrap(),
                "--key",
                key,
            ],
        )
        .0
    };
    assert_eq!(
        with(&signed, swapped.to_str().unwrap()),
        "foreign_checkpoint"
    );
    let empty = data.join("empty.jsonl");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(with(&empty, &public), "checkpoints_missing");
}

/// The installation's own answers about its record, over REST and on the page.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_verified_means_and_the_export_is_for_auditors() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    two_days(data).await;
    let slipway = serve(data);
    let auditor = slipway.api("auditor").await;
    let check = auditor
        .wait("/audit/check", |check| {
            check["result"] == "ok" && check["unsigned"] == 0
        })
        .await;
    let lines = check["lines"].as_i64().unwrap();
    let page = slipway.browser("auditor").await;
    let page = page.get("/audit").await.text().await.unwrap();
    assert!(
        page.contains("entries, hash chain verified; signed up to"),
        "{page}"
    );
    assert!(page.contains("/api/v1/audit/export"));

    let get = |path: &str| auditor.request(Method::GET, path).send();
    let answer = get("/audit/export").await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/jsonl");
    let whole = answer.text().await.unwrap();
    let exported: Vec<Line> = whole.lines().map(|l| Line::parse(l).unwrap()).collect();
    assert!(exported.len() >= usize::try_from(lines).unwrap());
    let part = get("/audit/export?from=3&to=5").await.unwrap();
    let part = part.text().await.unwrap();
    let wanted: String = whole
        .lines()
        .skip(2)
        .take(3)
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(part, wanted);
    assert_eq!(
        get("/audit/export?from=100000")
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        ""
    );
    for bad in ["?from=0", "?to=-1", "?from=x", "?other=1"] {
        let answer = get(&format!("/audit/export{bad}")).await.unwrap();
        assert_eq!(answer.status(), 422, "{bad}");
    }
    for persona in ["developer", "owner", "reader"] {
        let api = slipway.api(persona).await;
        for path in ["/audit/export", "/audit/check"] {
            let answer = api.request(Method::GET, path).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{persona} {path}");
        }
    }
    // What REST gives is what the command gives, line by line.
    assert_eq!(export(data)[..exported.len()], exported[..]);
}

/// Runs SQL as somebody who owns the database file.
async fn behind_the_back(data: &Path, statements: &[&'static str]) {
    let url = format!("sqlite://{}", data.join("slipway.db").display());
    let mut c = sqlx::SqliteConnection::connect(&url).await.unwrap();
    for sql in [
        "DROP TRIGGER audit_event_no_update",
        "DROP TRIGGER audit_event_no_delete",
        "DROP TRIGGER audit_checkpoint_no_delete",
    ] {
        sqlx::query(sql).execute(&mut c).await.unwrap();
    }
    for sql in statements {
        sqlx::query(*sql).execute(&mut c).await.unwrap();
    }
}

fn copy(from: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let done = Command::new("cp")
        .arg("-a")
        .arg(format!("{}/.", from.display()))
        .arg(copy.path())
        .status()
        .unwrap();
    assert!(done.success());
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_owns_the_database_cannot_change_the_record_unseen() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    two_days(data).await;
    assert_eq!(found(data, &["check"]), ("ok".to_owned(), None));
    let last = i64::try_from(export(data).len()).unwrap();
    let cases: [(&str, Option<i64>, &[&'static str]); 10] = [
        (
            "rewritten",
            Some(4),
            &["UPDATE audit_event SET actor = 'cto' WHERE seq = 4"],
        ),
        (
            "cut",
            Some(last - 2),
            &[
                "DELETE FROM audit_event WHERE seq > (SELECT MAX(seq) - 3 FROM audit_event)",
                "DELETE FROM audit_checkpoint WHERE seq > (SELECT MAX(seq) FROM audit_event)",
            ],
        ),
        (
            "emptied",
            Some(1),
            &["DELETE FROM audit_event", "DELETE FROM audit_checkpoint"],
        ),
        (
            "text_altered",
            None,
            &["UPDATE comment SET body = 'Nothing to see here.'"],
        ),
        (
            "text_altered",
            None,
            &["UPDATE comment SET author = 'developer'"],
        ),
        (
            "text_altered",
            None,
            &["UPDATE decision SET body = 'As you like.'"],
        ),
        (
            "text_altered",
            None,
            &["UPDATE decision SET decision = 'approve'"],
        ),
        (
            "text_altered",
            None,
            &["UPDATE decision SET plan_revision = plan_revision + 1"],
        ),
        ("text_removed", None, &["DELETE FROM comment"]),
        (
            "text_added",
            None,
            &["INSERT INTO comment (id, request_id, author, body, at) \
               SELECT randomblob(16), request_id, 'approver', 'Approved by phone.', at FROM comment LIMIT 1"],
        ),
    ];
    for (word, line, statements) in cases {
        let copy = copy(data);
        behind_the_back(copy.path(), statements).await;
        let (found, first) = found(copy.path(), &["check"]);
        assert_eq!(found, word, "{statements:?}");
        if line.is_some() {
            assert_eq!(first, line, "{statements:?}");
        }
    }

    // The whole chain computed anew, as with the program that wrote it.
    let copy = copy(data);
    behind_the_back(copy.path(), &[]).await;
    let mut lines = export(data);
    lines[4].actor = "cto".to_owned();
    rebuild(&mut lines, 4);
    let url = format!("sqlite://{}", copy.path().join("slipway.db").display());
    let mut c = sqlx::SqliteConnection::connect(&url).await.unwrap();
    for line in &lines[4..] {
        sqlx::query(
            "UPDATE audit_event SET actor = $1, previous_hash = $2, hash = $3 WHERE seq = $4",
        )
        .bind(&line.actor)
        .bind(&line.previous_hash)
        .bind(&line.hash)
        .bind(line.seq)
        .execute(&mut c)
        .await
        .unwrap();
    }
    drop(c);
    let (word, first) = found(copy.path(), &["check"]);
    assert_eq!(word, "rebuilt");
    assert!(first.is_some_and(|line| line <= 5), "{first:?}");
}

/// A database that lost its end, as after a restore from a backup, is told on the page and in the log, and is not signed over.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_cut_is_told_and_not_signed_over() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    two_days(data).await;
    behind_the_back(
        data,
        &[
            "DELETE FROM audit_event WHERE seq > (SELECT MAX(seq) - 5 FROM audit_event)",
            "DELETE FROM audit_checkpoint WHERE seq > (SELECT MAX(seq) FROM audit_event)",
            // A restored database has no texts that are younger than its lines.
            "DELETE FROM comment WHERE at > (SELECT MAX(at) FROM audit_event)",
            "DELETE FROM decision WHERE at > (SELECT MAX(at) FROM audit_event)",
        ],
    )
    .await;
    let signed = std::fs::read_to_string(checkpoints(data)).unwrap();
    let slipway = serve(data);
    let page = slipway.browser("auditor").await;
    let page = page.get("/audit").await.text().await.unwrap();
    assert!(page.contains("Not verified: "), "{page}");
    let check = slipway.api("auditor").await.get("/audit/check").await;
    // The new lines stand where others were signed: too few, or not those.
    let result = check["result"].as_str().unwrap();
    assert!(result == "cut" || result == "rebuilt", "{check:#}");
    assert!(slipway.terminate());
    assert_eq!(std::fs::read_to_string(checkpoints(data)).unwrap(), signed);
    let log = std::fs::read_to_string(data.join("log")).unwrap();
    assert!(
        log.contains("the audit record is not the one that was written"),
        "{log}"
    );
    assert!(
        log.contains("does not go on from its newest checkpoint"),
        "{log}"
    );

    // The operator knows of the restore and puts the old checkpoints aside: signing begins anew, and what was signed is still there to compare.
    std::fs::rename(
        checkpoints(data),
        data.join("checkpoints-before-restore.jsonl"),
    )
    .unwrap();
    let slipway = serve(data);
    slipway
        .api("auditor")
        .await
        .wait("/audit/check", |check| {
            check["result"] == "ok" && check["unsigned"] == 0
        })
        .await;
    assert!(slipway.terminate());
    assert_eq!(found(data, &["check"]).0, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_file_that_was_cut_is_told() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    two_days(data).await;
    let signed = std::fs::read_to_string(checkpoints(data)).unwrap();
    let first = signed.lines().next().unwrap();
    assert!(signed.lines().count() > 1, "{signed}");
    for rest in [format!("{first}\n"), String::new()] {
        std::fs::write(checkpoints(data), rest).unwrap();
        assert_eq!(found(data, &["check"]).0, "checkpoints_missing");
    }
    std::fs::write(checkpoints(data), format!("{signed}{{}}\n")).unwrap();
    assert_eq!(found(data, &["check"]).0, "foreign_checkpoint");
    std::fs::write(checkpoints(data), signed).unwrap();
    assert_eq!(found(data, &["check"]).0, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_checkpoints_belong_to_one_user_and_openssl_understands_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(data)
            .output()
            .unwrap();
        let (code, text) = told(&output);
        assert_eq!(code, 0, "{program} {arguments:?}: {text}");
        text
    };
    run(
        "openssl",
        &["genpkey", "-algorithm", "ed25519", "-out", "own.pem"],
    );
    let key = data.join("own.pem");
    let start = || {
        Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
            .env("SLIPWAY_AUDIT_KEY", &key)
            .env("SLIPWAY_AUDIT_CHECKPOINT_LINES", "1")
    };
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = command(data)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("SLIPWAY_AUDIT_KEY", &key)
        .output()
        .unwrap();
    let (code, text) = told(&refused);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("chmod 600"), "{text}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let slipway = start().start();
    talk(&slipway, "openssl").await;
    assert!(slipway.terminate());

    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&checkpoints(data)), 0o600);
    assert_eq!(mode(&data.join("audit")), 0o700);

    // The way of docs/audit.md: the canonical body by jq, the signature by openssl.
    run(
        "openssl",
        &[
            "pkey",
            "-in",
            "own.pem",
            "-pubout",
            "-out",
            "own-public.pem",
        ],
    );
    run(
        "bash",
        &[
            "-euo",
            "pipefail",
            "-c",
            "tail -n 1 audit/checkpoints.jsonl > one.json\n\
             jq -jcS 'del(.signature)' one.json > body\n\
             jq -r .signature one.json | base64 -d > signature\n\
             openssl pkeyutl -verify -pubin -inkey own-public.pem -rawin -in body -sigfile signature\n\
             test \"$(openssl pkey -pubin -in own-public.pem -outform DER | sha256sum | cut -d' ' -f1)\" = \"$(jq -r .key one.json)\"",
        ],
    );

    // Another key: what the old one signed counts as long as its public half is named.
    let earlier = data.join("own-public.pem");
    let next = || {
        Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
            .env("SLIPWAY_AUDIT_CHECKPOINT_LINES", "1")
    };
    let slipway = next().env("SLIPWAY_AUDIT_EARLIER_KEYS", &earlier).start();
    let check = slipway
        .api("auditor")
        .await
        .wait("/audit/check", |check| check["unsigned"] == 0)
        .await;
    assert_eq!(check["result"], "ok", "{check:#}");
    assert!(slipway.terminate());
    let slipway = next().start();
    let check = slipway.api("auditor").await.get("/audit/check").await;
    assert_eq!(check["result"], "foreign_checkpoint", "{check:#}");
    assert!(
        check["detail"].as_str().unwrap().contains("another key"),
        "{check:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_key_is_told_and_made_by_none_but_the_server() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let slipway = serve(data);
    talk(&slipway, "monday").await;
    assert!(slipway.terminate());
    let key = data.join("audit/key.pem");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    for arguments in [&["check"][..], &["check", "--json"], &["key"]] {
        let (code, text) = audit(data, arguments);
        assert_eq!(code, 2, "{text}");
        assert!(
            text.contains("key.pem is missing") && text.contains("slipway serve"),
            "{text}"
        );
        assert!(!key.exists());
    }
    // With the key back in its place, everything fits.
    std::fs::write(&key, kept).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(found(data, &["check"]), ("ok".to_owned(), None));
}

/// Where nothing but the log leaves the machine: a checkpoint is one structured line.
#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_go_to_the_log_where_that_is_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
        .env("SLIPWAY_AUDIT_CHECKPOINTS", "log")
        .start();
    talk(&slipway, "logged").await;
    assert!(slipway.terminate());
    assert!(!checkpoints(data).exists());
    let log = std::fs::read_to_string(data.join("log")).unwrap();
    let signed: String = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| line["checkpoint"].as_str().map(|text| format!("{text}\n")))
        .collect();
    let (from_log, file) = (data.join("from-log.jsonl"), data.join("export.jsonl"));
    std::fs::write(&from_log, signed).unwrap();
    write(&file, &export(data));
    let verified = found(
        data,
        &[
            "verify",
            file.to_str().unwrap(),
            "--checkpoints",
            from_log.to_str().unwrap(),
            "--key",
            &public_key(data),
        ],
    );
    assert_eq!(verified, ("ok".to_owned(), None));
}

/// Whoever is refused leaves a trace, and nobody fills the database with it.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_in_the_record_and_few() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
        .env("SLIPWAY_AUDIT_CHECKPOINT_LINES", "1")
        // Another limit, with its own story, would answer 429 before this one is seen.
        .env("SLIPWAY_FAILURE_BURST", "1000")
        .start();
    let (owner, auditor) = (slipway.api("owner").await, slipway.api("auditor").await);
    let mut draft = vm("refused");
    draft["tier"] = json!("prod");
    draft["parameters"]["subnetId"] = json!(support::PROD_SUBNET);
    let (status, sent) = owner.post("/requests", &draft).await;
    assert_eq!(status, 201, "{sent:#}");
    let id = sent["summary"]["id"].as_str().unwrap();
    let decision =
        json!({ "decision": "approve", "comment": "", "plan_digest": sent["plan"]["digest"] });

    // Their own request; one that they may see but not decide; one that they may not even see. By REST and by the form.
    for (persona, code, status) in [
        ("owner", "four_eyes", 403),
        ("reader", "forbidden", 403),
        ("ledger-developer", "not_found", 404),
    ] {
        let api = slipway.api(persona).await;
        let (got, answer) = api
            .post(&format!("/requests/{id}/decisions"), &decision)
            .await;
        assert_eq!(got, status, "{answer:#}");
        let line = &auditor
            .get("/audit?action=request.decision_refused&limit=1")
            .await["items"][0];
        assert_eq!(line["actor"], persona, "{line:#}");
        assert_eq!(line["subject_id"], id);
        assert_eq!(line["detail"]["code"], code, "{line:#}");
        assert_eq!(line["detail"]["address"], "127.0.0.1");
        assert_eq!(
            line["detail"]["route"],
            "POST /api/v1/requests/{id}/decisions"
        );
        assert!(
            line["detail"]["request_id"]
                .as_str()
                .is_some_and(|id| id.len() > 8)
        );
        let browser = slipway.browser(persona).await;
        let answer = browser
            .post(
                &format!("/requests/{id}/decide"),
                &[
                    ("decision", "approve"),
                    ("plan_digest", sent["plan"]["digest"].as_str().unwrap()),
                ],
            )
            .await;
        assert!(answer.status().as_u16() >= 400, "{:?}", answer.status());
        let again = auditor
            .get("/audit?action=request.decision_refused&limit=1")
            .await;
        assert!(again["items"][0]["seq"].as_i64() > line["seq"].as_i64());
        assert_eq!(
            again["items"][0]["detail"]["route"],
            "POST /requests/{id}/decide"
        );
        // With a key it is refused as early as possible, and recorded all the same.
        let answer = api
            .request(Method::POST, &format!("/requests/{id}/decisions"))
            .header("idempotency-key", "decided-once")
            .json(&decision)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
        let keyed = auditor
            .get("/audit?action=request.decision_refused&limit=1")
            .await;
        let keyed = &keyed["items"][0];
        assert!(keyed["seq"].as_i64() > again["items"][0]["seq"].as_i64());
        assert_eq!(keyed["actor"], persona, "{keyed:#}");
        assert_eq!(keyed["subject_id"], id);
        assert_eq!(keyed["detail"]["code"], code, "{keyed:#}");
    }

    // Signing in and out says from where; a persona that does not exist leaves a line without what was typed.
    let signed_in = auditor.get("/audit?action=person.signed_in&limit=1").await;
    assert_eq!(signed_in["items"][0]["detail"]["address"], "127.0.0.1");
    slipway.browser("reader").await.post("/sign-out", &[]).await;
    let out = auditor.get("/audit?action=person.signed_out&limit=1").await;
    assert_eq!(out["items"][0]["detail"]["address"], "127.0.0.1", "{out:#}");
    let http = reqwest::Client::new();
    let answer = http
        .post(format!("{}/sign-in", slipway.url))
        .header("origin", &slipway.url)
        .form(&[("subject", "hunter2-my-password")])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 422);
    let refused = auditor.get("/audit?action=person.sign_in_refused").await;
    let line = &refused["items"][0];
    assert_eq!(line["actor"], "unknown", "{refused:#}");
    assert_eq!(line["detail"]["code"], "unknown_persona");
    assert!(!refused.to_string().contains("hunter2"));

    // Tokens: none of ours, one that nobody has, one that was revoked. Never the token itself.
    let mine = owner.get("/me/tokens").await;
    let token_id = mine
        .as_array()
        .unwrap()
        .iter()
        .find(|token| {
            let prefix = token["prefix"].as_str().unwrap();
            owner.token.starts_with(prefix.trim_end_matches('…'))
        })
        .and_then(|token| token["id"].as_str())
        .unwrap()
        .to_owned();
    let browser = slipway.browser("owner").await;
    let answer = browser
        .post(&format!("/me/tokens/{token_id}/revoke"), &[])
        .await;
    assert_eq!(answer.status(), 303);
    let try_token = async |token: &str| {
        let answer = http
            .get(format!("{}/api/v1/requests", slipway.url))
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
    };
    let unknown = format!("slw_{}", "A".repeat(43));
    try_token("hunter2-my-password").await;
    try_token(&unknown).await;
    try_token(&owner.token).await;
    let refused = auditor.get("/audit?action=token.refused").await;
    let told = |code: &str| {
        let items = refused["items"].as_array().unwrap();
        let found = items.iter().find(|line| line["detail"]["code"] == code);
        found
            .unwrap_or_else(|| panic!("{code}: {refused:#}"))
            .clone()
    };
    assert!(told("malformed")["detail"].get("prefix").is_none());
    assert_eq!(told("unknown")["detail"]["prefix"], "slw_AAAA");
    let revoked = told("revoked");
    assert_eq!(revoked["subject_id"], token_id.as_str());
    assert_eq!(revoked["detail"]["person"], "owner");
    assert_eq!(revoked["detail"]["address"], "127.0.0.1");
    let text = refused.to_string();
    assert!(!text.contains(&owner.token) && !text.contains(&unknown) && !text.contains("hunter2"));

    // Two hundred more are a handful of lines, and at the end a count.
    for _ in 0..200 {
        try_token(&unknown).await;
    }
    let count = async || {
        let page = auditor.get("/audit?action=token.refused&limit=200").await;
        page["items"].as_array().unwrap().len()
    };
    assert!(count().await < 20, "{}", count().await);
    assert!(slipway.terminate());
    let lines = export(data);
    let counted: i64 = lines
        .iter()
        .filter(|line| line.action == "token.refused")
        .map(|line| line.detail["count"].as_i64().unwrap_or(1))
        .sum();
    assert_eq!(counted, 203);
    assert_eq!(found(data, &["check"]), ("ok".to_owned(), None));
}
