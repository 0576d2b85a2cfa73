//! The audit record: reading it and checking its chain. Lines are written by the transaction they record.

use types::actor::{Actor, Right};
use types::audit::{AuditEvent, AuditFilter, ChainCheck};
use types::page::Page;

use crate::{Error, Portal, Result};

impl Portal {
    /// A page of the record, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody but auditors and admins.
    pub async fn audit(&self, actor: &Actor, filter: &AuditFilter) -> Result<Page<AuditEvent>> {
        may_audit(actor)?;
        Ok(self
            .0
            .store
            .audit_events(&store::Scope::All, filter)
            .await?)
    }

    /// Reads the whole chain and checks every hash.
    ///
    /// # Errors
    /// As [`Portal::audit`].
    pub async fn check_audit_chain(&self, actor: &Actor) -> Result<ChainCheck> {
        may_audit(actor)?;
        Ok(self.0.store.check_audit_chain().await?)
    }
}

fn may_audit(actor: &Actor) -> Result<()> {
    if actor.may(Right::ReadAudit, None) {
        Ok(())
    } else {
        Err(Error::Forbidden {
            right: Right::ReadAudit,
        })
    }
}
