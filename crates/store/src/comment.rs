//! Comments on requests.

use sqlx::FromRow;
use types::ids::{CommentId, RequestId};
use types::request::Comment;
use uuid::Uuid;

use crate::columns::At;
use crate::engine::{execute, fetch_all};
use crate::error::Result;
use crate::{Store, Tx};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    author: String,
    body: String,
    at: At,
}

impl From<Row> for Comment {
    fn from(row: Row) -> Self {
        Comment {
            id: CommentId(row.id),
            author: row.author,
            text: row.body,
            at: row.at.into(),
        }
    }
}

impl Tx {
    /// Adds a comment.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when there is no such request.
    pub async fn insert_comment(&mut self, request: RequestId, comment: &Comment) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO comment (id, request_id, author, body, at) VALUES ($1, $2, $3, $4, $5)",
            comment.id.0,
            request.0,
            comment.author.as_str(),
            comment.text.as_str(),
            At(comment.at),
        )?;
        Ok(())
    }
}

impl Store {
    /// Comments on a request, oldest first.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn comments(&self, request: RequestId) -> Result<Vec<Comment>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            Row,
            "SELECT id, author, body, at FROM comment WHERE request_id = $1 ORDER BY at, id",
            request.0
        )?;
        Ok(rows.into_iter().map(Comment::from).collect())
    }
}
