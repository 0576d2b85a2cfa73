//! Comments on requests, read page by page.

use sqlx::FromRow;
use types::ids::{CommentId, RequestId};
use types::page::Page;
use types::request::Comment;
use uuid::Uuid;

use crate::columns::{At, count};
use crate::engine::{execute, fetch_optional};
use crate::error::Result;
use crate::list::{Cursor, Query, Value, cut, fetch_list};
use crate::{Store, Tx};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    author: String,
    body: String,
    at: At,
}

#[derive(FromRow)]
struct OnRequest {
    request_id: Uuid,
    #[sqlx(flatten)]
    comment: Row,
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

impl Tx {
    /// How many comments a request has, as this transaction sees it. Take [`Tx::lock`] first where the number decides.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn count_comments(&mut self, request: RequestId) -> Result<u64> {
        let row: Option<(i64,)> = fetch_optional!(
            self.conn(),
            (i64,),
            "SELECT count(*) FROM comment WHERE request_id = $1",
            request.0
        )?;
        row.map_or(Ok(0), |(n,)| count("comment", n))
    }

    /// How many of the comments on a request are by one person.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn count_comments_by(&mut self, request: RequestId, author: &str) -> Result<u64> {
        let row: Option<(i64,)> = fetch_optional!(
            self.conn(),
            (i64,),
            "SELECT count(*) FROM comment WHERE request_id = $1 AND author = $2",
            request.0,
            author
        )?;
        row.map_or(Ok(0), |(n,)| count("comment", n))
    }
}

impl Store {
    /// A page of the comments on a request, newest first, with how many there are in all.
    ///
    /// # Errors
    /// [`crate::Error::Cursor`] for a foreign cursor.
    pub async fn comments(
        &self,
        request: RequestId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Comment>> {
        let after = cursor.map(Cursor::decode).transpose()?;
        let limit = i64::from(limit);
        let mut query = Query::default();
        query.push(
            "SELECT id, author, body, at FROM comment WHERE request_id = ?",
            [Value::Id(request.0)],
        );
        if let Some(after) = after {
            query.push(
                " AND (at, id) < (?, ?)",
                [Value::At(At(after.at)), Value::Id(after.id)],
            );
        }
        query.push(
            " ORDER BY at DESC, id DESC LIMIT ?",
            [Value::Int(limit + 1)],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), Row, query)?;
        let total: Option<(i64,)> = fetch_optional!(
            lease.conn(),
            (i64,),
            "SELECT count(*) FROM comment WHERE request_id = $1",
            request.0
        )?;
        let (items, next_cursor) = cut(
            rows.into_iter().map(Comment::from).collect(),
            limit,
            |comment| {
                Cursor {
                    at: comment.at,
                    id: comment.id.0,
                }
                .encode()
            },
        );
        Ok(Page {
            items,
            next_cursor,
            total: total.map(|(n,)| count("comment", n)).transpose()?,
        })
    }

    /// One comment with the request that it is on.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn comment(&self, id: CommentId) -> Result<Option<(RequestId, Comment)>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            OnRequest,
            "SELECT request_id, id, author, body, at FROM comment WHERE id = $1",
            id.0
        )?;
        Ok(row.map(|row| (RequestId(row.request_id), row.comment.into())))
    }
}
