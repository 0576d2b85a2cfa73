//! The real binary for tests: started on a free port with a data directory of its own, spoken to over HTTP, killed when the test says so.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]
#![allow(dead_code, reason = "each file of stories uses another part")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything in these tests may take before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running `slipway`.
pub(crate) struct Slipway {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
}

/// How a `slipway` is started.
pub(crate) struct Start {
    command: Command,
    data: PathBuf,
}

/// Which limit of open files.
#[derive(Clone, Copy)]
pub(crate) enum OpenFiles {
    /// The soft one.
    Soft,
    /// Both.
    Hard,
}

impl Start {
    /// `slipway` with these arguments and this data directory, and nothing of the test's environment but `PATH`.
    pub(crate) fn new(arguments: &[&str], data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", data)
            .env("SLIPWAY_DATA", data)
            .env("SLIPWAY_SIM_SPEED", "200")
            // Stories are told faster than people write; that people do not meet the limits, tests/rates.rs shows.
            .env("SLIPWAY_WRITE_RATE", "1000")
            .env("SLIPWAY_WRITE_BURST", "10000")
            .stdout(Stdio::piped())
            .stderr(Stdio::from(
                std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(data.join("log"))
                    .unwrap(),
            ));
        Self {
            command,
            data: data.to_owned(),
        }
    }

    /// One more environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// One environment variable less.
    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The same, with at most `limit` open files; a soft limit may be raised again.
    pub(crate) fn open_files(self, kind: OpenFiles, limit: u32) -> Self {
        let flag = match kind {
            OpenFiles::Soft => "-Sn",
            OpenFiles::Hard => "-n",
        };
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit {flag} {limit} && exec \"$@\""))
            .arg("sh")
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::from(
                std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(self.data.join("log"))
                    .unwrap(),
            ));
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        Self { command, ..self }
    }

    /// Starts it and waits for the line that holds its address.
    pub(crate) fn start(mut self) -> Slipway {
        let mut child = self.command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!(
                    "slipway ended before it printed its address: {:?}",
                    child.wait()
                )
            };
            if let Some(at) = line.find("http") {
                break line[at..]
                    .split_whitespace()
                    .next()
                    .unwrap()
                    .trim_end_matches('/')
                    .to_owned();
            }
        };
        // Whatever it prints later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Slipway { child, url }
    }
}

/// The sandbox with its simulator in the process.
pub(crate) fn sandbox(data: &Path) -> Slipway {
    Start::new(&["serve", "--listen", "127.0.0.1:0"], data).start()
}

/// The same without limits on calls, for stories that ask more in a minute than people do.
pub(crate) fn patient_sandbox(data: &Path) -> Slipway {
    Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
        .env("SLIPWAY_LIMITS", "off")
        .start()
}

impl Slipway {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// True once the process has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn wait_for_end(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() {
            assert!(Instant::now() < deadline, "it goes on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks it to end with SIGTERM; answers whether it ended well.
    pub(crate) fn terminate(mut self) -> bool {
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// A client with this persona's session, without redirects.
    pub(crate) async fn browser(&self, persona: &str) -> Browser {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let answer = http
            .post(format!("{}/sign-in", self.url))
            .header("origin", &self.url)
            .form(&[("subject", persona)])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        let cookie = answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        Browser {
            http,
            url: self.url.clone(),
            cookie,
        }
    }

    /// A client with a token that was made elsewhere.
    pub(crate) fn with_token(&self, token: &str) -> Api {
        Api {
            http: reqwest::Client::new(),
            url: self.url.clone(),
            token: token.to_owned(),
        }
    }

    /// A browser in which nobody is signed in.
    pub(crate) fn stranger(&self) -> Browser {
        Browser {
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            url: self.url.clone(),
            cookie: String::new(),
        }
    }

    /// A client with a token of this persona.
    pub(crate) async fn api(&self, persona: &str) -> Api {
        let browser = self.browser(persona).await;
        let made = browser
            .http
            .post(format!("{}/api/v1/me/tokens", self.url))
            .header("cookie", &browser.cookie)
            .header("sec-fetch-site", "same-origin")
            .json(&serde_json::json!({ "name": "test", "days": 1 }))
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
        let made: Value = made.json().await.unwrap();
        Api {
            http: reqwest::Client::new(),
            url: self.url.clone(),
            token: made["value"].as_str().unwrap().to_owned(),
        }
    }
}

impl Drop for Slipway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser without JavaScript, as far as a server can tell.
pub(crate) struct Browser {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Browser {
    /// The same browser, after the server moved.
    pub(crate) fn at(&self, slipway: &Slipway) -> Self {
        Self {
            http: self.http.clone(),
            url: slipway.url.clone(),
            cookie: self.cookie.clone(),
        }
    }

    /// The session's id, as its cookie carries it.
    pub(crate) fn session(&self) -> &str {
        self.cookie.split_once('=').unwrap().1
    }

    /// A call of this very site's script, not sent yet.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("origin", &self.url)
            .header("sec-fetch-site", "same-origin")
    }

    /// Reads a page.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http
            .get(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .send()
            .await
            .unwrap()
    }

    /// The value of its session's cookie.
    pub(crate) fn cookie_value(&self) -> &str {
        self.cookie.split_once('=').unwrap().1
    }

    /// Any request with this session, not sent yet.
    pub(crate) fn raw(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
    }

    /// A call of the REST API as a page of this site makes it: by the session, not by a token.
    pub(crate) fn rest(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.url))
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
    }

    /// Posts a form.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        self.http
            .post(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("origin", &self.url)
            .form(fields)
            .send()
            .await
            .unwrap()
    }

    /// Posts JSON, as a page's script does.
    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> reqwest::Response {
        self.http
            .post(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("origin", &self.url)
            .json(body)
            .send()
            .await
            .unwrap()
    }
}

/// A REST client with a token.
pub(crate) struct Api {
    http: reqwest::Client,
    url: String,
    /// The bearer token.
    pub(crate) token: String,
}

impl Api {
    /// A request, not sent yet.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.url))
            .bearer_auth(&self.token)
    }

    /// The same client, after the server moved.
    pub(crate) fn at(&self, slipway: &Slipway) -> Self {
        Self {
            http: self.http.clone(),
            url: slipway.url.clone(),
            token: self.token.clone(),
        }
    }

    /// Reads; anything but 200 fails the test.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.try_get(path)
            .await
            .unwrap_or_else(|| panic!("GET {path}: nobody answers"))
    }

    /// Reads; `None` where nobody answers any more.
    async fn try_get(&self, path: &str) -> Option<Value> {
        let answer = self.request(reqwest::Method::GET, path).send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        assert_eq!(status, 200, "GET {path}: {text}");
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Posts; answers status and body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.try_post(path, body)
            .await
            .unwrap_or_else(|| panic!("POST {path}: nobody answers"))
    }

    /// Posts; `None` where nobody answers any more.
    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.request(reqwest::Method::POST, path).json(body);
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    /// Reads `path` until `done` says so.
    pub(crate) async fn wait(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        self.try_wait(path, done)
            .await
            .unwrap_or_else(|| panic!("GET {path}: nobody answers"))
    }

    /// Reads `path` until `done` says so; `None` where nobody answers any more.
    pub(crate) async fn try_wait(
        &self,
        path: &str,
        done: impl Fn(&Value) -> bool,
    ) -> Option<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.try_get(path).await?;
            if done(&value) {
                return Some(value);
            }
            assert!(
                Instant::now() < deadline,
                "{path} did not get there: {value:#}"
            );
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// The database of a data directory, beside the process that serves it: for what no page can bring about, such as a role that is taken away.
pub(crate) async fn database(data: &Path) -> store::Store {
    let url = format!("sqlite://{}", data.join("slipway.db").display());
    store::Store::open(&url).await.unwrap()
}

/// Gives somebody a role in a project, or takes it away.
pub(crate) async fn set_role(
    store: &store::Store,
    project: &str,
    subject: &str,
    role: Option<types::actor::Role>,
) {
    let project = project.parse().unwrap();
    let mut tx = store.begin().await.unwrap();
    match role {
        Some(role) => tx.put_member(&project, subject, role).await.unwrap(),
        None => assert!(tx.delete_member(&project, subject).await.unwrap()),
    }
    tx.commit(now()).await.unwrap();
}

/// The time by the same clock as the process's.
pub(crate) fn now() -> types::time::Timestamp {
    types::time::Timestamp::new(time::OffsetDateTime::now_utc())
}

/// The state of a stack, request or operation, whole.
pub(crate) fn state(whole: &Value) -> &str {
    whole["summary"]["state"].as_str().unwrap_or_default()
}

/// A good public key.
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUdVK0aeED2PJKPLfPRWSr6dvPFFSA0uE0M5/6j6AtM developer";

/// A subnet that Payments may use in prod.
pub(crate) const PROD_SUBNET: &str = "/subscriptions/51179a1e-0000-4000-8000-0000000000f1/resourceGroups/rg-platform-prod/providers/Microsoft.Network/virtualNetworks/vnet-prod-westeurope/subnets/workload";

/// A request for a VM in Payments' prod tier: it waits for an approver, and nothing happens in Azure.
pub(crate) fn prod_vm(name: &str) -> Value {
    let mut request = vm(name);
    request["tier"] = "prod".into();
    request["expiry"] = "".into();
    request["justification"] = "Ledger entries are synchronised every hour.".into();
    request["parameters"]["subnetId"] = PROD_SUBNET.into();
    request
}

/// A request for a VM in Payments' dev tier, which needs nobody's approval.
pub(crate) fn vm(name: &str) -> Value {
    serde_json::json!({
        "project": "payments", "tier": "dev", "template": "azure-linux-vm@1.0.0", "name": name,
        "region": "westeurope", "cost_centre": "4410", "expiry": "30d", "justification": "A test wants it.",
        "parameters": {
            "vmSize": "Standard_D2ds_v6",
            "subnetId": "/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg-platform-dev/providers/Microsoft.Network/virtualNetworks/vnet-dev-westeurope/subnets/workload",
            "sshPublicKey": KEY,
        }
    })
}

/// The simulator of a data directory, asked for what only it knows.
pub(crate) struct Simulator {
    http: reqwest::Client,
    url: String,
    settings: Value,
}

impl Simulator {
    /// By the settings file that it wrote.
    pub(crate) fn of(data: &Path) -> Self {
        let settings: Value =
            serde_json::from_str(&std::fs::read_to_string(settings(data)).unwrap()).unwrap();
        let root = reqwest::Certificate::from_pem(
            settings["extra_roots_pem"].as_str().unwrap().as_bytes(),
        )
        .unwrap();
        Self {
            http: reqwest::Client::builder()
                .add_root_certificate(root)
                .build()
                .unwrap(),
            url: settings["resource_manager"]
                .as_str()
                .unwrap()
                .trim_end_matches('/')
                .to_owned(),
            settings,
        }
    }

    /// A call that Azure Resource Manager itself would take, with a token; anything but success fails the test.
    pub(crate) async fn arm(&self, method: reqwest::Method, path: &str, body: Option<&Value>) {
        let answer = self.ask_arm(method, path, body).await;
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.unwrap()
        );
    }

    /// A resource as Azure Resource Manager shows it; `None` where there is none.
    pub(crate) async fn resource(&self, id: &str, api_version: &str) -> Option<Value> {
        let path = format!("{id}?api-version={api_version}");
        let answer = self.ask_arm(reqwest::Method::GET, &path, None).await;
        if answer.status() == 404 {
            return None;
        }
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        Some(answer.json().await.unwrap())
    }

    /// A fresh token of Slipway's application, by the simulator's own authority.
    async fn token(&self) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (settings, credential) = (&self.settings, &self.settings["credential"]);
        let answer: Value = self
            .http
            .post(format!(
                "{}/{}/oauth2/v2.0/token",
                text(&settings["authority"]).trim_end_matches('/'),
                text(&settings["tenant_id"])
            ))
            .form(&[
                ("grant_type", &"client_credentials".to_owned()),
                ("client_id", &text(&credential["client_id"])),
                ("client_secret", &text(&credential["client_secret"])),
                (
                    "scope",
                    &format!("{}/.default", text(&settings["audience"])),
                ),
            ])
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        text(&answer["access_token"])
    }

    /// A call that Azure Resource Manager itself would take, with a token.
    pub(crate) async fn ask_arm(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Response {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(self.token().await);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    /// Changes a resource behind everybody's back.
    pub(crate) async fn change(&self, id: &str, patch: &Value) {
        let answer = self
            .http
            .patch(format!("{}/_sim/resources", self.url))
            .bearer_auth(self.token().await)
            .query(&[("id", id)])
            .json(patch)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{id}: {answer:?}");
    }

    /// Posts to its control surface, such as to `/_sim/faults`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(self.token().await)
            .json(body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer.json().await.unwrap()
    }

    /// Deletes a resource or a group behind everybody's back.
    pub(crate) async fn remove(&self, id: &str) {
        let answer = self
            .http
            .delete(format!("{}/_sim/resources", self.url))
            .bearer_auth(self.token().await)
            .query(&[("id", id)])
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{id}: {answer:?}");
    }

    /// What Azure holds, counted.
    pub(crate) async fn census(&self) -> Value {
        let state = self.read("/_sim/state").await;
        serde_json::json!({ "groups": state["resourceGroups"], "resources": state["resources"], "types": state["types"],
            "running": state["operationsInProgress"] })
    }

    /// Deployments of Slipway's, each with how often Azure accepted it.
    pub(crate) async fn accepted_deployments(&self) -> HashMap<String, u32> {
        let log = self
            .read("/_sim/requests?method=PUT&path=/deployments/slipway-")
            .await;
        let mut accepted = HashMap::new();
        for line in log["value"].as_array().unwrap() {
            if line["status"]
                .as_u64()
                .is_some_and(|status| (200..300).contains(&status))
            {
                *accepted
                    .entry(line["path"].as_str().unwrap().to_owned())
                    .or_default() += 1;
            }
        }
        accepted
    }

    /// A document of its control surface, such as `/_sim/state`.
    pub(crate) async fn read(&self, path: &str) -> Value {
        self.http
            .get(format!("{}{path}", self.url))
            .bearer_auth(self.token().await)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }
}

/// Where the simulator of a data directory wrote its settings.
pub(crate) fn settings(data: &Path) -> PathBuf {
    data.join("azure-sim/azure.json")
}
