//! Reservations: the Azure resource ids that stacks have made or will make. One id belongs to one stack that is not deleted.
//! What clashes with what is decided by the caller; the table forbids only the same id twice.

use sqlx::FromRow;
use types::ids::StackId;
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::At;
use crate::engine::{Conn, execute};
use crate::error::{Conflict, Error, Result};
use crate::list::{self, Value, fetch_list};
use crate::{Store, Tx};

/// A resource id that a stack holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The stack.
    pub stack: StackId,
    /// Azure resource id, as it was reserved.
    pub id: String,
    /// Resource type.
    pub kind: String,
    /// True once a write of it was about to be sent: it may exist in Azure.
    pub sent: bool,
}

#[derive(FromRow)]
struct Row {
    stack_id: Uuid,
    resource_id: String,
    kind: String,
    sent: bool,
}

impl From<Row> for Reservation {
    fn from(row: Row) -> Self {
        Reservation {
            stack: StackId(row.stack_id),
            id: row.resource_id,
            kind: row.kind,
            sent: row.sent,
        }
    }
}

/// What a stack is recorded to have was sent, also where the mark is missing: without it another stack could take the id.
const SELECT: &str = "SELECT stack_id, resource_id, kind, (sent_at IS NOT NULL OR EXISTS (SELECT 1 FROM stack_resource r \
     WHERE r.stack_id = resource_reservation.stack_id AND r.resource_key = resource_reservation.resource_key)) AS sent FROM resource_reservation";

/// Subscription and resource group of an id, in lower case: where parents and children of it are.
#[must_use]
pub fn scope_key(id: &str) -> String {
    let key = id.to_lowercase();
    match key.find("/providers/") {
        Some(end) => key[..end].to_owned(),
        None => key,
    }
}

/// The scopes of several ids, each once, in one order for everybody.
fn scopes(ids: &[&str]) -> Vec<String> {
    let mut scopes: Vec<String> = ids.iter().map(|id| scope_key(id)).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

async fn read(conn: Conn<'_>, scopes: Vec<String>) -> Result<Vec<Reservation>> {
    if scopes.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = list::Query::default();
    let marks = vec!["?"; scopes.len()].join(", ");
    query.push(
        &format!("{SELECT} WHERE scope_key IN ({marks}) ORDER BY resource_key"),
        scopes.into_iter().map(Value::Text),
    );
    Ok(fetch_list!(conn, Row, query)?
        .into_iter()
        .map(Reservation::from)
        .collect())
}

impl Tx {
    /// Everything that stacks hold in the resource groups (or subscriptions) of these ids. Until this transaction ends nobody else reserves there, so that
    /// what is decided from the answer still holds when it is written.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn reservations_near(&mut self, ids: &[&str]) -> Result<Vec<Reservation>> {
        let scopes = scopes(ids);
        // SQLite has one writer, and this transaction is it.
        if let Conn::Postgres(c) = self.conn() {
            for scope in &scopes {
                sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                    .bind(scope.as_str())
                    .execute(&mut *c)
                    .await?;
            }
        }
        read(self.conn(), scopes).await
    }

    /// Reserves ids (id and type) for a stack; what it holds already stays as it is.
    ///
    /// # Errors
    /// [`Conflict::ResourceTaken`] when another stack holds one of them.
    pub async fn reserve(&mut self, stack: StackId, ids: &[(&str, &str)]) -> Result<()> {
        for (id, kind) in ids {
            let key = id.to_lowercase();
            // The stack's own row is "updated" to what it is, so that no row touched means somebody else's.
            let changed = execute!(
                self.conn(),
                "INSERT INTO resource_reservation (resource_key, scope_key, stack_id, resource_id, kind) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (resource_key) DO UPDATE SET kind = excluded.kind WHERE resource_reservation.stack_id = excluded.stack_id",
                key,
                scope_key(id),
                stack.0,
                *id,
                *kind,
            )?;
            if changed == 0 {
                return Err(Error::Conflict(Conflict::ResourceTaken));
            }
        }
        Ok(())
    }

    /// Records that writes of these ids are about to be sent: from here on they may exist in Azure, and are the stack's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn mark_sent(&mut self, stack: StackId, ids: &[&str], now: Timestamp) -> Result<()> {
        for id in ids {
            execute!(
                self.conn(),
                "UPDATE resource_reservation SET sent_at = $3 WHERE resource_key = $1 AND stack_id = $2 AND sent_at IS NULL",
                id.to_lowercase(),
                stack.0,
                At(now),
            )?;
        }
        Ok(())
    }

    /// Gives back what the stack reserved and never sent, but for these ids.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn release_unsent(&mut self, stack: StackId, but: &[&str]) -> Result<()> {
        let but: Vec<String> = but.iter().map(|id| id.to_lowercase()).collect();
        self.give_back(stack, |held| {
            held.sent || but.contains(&held.id.to_lowercase())
        })
        .await
    }

    /// Gives back everything that the stack holds, but for these ids.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn release_reservations(&mut self, stack: StackId, but: &[&str]) -> Result<()> {
        let but: Vec<String> = but.iter().map(|id| id.to_lowercase()).collect();
        self.give_back(stack, |held| but.contains(&held.id.to_lowercase()))
            .await
    }

    async fn give_back(
        &mut self,
        stack: StackId,
        keep: impl Fn(&Reservation) -> bool,
    ) -> Result<()> {
        for held in self.reservations_of(stack).await? {
            if !keep(&held) {
                execute!(
                    self.conn(),
                    "DELETE FROM resource_reservation WHERE resource_key = $1 AND stack_id = $2",
                    held.id.to_lowercase(),
                    stack.0,
                )?;
            }
        }
        Ok(())
    }

    /// What one stack holds, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn reservations_of(&mut self, stack: StackId) -> Result<Vec<Reservation>> {
        of_stack(self.conn(), stack).await
    }
}

async fn of_stack(conn: Conn<'_>, stack: StackId) -> Result<Vec<Reservation>> {
    let mut query = list::Query::default();
    query.push(
        &format!("{SELECT} WHERE stack_id = ? ORDER BY resource_key"),
        [Value::Id(stack.0)],
    );
    Ok(fetch_list!(conn, Row, query)?
        .into_iter()
        .map(Reservation::from)
        .collect())
}

impl Store {
    /// Everything that stacks hold in the resource groups (or subscriptions) of these ids.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn reservations_near(&self, ids: &[&str]) -> Result<Vec<Reservation>> {
        let mut lease = self.engine.read().await?;
        read(lease.conn(), scopes(ids)).await
    }

    /// What one stack holds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn reservations_of(&self, stack: StackId) -> Result<Vec<Reservation>> {
        let mut lease = self.engine.read().await?;
        of_stack(lease.conn(), stack).await
    }
}
