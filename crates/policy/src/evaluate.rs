//! Runs Rego: compiles the files, evaluates the sets, and isolates what breaks. Knows regorus; knows nothing of reports.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};
use types::policy::{Input, RuleKind};

use crate::Error;
use crate::look;
use crate::rules::PackageRules;
use crate::table::Table;

const GUARDRAILS: &str = "slipway.guardrails.";
const BASELINE: &str = "slipway.baseline.";
/// The package with one rule, `said`, that asks for all sets. It stands above the packages that it asks: relative to itself the engine finds a rule by
/// its name, elsewhere it looks through all packages.
const EVERYTHING: &str = "slipway";
/// The package through which guardrails see what the baseline says.
const CONTROLS: &str = "slipway.controls";

/// The package of the facts of controls, by their ids.
const FACTS: &str = "slipway.facts";
/// The package that says what a plan contains.
const PLAN: &str = "slipway.plan";

/// Evaluation of a plan takes milliseconds; this only stops a rule that never ends, also on a slow machine.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The sets a rule can put findings into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Deny,
    Warn,
    Approve,
    Results,
}

impl Set {
    const GUARDRAIL: [Self; 3] = [Self::Deny, Self::Warn, Self::Approve];
    const CONTROL: [Self; 1] = [Self::Results];

    fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Approve => "approve",
            Self::Results => "results",
        }
    }
}

/// What one set of one package said, or why it could not say anything.
pub(crate) struct Findings {
    pub(crate) package: String,
    pub(crate) set: Set,
    pub(crate) said: Result<Vec<serde_json::Value>, String>,
}

/// The compiled files and the sets found in them.
pub(crate) struct Evaluator {
    /// Only ever cloned: a clone shares the compiled rules and has its own state.
    engine: Mutex<Engine>,
    sets: Vec<(String, Set)>,
    packages: Vec<String>,
}

impl Evaluator {
    pub(crate) fn compile(files: Vec<(String, String)>) -> Result<Self, Error> {
        let mut engine = engine(files)?;
        engine.set_execution_timer_config(ExecutionTimerConfig {
            limit: TIME_LIMIT,
            check_interval: NonZeroU32::MIN.saturating_add(255),
        });
        let packages = packages(&engine)?;
        if packages.is_empty() {
            return Err(Error::Empty);
        }
        let mut sets = Vec::new();
        for package in &packages {
            let of_kind: &[Set] = match kind_of(package) {
                Some(RuleKind::Control) => &Set::CONTROL,
                _ => &Set::GUARDRAIL,
            };
            let before = sets.len();
            for set in of_kind {
                if is_rule(&mut engine, package, set.name()) {
                    sets.push((package.clone(), *set));
                }
            }
            if sets.len() == before {
                return Err(Error::Rules {
                    package: package.clone(),
                    detail: "it has none of the sets that findings go into".to_owned(),
                });
            }
        }
        let everything = sets
            .iter()
            .map(|(package, set)| {
                let below = package.strip_prefix("slipway.").unwrap_or(package);
                format!("{below}.{}", set.name())
            })
            .collect::<Vec<_>>()
            .join(", ");
        let imports: String = [BASELINE, GUARDRAILS]
            .into_iter()
            .filter(|kind| sets.iter().any(|(package, _)| package.starts_with(kind)))
            .map(|kind| format!("import data.{}\n", kind.trim_end_matches('.')))
            .collect();
        add(
            &mut engine,
            "everything",
            format!("package {EVERYTHING}\n\n{imports}\nsaid := [{everything}]\n"),
        )?;
        prepare(&mut engine)?;
        Ok(Self {
            engine: Mutex::new(engine),
            sets,
            packages,
        })
    }

    /// `rules` of every package.
    pub(crate) fn rule_facts(&self) -> Result<Vec<PackageRules>, Error> {
        let mut engine = self.engine();
        self.packages
            .iter()
            .map(|package| {
                Ok(PackageRules {
                    package: package.clone(),
                    kind: kind_of(package).unwrap_or(RuleKind::Guardrail),
                    rules: serde_json::to_value(facts_of(&mut engine, package)?)
                        .map_err(|e| malformed(package, e.to_string()))?,
                })
            })
            .collect()
    }

    /// Every set once. One rule for all of them shares what rules have in common; when it breaks, each set is asked alone, so that one broken rule
    /// does not hide what the others say.
    pub(crate) fn evaluate(&self, input: &Input) -> Vec<Findings> {
        let mut engine = self.engine();
        match serde_json::to_value(input) {
            Ok(input) => engine.set_input(Value::from(input)),
            Err(error) => {
                return vec![self.nothing(format!("the policy input is not JSON: {error}"))];
            }
        }
        self.all_at_once(&mut engine)
            .unwrap_or_else(|| self.one_by_one(&mut engine))
    }

    fn all_at_once(&self, engine: &mut Engine) -> Option<Vec<Findings>> {
        let answer = engine.eval_rule(format!("data.{EVERYTHING}.said")).ok()?;
        let said = answer.as_array().ok()?;
        if said.iter().count() != self.sets.len() {
            return None;
        }
        self.sets
            .iter()
            .zip(said.iter())
            .map(|((package, set), said)| {
                Some(Findings {
                    package: package.clone(),
                    set: *set,
                    said: Ok(listed(said).ok()?),
                })
            })
            .collect()
    }

    fn one_by_one(&self, engine: &mut Engine) -> Vec<Findings> {
        self.sets
            .iter()
            .map(|(package, set)| Findings {
                package: package.clone(),
                set: *set,
                said: engine
                    .eval_rule(format!("data.{package}.{}", set.name()))
                    .map_err(|error| format!("{error:#}"))
                    .and_then(|said| listed(&said)),
            })
            .collect()
    }

    fn nothing(&self, why: String) -> Findings {
        Findings {
            package: self.packages.first().cloned().unwrap_or_default(),
            set: Set::Deny,
            said: Err(why),
        }
    }

    fn engine(&self) -> Engine {
        self.engine
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

/// The files compiled, with the functions of `look`, the controls that are said by their facts, and what guardrails may ask about the baseline: `data.slipway.controls.open`, the rows that
/// fail or are unknown, and `data.slipway.facts`, the facts of each control by its id.
///
/// # Errors
///
/// A file that is not Rego, files that do not fit together.
pub fn engine(files: impl IntoIterator<Item = (String, String)>) -> Result<Engine, Error> {
    let mut engine = Engine::new();
    look::install(&mut engine).map_err(Error::Compile)?;
    engine.set_policy_length_config(regorus::PolicyLengthConfig::default());
    for (path, text) in files {
        add(&mut engine, &path, text)?;
    }
    prepare(&mut engine)?;
    let baseline: Vec<String> = packages(&engine)?
        .into_iter()
        .filter(|package| kind_of(package) == Some(RuleKind::Control))
        .collect();
    let mut table = Table::default();
    // Facts are told as data: as rules they would be made anew for every plan.
    let mut facts = serde_json::Map::new();
    for package in &baseline {
        let rules = facts_of(&mut engine, package)?;
        let rules = serde_json::to_value(rules).map_err(|e| malformed(package, e.to_string()))?;
        table
            .read(package, &rules, |list| is_rule(&mut engine, PLAN, list))
            .map_err(|detail| malformed(package, detail))?;
        if let serde_json::Value::Object(rules) = rules {
            facts.extend(rules);
        }
    }
    let files = table.files();
    table.install(&mut engine).map_err(Error::Compile)?;
    for (name, text) in files {
        add(&mut engine, &name, text)?;
    }
    let rows: String = baseline
        .iter()
        .map(|package| {
            format!(
                "\nopen contains row if {{\n\tsome row in look.open(data.{package}.results)\n}}\n"
            )
        })
        .collect();
    add(
        &mut engine,
        "controls",
        format!("package {CONTROLS}\n{rows}"),
    )?;
    // The engine looks for rules wherever data is asked for, and does so once only where there is a package, be it an empty one.
    add(&mut engine, "facts", format!("package {FACTS}\n"))?;
    engine
        .add_data(serde_json::json!({"slipway": {"facts": facts}}).into())
        .map_err(|e| Error::Compile(format!("{e:#}")))?;
    prepare(&mut engine)?;
    Ok(engine)
}

fn add(engine: &mut Engine, path: &str, text: String) -> Result<(), Error> {
    engine
        .add_policy(path.to_owned(), text)
        .map(drop)
        .map_err(|e| Error::Parse {
            path: path.to_owned(),
            detail: format!("{e:#}"),
        })
}

/// Any query makes the engine compile; without one the first plan would pay for it, and would be the first to meet what does not fit together.
fn prepare(engine: &mut Engine) -> Result<(), Error> {
    engine
        .eval_query("true".to_owned(), false)
        .map(drop)
        .map_err(|e| Error::Compile(format!("{e:#}")))
}

/// The packages whose rules speak, in order.
fn packages(engine: &Engine) -> Result<Vec<String>, Error> {
    let mut packages: Vec<String> = engine
        .get_packages()
        .map_err(|e| Error::Compile(format!("{e:#}")))?
        .into_iter()
        .map(|package| package.trim_start_matches("data.").to_owned())
        .filter(|package| kind_of(package).is_some())
        .collect();
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// Whether a package has a rule of this name.
fn is_rule(engine: &mut Engine, package: &str, name: &str) -> bool {
    let path = format!("data.{package}.{name}");
    engine
        .compile_with_entrypoint(&path.as_str().into())
        .is_ok()
}

/// A query, not `eval_rule`: `rules["GR-001"] := …` makes no rule of the name `rules`.
fn facts_of(engine: &mut Engine, package: &str) -> Result<Value, Error> {
    let answer = engine
        .eval_query(format!("data.{package}.rules"), false)
        .map_err(|e| malformed(package, format!("{e:#}")))?;
    Ok(answer
        .result
        .first()
        .and_then(|result| result.expressions.first())
        .map_or(Value::Undefined, |expression| expression.value.clone()))
}

fn malformed(package: &str, detail: String) -> Error {
    Error::Rules {
        package: package.to_owned(),
        detail,
    }
}

fn kind_of(package: &str) -> Option<RuleKind> {
    if package.starts_with(GUARDRAILS) {
        Some(RuleKind::Guardrail)
    } else if package.starts_with(BASELINE) {
        Some(RuleKind::Control)
    } else {
        None
    }
}

/// The members of a set. Undefined is not an empty set: it means that the rule broke.
fn listed(said: &Value) -> Result<Vec<serde_json::Value>, String> {
    let members = said
        .as_set()
        .map_err(|_| format!("expected a set of findings, found {said}"))?;
    members
        .iter()
        .map(|member| serde_json::to_value(member).map_err(|e| e.to_string()))
        .collect()
}
