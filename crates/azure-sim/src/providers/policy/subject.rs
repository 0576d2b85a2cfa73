//! What a condition is asked about: the fields of one resource, with Azure's aliases, and the elements that a `count` goes through.

use serde_json::Value;

use crate::wire::ids::Id;
use crate::wire::json as at;

#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) id: &'a Id,
    pub(super) kind: &'a str,
    pub(super) body: &'a Value,
}

/// The element that a count is at.
pub(super) struct Element {
    /// The path of the list, as [`Subject::alias`] writes it, or the name of a count of values.
    pub(super) of: String,
    pub(super) value: Value,
}

/// What stands at a field.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) values: Vec<Value>,
    /// Whether the field is one of many.
    pub(super) each: bool,
}

impl Subject<'_> {
    /// Where a field is and what stands there. Of lists that a count goes through, only its element.
    pub(super) fn field(&self, field: &str, elements: &[Element]) -> Found {
        let one = |path: &str, value: Option<&Value>| Found {
            path: path.to_owned(),
            values: vec![value.cloned().unwrap_or(Value::Null)],
            each: false,
        };
        let body = self.body;
        match field.to_ascii_lowercase().as_str() {
            "type" => return one("type", Some(&self.kind.into())),
            "name" => return one("name", Some(&self.id.last_name().into())),
            "fullname" => return one("fullName", Some(&self.id.name().into())),
            "id" => return one("id", Some(&self.id.text().into())),
            word @ ("location" | "kind" | "tags") => return one(word, body.get(word)),
            "identity.type" => return one("identity.type", body.pointer("/identity/type")),
            _ => {}
        }
        if let Some(tag) = tag_of(field) {
            let found = body
                .get("tags")
                .and_then(Value::as_object)
                .and_then(|tags| {
                    tags.iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(tag))
                        .map(|(_, value)| value)
                });
            return one(&format!("tags[{tag}]"), found);
        }
        let path = self.alias(field);
        let (start, rest) = elements
            .iter()
            .rev()
            .find_map(|element| Some((&element.value, behind(&path, &element.of)?)))
            .unwrap_or((body, &path));
        let each = rest.contains("[*]");
        let mut values = Vec::new();
        reach(start, rest, &mut values);
        if values.is_empty() && !each {
            values.push(Value::Null);
        }
        Found { path, values, each }
    }

    /// `current('…')`: the element of a count by its name, or what stands below the element of a list. Without a name, the innermost element.
    pub(super) fn current(&self, name: &str, elements: &[Element]) -> Option<Value> {
        if name.is_empty() {
            return elements.last().map(|element| element.value.clone());
        }
        let named = elements
            .iter()
            .rev()
            .find(|element| element.of.eq_ignore_ascii_case(name));
        if let Some(element) = named {
            return Some(element.value.clone());
        }
        let path = self.alias(name);
        let inside = elements
            .iter()
            .any(|element| behind(&path, &element.of).is_some());
        let found = inside.then(|| self.field(name, elements))?;
        found.values.into_iter().next()
    }

    /// An alias as a path in the body. Aliases of another type lead nowhere.
    pub(super) fn alias(&self, field: &str) -> String {
        let compute = "properties.storageProfile.imageReference";
        let special = [
            (
                "Microsoft.Compute/virtualMachines/sku.name",
                "properties.hardwareProfile.vmSize",
            ),
            (
                "Microsoft.Compute/imagePublisher",
                &format!("{compute}.publisher"),
            ),
            ("Microsoft.Compute/imageOffer", &format!("{compute}.offer")),
            ("Microsoft.Compute/imageSku", &format!("{compute}.sku")),
            (
                "Microsoft.Compute/imageVersion",
                &format!("{compute}.version"),
            ),
        ];
        if let Some((_, path)) = special
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(field))
        {
            return (*path).to_owned();
        }
        let rest = field
            .get(..self.kind.len())
            .filter(|kind| kind.eq_ignore_ascii_case(self.kind))
            .and_then(|_| field[self.kind.len()..].strip_prefix('/'));
        match rest {
            None => field.to_owned(),
            Some(rest) if rest.starts_with("sku.") || rest.starts_with("identity.") => {
                rest.to_owned()
            }
            Some(rest) => format!("properties.{rest}"),
        }
    }
}

/// What of a path lies below another.
fn behind<'p>(path: &'p str, above: &str) -> Option<&'p str> {
    let start = path.get(..above.len())?;
    let rest = path.get(above.len()..)?;
    if !start.eq_ignore_ascii_case(above) {
        return None;
    }
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix('.')
}

fn tag_of(field: &str) -> Option<&str> {
    let rest = field
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("tags"))
        .map(|_| &field[4..])?;
    if let Some(name) = rest.strip_prefix('.') {
        return Some(name);
    }
    let name = rest.strip_prefix('[')?.strip_suffix(']')?;
    Some(name.trim_matches('\''))
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn reach(value: &Value, path: &str, found: &mut Vec<Value>) {
    if template::is_unknown(value) || path.is_empty() {
        found.push(value.clone());
        return;
    }
    let (part, rest) = path.split_once('.').unwrap_or((path, ""));
    let (name, many) = match part.strip_suffix("[*]") {
        Some(name) => (name, true),
        None => (part, false),
    };
    // Children that are resources themselves have `properties` of their own, which aliases leave out.
    let next = member(value, name).or_else(|| {
        at::text(value, "/name")?;
        member(value.get("properties")?, name)
    });
    match (next, many) {
        (Some(Value::Array(items)), true) => {
            items.iter().for_each(|item| reach(item, rest, found));
        }
        (Some(next), true) if template::is_unknown(next) => found.push(next.clone()),
        (Some(next), false) if next.is_object() || rest.is_empty() => reach(next, rest, found),
        _ => {}
    }
}
