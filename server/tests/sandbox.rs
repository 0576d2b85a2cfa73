//! The sandbox, where anybody signs in as anybody, stays on this machine and is never reached by accident.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use support::{Start, sandbox};

/// Runs a `slipway` that ought to refuse; one that starts all the same is ended by its timeout and has no exit code of its own.
fn refused(arguments: &[&str], data: &Path) -> String {
    let Output { status, stderr, .. } = Command::new("timeout")
        .arg("60")
        .arg(env!("CARGO_BIN_EXE_slipway"))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("SLIPWAY_DATA", data)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(1), "{arguments:?}: {told}");
    told
}

#[test]
fn it_is_not_shown_to_other_machines() {
    let data = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let told = refused(&["serve", "--listen", address], data.path());
        assert!(told.contains("loopback only"), "{told}");
    }
    for url in [
        "https://slipway.example",
        "http://10.0.0.7:3000",
        "https://localhost.example",
        "http://127.0.0.1.nip.io:3000",
    ] {
        let told = refused(
            &["serve", "--listen", "127.0.0.1:0", "--public-url", url],
            data.path(),
        );
        assert!(told.contains("--public-url"), "{told}");
    }
}

#[tokio::test]
async fn personas_hang_on_the_option_and_not_on_an_address() {
    let simulated = tempfile::tempdir().unwrap();
    let simulator = Start::new(&["sim"], simulated.path()).start();
    let data = tempfile::tempdir().unwrap();
    let settings = support::settings(simulated.path());
    let listen = ["serve", "--listen", "127.0.0.1:0", "--azure"];
    let azure = |file: &Path, more: &[&str]| {
        let file = file.to_str().unwrap().to_owned();
        let mut arguments = listen.to_vec();
        arguments.push(&file);
        arguments.extend(more);
        refused(&arguments, data.path())
    };
    let told = azure(&settings, &[]);
    assert!(told.contains("--sandbox"), "{told}");
    // An address on this machine may be a tunnel to the real one: one of the two elsewhere is enough to refuse.
    let mut tunnel: Value =
        serde_json::from_str(&std::fs::read_to_string(&settings).unwrap()).unwrap();
    tunnel["authority"] = "https://login.microsoftonline.com/".into();
    let file = data.path().join("tunnel.json");
    std::fs::write(&file, tunnel.to_string()).unwrap();
    let told = azure(&file, &["--sandbox"]);
    assert!(told.contains("on this machine"), "{told}");
    drop(simulator);
}

#[tokio::test]
async fn it_does_not_answer_behind_a_proxy() {
    let data = tempfile::tempdir().unwrap();
    let slipway = sandbox(data.path());
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let headers = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-host", "slipway.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("via", "1.1 proxy"),
        ("X_Forwarded_For", "203.0.113.7"),
        ("x_real_ip", "203.0.113.7"),
        ("Fly-Client-IP", "203.0.113.7"),
        ("CloudFront-Viewer-Address", "203.0.113.7:46532"),
        ("CF-Connecting-IP", "203.0.113.7"),
        ("X-Azure-ClientIP", "203.0.113.7"),
    ];
    for (name, value) in headers {
        for path in ["/sign-in", "/api/v1/me", "/catalogue"] {
            let answer = http
                .get(format!("{}{path}", slipway.url))
                .header(name, value)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 403, "{path} with {name}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], "sandbox_behind_proxy");
        }
        let signed_in = http
            .post(format!("{}/sign-in", slipway.url))
            .header("origin", &slipway.url)
            .header(name, value)
            .form(&[("subject", "admin")])
            .send()
            .await
            .unwrap();
        assert_eq!(signed_in.status(), 403, "{name}");
        assert!(!signed_in.headers().contains_key("set-cookie"));
    }
    slipway.browser("admin").await;
}

/// A proxy or a filter in front may read the other one of two.
#[tokio::test]
async fn what_says_twice_where_it_comes_from_or_goes_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let slipway = sandbox(data.path());
    let own = slipway.url.trim_start_matches("http://").to_owned();
    let ask = async |target: &str, headers: &[String]| {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(&own).await.unwrap();
        let request = format!(
            "GET {target} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n",
            headers.join("\r\n")
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let host = format!("Host: {own}");
    let origin = format!("Origin: {}", slipway.url);
    let site = "Sec-Fetch-Site: same-origin".to_owned();
    let foreign = "Host: slipway.example".to_owned();
    for (target, headers) in [
        ("/sign-in", vec![host.clone(), foreign.clone()]),
        ("/sign-in", vec![foreign, host.clone()]),
        ("http://slipway.example/sign-in", vec![host.clone()]),
        (
            "/sign-in",
            vec![
                host.clone(),
                origin.clone(),
                "Origin: http://a.example".into(),
            ],
        ),
        (
            "/sign-in",
            vec![
                host.clone(),
                site.clone(),
                "Sec-Fetch-Site: cross-site".into(),
            ],
        ),
    ] {
        let answer = ask(target, &headers).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers:?}: {answer}");
        assert!(answer.contains("ambiguous_header"), "{answer}");
    }
    let answer = ask(
        &format!("{}/sign-in", slipway.url),
        std::slice::from_ref(&host),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = ask("/sign-in", &[host, origin, site]).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Database, simulator and log hold what people typed, and what opens the simulator.
#[cfg(unix)]
#[tokio::test]
async fn its_files_are_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let log = home.path().join("log");
    // As most shells start programs: files for everybody to read.
    let program = format!(
        "umask 022; exec {} serve --listen 127.0.0.1:0",
        env!("CARGO_BIN_EXE_slipway")
    );
    let mut child = Command::new("sh")
        .args(["-c", &program])
        .env("SLIPWAY_DATA", &data)
        .stdout(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    for _ in 0..1_200 {
        if std::fs::read_to_string(&log).unwrap().contains("serves") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut found = Vec::new();
    let mut folders = vec![data.clone()];
    while let Some(folder) = folders.pop() {
        found.push(folder.clone());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    let open: Vec<_> = found
        .iter()
        .filter(|path| {
            let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            mode & 0o077 != 0
        })
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        found.iter().any(|path| path.ends_with("slipway.db")),
        "{found:?}"
    );
    assert!(open.is_empty(), "other users can read {open:?}");
}
