//! A loopback https server with a CA of its own that answers what a story says, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use azure::{Arm, Config, Credential, DeploymentId, Endpoints, GroupId, Secret, SubscriptionId};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

pub(crate) const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const TENANT: &str = "99999999-2222-3333-4444-555555555555";
pub(crate) const CLIENT_SECRET: &str = "client-secret-that-must-not-show";
pub(crate) const TOKEN: &str = "token-that-must-not-show";

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: String,
    pub(crate) authorization: Option<String>,
    pub(crate) client_request_id: Option<String>,
    /// How many calls of this method and path came before.
    pub(crate) nth: usize,
}

impl Asked {
    pub(crate) fn is(&self, method: &str, end: &str) -> bool {
        self.method == method && self.path.ends_with(end)
    }
}

/// What to answer.
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The connection ends without an answer.
    HangUp,
}

pub(crate) fn json(status: u16, body: &Value) -> Reply {
    Reply::Answer(status, Vec::new(), body.to_string())
}

pub(crate) fn with(status: u16, headers: &[(&'static str, &str)], body: &Value) -> Reply {
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    Reply::Answer(status, headers, body)
}

pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    pub(crate) ca_pem: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// Answers ARM calls with `story`; tokens are given by itself unless the story answers them.
    pub(crate) async fn start(
        story: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, ca_pem) = tls();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, story) = (Arc::clone(&asked), Arc::new(story));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, log, story) =
                    (acceptor.clone(), Arc::clone(&log), Arc::clone(&story));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request| {
                        let (log, story) = (Arc::clone(&log), Arc::clone(&story));
                        async move { answer(request, &log, &*story).await }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            ca_pem,
            asked,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    pub(crate) fn config(&self) -> Config {
        let endpoints = Endpoints::single(&self.url("/").parse().unwrap()).unwrap();
        let credential = Credential::ClientSecret {
            client_id: "app".to_owned(),
            secret: Secret::from(CLIENT_SECRET),
        };
        let mut config = Config::new(endpoints, TENANT, credential);
        config.extra_roots_pem = Some(self.ca_pem.clone());
        config
    }

    pub(crate) fn arm(&self) -> Arm {
        Arm::new(self.config()).unwrap()
    }

    /// What was asked of ARM, without the tokens.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let all = self.asked.lock().unwrap().clone();
        all.into_iter()
            .filter(|asked| !asked.path.contains("/oauth2/"))
            .collect()
    }

    pub(crate) fn tokens_asked(&self) -> usize {
        let all = self.asked.lock().unwrap();
        all.iter()
            .filter(|asked| asked.path.contains("/oauth2/"))
            .count()
    }
}

pub(crate) fn subscription() -> SubscriptionId {
    SubscriptionId::parse(SUBSCRIPTION).unwrap()
}

pub(crate) fn group() -> GroupId {
    GroupId::new(subscription(), "rg-shop-dev-web-a1b2c3").unwrap()
}

pub(crate) fn deployment() -> DeploymentId {
    DeploymentId::new(group(), "slipway-web-a1b2c3-1").unwrap()
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    log: &Mutex<Vec<Asked>>,
    story: &(impl Fn(&Asked) -> Option<Reply> + Send + Sync),
) -> Result<Response<Body>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), 1 << 20)
        .await
        .unwrap();
    let header = |name: &str| {
        head.headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let mut asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        authorization: header("authorization"),
        client_request_id: header("x-ms-client-request-id"),
        nth: 0,
    };
    {
        let mut log = log.lock().unwrap();
        asked.nth = log
            .iter()
            .filter(|old| old.method == asked.method && old.path == asked.path)
            .count();
        log.push(asked.clone());
    }
    let reply = story(&asked).unwrap_or_else(|| {
        if asked.path.contains("/oauth2/") {
            let token = format!("{TOKEN}-{}", asked.nth);
            return json(200, &json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token}));
        }
        json(404, &json!({"error": {"code": "ResourceNotFound", "message": format!("The Resource '{}' was not found.", asked.path)}}))
    });
    match reply {
        Reply::HangUp => Err(std::io::Error::other("the story hangs up")),
        Reply::Answer(status, headers, body) => {
            let mut response = Response::builder()
                .status(status)
                .header("x-ms-request-id", "request-1")
                .header("x-ms-correlation-request-id", "correlation-1");
            if !body.is_empty() {
                response = response.header("content-type", "application/json; charset=utf-8");
            }
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Body::from(body)).unwrap())
        }
    }
}

fn tls() -> (TlsAcceptor, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    leaf.subject_alt_names
        .push(SanType::IpAddress([127, 0, 0, 1].into()));
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    (TlsAcceptor::from(Arc::new(server)), ca_pem)
}
