//! What the audit page reads.

use leptos::prelude::*;
use types::audit::{AuditEvent, AuditFilter, ChainCheck};
use types::page::Page;

use super::Failure;
use super::wire::Wired;

/// The record, newest first.
#[server(name = ReadAudit, prefix = "/ui", endpoint = "audit", input = Wired, output = Wired)]
pub async fn audit(filter: AuditFilter) -> Result<Page<AuditEvent>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.audit(&actor, &filter).await)
}

/// Whether the chain holds from its first line to its last.
#[server(name = ReadCheckAuditChain, prefix = "/ui", endpoint = "audit-chain", input = Wired, output = Wired)]
pub async fn check_audit_chain() -> Result<ChainCheck, Failure> {
    use super::context::{aside, door};
    let (portal, actor) = door()?;
    aside(portal.check_audit_chain(&actor).await)
}
