//! Microsoft.ManagedIdentity: user-assigned identities.

use uuid::Uuid;

use super::{Habit, Kind};
use crate::seed;
use crate::wire::ids;
use crate::wire::json as at;

pub(super) const KIND: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
const VERSIONS: &[&str] = &[
    "2025-05-31-preview",
    "2024-11-30",
    "2025-01-31-preview",
    "2023-01-31",
    "2022-01-31-preview",
    "2018-11-30",
];

pub(super) fn kinds() -> Vec<Kind> {
    vec![Kind {
        prepare: |draft, _| {
            // Derived from the id, so that a template's role assignment name stays the same over runs of a test.
            let key = ids::key(&draft.id.text());
            let id = |salt: &str| {
                Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{salt}{key}").as_bytes()).to_string()
            };
            at::set(&mut draft.body, "/properties/tenantId", seed::TENANT.into());
            at::set(
                &mut draft.body,
                "/properties/principalId",
                id("principal:").into(),
            );
            at::set(
                &mut draft.body,
                "/properties/clientId",
                id("client:").into(),
            );
            Ok(())
        },
        ..Kind::base(KIND, VERSIONS, Habit::Sync)
    }]
}
