//! Reads error bodies: the envelope, AKS's flat form, and errors that Azure nests as JSON text inside a message.

use serde_json::Value;

use super::{Detail, PolicyExpression, PolicyViolation};

/// How deep errors are read; Azure nests five or six levels, a hostile body could nest more.
const DEPTH: usize = 12;

/// Reads an answer's body. A body that is no JSON becomes the message, shortened.
pub(crate) fn read(status: u16, body: &[u8]) -> Detail {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    if let Ok(value) = serde_json::from_str::<Value>(text)
        && let Some(detail) = detail(&value, 0)
    {
        return detail;
    }
    let (code, message) = match text.trim() {
        // No body at all is how some providers say that an operation is forgotten.
        "" if status == 404 => (
            "NotFound".to_owned(),
            "Azure answered 404 without a body.".to_owned(),
        ),
        "" => (
            format!("Http{status}"),
            format!("Azure answered {status} without a body."),
        ),
        text => (format!("Http{status}"), text.chars().take(500).collect()),
    };
    Detail {
        code,
        message,
        ..Detail::default()
    }
}

/// Reads an `error` object, or something that contains one.
pub(crate) fn from_value(value: &Value) -> Option<Detail> {
    detail(value, 0)
}

fn detail(value: &Value, depth: usize) -> Option<Detail> {
    if depth > DEPTH {
        return None;
    }
    // The envelope, and `odata.error` of Entra's directory; a status body is `{"status": "Failed", "error": {…}}`.
    if let Some(inner) = ["error", "odata.error"]
        .iter()
        .find_map(|name| value.get(name).filter(|inner| inner.is_object()))
    {
        return detail(inner, depth + 1);
    }
    let object = value.as_object()?;
    let text = |key: &str| {
        object
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .filter(|text| !text.is_empty())
    };
    let code = text("code");
    // Some providers send an object as message ({"value": "…"}).
    let message = text("message").or_else(|| {
        object
            .get("message")
            .and_then(|message| message.get("value"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    });
    if code.is_none() && message.is_none() {
        return None;
    }
    let mut found = Detail {
        code: code.unwrap_or_else(|| "Unknown".to_owned()),
        message: message.unwrap_or_default(),
        target: text("target"),
        details: list(object.get("details"), |inner| detail(inner, depth + 1)),
        policy: list(object.get("additionalInfo"), violation),
    };
    unwrap_message(&mut found, depth);
    // AKS says more in a word beside the code; others in an error below.
    if let Some(word) = text("subcode") {
        found.message = format!("{} ({word})", found.message);
    }
    let inner = ["innererror", "innerError"]
        .iter()
        .find_map(|name| object.get(*name));
    if let Some(inner) = inner.and_then(|inner| detail(inner, depth + 1)) {
        found.details.push(inner);
    }
    Some(found)
}

/// `"message": "{\r\n \"error\": {…}}"`: the inner error is what a person needs; the outer message becomes a sentence.
fn unwrap_message(found: &mut Detail, depth: usize) {
    let text = found.message.trim();
    let Some(start) = text.find('{') else {
        return;
    };
    let Ok(inner) = serde_json::from_str::<Value>(&text[start..]) else {
        return;
    };
    let Some(inner) = detail(&inner, depth + 1) else {
        return;
    };
    let lead = text[..start].trim().trim_end_matches(':').to_owned();
    found.message = if lead.is_empty() {
        inner.message.clone()
    } else {
        lead
    };
    // Some bodies carry the same error twice, nested and as text.
    let told = |known: &Detail| known.code == inner.code && known.message == inner.message;
    if !found.details.iter().any(told) {
        found.details.push(inner);
    }
}

fn violation(info: &Value) -> Option<PolicyViolation> {
    if !info
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("PolicyViolation"))
    {
        return None;
    }
    let info = info.get("info")?;
    let text = |key: &str| {
        info.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let expressions = info
        .get("evaluationDetails")
        .and_then(|details| details.get("evaluatedExpressions"));
    Some(PolicyViolation {
        definition_id: text("policyDefinitionId"),
        definition: text("policyDefinitionDisplayName").or_else(|| text("policyDefinitionName")),
        assignment_id: text("policyAssignmentId"),
        assignment: text("policyAssignmentDisplayName").or_else(|| text("policyAssignmentName")),
        expressions: list(expressions, expression),
    })
}

fn expression(value: &Value) -> Option<PolicyExpression> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    // A null says no more than nothing.
    let set = |key: &str| value.get(key).filter(|value| !value.is_null()).cloned();
    Some(PolicyExpression {
        path: text("path").or_else(|| text("expression")),
        operator: text("operator"),
        found: set("expressionValue"),
        wanted: set("targetValue"),
        result: text("result").map(|result| result.eq_ignore_ascii_case("true")),
    })
}

fn list<T>(value: Option<&Value>, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    value
        .and_then(Value::as_array)
        .map(|items| items.iter().filter_map(read).collect())
        .unwrap_or_default()
}
