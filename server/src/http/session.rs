//! Browser sessions: a cookie that holds an id, everything else in the database.

use std::fmt;

use async_trait::async_trait;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use portal::Portal;
use store::Store;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Expiry, SessionManagerLayer};
use types::time::Timestamp;

use super::Failure;

/// The key under which a session holds who signed in.
pub(super) const SUBJECT: &str = "subject";

/// Sessions are in the database, so that a restart signs nobody out.
#[derive(Clone)]
pub(crate) struct DatabaseSessions {
    store: Store,
    portal: Portal,
}

impl DatabaseSessions {
    pub(super) fn new(store: Store, portal: Portal) -> Self {
        Self { store, portal }
    }

    /// Whose session this is, while it lasts.
    pub(super) async fn subject(&self, id: &Id) -> session_store::Result<Option<String>> {
        let record = self.load(id).await?;
        Ok(record
            .as_ref()
            .and_then(|record| record.data.get(SUBJECT)?.as_str())
            .map(str::to_owned))
    }
}

impl fmt::Debug for DatabaseSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseSessions")
    }
}

/// Reads and writes the cookie. `secure` adds `Secure` and the `__Host-` prefix, which browsers take over https only.
pub(super) fn layer(
    sessions: DatabaseSessions,
    secure: bool,
) -> SessionManagerLayer<DatabaseSessions> {
    SessionManagerLayer::new(sessions)
        .with_name(if secure { "__Host-slipway" } else { "slipway" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(Duration::hours(12)))
}

fn backend(error: &store::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

/// What people are told when their session cannot be written.
pub(super) fn unwritten(error: &tower_sessions::session::Error) -> Failure {
    use tower_sessions::session::Error;
    tracing::error!(%error, "a session could not be written");
    // tower-sessions carries our error as text only.
    match error {
        Error::Store(session_store::Error::Backend(text))
            if *text == store::Error::Full.to_string() =>
        {
            portal::Error::StorageFull.into()
        }
        _ => Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The database does not answer. Nothing was changed; try again in a moment.",
        ),
    }
}

/// The session layer answers with a bare 500 where the session could not be written after all was done; people are told what that means.
pub(super) async fn told(response: Response) -> Response {
    let bare = response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && !response.headers().contains_key(CONTENT_TYPE);
    if !bare {
        return response;
    }
    Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "Your session could not be written: the database does not answer, or has no room left. Try again in a moment.",
    )
    .into_response()
}

/// What a session carries; its id is the key and an `i128`, which JSON cannot hold.
fn encode(record: &Record) -> session_store::Result<serde_json::Value> {
    serde_json::to_value(&record.data)
        .map_err(|error| session_store::Error::Encode(error.to_string()))
}

#[async_trait]
impl SessionStore for DatabaseSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // 128 random bits: a collision would mean the generator is broken, yet it must not hand out somebody's session.
        loop {
            let expires = Timestamp::new(record.expiry_date);
            let added = self
                .store
                .create_session(&record.id.to_string(), &encode(record)?, expires)
                .await;
            if added.map_err(|error| backend(&error))? {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let expires = Timestamp::new(record.expiry_date);
        self.store
            .save_session(&record.id.to_string(), &encode(record)?, expires)
            .await
            .map_err(|error| backend(&error))
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let session = self.store.session(&id.to_string(), self.portal.now()).await;
        let Some(session) = session.map_err(|error| backend(&error))? else {
            return Ok(None);
        };
        let data = serde_json::from_value(session.data)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: session.expires_at.get(),
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.store
            .delete_session(&id.to_string())
            .await
            .map_err(|error| backend(&error))
    }
}
