//! The listener: opens the port, serves connections over TLS or plain TCP, and stops them. What is answered is decided in `wire`.

pub(crate) mod files;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::wire::{App, Way};
use crate::{Config, Error, Subscription, Transport, seed};
pub(crate) use files::{Files, data, private};

/// A running simulator. Dropping it stops it without waiting; [`Running::shutdown`] waits.
pub struct Running {
    /// The origin of the resource manager, of the token authority and of the retail prices, for example `https://127.0.0.1:40123/`.
    pub endpoint: Url,
    /// The certificate authority that clients must trust, PEM; empty when it serves plain http.
    pub ca_pem: String,
    /// The tenant to sign in to.
    pub tenant_id: String,
    /// The application to sign in as.
    pub client_id: String,
    /// That application's secret. Kept in the data directory; never logged.
    pub client_secret: String,
    /// The subscriptions it serves.
    pub subscriptions: Vec<Subscription>,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// A way to it that needs no connection: for clients in the same process, above all on paused time (see [`crate::Time::Runtime`]).
    #[must_use]
    pub fn within(&self) -> Within {
        Within {
            app: self.app.clone(),
        }
    }

    /// A fresh bearer token of the application, as its authority gives one for the client secret. It opens the resource manager and the control surface.
    ///
    /// # Errors
    /// [`Error::Config`] when the signing key cannot be used.
    pub fn access_token(&self) -> Result<String, Error> {
        self.app
            .authority
            .access_token(self.app.state.clock.now())
            .map_err(Error::Config)
    }

    /// Stops accepting, lets running answers finish (2 seconds at most), writes a snapshot and returns.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("endpoint", &self.endpoint.as_str())
            .field("subscriptions", &self.subscriptions)
            .finish_non_exhaustive()
    }
}

/// A running simulator, asked without a connection. It answers as over https.
#[derive(Clone)]
pub struct Within {
    app: Arc<App>,
}

impl Within {
    /// Answers one request; `None` where the connection would be dropped, or break off in the middle of the answer.
    pub async fn answer(&self, request: http::Request<Vec<u8>>) -> Option<http::Response<Vec<u8>>> {
        let answered = self
            .app
            .clone()
            .answer(request.map(Body::from), Way::Within)
            .await;
        let (parts, body) = answered.ok()?.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.ok()?;
        Some(http::Response::from_parts(parts, bytes.into()))
    }
}

impl std::fmt::Debug for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Within")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

pub(crate) async fn start(config: Config) -> Result<Running, Error> {
    if !config.listen.ip().is_loopback() {
        return Err(Error::NotLoopback(config.listen));
    }
    if !(config.speed.is_finite() && config.speed > 0.0) {
        return Err(Error::Config(format!(
            "speed must be a positive number, not {}",
            config.speed
        )));
    }
    let mut files = Files::open(config.data.as_deref(), config.client_secret.as_deref())?;
    let listener = listen(config.listen, files.port).await?;
    let address = listener.local_addr().map_err(|source| Error::Listen {
        address: config.listen,
        source,
    })?;
    files.keep_port(address.port())?;

    let tls = config.transport != Transport::Http;
    let scheme = if tls { "https" } else { "http" };
    let endpoint = Url::parse(&format!("{scheme}://{}/", address))
        .map_err(|error| Error::Config(error.to_string()))?;
    let acceptor = match tls {
        true => Some(TlsAcceptor::from(Arc::new(files.authority.server()?))),
        false => None,
    };
    let http_beside = config.transport == Transport::HttpsAndHttp;

    let (stop, stopped) = watch::channel(false);
    let (app, engine) = App::open(&config, &mut files, &endpoint, stopped.clone())?;
    let serving = tokio::spawn(serve(listener, acceptor, http_beside, app.clone(), stopped));
    Ok(Running {
        endpoint,
        ca_pem: if tls {
            files.authority.certificate_pem.clone()
        } else {
            String::new()
        },
        tenant_id: seed::TENANT.to_owned(),
        client_id: seed::CLIENT_ID.to_owned(),
        client_secret: files.client_secret.clone(),
        subscriptions: config.subscriptions,
        app,
        stop,
        // In this order: the engine writes its last snapshot when nobody can ask any more.
        tasks: vec![serving, engine],
    })
}

/// Port 0 prefers the port of the last start, so that stored poll URLs stay good; somebody else on it must not keep the simulator from starting.
async fn listen(wanted: SocketAddr, remembered: Option<u16>) -> Result<TcpListener, Error> {
    if let (0, Some(port)) = (wanted.port(), remembered)
        && let Ok(listener) = TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind(wanted)
        .await
        .map_err(|source| Error::Listen {
            address: wanted,
            source,
        })
}

async fn serve(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    http_beside: bool,
    app: Arc<App>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: give connections a moment to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (acceptor, app, stopped) = (acceptor.clone(), app.clone(), stopped.clone());
        connections.spawn(async move {
            match acceptor {
                None => connection(stream, app, stopped, Way::Encrypted).await,
                // A client that wants TLS begins with a handshake; anything else is plain http on the same port.
                Some(_) if !begins_tls(&stream).await => {
                    if http_beside {
                        connection(stream, app, stopped, Way::Plain).await;
                    } else {
                        refuse_http(stream).await;
                    }
                }
                Some(acceptor) => {
                    // A failed handshake is the client's problem: it does not trust the authority, or spoke http.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        connection(stream, app, stopped, Way::Encrypted).await;
                    }
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(Duration::from_secs(2), all).await;
}

/// Whether a connection's first byte is that of a TLS handshake. One that says nothing counts as TLS, whose acceptor ends it.
async fn begins_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) => first[0] == 0x16,
        _ => true,
    }
}

/// Tells a client that speaks http to an https port what is wrong, and hangs up.
async fn refuse_http(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 65\r\nconnection: close\r\n\r\n\
        This port speaks https. `slipway sim --http` serves http as well\n";
    // The client may have gone already; there is nobody else to tell.
    let _ = stream.write_all(ANSWER).await;
    let _ = stream.shutdown().await;
}

/// Serves one connection.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    app: Arc<App>,
    mut stopped: watch::Receiver<bool>,
    way: Way,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let app = app.clone();
        async move { app.answer(request.map(Body::new), way).await }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    // In a block of its own: what the watch lends is not `Send`.
    let stopping = async {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let ended = tokio::select! {
        result = serving.as_mut() => Some(result),
        () = stopping => None,
    };
    let result = match ended {
        Some(result) => result,
        None => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
}
