//! What is known only after apply: the one definition of the value that stands for it, `{"$unknown": "<expression>"}`.
//!
//! The template's evaluator makes such values, plans and policies meet them. Whatever has other members beside the mark, or a mark that is no text, is
//! an ordinary object.

use serde_json::Value;

/// The only member of an unknown.
pub const MARK: &str = "$unknown";

/// Names that mean something to Slipway inside a plan's values, so that nobody may type them: an unknown, and the place of a secret.
pub const RESERVED: [&str; 2] = [MARK, "$secret"];

/// Whether this value itself is an unknown.
#[must_use]
pub fn is_unknown(value: &Value) -> bool {
    match value {
        Value::Object(members) => is_mark(
            members
                .iter()
                .map(|(name, value)| (name.as_str(), value.is_string())),
        ),
        _ => false,
    }
}

/// Whether an object with these members is an unknown; each is told by its name and whether it is a text. For values of other libraries.
#[must_use]
pub fn is_mark<'a>(members: impl IntoIterator<Item = (&'a str, bool)>) -> bool {
    let mut members = members.into_iter();
    members.next() == Some((MARK, true)) && members.next().is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exactly_one_member_with_a_text_is_an_unknown() {
        assert!(is_unknown(&json!({"$unknown": "reference('a').b"})));
        assert!(is_unknown(&json!({"$unknown": ""})));
        for known in [
            json!({}),
            json!("$unknown"),
            json!(["$unknown"]),
            json!({"$unknown": 1}),
            json!({"$unknown": null}),
            json!({"$unknown": {"$unknown": "x"}}),
            json!({"$Unknown": "x"}),
            json!({"$unknown": "x", "team": "payments"}),
            json!({"team": "payments", "$unknown": "x"}),
        ] {
            assert!(!is_unknown(&known), "{known}");
        }
    }
}
