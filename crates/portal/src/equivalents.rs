//! The same request written for other tools: `curl` against Slipway's own API, Bicep and Terraform against Azure.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use types::check::Equivalent;
use types::plan::{Plan, PlannedResource};
use types::request::RequestDraft;

/// All three. The draft must hold no private key; the plan is what its template evaluates to, so that the other tools need no Slipway.
pub(crate) fn of(
    draft: &RequestDraft,
    plan: Option<&Plan>,
    public_url: &url::Url,
) -> Vec<Equivalent> {
    let mut all = vec![Equivalent {
        tool: "curl".to_owned(),
        text: curl(draft, public_url),
    }];
    if let Some(plan) = plan.filter(|plan| !plan.resources.is_empty()) {
        all.push(Equivalent {
            tool: "Bicep".to_owned(),
            text: bicep(plan),
        });
        all.push(Equivalent {
            tool: "Terraform".to_owned(),
            text: terraform(plan),
        });
    }
    all
}

fn curl(draft: &RequestDraft, public_url: &url::Url) -> String {
    let mut body = serde_json::to_value(draft).unwrap_or_else(|_| json!({}));
    if let Some(body) = body.as_object_mut() {
        body.retain(|_, value| {
            !value.is_null() && value != "" && value.as_object().is_none_or(|o| !o.is_empty())
        });
    }
    let body = serde_json::to_string_pretty(&body).unwrap_or_default();
    // Inside single quotes a shell reads everything as it stands, except the quote itself.
    let body = plainly(&body).replace('\'', r"'\''");
    let url = public_url.as_str().trim_end_matches('/');
    format!(
        "curl {url}/api/v1/requests \\\n  -H \"Authorization: Bearer $SLIPWAY_TOKEN\" \\\n  -H \"Idempotency-Key: $(uuidgen)\" \\\n  --json '{body}'\n"
    )
}

/// JSON in which nothing shows as something else than it is: whoever copies the command sees what it sends.
fn plainly(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !types::text::deceptive(c) {
            plain.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(plain, "\\u{unit:04x}");
        }
    }
    plain
}

/// Names in the order of the plan, such as `virtualMachine` and `virtualMachine2`.
fn symbols(plan: &Plan) -> Vec<String> {
    let mut symbols: Vec<String> = Vec::new();
    for resource in &plan.resources {
        let kind = resource.kind.rsplit('/').next().unwrap_or("resource");
        let singular = match kind.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => kind.strip_suffix('s').unwrap_or(kind).to_owned(),
        };
        let singular: String = singular
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let mut symbol = singular.clone();
        let mut count = 1;
        while symbols.contains(&symbol) {
            count += 1;
            symbol = format!("{singular}{count}");
        }
        symbols.push(symbol);
    }
    symbols
}

fn dependencies<'a>(
    resource: &PlannedResource,
    plan: &Plan,
    symbols: &'a [String],
) -> Vec<&'a str> {
    resource
        .depends_on
        .iter()
        .filter_map(|id| {
            let index = plan
                .resources
                .iter()
                .position(|r| r.id.eq_ignore_ascii_case(id))?;
            symbols.get(index).map(String::as_str)
        })
        .collect()
}

/// The body without what the tools say elsewhere.
fn members(resource: &PlannedResource, without: &[&str]) -> Map<String, Value> {
    let mut members = resource.body.as_object().cloned().unwrap_or_default();
    members.retain(|name, _| !without.contains(&name.as_str()));
    members
}

fn bicep(plan: &Plan) -> String {
    let symbols = symbols(plan);
    let mut text = format!(
        "// az deployment group create --subscription {} --resource-group {} --template-file main.bicep\n",
        plan.target.subscription, plan.target.resource_group
    );
    for (resource, symbol) in plan.resources.iter().zip(&symbols) {
        let _ = writeln!(
            text,
            "\nresource {symbol} '{}@{}' = {{",
            resource.kind, resource.api_version
        );
        let _ = writeln!(text, "  name: {}", bicep_text(&resource.name));
        for (name, value) in members(resource, &["name", "type", "apiVersion"]) {
            let _ = write!(text, "  {}: ", bicep_key(&name));
            bicep_value(&value, 1, &mut text);
            text.push('\n');
        }
        let needs = dependencies(resource, plan, &symbols);
        if !needs.is_empty() {
            text.push_str("  dependsOn: [\n");
            for symbol in needs {
                let _ = writeln!(text, "    {symbol}");
            }
            text.push_str("  ]\n");
        }
        text.push_str("}\n");
    }
    text
}

fn bicep_key(name: &str) -> String {
    let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if identifier {
        name.to_owned()
    } else {
        bicep_text(name)
    }
}

/// A Bicep string: `${` would begin an expression.
fn bicep_text(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace("${", "\\${")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    format!("'{escaped}'")
}

fn bicep_value(value: &Value, depth: usize, text: &mut String) {
    let inner = "  ".repeat(depth + 1);
    let outer = "  ".repeat(depth);
    match value {
        Value::String(string) => text.push_str(&bicep_text(string)),
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) => {
            text.push_str("[\n");
            for item in items {
                text.push_str(&inner);
                bicep_value(item, depth + 1, text);
                text.push('\n');
            }
            let _ = write!(text, "{outer}]");
        }
        Value::Object(members) if members.is_empty() => text.push_str("{}"),
        Value::Object(members) => {
            text.push_str("{\n");
            for (name, value) in members {
                let _ = write!(text, "{inner}{}: ", bicep_key(name));
                bicep_value(value, depth + 1, text);
                text.push('\n');
            }
            let _ = write!(text, "{outer}}}");
        }
        other => text.push_str(&other.to_string()),
    }
}

/// The azapi provider sends bodies as they are, so nothing of the plan is lost.
fn terraform(plan: &Plan) -> String {
    let symbols = symbols(plan);
    let group = format!(
        "/subscriptions/{}/resourceGroups/{}",
        plan.target.subscription, plan.target.resource_group
    );
    let mut text = "terraform {\n  required_providers {\n    azapi = { source = \"Azure/azapi\", version = \"~> 2.0\" }\n  }\n}\n".to_owned();
    for (resource, symbol) in plan.resources.iter().zip(&symbols) {
        let (parent, name) = parent(resource, plan, &symbols, &group);
        let _ = writeln!(text, "\nresource \"azapi_resource\" \"{symbol}\" {{");
        let _ = writeln!(
            text,
            "  type      = \"{}@{}\"\n  name      = {}\n  parent_id = {parent}",
            resource.kind,
            resource.api_version,
            hcl_text(&name)
        );
        for outside in ["location", "tags"] {
            if let Some(value) = resource.body.get(outside) {
                let _ = write!(text, "  {outside} = ");
                hcl_value(value, 1, &mut text);
                text.push('\n');
            }
        }
        let body = members(
            resource,
            &["name", "type", "apiVersion", "location", "tags"],
        );
        if !body.is_empty() {
            text.push_str("  body = ");
            hcl_value(&Value::Object(body), 1, &mut text);
            text.push('\n');
        }
        let needs: Vec<String> = dependencies(resource, plan, &symbols)
            .into_iter()
            .map(|symbol| format!("azapi_resource.{symbol}"))
            .collect();
        if !needs.is_empty() {
            let _ = writeln!(text, "  depends_on = [{}]", needs.join(", "));
        }
        text.push_str("}\n");
    }
    text
}

/// A child's parent and its own last name; the parent is another resource of the plan, or one that exists.
fn parent(
    resource: &PlannedResource,
    plan: &Plan,
    symbols: &[String],
    group: &str,
) -> (String, String) {
    let Some((_, own)) = resource.name.rsplit_once('/') else {
        return (hcl_text(group), resource.name.clone());
    };
    // …/virtualMachines/vm/extensions/x: two segments less is the parent's id.
    let id = resource.id.rsplitn(3, '/').nth(2).unwrap_or(&resource.id);
    let known = plan
        .resources
        .iter()
        .position(|r| r.id.eq_ignore_ascii_case(id))
        .and_then(|index| symbols.get(index));
    let parent = known.map_or_else(
        || hcl_text(id),
        |symbol| format!("azapi_resource.{symbol}.id"),
    );
    (parent, own.to_owned())
}

/// An HCL string: `${` and `%{` would begin templates.
fn hcl_text(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    format!("\"{escaped}\"")
}

fn hcl_value(value: &Value, depth: usize, text: &mut String) {
    let inner = "  ".repeat(depth + 1);
    let outer = "  ".repeat(depth);
    match value {
        Value::String(string) => text.push_str(&hcl_text(string)),
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) => {
            text.push_str("[\n");
            for item in items {
                text.push_str(&inner);
                hcl_value(item, depth + 1, text);
                text.push_str(",\n");
            }
            let _ = write!(text, "{outer}]");
        }
        Value::Object(members) if members.is_empty() => text.push_str("{}"),
        Value::Object(members) => {
            text.push_str("{\n");
            for (name, value) in members {
                let key = if bicep_key(name).starts_with('\'') {
                    hcl_text(name)
                } else {
                    name.clone()
                };
                let _ = write!(text, "{inner}{key} = ");
                hcl_value(value, depth + 1, text);
                text.push('\n');
            }
            let _ = write!(text, "{outer}}}");
        }
        other => text.push_str(&other.to_string()),
    }
}
