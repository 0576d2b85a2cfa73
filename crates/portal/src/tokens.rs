//! API tokens: making, listing and revoking a person's own, and finding the actor behind one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{ApiToken, NewAudit};
use time::Duration;
use types::actor::{Actor, ActorKind};
use types::ids::TokenId;
use types::token::{CreatedToken, NewToken, TokenSummary};

use crate::audit::refusals::BadToken;
use crate::requests::free_text;
use crate::{Error, Portal, Result};

/// What every token begins with, so that scanners of leaked secrets can find one.
const PREFIX: &str = "slw_";
/// Characters of a token that its row shows: enough to recognise it, far too few to guess it.
const SHOWN: usize = 8;
/// Most tokens of one person.
const MOST: usize = 50;

impl Portal {
    /// The actor's own tokens, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<TokenSummary>> {
        Ok(self.0.store.tokens(&actor.subject).await?)
    }

    /// Makes a token; the answer is the only place where its value is ever seen.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name or number of days; [`Error::Refused`] when a token asks for a token.
    pub async fn create_token(&self, actor: &Actor, new: NewToken) -> Result<CreatedToken> {
        persons_only(actor)?;
        let name = free_text("name", &new.name, 60)?;
        if name.is_empty() || name.contains(['\n', '\r', '\t']) {
            return Err(Error::field(
                "name",
                "required",
                "Say in one line what the token is for.",
            ));
        }
        if !(1..=365).contains(&new.days) {
            return Err(Error::field(
                "days",
                "out_of_range",
                "Between 1 and 365 days.",
            ));
        }
        if self.0.store.tokens(&actor.subject).await?.len() >= MOST {
            return Err(Error::field(
                "name",
                "too_many",
                format!("You have {MOST} tokens. Revoke one first."),
            ));
        }
        let now = self.now();
        let secret: [u8; 32] = rand::random();
        let value = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let summary = TokenSummary {
            id: TokenId(uuid::Uuid::now_v7()),
            name,
            prefix: value.chars().take(SHOWN).collect(),
            created_at: now,
            expires_at: now.plus(Duration::days(i64::from(new.days))),
            last_used_at: None,
        };
        let mut tx = self.0.store.begin().await?;
        tx.insert_token(&ApiToken {
            summary: summary.clone(),
            subject: actor.subject.clone(),
            hash: hash(&value),
        })
        .await?;
        tx.audit(
            NewAudit::by(
                actor,
                "token.created",
                ("token", summary.id.to_string(), &summary.name),
                None,
            )
            .with(json!({ "expires_at": summary.expires_at })),
        );
        tx.commit(now).await?;
        Ok(CreatedToken {
            token: summary,
            value,
        })
    }

    /// Ends one of the actor's own tokens at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they have no such token; [`Error::Refused`] for a token.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<()> {
        persons_only(actor)?;
        let now = self.now();
        let mut tx = self.0.store.begin().await?;
        tx.keep_revoked_token(&actor.subject, id, now).await?;
        let Some(gone) = tx.delete_token(&actor.subject, id).await? else {
            return Err(Error::NotFound { what: "token" });
        };
        tx.audit(NewAudit::by(
            actor,
            "token.revoked",
            ("token", id.to_string(), &gone.name),
            None,
        ));
        tx.commit(now).await?;
        Ok(())
    }

    /// Who stands behind a bearer token; `None` for one that is unknown, revoked or expired.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn actor_for_token(&self, value: &str) -> Result<Option<Actor>> {
        let well_formed = value.strip_prefix(PREFIX).is_some_and(|rest| {
            URL_SAFE_NO_PAD
                .decode(rest)
                .is_ok_and(|bytes| bytes.len() == 32)
        });
        if !well_formed {
            self.token_refused(BadToken::Malformed, "").await;
            return Ok(None);
        }
        let now = self.now();
        let prefix: String = value.chars().take(SHOWN).collect();
        // Only the hash of what was presented is ever compared, by the index: how long that takes says nothing about a token's characters.
        let Some((subject, token)) = self.0.store.token_by_hash(&hash(value), now).await? else {
            match self.0.store.ended_token(&hash(value), now).await? {
                Some(ended) => self.ended_token_refused(&ended, &prefix).await,
                None => self.token_refused(BadToken::Unknown, &prefix).await,
            }
            return Ok(None);
        };
        let Some(mut actor) = self.actor_for_subject(&subject).await? else {
            self.token_refused(BadToken::PersonGone, &prefix).await;
            return Ok(None);
        };
        actor.kind = ActorKind::Token { id: token.id };
        // Glass is broken by a person at the browser, for what they do there: a token of theirs gains nothing by it.
        actor.break_glass.clear();
        let an_hour_ago = now.plus(-Duration::hours(1));
        if token.last_used_at.is_none_or(|at| at <= an_hour_ago)
            && let Err(error) = self.0.store.touch_token(token.id, now).await
        {
            tracing::warn!(%error, "the last use of a token could not be noted");
        }
        Ok(Some(actor))
    }
}

fn hash(value: &str) -> [u8; 32] {
    Sha256::digest(value.as_bytes()).into()
}

/// A leaked token must not be able to make itself immortal, or to shut its owner out.
fn persons_only(actor: &Actor) -> Result<()> {
    match actor.kind {
        ActorKind::Person => Ok(()),
        _ => Err(Error::Refused {
            code: "person_needed",
            detail: "Tokens are made and revoked by a person in the browser, never by a token."
                .to_owned(),
        }),
    }
}
