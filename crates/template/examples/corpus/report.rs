//! What was read, what evaluated, why the rest did not, and what stayed unknown for which cause.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use template::{Cause, Error, Evaluation, Resource, is_unknown};

/// Least shares, in percent.
const READ: f64 = 100.0;
const EVALUATED: f64 = 98.0;

#[derive(Default)]
pub(crate) struct Report {
    files: usize,
    skipped: Vec<String>,
    read: usize,
    evaluated: usize,
    resources: usize,
    leaves: usize,
    unknown_leaves: usize,
    slowest: Duration,
    total: Duration,
    /// Failures by cause.
    failures: BTreeMap<String, Vec<String>>,
    /// Optional parameters that were made up.
    optional: Vec<String>,
    /// Templates that refused the first values that were made up, and why.
    other_values: Vec<String>,
    /// Unknown names, conditions and counts, with their causes.
    identities: Vec<String>,
    /// Number of unknown leaves by the kinds of their causes.
    taints: BTreeMap<String, usize>,
}

impl Report {
    pub(crate) fn skip(&mut self, file: &str) {
        self.skipped.push(file.to_owned());
    }

    pub(crate) fn unread(&mut self, cause: &str, file: &str, message: &str) {
        self.files += 1;
        self.fail(&format!("not read: {cause}"), file, message);
    }

    pub(crate) fn failed(&mut self, cause: &str, file: &str, message: &str) {
        self.files += 1;
        self.read += 1;
        self.fail(&format!("not evaluated: {cause}"), file, message);
    }

    pub(crate) fn time(&mut self, took: Duration) {
        self.total += took;
        self.slowest = self.slowest.max(took);
    }

    /// `refused`: what the template said to the values that were tried first.
    pub(crate) fn evaluated(
        &mut self,
        file: &str,
        evaluation: &Evaluation,
        optional: &[String],
        refused: Option<Error>,
    ) {
        self.files += 1;
        self.read += 1;
        self.resources += evaluation.resources.len();
        for resource in &evaluation.resources {
            // The inner template of a nested deployment is as written; its own resources stand beside it.
            let mut body = resource.body.clone();
            if let Some(template) = body.pointer_mut("/properties/template") {
                template.take();
            }
            self.count(&body, evaluation);
        }
        for output in evaluation.outputs.values() {
            self.count(&output.value, evaluation);
        }
        let mut unlawful = Vec::new();
        for resource in &evaluation.resources {
            for (part, text) in unknown_identity(resource) {
                let causes = evaluation.causes(&text);
                let line = format!(
                    "the {part} of {}: `{text}` because of {}",
                    resource.kind,
                    listed(causes)
                );
                if causes.is_empty() || !causes.iter().all(Cause::is_lawful) {
                    unlawful.push(line);
                } else {
                    self.identities.push(format!("{file}: {line}"));
                }
            }
        }
        let causeless = causeless(evaluation);
        if !optional.is_empty() {
            self.optional
                .push(format!("{file}: {}", optional.join(", ")));
        }
        if let Some(error) = refused {
            self.other_values.push(format!("{file}: {error}"));
        }
        if unlawful.is_empty() && causeless.is_empty() {
            self.evaluated += 1;
            return;
        }
        for line in unlawful {
            self.fail("unknown without a lawful cause", file, &line);
        }
        for text in causeless {
            self.fail("unknown without a cause", file, &text);
        }
    }

    fn count(&mut self, value: &Value, evaluation: &Evaluation) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.count(item, evaluation)),
            Value::Object(members) if !is_unknown(value) => members
                .values()
                .for_each(|value| self.count(value, evaluation)),
            leaf => {
                self.leaves += 1;
                if let Some(text) = leaf.get("$unknown").and_then(Value::as_str) {
                    self.unknown_leaves += 1;
                    let mut kinds: Vec<String> = evaluation.causes(text).iter().map(kind).collect();
                    kinds.dedup();
                    *self.taints.entry(kinds.join(" + ")).or_default() += 1;
                }
            }
        }
    }

    fn fail(&mut self, cause: &str, file: &str, message: &str) {
        let shown: String = message.chars().take(600).collect();
        self.failures
            .entry(cause.to_owned())
            .or_default()
            .push(format!("{file}: {shown}"));
    }

    pub(crate) fn is_good(&self) -> bool {
        self.files > 0
            && share(self.read, self.files) >= READ
            && share(self.evaluated, self.files) >= EVALUATED
    }

    pub(crate) fn print(&self) {
        println!("{} templates", self.files);
        if !self.skipped.is_empty() {
            println!("{} other JSON files left out", self.skipped.len());
        }
        let line = |what: &str, n: usize, least: f64| {
            println!(
                "{what:<10} {n:>5}  {:>5.1} %  (wanted: {least} %)",
                share(n, self.files)
            );
        };
        line("parsed", self.read, READ);
        line("evaluated", self.evaluated, EVALUATED);
        println!(
            "{} resources; {:?} in all, the slowest {:?}",
            self.resources, self.total, self.slowest
        );
        println!(
            "unknown leaves: {} of {} ({:.2} %)",
            self.unknown_leaves,
            self.leaves,
            share(self.unknown_leaves, self.leaves)
        );
        for (kinds, count) in &self.taints {
            println!("  {count:>6}  because of {kinds}");
        }
        println!(
            "unknown names, conditions and counts, each with a lawful cause: {}",
            self.identities.len()
        );
        for line in &self.identities {
            println!("  {line}");
        }
        if !self.optional.is_empty() {
            println!(
                "evaluated only with parameters that are declared optional: {}",
                self.optional.len()
            );
            for line in &self.optional {
                println!("  {line}");
            }
        }
        if !self.other_values.is_empty() {
            println!(
                "evaluated with other made-up values than the first: {}",
                self.other_values.len()
            );
            for line in &self.other_values {
                println!("  {line}");
            }
        }
        for (cause, failures) in &self.failures {
            println!("\nFAILED, {cause}: {}", failures.len());
            for failure in failures {
                println!("  {failure}");
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The parts of a resource that decide which resource it is and whether it is at all, where they are not known: the part and
/// the unknown's text.
fn unknown_identity(resource: &Resource) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(text) = &resource.uncertain {
        let part = if text.starts_with("copy('") {
            "copy count"
        } else {
            "condition"
        };
        found.push((part, text.clone()));
    }
    for (part, value) in [
        ("name", &resource.name),
        ("type", &resource.kind),
        ("apiVersion", &resource.api_version),
        ("scope", &resource.id),
    ] {
        for rest in value.split("<unknown: ").skip(1) {
            if let Some((text, _)) = rest.rsplit_once('>') {
                let entry = (part, text.to_owned());
                let doubled = part == "scope" && found.iter().any(|(_, known)| *known == entry.1);
                if !doubled {
                    found.push(entry);
                }
            }
        }
    }
    found
}

/// Unknowns that no cause is known for: a fault of the evaluator.
fn causeless(evaluation: &Evaluation) -> Vec<String> {
    fn look(value: &Value, evaluation: &Evaluation, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| look(item, evaluation, found)),
            Value::Object(members) => match members.get("$unknown").and_then(Value::as_str) {
                Some(text) if is_unknown(value) => {
                    if evaluation.causes(text).is_empty() {
                        found.push(text.to_owned());
                    }
                }
                _ => members
                    .values()
                    .for_each(|value| look(value, evaluation, found)),
            },
            _ => {}
        }
    }
    let mut found = Vec::new();
    for resource in &evaluation.resources {
        look(&resource.body, evaluation, &mut found);
    }
    for output in evaluation.outputs.values() {
        look(&output.value, evaluation, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn kind(cause: &Cause) -> String {
    let text = cause.to_string();
    text.split(':').next().unwrap_or_default().to_owned()
}

fn listed(causes: &[Cause]) -> String {
    if causes.is_empty() {
        return "nothing known".to_owned();
    }
    causes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
