//! Controls that are said by their facts alone: `of` names the list of `slipway.plan` that they look at, `checks` what they want of each body in it. They
//! are judged natively: the engine is paid by the rule. Knows no control.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regorus::{Engine, Value};
use serde_json::Value as Json;

use crate::look::{self, Function};

/// The words of a check, and the function of `look` behind each.
const WORDS: [(&str, Function); 6] = [
    ("is", look::is),
    ("is_one_of", look::is_one_of),
    ("is_present", look::is_present),
    ("is_at_least", look::is_at_least),
    ("is_not", look::is_not),
    ("is_absent", look::is_absent),
];
const JUDGE: &str = "look.judge";

/// The controls of one package that look at one list.
struct Group {
    package: String,
    /// A rule of `slipway.plan`, such as `machines`.
    of: String,
    controls: Vec<Control>,
}

struct Control {
    id: Value,
    checks: Vec<Check>,
}

struct Check {
    /// The list in the body whose members are looked at, instead of the body.
    each: Option<Value>,
    function: Function,
    /// What the function takes after the body: the path, and what is wanted there.
    arguments: Vec<Value>,
}

/// All controls of a bundle that are said by their facts.
#[derive(Default)]
pub(crate) struct Table(Vec<Group>);

impl Table {
    /// Takes up those among the `rules` of a package that have checks. `is_list` knows the rules of `slipway.plan`.
    ///
    /// # Errors
    ///
    /// In words, what is wrong with which control.
    pub(crate) fn read(
        &mut self,
        package: &str,
        rules: &Json,
        mut is_list: impl FnMut(&str) -> bool,
    ) -> Result<(), String> {
        let mut groups: BTreeMap<String, Vec<Control>> = BTreeMap::new();
        for (id, facts) in rules.as_object().into_iter().flatten() {
            let of = facts.get("of").map(|of| of.as_str().unwrap_or_default());
            let (of, checks) = match (of, facts.get("checks")) {
                (None, None) => continue,
                (Some(of), Some(Json::Array(checks))) if !checks.is_empty() => (of, checks),
                _ => {
                    return Err(format!(
                        "the control {id} needs both, `of` and a list of `checks`"
                    ));
                }
            };
            if !groups.contains_key(of) && !is_list(of) {
                return Err(format!(
                    "the control {id} is of {of:?}, and slipway.plan has no such list"
                ));
            }
            let checks = checks
                .iter()
                .map(Check::read)
                .collect::<Result<_, String>>()
                .map_err(|wrong| format!("the control {id}: {wrong}"))?;
            groups.entry(of.to_owned()).or_default().push(Control {
                id: id.as_str().into(),
                checks,
            });
        }
        self.0
            .extend(groups.into_iter().map(|(of, controls)| Group {
                package: package.to_owned(),
                of,
                controls,
            }));
        Ok(())
    }

    /// One file of Rego for each package: its set `results` gets the rows.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let mut files: BTreeMap<&str, String> = BTreeMap::new();
        for (place, group) in self.0.iter().enumerate() {
            let text = files
                .entry(&group.package)
                .or_insert_with(|| format!("package {}\n", group.package));
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\nresults contains row if {{\n\tsome row in {JUDGE}({place}, data.slipway.plan.{})\n}}\n",
                group.of
            );
        }
        files
            .into_iter()
            .map(|(package, text)| (format!("checks of {package}"), text))
            .collect()
    }

    /// Gives an engine the function that those files call.
    ///
    /// # Errors
    ///
    /// When the engine has it already.
    pub(crate) fn install(self, engine: &mut Engine) -> Result<(), String> {
        let groups: std::sync::Arc<[Group]> = self.0.into();
        engine
            .add_extension(
                JUDGE.to_owned(),
                2,
                Box::new(move |given: Vec<Value>| Ok(judge(&groups, &given))),
            )
            .map_err(|e| format!("{e:#}"))
    }
}

/// `look.judge(group, resources)`: a row for each control of the group and each resource.
fn judge(groups: &[Group], given: &[Value]) -> Value {
    let [place, Value::Array(resources)] = given else {
        return Value::Undefined;
    };
    let group = place
        .as_i64()
        .ok()
        .and_then(|place| usize::try_from(place).ok())
        .and_then(|place| groups.get(place));
    let Some(group) = group else {
        return Value::Undefined;
    };
    let body = Value::from("body");
    let mut rows = Vec::with_capacity(resources.len() * group.controls.len());
    for resource in resources.iter() {
        let body = &resource[&body];
        for control in &group.controls {
            let checks: Vec<Value> = control
                .checks
                .iter()
                .flat_map(|check| check.of(body))
                .collect();
            rows.push(look::row(&[
                control.id.clone(),
                resource.clone(),
                checks.into(),
            ]));
        }
    }
    rows.into()
}

impl Check {
    fn read(written: &Json) -> Result<Self, String> {
        let members = written
            .as_object()
            .ok_or_else(|| format!("a check is an object, not {written}"))?;
        let path = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Json::String(path)) if !path.is_empty() => Ok(Some(Value::from(path.as_str()))),
            Some(other) => Err(format!("`{name}` is a dotted path, not {other}")),
        };
        let at = path("at")?.ok_or("a check needs `at`, the path that it looks at")?;
        let words: Vec<_> = WORDS
            .iter()
            .filter_map(|(word, function)| Some((*word, *function, members.get(*word)?)))
            .collect();
        let [(word, function, wanted)] = words.as_slice() else {
            let words = WORDS.map(|(word, _)| word).join(", ");
            return Err(format!("a check says exactly one of {words}"));
        };
        let mut arguments = vec![at];
        let mut known = vec!["at", "each", *word];
        match *word {
            "is_absent" if **wanted != Json::Bool(true) => {
                return Err("`is_absent` is true or not there".to_owned());
            }
            "is_absent" => {}
            "is_not" => {
                known.push("wanted");
                let instead = members
                    .get("wanted")
                    .ok_or("`is_not` needs `wanted`, what should be there instead")?;
                arguments.extend([Value::from((*wanted).clone()), Value::from(instead.clone())]);
            }
            _ => arguments.push(Value::from((*wanted).clone())),
        }
        if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("a check with `{word}` has no `{unknown}`"));
        }
        Ok(Self {
            each: path("each")?,
            function: *function,
            arguments,
        })
    }

    fn of(&self, body: &Value) -> Vec<Value> {
        let judged = |body: &Value| {
            let given: Vec<Value> = std::iter::once(body)
                .chain(&self.arguments)
                .cloned()
                .collect();
            (self.function)(&given)
        };
        let Some(each) = &self.each else {
            return vec![judged(body)];
        };
        let Value::Array(items) = look::items(&[body.clone(), each.clone()]) else {
            return Vec::new();
        };
        items
            .iter()
            .map(|item| look::within(&[item.clone(), judged(&item[&Value::from("body")])]))
            .collect()
    }
}
