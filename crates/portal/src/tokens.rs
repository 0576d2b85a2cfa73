//! API tokens: making, listing and revoking a person's own, and finding the actor behind one.

use types::actor::Actor;
use types::ids::TokenId;
use types::token::{CreatedToken, NewToken, TokenSummary};

use crate::{Error, Portal, Result};

impl Portal {
    /// The actor's own tokens, newest first.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<TokenSummary>> {
        let _ = (actor,);
        Err(Error::internal("tokens is being built"))
    }

    /// Makes a token; the answer is the only place where its value is ever seen.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name or number of days; [`Error::Refused`] when a token asks for a token.
    pub async fn create_token(&self, actor: &Actor, new: NewToken) -> Result<CreatedToken> {
        let _ = (actor, new);
        Err(Error::internal("create_token is being built"))
    }

    /// Ends one of the actor's own tokens at once.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<()> {
        let _ = (actor, id);
        Err(Error::internal("revoke_token is being built"))
    }

    /// Who stands behind a bearer token; `None` for one that is unknown, revoked or expired.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn actor_for_token(&self, value: &str) -> Result<Option<Actor>> {
        let _ = (value,);
        Err(Error::internal("actor_for_token is being built"))
    }
}
