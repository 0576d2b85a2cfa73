//! What was said and done about a request, page by page: comments, timeline, decisions. A comment is written here; a decision in `approvals`.

use types::actor::{Actor, Right};
use types::approval::Decision;
use types::ids::{CommentId, RequestId};
use types::page::{Page, Paging};
use types::request::{Comment, TimelineEntry};

use super::free_text;
use crate::access::may;
use crate::audit::texts::proof_of_comment;
use crate::trail::Trail;
use crate::{Error, Portal, Result};

/// Longest comment, in characters.
const LONGEST: usize = 4_000;
/// Most comments on one request: more than people write, few enough that nobody fills the database with them.
const MOST: u64 = 1_000;
/// Most of them by one person: nobody shuts a request to what others have to say.
const MOST_OF_ONE: u64 = 200;
/// Lines of each kind on a request's page, and of a page of them where the reader does not say.
pub(crate) const SHOWN: u32 = 20;
/// Most lines of one page.
const LINES: u32 = 50;

/// Lines a page: what was asked for within bounds.
pub(crate) fn lines(paging: &Paging) -> u32 {
    paging.limit.unwrap_or(SHOWN).clamp(1, LINES)
}

impl Portal {
    /// Adds a comment of 1 to 4,000 characters.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `text`; [`Error::Forbidden`] for readers; [`Error::Conflict`] with `too_many_comments` from the 1,001st on.
    pub async fn comment(&self, actor: &Actor, id: RequestId, text: &str) -> Result<Comment> {
        let request = self.readable_request(actor, id).await?;
        if !actor.may(Right::Approve, Some(&request.summary.project)) {
            may(actor, Right::Request, &request.summary.project)?;
        }
        let text = free_text("text", text, LONGEST)?;
        if text.is_empty() {
            return Err(Error::field("text", "required", "Write something first."));
        }
        let now = self.now();
        let comment = Comment {
            id: CommentId(uuid::Uuid::now_v7()),
            author: actor.subject.clone(),
            text,
            at: now,
        };
        let mut tx = self.0.store.begin().await?;
        tx.lock(&format!("comments of {id}")).await?;
        if tx.count_comments_by(id, &comment.author).await? >= MOST_OF_ONE {
            return Err(Error::Conflict {
                code: "too_many_comments",
                detail: format!(
                    "You wrote {MOST_OF_ONE} comments on this request, as many as one person may. Go on where your team talks otherwise, or send a new request."
                ),
            });
        }
        if tx.count_comments(id).await? >= MOST {
            return Err(Error::Conflict {
                code: "too_many_comments",
                detail: format!(
                    "This request has {MOST} comments, as many as a request may have. Go on where your team talks otherwise, or send a new request."
                ),
            });
        }
        tx.insert_comment(id, &comment).await?;
        Trail { actor, now }
            .request(
                &mut tx,
                &request,
                "request.commented",
                "Commented.",
                proof_of_comment(comment.id, &comment.text),
            )
            .await?;
        tx.commit(now).await?;
        Ok(comment)
    }

    /// One comment on a request that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read its project.
    pub async fn one_comment(&self, actor: &Actor, id: CommentId) -> Result<Comment> {
        let not_found = Error::NotFound { what: "comment" };
        let Some((request, comment)) = self.0.store.comment(id).await? else {
            return Err(not_found);
        };
        match self.readable_request(actor, request).await {
            Ok(_) => Ok(comment),
            Err(Error::NotFound { .. }) => Err(not_found),
            Err(error) => Err(error),
        }
    }

    /// A page of the comments on a request, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read its project; [`Error::Invalid`] for a foreign cursor.
    pub async fn comments(
        &self,
        actor: &Actor,
        id: RequestId,
        paging: &Paging,
    ) -> Result<Page<Comment>> {
        self.readable_request(actor, id).await?;
        let cursor = paging.cursor.as_deref();
        Ok(self.0.store.comments(id, cursor, lines(paging)).await?)
    }

    /// A page of what happened to a request, newest first.
    ///
    /// # Errors
    /// As [`Portal::comments`].
    pub async fn timeline(
        &self,
        actor: &Actor,
        id: RequestId,
        paging: &Paging,
    ) -> Result<Page<TimelineEntry>> {
        self.readable_request(actor, id).await?;
        let cursor = paging.cursor.as_deref();
        Ok(self
            .0
            .store
            .request_timeline(id, cursor, lines(paging))
            .await?)
    }

    /// A page of the decisions on a request, newest first.
    ///
    /// # Errors
    /// As [`Portal::comments`].
    pub async fn decisions(
        &self,
        actor: &Actor,
        id: RequestId,
        paging: &Paging,
    ) -> Result<Page<Decision>> {
        self.readable_request(actor, id).await?;
        let cursor = paging.cursor.as_deref();
        Ok(self
            .0
            .store
            .decisions_page(id, cursor, lines(paging))
            .await?)
    }
}
