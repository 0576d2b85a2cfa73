//! The digest: what exactly an approver approves.

use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Planned;
use crate::checks::ParsedDraft;

/// SHA-256 in hexadecimal over the canonical JSON (RFC 8785) of template and its content hash, parameters, resources, deletions and target, and
/// of kind and expiry: an extension changes no resource, yet another date is another thing to approve. Prices, quota and verdicts are outside.
pub(super) fn of(draft: &ParsedDraft, planned: &Planned) -> Result<String, serde_json::Error> {
    let resources: Vec<_> = planned
        .resources
        .iter()
        .map(|resource| {
            json!({
                "id": resource.id,
                "type": resource.kind,
                "api_version": resource.api_version,
                "depends_on": resource.depends_on,
                "body": resource.body,
            })
        })
        .collect();
    let deletions: Vec<_> = planned
        .deletions
        .iter()
        .map(|gone| json!({ "id": gone.id, "type": gone.kind, "api_version": gone.api_version }))
        .collect();
    let target = &planned.target;
    sha256_of(&json!({
        "template": draft.template.reference().to_string(),
        "template_hash": draft.template.content_hash,
        "parameters": planned.parameters,
        "resources": resources,
        "deletions": deletions,
        "target": {
            "subscription": target.subscription,
            "resource_group": target.resource_group,
            "owns_group": target.owns_group,
            "region": target.region,
        },
        "kind": draft.kind.as_str(),
        "expiry": draft.expiry,
    }))
}

/// SHA-256 in hexadecimal over a value's canonical JSON.
pub(crate) fn sha256_of(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let canonical = serde_json_canonicalizer::to_vec(value)?;
    let hash = Sha256::digest(&canonical);
    Ok(hash
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
            text
        }))
}
