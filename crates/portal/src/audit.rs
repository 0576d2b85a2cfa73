//! The audit record: reading it and checking its chain. Lines are written by the transaction they record.

use types::actor::Actor;
use types::audit::{AuditEvent, AuditFilter, ChainCheck};
use types::page::Page;

use crate::{Error, Portal, Result};

impl Portal {
    /// A page of the record, newest first.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn audit(&self, actor: &Actor, filter: &AuditFilter) -> Result<Page<AuditEvent>> {
        let _ = (actor, filter);
        Err(Error::internal("audit is being built"))
    }

    /// Reads the whole chain and checks every hash.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn check_audit_chain(&self, actor: &Actor) -> Result<ChainCheck> {
        let _ = (actor,);
        Err(Error::internal("check_audit_chain is being built"))
    }
}
