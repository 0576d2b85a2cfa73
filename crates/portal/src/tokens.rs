//! API tokens: making, listing and revoking a person's own, and finding the actor behind one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{ApiToken, NewAudit};
use time::Duration;
use types::actor::{Actor, ActorKind};
use types::ids::TokenId;
use types::time::Timestamp;
use types::token::{CreatedToken, NewToken, TokenSummary};

use crate::audit::refusals::BadToken;
use crate::requests::free_text;
use crate::{Error, Portal, Result};

/// What every token begins with, so that scanners of leaked secrets can find one.
const PREFIX: &str = "slw_";
/// Characters of a token that its row shows: enough to recognise it, far too few to guess it.
const SHOWN: usize = 8;
/// Most tokens of one person; those that have ended do not count.
const MOST: u64 = 50;
/// How long a token that was ordered waits to be shown: as long as it takes to follow a redirect, on a bad line.
const TO_BE_SHOWN: Duration = Duration::minutes(10);

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
    /// [`Error::Invalid`] for a bad name or number of days, or one token too many; [`Error::Refused`] when a token asks for a token.
    pub async fn create_token(&self, actor: &Actor, new: NewToken) -> Result<CreatedToken> {
        let now = self.now();
        let (value, hash) = new_value();
        let summary = checked(actor, &new, TokenId(uuid::Uuid::now_v7()), now)?;
        let token = ApiToken {
            summary: TokenSummary {
                prefix: shown_part(&value),
                shown: true,
                ..summary
            },
            subject: actor.subject.clone(),
            hash,
            shown_at: Some(now),
        };
        self.insert_token(actor, &token, now).await?;
        Ok(CreatedToken {
            token: token.summary,
            value,
        })
    }

    /// Makes a token whose value is made when it is shown ([`Portal::show_token`]): in between there is nothing that could be read or stolen. The same
    /// form with the same `submission` again makes no second one.
    ///
    /// # Errors
    /// As [`Portal::create_token`].
    pub async fn order_token(
        &self,
        actor: &Actor,
        new: &NewToken,
        submission: uuid::Uuid,
    ) -> Result<TokenId> {
        let now = self.now();
        // What was typed is part of the id: a page that is kept and filled in anew makes another token. So is the person: nobody takes another's id first.
        let form = format!("{}\0{}\0{}", actor.subject, new.days, new.name.trim());
        let id = TokenId(uuid::Uuid::new_v5(&submission, form.as_bytes()));
        let token = ApiToken {
            summary: checked(actor, new, id, now)?,
            subject: actor.subject.clone(),
            // The hash of nothing that anybody was told.
            hash: rand::random(),
            shown_at: None,
        };
        self.insert_token(actor, &token, now).await?;
        Ok(id)
    }

    /// Makes the value of a token that was ordered within the last ten minutes, and gives it out, once; `None` from then on.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they have no such token; [`Error::Refused`] for a token.
    pub async fn show_token(&self, actor: &Actor, id: TokenId) -> Result<Option<CreatedToken>> {
        persons_only(actor)?;
        let now = self.now();
        let (value, hash) = new_value();
        let mut tx = self.0.store.begin().await?;
        let shown = tx
            .show_token(
                &actor.subject,
                id,
                &hash,
                &shown_part(&value),
                now,
                now.plus(-TO_BE_SHOWN),
            )
            .await?;
        tx.commit(now).await?;
        match shown {
            Some(token) => Ok(Some(CreatedToken { token, value })),
            None if self.tokens(actor).await?.iter().any(|t| t.id == id) => Ok(None),
            None => Err(Error::NotFound { what: "token" }),
        }
    }

    /// One transaction: how many there are, the token, the audit line. Nothing where there is a token with this id.
    async fn insert_token(&self, actor: &Actor, token: &ApiToken, now: Timestamp) -> Result<()> {
        let mut tx = self.0.store.begin().await?;
        tx.lock(&format!("tokens of {}", actor.subject)).await?;
        let full = tx.count_tokens(&actor.subject, now).await? >= MOST;
        if !tx.insert_token(token).await? {
            return Ok(());
        }
        if full {
            return Err(Error::field(
                "name",
                "too_many",
                format!("You have {MOST} tokens that have not ended. Revoke one first."),
            ));
        }
        tx.audit(
            NewAudit::by(
                actor,
                "token.created",
                ("token", token.summary.id.to_string(), &token.summary.name),
                None,
            )
            .with(json!({ "expires_at": token.summary.expires_at })),
        );
        tx.commit(now).await?;
        Ok(())
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
        self.wake_streams().await;
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
        let Some(actor) = self.token_actor(&subject, token.id).await? else {
            self.token_refused(BadToken::PersonGone, &prefix).await;
            return Ok(None);
        };
        let an_hour_ago = now.plus(-Duration::hours(1));
        if token.last_used_at.is_none_or(|at| at <= an_hour_ago)
            && let Err(error) = self.0.store.touch_token(token.id, now).await
        {
            tracing::warn!(%error, "the last use of a token could not be noted");
        }
        Ok(Some(actor))
    }

    /// Who stands behind the token with this id now: what a stream that a token opened asks again. `None` once the token was revoked or has ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn actor_for_token_id(&self, id: TokenId) -> Result<Option<Actor>> {
        match self.0.store.token_by_id(id, self.now()).await? {
            Some((subject, token)) => self.token_actor(&subject, token.id).await,
            None => Ok(None),
        }
    }

    async fn token_actor(&self, subject: &str, id: TokenId) -> Result<Option<Actor>> {
        let actor = self.actor_for_subject(subject).await?;
        Ok(actor.map(|actor| Actor {
            kind: ActorKind::Token { id },
            // Glass is broken by a person at the browser, for what they do there: a token of theirs gains nothing by it.
            break_glass: Vec::new(),
            ..actor
        }))
    }
}

/// The row of a token that may be made, without its value.
fn checked(actor: &Actor, new: &NewToken, id: TokenId, now: Timestamp) -> Result<TokenSummary> {
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
    Ok(TokenSummary {
        id,
        name,
        prefix: String::new(),
        created_at: now,
        expires_at: now.plus(Duration::days(i64::from(new.days))),
        last_used_at: None,
        shown: false,
    })
}

/// A value that nobody has seen, with its hash.
fn new_value() -> (String, [u8; 32]) {
    let secret: [u8; 32] = rand::random();
    let value = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    let hash = hash(&value);
    (value, hash)
}

/// What the row shows of a value.
fn shown_part(value: &str) -> String {
    value.chars().take(SHOWN).collect()
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
