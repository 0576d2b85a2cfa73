//! The facts of every rule, read once from the bundle: what the policies page shows and what findings borrow.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use types::policy::{Fix, Rule, RuleKind, Severity};

use crate::Error;

/// The id of the denial that stands for a rule that could not be evaluated.
pub(crate) const BROKEN: &str = "GR-000";

/// All rules by id.
pub(crate) struct Facts {
    by_id: BTreeMap<String, Fact>,
    rules: Vec<Rule>,
}

/// One rule with the sentences its findings borrow.
pub(crate) struct Fact {
    pub(crate) rule: Rule,
    /// A control that passes says this.
    pub(crate) holds: Option<String>,
    /// A control that fails says this.
    pub(crate) fails: Option<String>,
    /// How to mend a failing control.
    pub(crate) fix: Option<Fix>,
}

/// What `rules[id]` of one package says, still by package.
pub(crate) struct PackageRules {
    pub(crate) package: String,
    pub(crate) kind: RuleKind,
    pub(crate) rules: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    description: String,
    severity: Severity,
    docs: Option<String>,
    holds: Option<String>,
    fails: Option<String>,
    fix: Option<Fix>,
    /// Read and judged by `table.rs`, as are the checks.
    #[serde(rename = "of")]
    _of: Option<IgnoredAny>,
    checks: Option<IgnoredAny>,
}

impl Facts {
    pub(crate) fn collect(packages: &[PackageRules]) -> Result<Self, Error> {
        let mut by_id = BTreeMap::new();
        by_id.insert(BROKEN.to_owned(), broken());
        for package in packages {
            let malformed = |detail: String| Error::Rules {
                package: package.package.clone(),
                detail,
            };
            let written: BTreeMap<String, Written> = serde_json::from_value(package.rules.clone())
                .map_err(|e| malformed(e.to_string()))?;
            for (id, written) in written {
                if (package.kind == RuleKind::Guardrail) != id.starts_with("GR-") {
                    return Err(malformed(format!(
                        "{id} is not an id for this kind of rule: guardrails are GR-…, controls are not"
                    )));
                }
                if package.kind == RuleKind::Guardrail && written.checks.is_some() {
                    return Err(malformed(format!(
                        "the guardrail {id} has `checks`, which only a control can have"
                    )));
                }
                if package.kind == RuleKind::Control
                    && (written.holds.is_none() || written.fails.is_none())
                {
                    return Err(malformed(format!(
                        "the control {id} needs both sentences, `holds` and `fails`"
                    )));
                }
                let fact = Fact {
                    rule: Rule {
                        id: id.clone(),
                        title: written.title,
                        description: written.description,
                        severity: written.severity,
                        kind: package.kind,
                        docs: written.docs,
                    },
                    holds: written.holds,
                    fails: written.fails,
                    fix: written.fix,
                };
                if by_id.insert(id.clone(), fact).is_some() {
                    return Err(malformed(format!("the id {id} is taken by another rule")));
                }
            }
        }
        let mut rules: Vec<Rule> = by_id
            .values()
            .map(|fact| fact.rule.clone())
            .filter(|rule| rule.id != BROKEN)
            .collect();
        rules.sort_by(|a, b| {
            (a.kind != RuleKind::Guardrail, &a.id).cmp(&(b.kind != RuleKind::Guardrail, &b.id))
        });
        if rules
            .first()
            .is_none_or(|rule| rule.kind != RuleKind::Guardrail)
        {
            return Err(Error::Empty);
        }
        Ok(Self { by_id, rules })
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Fact> {
        self.by_id.get(id)
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

fn broken() -> Fact {
    Fact {
        rule: Rule {
            id: BROKEN.to_owned(),
            title: "Every rule can be evaluated".to_owned(),
            description: "A rule that cannot be evaluated denies the plan: what was not checked is not allowed.".to_owned(),
            severity: Severity::Critical,
            kind: RuleKind::Guardrail,
            docs: None,
        },
        holds: None,
        fails: None,
        fix: None,
    }
}
