//! How a request leaves: over https, or handed to something in this process that answers as Azure would.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::header::HeaderMap;

/// Something in this process that stands where Azure is: a simulator that lives in the same, faster time.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Carries a request there and the answer back; `None` when the answer is lost. The request's token and body are secrets.
    fn carry(&self, request: http::Request<Vec<u8>>) -> Carried;
}

/// What [`Carrier::carry`] returns.
pub type Carried = Pin<Box<dyn Future<Output = Option<http::Response<Vec<u8>>>> + Send>>;

/// ARM's own limit for an answer is 8 MB; the list of sizes of every region is the largest known.
const LARGEST_BODY: usize = 64 << 20;

#[derive(Clone)]
pub(crate) enum Wire {
    Https(reqwest::Client),
    Within(Arc<dyn Carrier>),
}

/// A whole answer.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
pub(crate) enum Failure {
    /// Nothing reached Azure.
    Unsent(String),
    /// Something may have.
    Lost(String),
}

impl Wire {
    /// Sends once and reads the whole answer. It logs nothing: headers and bodies hold secrets.
    pub(crate) async fn send(&self, request: http::Request<Vec<u8>>) -> Result<Received, Failure> {
        match self {
            Self::Https(client) => over_https(client, request).await,
            Self::Within(carrier) => {
                let lost = || Failure::Lost("the answer was lost".to_owned());
                let (parts, body) = carrier.carry(request).await.ok_or_else(lost)?.into_parts();
                Ok(Received {
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    body,
                })
            }
        }
    }
}

// What a client holds is no use to a reader of a log.
impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https(_) => "Https",
            Self::Within(_) => "Within",
        })
    }
}

async fn over_https(
    client: &reqwest::Client,
    request: http::Request<Vec<u8>>,
) -> Result<Received, Failure> {
    let request = reqwest::Request::try_from(request).map_err(Failure::of)?;
    let mut answer = client.execute(request).await.map_err(Failure::of)?;
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Failure::of)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(Failure::Lost("the answer is larger than 64 MB".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received {
        status,
        headers,
        body,
    })
}

impl Failure {
    fn of(error: reqwest::Error) -> Self {
        let connect = error.is_connect() || error.is_builder();
        // The address of a poll carries a signature: it stays out of messages.
        let error = error.without_url();
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            let inner_text = inner.to_string();
            if !message.contains(&inner_text) {
                message = format!("{message}: {inner_text}");
            }
            source = inner.source();
        }
        if connect {
            Self::Unsent(message)
        } else {
            Self::Lost(message)
        }
    }
}
