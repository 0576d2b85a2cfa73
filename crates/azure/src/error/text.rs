//! The text of errors: how much of it is kept, without marks that deceive and without private keys. It is stored with an operation, shown and logged, and
//! whoever writes a resource's name or a policy's description has a say in it. Every [`super::Error`] passes through here once.

use serde_json::Value;
use types::secret::looks_private;
use types::text::deceptive;

use super::{Detail, PolicyExpression, PolicyViolation};

/// Longest message, in characters.
const MESSAGE: usize = 4_000;
/// Longest code, target, name, id or compared value, in characters.
const WORD: usize = 1_000;
/// Longest id of a request; Azure's are 36 characters.
const ID: usize = 128;
/// How many levels of inner errors are kept: Azure nests five or six.
const LEVELS: usize = 8;
/// How many errors are kept, on all levels, and how many characters of their messages.
const ERRORS: usize = 40;
const MESSAGES: usize = 16_000;
/// How many violations of an error and comparisons of a violation are kept.
const VIOLATIONS: usize = 10;
const EXPRESSIONS: usize = 20;
/// What stands in the place of a text that looks like a private key.
const PRIVATE: &str = "Azure's text looks like a private key, so it was thrown away. Look at the activity log in the Azure portal.";

/// An error of a size that can be stored and shown. The first chain of inner errors, which holds the cause, is kept before the others.
pub(super) fn bounded(detail: Detail) -> Detail {
    let mut left = Left {
        errors: ERRORS,
        messages: MESSAGES,
    };
    left.keep(detail, LEVELS)
}

/// An id as Azure's are; another says nothing to anybody.
pub(super) fn id(id: String) -> Option<String> {
    (id.len() <= ID && !id.contains(deceptive) && !looks_private(&id)).then_some(id)
}

struct Left {
    errors: usize,
    messages: usize,
}

impl Left {
    fn keep(&mut self, detail: Detail, levels: usize) -> Detail {
        self.errors = self.errors.saturating_sub(1);
        let message = shown(&detail.message, MESSAGE.min(self.messages));
        self.messages = self.messages.saturating_sub(message.chars().count());
        let mut details = Vec::new();
        for inner in detail.details {
            if levels <= 1 || self.errors == 0 || self.messages == 0 {
                break;
            }
            details.push(self.keep(inner, levels - 1));
        }
        Detail {
            code: word(&detail.code),
            message,
            target: detail.target.as_deref().map(word),
            details,
            policy: detail
                .policy
                .into_iter()
                .take(VIOLATIONS)
                .map(violation)
                .collect(),
        }
    }
}

fn violation(of: PolicyViolation) -> PolicyViolation {
    let word = |text: Option<String>| text.as_deref().map(word);
    PolicyViolation {
        definition: word(of.definition),
        definition_id: word(of.definition_id),
        assignment: word(of.assignment),
        assignment_id: word(of.assignment_id),
        expressions: of
            .expressions
            .into_iter()
            .take(EXPRESSIONS)
            .map(expression)
            .collect(),
    }
}

fn expression(of: PolicyExpression) -> PolicyExpression {
    PolicyExpression {
        path: of.path.as_deref().map(word),
        found: of.found.map(value),
        operator: of.operator.as_deref().map(word),
        wanted: of.wanted.map(value),
        result: of.result,
    }
}

/// A value as it is, or its text where something has to be taken from it.
fn value(of: Value) -> Value {
    let text = match &of {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let shown = word(&text);
    match shown == text {
        true => of,
        false => Value::String(shown),
    }
}

fn word(text: &str) -> String {
    let shown = shown(text, WORD);
    match shown.contains(['\n', '\t']) {
        true => shown.replace(['\n', '\t'], " "),
        false => shown,
    }
}

fn shown(text: &str, longest: usize) -> String {
    // What is judged is longer than what is kept: a key that is cut off there is known by what follows.
    let heard: String = text.chars().take(2 * longest).collect();
    if looks_private(&heard) {
        return PRIVATE.to_owned();
    }
    let mut shown: String = heard
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !deceptive(*c))
        .take(longest)
        .collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{Error, body};

    fn read(body: &Value) -> Error {
        Error::answer(400, body::read(400, body.to_string().as_bytes()))
    }

    #[test]
    fn a_long_error_is_cut_and_its_cause_is_kept() {
        let long = "M".repeat(300_000);
        let mut inner = json!({ "code": "SkuNotAvailable", "message": "Not in westeurope." });
        for _ in 0..4 {
            inner = json!({ "code": "DeploymentFailed", "message": "See details.", "details": [inner] });
        }
        let others: Vec<Value> = (0..500)
            .map(|_| json!({ "code": "C".repeat(5_000), "message": long }))
            .collect();
        let mut details = vec![inner];
        details.extend(others);
        let error =
            read(&json!({ "error": { "code": "Bad", "message": long, "details": details } }));
        assert_eq!(error.message().chars().count(), MESSAGE + 1);
        assert!(error.message().ends_with('…'));
        assert_eq!(error.cause().code, "SkuNotAvailable");
        let stored = serde_json::to_string(&error.fault()).unwrap();
        assert!(stored.len() < 70_000, "{}", stored.len());
    }

    #[test]
    fn a_short_error_is_kept_as_it_is() {
        let error = read(&json!({ "error": {
            "code": "InvalidTemplate",
            "message": "Line one.\nLine two: größer.",
            "additionalInfo": [{ "type": "PolicyViolation", "info": {
                "policyDefinitionName": "sizes",
                "evaluationDetails": { "evaluatedExpressions": [{ "path": "sku", "expressionValue": ["a"], "targetValue": 3 }] },
            } }],
        } }));
        assert_eq!(error.message(), "Line one.\nLine two: größer.");
        let expression = &error.policy()[0].expressions[0];
        assert_eq!(expression.found, Some(json!(["a"])));
        assert_eq!(expression.wanted, Some(json!(3)));
    }

    #[test]
    fn nothing_in_it_deceives_and_no_private_key_is_kept() {
        let key = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----";
        let error = read(&json!({ "error": {
            "code": "\u{202e}Bad\u{0}",
            "message": format!("The value {key} is not allowed."),
            "target": key,
            "details": [{ "code": "Inner", "message": "a\u{2066}b\u{202e}c\r\nd" }],
            "additionalInfo": [{ "type": "PolicyViolation", "info": {
                "policyDefinitionName": key,
                "evaluationDetails": { "evaluatedExpressions": [{ "path": key, "expressionValue": { "a": key }, "targetValue": "x\u{202e}" }] },
            } }],
        } }));
        assert_eq!(error.code(), "Bad");
        assert_eq!(error.message(), PRIVATE);
        assert_eq!(error.detail().details[0].message, "abc\nd");
        let told = format!(
            "{error} {error:?} {}",
            serde_json::to_string(&error.fault()).unwrap()
        );
        assert!(!told.contains("SECRET"), "{told}");
        assert!(!told.contains(['\u{202e}', '\u{2066}']), "{told}");
        let ids = read(&json!({})).with_ids(Some("x".repeat(5_000)), Some("a-b".into()));
        assert_eq!(
            (ids.request_id(), ids.correlation_id()),
            (None, Some("a-b"))
        );
    }
}
