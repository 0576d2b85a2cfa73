//! Makes up values for parameters: from their types, allowed values and bounds, and from what their names suggest.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::reads::Reads;

/// Types nest no deeper than this before a recursive one is cut.
const MAX_DEPTH: usize = 16;

/// Which of the values that a declaration allows are taken. A template may refuse some of them for reasons that no declaration
/// tells (`fail()`, a name with a slash), so there are several tries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// What the names suggest, bools true, the first of the allowed values.
    Telling,
    /// Plain words wherever the template does not part them, bools false.
    Plain,
    /// As `Telling`, with the last of the allowed values and the greatest bounds.
    Last,
    /// As `Telling`, and no two names the same.
    Distinct,
    /// As `Distinct`, and what may be left out only under conditions that no declaration tells is given too: what is null or empty by default.
    Full,
}

impl Style {
    pub(crate) const ALL: [Self; 5] = [
        Self::Telling,
        Self::Plain,
        Self::Last,
        Self::Distinct,
        Self::Full,
    ];
}

pub(crate) struct MadeUp<'d> {
    style: Style,
    document: &'d Value,
    source: &'d str,
    definitions: Map<String, Value>,
}

impl<'d> MadeUp<'d> {
    pub(crate) fn new(document: &'d Value, source: &'d str, style: Style) -> Self {
        Self {
            style,
            document,
            source,
            definitions: document["definitions"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// A value for each parameter that has to be given.
    pub(crate) fn given(&self) -> Map<String, Value> {
        self.declared()
            .filter(|(_, declared)| self.is_required(declared) || self.is_given(declared))
            .map(|(name, _)| (name.clone(), self.value(name)))
            .collect()
    }

    /// Those of the given ones that are declared optional.
    pub(crate) fn given_freely(&self) -> Vec<String> {
        self.declared()
            .filter(|(_, declared)| !self.is_required(declared) && self.is_given(declared))
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn declared(&self) -> impl Iterator<Item = (&'d String, &'d Value)> {
        self.document["parameters"]
            .as_object()
            .into_iter()
            .flatten()
    }

    fn is_required(&self, declared: &Value) -> bool {
        declared.get("defaultValue").is_none() && !self.nullable(declared, 0)
    }

    /// Null or empty by default, and given in this style all the same.
    fn is_given(&self, declared: &Value) -> bool {
        self.style == Style::Full
            && declared
                .get("defaultValue")
                .is_none_or(|default| default == "")
    }

    /// A value for this parameter.
    pub(crate) fn value(&self, name: &str) -> Value {
        let mut made = self.of(name, &self.document["parameters"][name], 0);
        // Objects and items of types that the template does not declare get the members that it reads.
        let reads = Reads::of(self.source, name);
        let text = |name: &str| self.text(name);
        match &mut made {
            Value::Object(members) if members.is_empty() && !reads.is_nothing() => {
                made = reads.made(name, &text);
            }
            Value::Array(items) if items.iter().all(Value::is_string) => {
                if let Some(item) = reads.item().filter(|item| !item.is_nothing()) {
                    items
                        .iter_mut()
                        .for_each(|place| *place = item.made(name, &text));
                }
            }
            _ => {}
        }
        made
    }

    fn referred(&self, schema: &Value) -> Option<&Value> {
        let name = schema
            .get("$ref")?
            .as_str()?
            .strip_prefix("#/definitions/")?
            .replace("~1", "/")
            .replace("~0", "~");
        self.definitions.get(&name)
    }

    fn nullable(&self, schema: &Value, depth: usize) -> bool {
        schema["nullable"].as_bool().unwrap_or(false)
            || (depth < MAX_DEPTH
                && self
                    .referred(schema)
                    .is_some_and(|schema| self.nullable(schema, depth + 1)))
    }

    fn of(&self, name: &str, schema: &Value, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(referred) = self.referred(schema) {
            let mut merged = referred.clone();
            // Bounds beside the reference count as well.
            if let (Value::Object(merged), Some(own)) = (&mut merged, schema.as_object()) {
                for (key, value) in own.iter().filter(|(key, _)| *key != "$ref") {
                    merged.insert(key.clone(), value.clone());
                }
            }
            return self.of(name, &merged, depth + 1);
        }
        if let Some(allowed) = schema["allowedValues"].as_array() {
            let chosen = if self.style == Style::Last {
                allowed.last()
            } else {
                allowed.first()
            };
            let first = chosen.cloned().unwrap_or_default();
            return if schema["type"] == "array" && !first.is_array() {
                json!([first])
            } else {
                first
            };
        }
        let bound = |name: &str| {
            schema[name]
                .as_u64()
                .and_then(|bound| usize::try_from(bound).ok())
        };
        let least = bound("minLength").unwrap_or(0);
        match schema["type"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "int" => {
                let (least, greatest) = (schema["minValue"].as_i64(), schema["maxValue"].as_i64());
                let chosen = if self.style == Style::Last {
                    greatest.or(least)
                } else {
                    least.or(greatest)
                };
                chosen.unwrap_or(1).into()
            }
            "bool" => (self.style != Style::Plain).into(),
            "array" => {
                if let Some(prefix) = schema["prefixItems"].as_array() {
                    return prefix
                        .iter()
                        .map(|schema| self.of(name, schema, depth + 1))
                        .collect();
                }
                (0..least.max(1).min(bound("maxLength").unwrap_or(usize::MAX)))
                    .map(|_| self.of(name, &schema["items"], depth + 1))
                    .collect()
            }
            "object" | "secureobject" => self.object(schema, depth),
            _ => {
                let mut text = self.text(name);
                while text.chars().count() < least {
                    text.push('x');
                }
                text.chars()
                    .take(bound("maxLength").unwrap_or(usize::MAX))
                    .collect::<String>()
                    .into()
            }
        }
    }

    /// Text that suits what a parameter of this name usually takes.
    fn text(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        let has = |part: &str| lower.contains(part);
        let subscription = Uuid::from_u128(2);
        if self.source.contains(&format!("json(parameters('{name}'))")) {
            return "1".into();
        }
        let parted = !lower.ends_with("name")
            && self
                .source
                .contains(&format!("split(parameters('{name}'), '/')"));
        if parted
            || has("resourceid")
            || self.style != Style::Plain
                && lower.ends_with("id")
                && (has("subnet") || has("workspace") || has("identity"))
        {
            format!(
                "/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Made/ups/made/parts/up"
            )
        } else if has("cidr") || has("addressprefix") || has("addressspace") {
            "10.0.0.0/16".into()
        } else if has("subscriptionid") || has("principalid") || has("objectid") || has("tenantid")
        {
            subscription.to_string()
        } else if has("location") || has("region") {
            "westeurope".into()
        } else if matches!(self.style, Style::Distinct | Style::Full) && lower.ends_with("name") {
            format!("made{lower}")
        } else if self.style == Style::Plain || lower.ends_with("name") {
            "made".into()
        } else if has("ipaddress") || lower.ends_with("ip") {
            "10.0.0.4".into()
        } else if has("email") {
            "made@example.com".into()
        } else if lower.ends_with("uri") || lower.ends_with("url") {
            "https://made.example.com/".into()
        } else if has("fqdn") || has("domain") {
            "made.example.com".into()
        } else if has("starttime") || has("endtime") || has("datetime") || has("expir") {
            "2026-01-02T03:04:05Z".into()
        } else {
            "made".into()
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut members = Map::new();
        let mut declared = vec![&schema["properties"]];
        if let Some((value, chosen)) = schema["discriminator"]["mapping"]
            .as_object()
            .and_then(|mapping| mapping.iter().next())
        {
            declared.push(&self.referred(chosen).unwrap_or(chosen)["properties"]);
            if let Some(property) = schema["discriminator"]["propertyName"].as_str() {
                members.insert(property.to_owned(), value.clone().into());
            }
        }
        for (name, property) in declared.into_iter().filter_map(Value::as_object).flatten() {
            if !self.nullable(property, 0) && !members.contains_key(name) {
                members.insert(name.clone(), self.of(name, property, depth + 1));
            }
        }
        Value::Object(members)
    }
}
