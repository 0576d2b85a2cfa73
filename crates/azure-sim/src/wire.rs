//! The HTTP surface: what every request goes through, whatever it asks for. Routing to Azure's resources is in `wire/routes.rs`.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::server::Files;
use crate::{Config, Error};

/// The whole simulator, shared by all connections.
pub(crate) struct App {}

/// The answer that is no answer: the connection is closed instead.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on order")]
pub(crate) struct Dropped;

impl App {
    pub(crate) fn open(
        _config: &Config,
        files: &mut Files,
        _endpoint: &Url,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(Arc<App>, JoinHandle<()>), Error> {
        let lock = files.take_lock();
        let engine = tokio::spawn(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
            drop(lock);
        });
        Ok((Arc::new(App {}), engine))
    }

    pub(crate) async fn answer(&self, _request: Request<Body>) -> Result<Response<Body>, Dropped> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        Ok(response)
    }
}
