//! What the audit page reads.

use leptos::prelude::*;
use types::audit::{AuditCheck, AuditEvent, AuditFilter};
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

/// Whether the record is the one that was written.
#[server(name = ReadCheckAudit, prefix = "/ui", endpoint = "audit-check", input = Wired, output = Wired)]
pub async fn check_audit() -> Result<AuditCheck, Failure> {
    use super::context::{aside, door};
    let (portal, actor) = door()?;
    aside(portal.recent_audit_check(&actor).await)
}
