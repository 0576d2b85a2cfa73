//! From findings to the report: facts are joined in, rows are put in order and counted, the verdict is drawn. Evaluates nothing.

use std::cmp::Reverse;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use types::names::GroupName;
use types::policy::{
    ApprovalNeed, ControlOutcome, ControlResult, Fix, Posture, Report, RuleKind, Severity, Verdict,
    Violation,
};

use crate::evaluate::{Findings, Set};
use crate::rules::{BROKEN, Fact, Facts};

/// A member of `deny` or `warn`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Objection {
    id: String,
    message: String,
    path: String,
    field: Option<String>,
    found: Option<Value>,
    wanted: Option<Value>,
    fix: Option<Fix>,
}

/// A member of `approve`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Need {
    id: String,
    message: String,
    path: String,
    group: GroupName,
    count: u32,
}

/// A member of `results`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    resource: String,
    result: ControlOutcome,
    path: String,
    message: Option<String>,
    found: Option<Value>,
    wanted: Option<Value>,
    fix: Option<Fix>,
}

pub(crate) fn assemble(facts: &Facts, findings: Vec<Findings>) -> Report {
    let mut report = Report {
        verdict: Verdict::Allowed,
        denials: Vec::new(),
        warnings: Vec::new(),
        approvals: Vec::new(),
        controls: Vec::new(),
        posture: Posture::default(),
        guardrails_checked: 0,
        bundle_hash: String::new(),
        took_us: 0,
    };
    for Findings { package, set, said } in findings {
        let said = match said {
            Ok(said) => said,
            Err(why) => {
                report.denials.push(broken(facts, &package, &why));
                continue;
            }
        };
        for finding in said {
            if let Err(why) = add(facts, &mut report, set, finding) {
                report.denials.push(broken(facts, &package, &why));
            }
        }
    }
    in_order(&mut report);
    report.guardrails_checked = count(
        facts
            .rules()
            .iter()
            .filter(|rule| rule.kind == RuleKind::Guardrail)
            .count(),
    );
    report.posture = posture(&report.controls);
    report.verdict = verdict(&report);
    report
}

fn add(facts: &Facts, report: &mut Report, set: Set, finding: Value) -> Result<(), String> {
    match set {
        Set::Deny => report.denials.push(violation(facts, read(finding)?)?),
        Set::Warn => report.warnings.push(violation(facts, read(finding)?)?),
        Set::Approve => report.approvals.push(need(facts, read(finding)?)?),
        Set::Results => report.controls.push(control(facts, read(finding)?)?),
    }
    Ok(())
}

fn read<T: DeserializeOwned>(finding: Value) -> Result<T, String> {
    serde_json::from_value(finding).map_err(|e| format!("a finding is malformed: {e}"))
}

fn fact<'a>(facts: &'a Facts, id: &str, kind: RuleKind) -> Result<&'a Fact, String> {
    facts
        .get(id)
        .filter(|fact| fact.rule.kind == kind && id != BROKEN)
        .ok_or_else(|| format!("{id} is not a rule of this bundle"))
}

fn violation(facts: &Facts, found: Objection) -> Result<Violation, String> {
    let rule = &fact(facts, &found.id, RuleKind::Guardrail)?.rule;
    Ok(Violation {
        id: found.id,
        title: rule.title.clone(),
        message: found.message,
        path: found.path,
        severity: rule.severity,
        field: found.field,
        found: found.found,
        wanted: found.wanted,
        fix: found.fix,
        docs: rule.docs.clone(),
    })
}

fn need(facts: &Facts, found: Need) -> Result<ApprovalNeed, String> {
    let rule = &fact(facts, &found.id, RuleKind::Guardrail)?.rule;
    Ok(ApprovalNeed {
        id: found.id,
        title: rule.title.clone(),
        message: found.message,
        path: found.path,
        severity: rule.severity,
        group: found.group,
        count: found.count,
        docs: rule.docs.clone(),
    })
}

fn control(facts: &Facts, row: Row) -> Result<ControlResult, String> {
    let fact = fact(facts, &row.id, RuleKind::Control)?;
    let says = match row.result {
        ControlOutcome::Pass => fact.holds.clone(),
        ControlOutcome::Fail => fact.fails.clone(),
        ControlOutcome::Unknown => Some("This is known only after apply.".to_owned()),
        ControlOutcome::NotApplicable => {
            Some("This control says nothing about this resource.".to_owned())
        }
    };
    let fix = row
        .fix
        .or_else(|| fact.fix.clone())
        .filter(|_| row.result == ControlOutcome::Fail);
    Ok(ControlResult {
        title: fact.rule.title.clone(),
        severity: fact.rule.severity,
        docs: fact.rule.docs.clone(),
        message: row.message.or(says).unwrap_or_default(),
        id: row.id,
        resource: row.resource,
        result: row.result,
        path: row.path,
        found: row.found,
        wanted: row.wanted,
        fix,
    })
}

fn broken(facts: &Facts, package: &str, why: &str) -> Violation {
    let rule = facts.get(BROKEN).map(|fact| fact.rule.clone());
    Violation {
        id: BROKEN.to_owned(),
        title: rule.map(|rule| rule.title).unwrap_or_default(),
        message: format!(
            "The rules of {package} could not be evaluated, so this plan is not allowed. Tell an administrator: {why}"
        ),
        path: String::new(),
        severity: Severity::Critical,
        field: None,
        found: None,
        wanted: None,
        fix: None,
        docs: None,
    }
}

fn in_order(report: &mut Report) {
    let rank = |violation: &Violation| {
        (
            Reverse(violation.severity),
            violation.id.clone(),
            violation.path.clone(),
            violation.message.clone(),
        )
    };
    report.denials.sort_by_key(rank);
    report.warnings.sort_by_key(rank);
    report
        .approvals
        .sort_by_key(|need| (Reverse(need.severity), need.id.clone(), need.group.clone()));
    report
        .controls
        .sort_by(|a, b| (&a.id, &a.resource).cmp(&(&b.id, &b.resource)));
}

fn posture(controls: &[ControlResult]) -> Posture {
    let of = |outcome| count(controls.iter().filter(|row| row.result == outcome).count());
    Posture {
        pass: of(ControlOutcome::Pass),
        fail: of(ControlOutcome::Fail),
        unknown: of(ControlOutcome::Unknown),
        not_applicable: of(ControlOutcome::NotApplicable),
    }
}

fn verdict(report: &Report) -> Verdict {
    if !report.denials.is_empty() {
        Verdict::Denied
    } else if !report.approvals.is_empty() {
        Verdict::NeedsApproval
    } else {
        Verdict::Allowed
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
