//! Measures the evaluator on a folder of ARM templates: `cargo run -p template --example corpus -- DIR`.
//!
//! For each `*.json` it makes up a value for every required parameter, from its type, allowed values and bounds, evaluates the
//! template as a plan would, and reports how many were read, how many evaluated, and every failure by its cause.
//! Leaves with 1 where a template could not be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use template::{Context, Evaluation, ResourceGroup, Template, Unknown};
use time::macros::datetime;
use uuid::Uuid;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("say which folder: corpus DIR");
        return ExitCode::from(2);
    };
    let files = match json_files(&folder) {
        Ok(files) => files,
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            return ExitCode::from(2);
        }
    };
    let mut report = Report::default();
    for file in &files {
        report.add(file);
    }
    report.print(files.len());
    if report.read == files.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn json_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    Ok(files)
}

#[derive(Default)]
struct Report {
    read: usize,
    evaluated: usize,
    resources: usize,
    slowest: Duration,
    total: Duration,
    causes: BTreeMap<String, Vec<String>>,
}

impl Report {
    fn add(&mut self, file: &Path) {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return self.fail("unreadable file", &name, &error.to_string()),
        };
        let template = match Template::parse(&text) {
            Ok(template) => template,
            Err(error) => return self.fail("not read", &name, &error.to_string()),
        };
        self.read += 1;
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        let given = made_up(&document, &text);
        let started = Instant::now();
        let result = template::evaluate(&template, &given, &context(&document), &Unknown);
        let took = started.elapsed();
        self.total += took;
        self.slowest = self.slowest.max(took);
        match result {
            Ok(Evaluation { resources, .. }) => {
                self.evaluated += 1;
                self.resources += resources.len();
            }
            Err(error) => self.fail(error.code(), &name, &error.to_string()),
        }
    }

    fn fail(&mut self, cause: &str, file: &str, message: &str) {
        let shown: String = message.chars().take(600).collect();
        self.causes
            .entry(cause.to_owned())
            .or_default()
            .push(format!("{file}: {shown}"));
    }

    fn print(&self, files: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
        let share = |n: usize| 100.0 * n as f64 / files.max(1) as f64;
        println!("{files} templates");
        println!("read       {:>4}  {:>5.1} %", self.read, share(self.read));
        println!(
            "evaluated  {:>4}  {:>5.1} %",
            self.evaluated,
            share(self.evaluated)
        );
        println!(
            "{} resources; {:?} in all, the slowest {:?}",
            self.resources, self.total, self.slowest
        );
        for (cause, failures) in &self.causes {
            println!("\n{cause}: {}", failures.len());
            for failure in failures {
                println!("  {failure}");
            }
        }
    }
}

fn context(document: &Value) -> Context {
    let schema = document["$schema"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    let at = |scope: &str| schema.contains(scope);
    let tenant = at("tenantdeploymenttemplate");
    let management = at("managementgroupdeploymenttemplate");
    let subscription = at("subscriptiondeploymenttemplate");
    Context {
        tenant_id: Uuid::from_u128(1).to_string(),
        subscription_id: if tenant || management {
            String::new()
        } else {
            Uuid::from_u128(2).to_string()
        },
        resource_group: (!tenant && !management && !subscription).then(|| ResourceGroup {
            name: "rg".into(),
            location: "westeurope".into(),
            tags: IndexMap::new(),
        }),
        management_group: management.then(|| "mg".into()),
        deployment_name: "corpus".into(),
        deployment_location: (tenant || management || subscription).then(|| "westeurope".into()),
        utc_now: datetime!(2026-01-02 03:04:05 UTC),
        guid_seed: Uuid::from_u128(3),
        environment: Context::public_cloud(),
    }
}

/// A value for each required parameter. Objects of types that the template does not declare get the members that it reads.
fn made_up(document: &Value, source: &str) -> Map<String, Value> {
    let none = Map::new();
    let definitions = document["definitions"].as_object().unwrap_or(&none);
    document["parameters"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, declared)| {
            declared.get("defaultValue").is_none() && !nullable(declared, definitions, 0)
        })
        .map(|(name, declared)| {
            let mut made = value(name, declared, definitions, 0);
            if let Value::Object(members) = &mut made
                && members.is_empty()
            {
                members.extend(read_members(name, source));
            }
            (name.clone(), made)
        })
        .collect()
}

/// The members of `parameters('name')` that the template's text reads.
fn read_members(name: &str, source: &str) -> Vec<(String, Value)> {
    source
        .split(&format!("parameters('{name}')."))
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .map(|member| (member.clone(), text(&member).into()))
        .collect()
}

fn referred<'d>(schema: &'d Value, definitions: &'d Map<String, Value>) -> Option<&'d Value> {
    let name = schema
        .get("$ref")?
        .as_str()?
        .strip_prefix("#/definitions/")?;
    definitions.get(name)
}

fn nullable(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> bool {
    schema["nullable"].as_bool().unwrap_or(false)
        || (depth < 16
            && referred(schema, definitions)
                .is_some_and(|schema| nullable(schema, definitions, depth + 1)))
}

fn value(name: &str, schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Value {
    if depth > 16 {
        return Value::Null;
    }
    if let Some(referred) = referred(schema, definitions) {
        return value(name, referred, definitions, depth + 1);
    }
    if let Some(allowed) = schema["allowedValues"].as_array() {
        let first = allowed.first().cloned().unwrap_or_default();
        return if schema["type"] == "array" && !first.is_array() {
            json!([first])
        } else {
            first
        };
    }
    let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap_or(0);
    match schema["type"]
        .as_str()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "int" => schema["minValue"]
            .as_i64()
            .or(schema["maxValue"].as_i64())
            .unwrap_or(1)
            .into(),
        "bool" => true.into(),
        "array" => {
            if let Some(prefix) = schema["prefixItems"].as_array() {
                return prefix
                    .iter()
                    .map(|schema| value(name, schema, definitions, depth + 1))
                    .collect();
            }
            (0..least.max(1))
                .map(|_| value(name, &schema["items"], definitions, depth + 1))
                .collect()
        }
        "object" | "secureobject" => object(schema, definitions, depth),
        _ => {
            let most =
                usize::try_from(schema["maxLength"].as_u64().unwrap_or(1000)).unwrap_or(1000);
            let mut text = text(name);
            while text.len() < least {
                text.push('x');
            }
            text.truncate(most);
            text.into()
        }
    }
}

fn object(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Value {
    let mut members = Map::new();
    let mut declared: Vec<Value> = vec![schema["properties"].clone()];
    if let Some(mapping) = schema["discriminator"]["mapping"].as_object()
        && let Some(chosen) = mapping.values().next()
    {
        declared.push(referred(chosen, definitions).unwrap_or(chosen)["properties"].clone());
    }
    for (name, property) in declared.iter().filter_map(Value::as_object).flatten() {
        if !nullable(property, definitions, 0) {
            members.insert(name.clone(), value(name, property, definitions, depth + 1));
        }
    }
    Value::Object(members)
}

/// Text that suits what a parameter of this name usually takes.
fn text(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let has = |part: &str| lower.contains(part);
    if has("resourceid")
        || lower.ends_with("id") && (has("subnet") || has("workspace") || has("identity"))
    {
        let subscription = Uuid::from_u128(2);
        format!(
            "/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Made/ups/made/parts/up"
        )
    } else if has("cidr") || has("addressprefix") || has("addressspace") {
        "10.0.0.0/16".into()
    } else if has("subscriptionid") || has("principalid") || has("objectid") {
        Uuid::from_u128(2).to_string()
    } else if has("location") || has("region") {
        "westeurope".into()
    } else {
        "made".into()
    }
}
