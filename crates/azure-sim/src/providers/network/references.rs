//! Whether the members that point at other resources point at resources of the right type. Whether those are there is checked for all types alike, in `providers/checks.rs`.

use serde_json::Value;

use super::{NAT, NSG, PUBLIC_IP, SUBNET, unreadable};
use crate::providers::Draft;
use crate::wire::errors::Refusal;
use crate::wire::ids::Id;
use crate::wire::json as at;

/// Members that hold one reference or a list of them, in whatever resource.
const POINTERS: [(&str, &str); 5] = [
    ("natGateway", NAT),
    ("networkSecurityGroup", NSG),
    ("publicIPAddress", PUBLIC_IP),
    ("publicIpAddresses", PUBLIC_IP),
    ("subnet", SUBNET),
];

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    match draft.body.get("properties") {
        Some(properties) => walk(properties, "properties"),
        None => Ok(()),
    }
}

fn walk(value: &Value, path: &str) -> Result<(), Refusal> {
    match value {
        Value::Object(map) => map.iter().try_for_each(|(name, value)| {
            let path = format!("{path}.{name}");
            let wanted = POINTERS
                .iter()
                .find(|(pointer, _)| pointer.eq_ignore_ascii_case(name));
            match (wanted, value) {
                (None, _) => walk(value, &path),
                (Some((_, kind)), Value::Array(rows)) => rows
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, row)| fits(row, kind, &format!("{path}[{index}]"))),
                (Some((_, kind)), _) => fits(value, kind, &path),
            }
        }),
        Value::Array(rows) => rows
            .iter()
            .enumerate()
            .try_for_each(|(index, row)| walk(row, &format!("{path}[{index}]"))),
        _ => Ok(()),
    }
}

fn fits(reference: &Value, kind: &str, path: &str) -> Result<(), Refusal> {
    let Some(text) = at::text(reference, "/id") else {
        return Ok(());
    };
    let Some(id) = Id::parse(text) else {
        return Err(Refusal::bad(
            "LinkedInvalidPropertyId",
            format!(
                "Property id '{text}' at path '{path}.id' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'."
            ),
        )
        .by_gateway());
    };
    if id.kind().eq_ignore_ascii_case(kind) {
        return Ok(());
    }
    let short = kind.rsplit('/').next().unwrap_or(kind);
    Err(unreadable(
        "InvalidJsonReferenceWrongType",
        format!(
            "Reference Id {text} is referencing resource of a wrong type. The Id is expected to reference resources of type {short}. Path {path}."
        ),
    ))
}
