//! Microsoft.ManagedIdentity: user-assigned identities. What other resources bear of them is in `bearer.rs`.

use uuid::Uuid;

use super::{Habit, Kind};
use crate::seed;
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
            let key = draft.id.key();
            at::set(&mut draft.body, "/properties/tenantId", seed::TENANT.into());
            at::set(
                &mut draft.body,
                "/properties/principalId",
                principal(&key).into(),
            );
            at::set(&mut draft.body, "/properties/clientId", client(&key).into());
            Ok(())
        },
        ..Kind::base(KIND, VERSIONS, Habit::Sync)
    }]
}

/// The object id of the principal that belongs to the resource with this key. Derived, so that a template's role assignment name stays the same over runs of a test.
pub(super) fn principal(key: &str) -> String {
    derived("principal:", key)
}

/// The application id of the same principal.
pub(super) fn client(key: &str) -> String {
    derived("client:", key)
}

fn derived(salt: &str, key: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{salt}{key}").as_bytes()).to_string()
}
