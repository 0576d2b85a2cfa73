//! The pages, by noun. A page reads its address, loads its data, and lays out components; it decides nothing.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod catalogue;
pub(crate) mod docs;
pub(crate) mod errors;
pub(crate) mod form;
pub(crate) mod list;
pub(crate) mod me;
pub(crate) mod operations;
pub(crate) mod policies;
pub(crate) mod projects;
pub(crate) mod requests;
pub(crate) mod sign_in;
pub(crate) mod stacks;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

/// A part of the address, such as `:id`.
pub(crate) fn param(name: &'static str) -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.with(|params| params.get(name).unwrap_or_default()))
}

/// A filter or tab of the address; empty when it is not there.
pub(crate) fn query(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| query.get(name).unwrap_or_default()))
}

/// `None` for the empty text of a form's empty choice.
pub(crate) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// An address with the filters that are set.
pub(crate) fn address(path: &str, pairs: &[(&str, String)]) -> String {
    let query = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect::<Vec<_>>()
        .join("&");
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Percent-encodes everything but what is safe anywhere in an address.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn filters_stand_in_the_address_and_nothing_else_gets_out_of_them() {
        assert_eq!(
            address("/requests", &[("state", String::new())]),
            "/requests"
        );
        assert_eq!(
            address(
                "/requests",
                &[("text", "a&b=ü".into()), ("mine", "true".into())]
            ),
            "/requests?text=a%26b%3D%C3%BC&mine=true"
        );
    }
}
