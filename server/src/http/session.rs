//! Browser sessions: a cookie that holds an id, everything else in the database.

use std::fmt;

use async_trait::async_trait;
use store::Store;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Expiry, SessionManagerLayer};
use types::time::Timestamp;

/// The key under which a session holds who signed in.
pub(super) const SUBJECT: &str = "subject";

/// Sessions live in the database, so that a restart signs nobody out.
#[derive(Clone)]
pub(super) struct DatabaseSessions(Store);

impl fmt::Debug for DatabaseSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseSessions")
    }
}

/// Reads and writes the cookie. `secure` adds `Secure` and the `__Host-` prefix, which browsers take over https only.
pub(super) fn layer(store: Store, secure: bool) -> SessionManagerLayer<DatabaseSessions> {
    SessionManagerLayer::new(DatabaseSessions(store))
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

impl DatabaseSessions {
    async fn write(&self, record: &Record) -> session_store::Result<()> {
        let data = serde_json::to_string(record).map_err(|error| session_store::Error::Encode(error.to_string()))?;
        self.0
            .save_session(&record.id.to_string(), &data, Timestamp::new(record.expiry_date))
            .await
            .map_err(|error| backend(&error))
    }
}

#[async_trait]
impl SessionStore for DatabaseSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // 128 random bits: a collision would mean the generator is broken, yet it must not hand out somebody's session.
        while self.0.session(&record.id.to_string()).await.map_err(|error| backend(&error))?.is_some() {
            record.id = Id::default();
        }
        self.write(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.write(record).await
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let Some(data) = self.0.session(&id.to_string()).await.map_err(|error| backend(&error))? else {
            return Ok(None);
        };
        serde_json::from_str(&data).map(Some).map_err(|error| session_store::Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.0.delete_session(&id.to_string()).await.map_err(|error| backend(&error))
    }
}
