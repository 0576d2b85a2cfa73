//! Measures the evaluator on a folder of compiled ARM templates: `cargo xtask corpus DIR`.
//!
//! Every `*.json` under the folder that is a template is read, given a value for each required parameter (`made_up`),
//! evaluated as a plan would be, and looked through for what stayed unknown and why (`report`). Ends with 1 where less than
//! all could be read or less than 98 % evaluated.

mod made_up;
mod reads;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use template::{Context, Error, Evaluation, ResourceGroup, Template, Unknown};
use time::macros::datetime;
use uuid::Uuid;

use made_up::{MadeUp, Style};
use report::Report;

/// How many optional parameters may be made up for a template that cannot do without them.
const MOST_RETRIES: usize = 4;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("say which folder: corpus DIR");
        return ExitCode::from(2);
    };
    let mut files = Vec::new();
    if let Err(error) = json_files(&folder, &mut files) {
        eprintln!("{}: {error}", folder.display());
        return ExitCode::from(2);
    }
    files.sort();
    let mut report = Report::default();
    for file in &files {
        let name = file.strip_prefix(&folder).unwrap_or(file);
        measure(file, &name.to_string_lossy(), &mut report);
    }
    report.print();
    if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn json_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            json_files(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        {
            files.push(path);
        }
    }
    Ok(())
}

fn measure(file: &Path, name: &str, report: &mut Report) {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return report.unread("unreadable file", name, &error.to_string()),
    };
    let text = text.trim_start_matches('\u{feff}');
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    if document.is_object() && !is_template(&document) {
        return report.skip(name);
    }
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => return report.unread(error.code(), name, &error.to_string()),
    };
    let context = context(&document);
    let began = std::time::Instant::now();
    let mut first_error = None;
    for (retries, style) in Style::ALL.into_iter().enumerate() {
        let made_up = MadeUp::new(&document, text, style);
        let mut optional = made_up.given_freely();
        match tried(&template, &made_up, &context, &mut optional) {
            Ok(evaluation) => {
                report.time(began.elapsed());
                return report.evaluated(
                    name,
                    &evaluation,
                    &optional,
                    first_error.filter(|_| retries > 0),
                );
            }
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    report.time(began.elapsed());
    if let Some(error) = first_error {
        report.failed(error.code(), name, &error.to_string());
    }
}

/// Evaluates with the required parameters, and those optional ones that the template turns out to need.
fn tried(
    template: &Template,
    made_up: &MadeUp<'_>,
    context: &Context,
    optional: &mut Vec<String>,
) -> Result<Evaluation, Error> {
    let mut given = made_up.given();
    let most = optional.len() + MOST_RETRIES;
    loop {
        let result = template::evaluate(template, &given, context, &Unknown);
        let needed = needed(&result, template, &given);
        let Some(needed) = needed.filter(|_| optional.len() < most) else {
            return result;
        };
        given.insert(needed.clone(), made_up.value(&needed));
        optional.push(needed);
    }
}

/// Parameter files, schemas and the like bear another `$schema`.
fn is_template(document: &Value) -> bool {
    document["$schema"]
        .as_str()
        .is_some_and(|schema| schema.to_lowercase().contains("deploymenttemplate.json"))
}

/// A parameter that the template declares optional and cannot do without: it stands in the expression that failed.
fn needed(
    result: &Result<Evaluation, Error>,
    template: &Template,
    given: &Map<String, Value>,
) -> Option<String> {
    let Err(Error::Expression { expression, .. } | Error::Refused { expression, .. }) = result
    else {
        return None;
    };
    expression
        .split("parameters('")
        .skip(1)
        .filter_map(|rest| rest.split('\'').next())
        .find(|name| template.parameters().contains_key(*name) && !given.contains_key(*name))
        .map(str::to_owned)
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
