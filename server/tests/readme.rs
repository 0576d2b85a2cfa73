//! The README's `curl` transcript, run as it stands: what people copy must work.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::process::Command;

/// The lines between the fences of the block that is marked as the transcript.
fn transcript() -> String {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (_, rest) = readme
        .split_once("```sh transcript\n")
        .expect("README.md has a block marked `sh transcript`");
    let (block, _) = rest.split_once("\n```").unwrap();
    block.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_curl_transcript_makes_a_vm_and_removes_it() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let api = slipway.api("developer").await;
    let (url, token, directory) = (
        slipway.url.clone(),
        api.token.clone(),
        data.path().to_owned(),
    );
    let output = tokio::task::spawn_blocking(move || {
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", &transcript()])
            .current_dir(directory)
            .env("SLIPWAY_URL", url)
            .env("SLIPWAY_TOKEN", token)
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "stdout:\n{out}\nstderr:\n{err}");
    assert!(
        out.contains("azure-linux-vm@1.0.0"),
        "the catalogue is listed:\n{out}"
    );
    assert!(
        out.contains("\"verdict\": \"allowed\""),
        "policy allows it:\n{out}"
    );
    assert!(
        out.contains("\"state\": \"active\"") && out.contains("ssh "),
        "the stack says how to connect:\n{out}"
    );
    assert_eq!(out.trim().lines().last(), Some("deleted"), "{out}");
    assert!(slipway.terminate(), "SIGTERM ends it cleanly");
}
