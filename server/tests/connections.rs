//! Clients that hold connections and send nothing, or take nothing: what they cost themselves, and that they cost nobody else anything.
//! `cargo xtask drill half-open` is the long form.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{OpenFiles, PATIENCE, Slipway, Start, state, vm};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

fn serve(data: &std::path::Path) -> Start {
    Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
}

const FLOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A connection from `from`; `None` where it is not taken.
async fn connect(from: Ipv4Addr, to: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    socket.connect(to).await.ok()
}

/// The ways to hold a connection open.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// Nothing at all.
    Silent,
    /// Half a head.
    Head,
    /// Half a body.
    Body,
    /// Many whole requests whose answers nobody reads.
    Unread,
}

const WAYS: [Held; 4] = [Held::Silent, Held::Head, Held::Body, Held::Unread];

impl Held {
    fn bytes(self, host: SocketAddr) -> Vec<u8> {
        match self {
            Held::Silent => Vec::new(),
            Held::Head => format!("GET /readyz HTTP/1.1\r\nhost: {host}\r\nx-slow: ").into_bytes(),
            Held::Body => format!(
                "POST /sign-in HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: 20\r\n\r\nsubject="
            )
            .into_bytes(),
            Held::Unread => format!("GET /api/openapi.json HTTP/1.1\r\nhost: {host}\r\n\r\n")
                .repeat(200)
                .into_bytes(),
        }
    }

    async fn hold(self, from: Ipv4Addr, host: SocketAddr) -> Option<TcpStream> {
        let stream = connect(from, host).await?;
        // Whoever never reads must not wait until everything is taken either.
        let bytes = self.bytes(host);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match stream.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(_) => break,
            }
        }
        Some(stream)
    }
}

/// Waits until the server has closed `stream`: writing to it fails, or reading it comes to its end.
async fn closed(mut stream: TcpStream, reading: bool) -> Vec<u8> {
    let deadline = Instant::now() + PATIENCE;
    let mut got = Vec::new();
    if reading {
        // A reset is an end too.
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut got))
            .await
            .expect("the server keeps the connection");
        return got;
    }
    while stream.write_all(b"x").await.is_ok() {
        assert!(Instant::now() < deadline, "the server keeps the connection");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    got
}

fn client(from: Ipv4Addr) -> reqwest::Client {
    reqwest::Client::builder()
        .local_address(IpAddr::from(from))
        .pool_max_idle_per_host(0)
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

async fn ready(from: Ipv4Addr, slipway: &Slipway) {
    let answer = client(from)
        .get(format!("{}/readyz", slipway.url))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_never_stop_answers() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path()).open_files(OpenFiles::Hard, 256).start();
    let (browser, developer) = (
        slipway.browser("developer").await,
        slipway.api("developer").await,
    );
    // Twice as many as the process may have files open.
    let mut flood = Vec::new();
    for index in 0..512 {
        flood.push(
            WAYS[index % WAYS.len()]
                .hold(FLOOD, slipway.address())
                .await,
        );
        if index % 64 == 63 {
            ready(Ipv4Addr::LOCALHOST, &slipway).await;
            assert_eq!(browser.get("/requests").await.status(), 200);
        }
    }
    // Neither does the worker stop, which needs descriptors for Azure and the database.
    let (status, sent) = developer.post("/requests", &vm("beside-a-flood")).await;
    assert_eq!(status, 201, "{sent:#}");
    let stack = format!("/stacks/{}", sent["summary"]["stack"].as_str().unwrap());
    developer
        .wait(&stack, |stack| state(stack) == "active")
        .await;
    // Nor are others at the flood's address shut out.
    ready(FLOOD, &slipway).await;
    drop(flood);
    ready(FLOOD, &slipway).await;
    assert!(slipway.terminate(), "SIGTERM ends it cleanly");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_many_addresses_displaces_itself() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path()).open_files(OpenFiles::Hard, 256).start();
    let mut flood = Vec::new();
    for index in 0..400 {
        let from = Ipv4Addr::new(127, 0, 1, u8::try_from(index % 40 + 1).unwrap());
        flood.push(Held::Head.hold(from, slipway.address()).await);
    }
    for _ in 0..10 {
        ready(Ipv4Addr::LOCALHOST, &slipway).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_send_or_take_nothing_are_ended() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_HEADER_TIMEOUT", "1")
        .env("SLIPWAY_BODY_TIMEOUT", "2")
        .env("SLIPWAY_WRITE_TIMEOUT", "1")
        .env("SLIPWAY_IDLE_TIMEOUT", "1")
        .start();
    let address = slipway.address();
    let hold = async |way: Held| way.hold(Ipv4Addr::LOCALHOST, address).await.unwrap();

    assert!(closed(hold(Held::Silent).await, true).await.is_empty());
    assert!(closed(hold(Held::Head).await, true).await.is_empty());
    // A byte now and then buys no time.
    closed(hold(Held::Head).await, false).await;
    let late = String::from_utf8(closed(hold(Held::Body).await, true).await).unwrap();
    assert!(
        late.starts_with("HTTP/1.1 408 ") && late.contains("\"request_timeout\""),
        "{late}"
    );
    closed(hold(Held::Unread).await, false).await;
    // One whole request, and then nothing: answered, kept for a while, closed.
    let mut idle = connect(Ipv4Addr::LOCALHOST, address).await.unwrap();
    idle.write_all(format!("GET /livez HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let answer = closed(idle, true).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_outlasts_every_time_limit() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_HEADER_TIMEOUT", "1")
        .env("SLIPWAY_BODY_TIMEOUT", "1")
        .env("SLIPWAY_WRITE_TIMEOUT", "1")
        .env("SLIPWAY_HANDLER_TIMEOUT", "3")
        .env("SLIPWAY_IDLE_TIMEOUT", "1")
        .start();
    let developer = slipway.api("developer").await;
    let mut stream = developer
        .request(reqwest::Method::GET, "/events")
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);
    // Longer than ten times the write timeout, after which another answer would be cut off.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let (status, sent) = developer.post("/requests", &vm("heard-of")).await;
    assert_eq!(status, 201, "{sent:#}");
    let mut heard = String::new();
    while !heard.contains(sent["summary"]["id"].as_str().unwrap()) {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk())
            .await
            .expect("nothing is heard");
        heard.push_str(&String::from_utf8_lossy(
            &chunk.unwrap().expect("the stream ended"),
        ));
    }
    // And it does not hold up the end.
    assert!(slipway.terminate(), "SIGTERM ends it cleanly");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_does_not_answer_is_given_up() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_HANDLER_TIMEOUT", "1")
        .start();
    let held = Held::Body
        .hold(Ipv4Addr::LOCALHOST, slipway.address())
        .await
        .unwrap();
    let answer = String::from_utf8(closed(held, true).await).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"took_too_long\""),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_so_many_connections_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_CONNECTIONS_PER_ADDRESS", "3")
        .start();
    let developer = slipway.api("developer").await;
    // What is being answered is not displaced.
    let mut streams = Vec::new();
    for _ in 0..3 {
        let request = client(Ipv4Addr::LOCALHOST)
            .get(format!("{}/api/v1/events", slipway.url))
            .bearer_auth(&developer.token)
            .timeout(PATIENCE * 2);
        let stream = request.send().await.unwrap();
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    let mut one_more = connect(Ipv4Addr::LOCALHOST, slipway.address())
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, one_more.read_to_string(&mut answer))
        .await
        .expect("it is left waiting")
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 1"));
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["code"], "unavailable");
    ready(FLOOD, &slipway).await;
    // Room again as soon as one of them ends.
    streams.pop();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let again = client(Ipv4Addr::LOCALHOST)
            .get(format!("{}/readyz", slipway.url))
            .send()
            .await;
        if again.is_ok_and(|answer| answer.status() == 200) {
            break;
        }
        assert!(Instant::now() < deadline, "there is never room again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_refused_whoever_reads_it() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.browser("developer").await;
    for path in [
        "/ui/check",
        "/sign-in",
        "/requests/x/comment",
        "/api/v1/plans",
    ] {
        let answer = developer
            .raw(reqwest::Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .body("x".repeat(300_000))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 413, "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "too_large", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_open_files_is_raised() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path()).open_files(OpenFiles::Soft, 300).start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", slipway.pid())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "soft and hard: {line}");
}
