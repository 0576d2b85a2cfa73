//! The door's promises: what loads, what does not, and that a rule that breaks denies.

use policy::{Bundle, Error};
use serde_json::json;
use types::policy::{ControlOutcome, Input, RuleKind, Verdict};

const GUARDRAIL: &str = r#"
package slipway.guardrails.plain
rules["GR-100"] := {"title": "Plain", "description": "Plain.", "severity": "low"}
warn contains {"id": "GR-100", "message": "Seen.", "path": "request.kind"} if input.request.kind == "create"
"#;

fn load(files: &[(&str, &str)]) -> Result<Bundle, Error> {
    Bundle::load(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
    )
}

fn input() -> Input {
    input_with(&json!({}))
}

fn input_with(plan: &serde_json::Value) -> Input {
    serde_json::from_value(json!({
        "plan": plan, "request": {"kind": "create"}, "project": {}, "actor": {}, "stack": null, "context": {}, "now": "2026-11-22T10:00:00Z",
    }))
    .unwrap()
}

#[test]
fn a_rule_that_breaks_denies_and_hides_no_other() {
    let broken = r#"
package slipway.guardrails.broken
rules["GR-101"] := {"title": "Broken", "description": "Broken.", "severity": "low"}
deny contains {"id": "GR-101", "message": "never", "path": "x"} if to_number(input.request.kind) > 1
"#;
    let report = load(&[("plain.rego", GUARDRAIL), ("broken.rego", broken)])
        .unwrap()
        .check(&input());
    assert_eq!(report.verdict, Verdict::Denied);
    assert_eq!(report.denials[0].id, "GR-000");
    assert!(
        report.denials[0]
            .message
            .contains("slipway.guardrails.broken"),
        "{}",
        report.denials[0].message
    );
    assert_eq!(report.warnings[0].id, "GR-100");
}

#[test]
fn a_finding_of_no_known_rule_or_of_the_wrong_shape_denies() {
    for finding in [
        r#"{"id": "GR-999", "message": "m", "path": "p"}"#,
        r#"{"id": "GR-102", "path": "p"}"#,
        r#"{"id": "GR-102", "message": "m", "path": "p", "surprise": 1}"#,
    ] {
        let text = format!(
            "package slipway.guardrails.odd\nrules[\"GR-102\"] := {{\"title\": \"t\", \"description\": \"d\", \"severity\": \"low\"}}\nwarn contains {finding}\n"
        );
        let report = load(&[("odd.rego", &text)]).unwrap().check(&input());
        assert_eq!(report.denials[0].id, "GR-000", "{finding}");
        assert_eq!(report.verdict, Verdict::Denied, "{finding}");
    }
}

#[test]
fn two_answers_to_one_question_deny() {
    let text = r#"
package slipway.guardrails.torn
rules["GR-103"] := {"title": "t", "description": "d", "severity": "low"}
word := "a" if input.request.kind == "create"
word := "b" if input.request.kind != "delete"
deny contains {"id": "GR-103", "message": word, "path": "p"}
"#;
    let report = load(&[("torn.rego", text)]).unwrap().check(&input());
    assert_eq!(report.denials[0].id, "GR-000");
}

#[test]
fn a_bundle_without_guardrails_is_refused() {
    assert!(matches!(load(&[]), Err(Error::Empty)));
    let lib = ("lib.rego", "package slipway.look\nx := 1\n");
    assert!(matches!(load(&[lib]), Err(Error::Empty)));
}

#[test]
fn facts_are_written_whole_and_once() {
    let short = "package slipway.guardrails.a\nrules[\"GR-1\"] := {\"title\": \"t\"}\ndeny contains 1 if false\n";
    assert!(matches!(
        load(&[("a.rego", short)]),
        Err(Error::Rules { .. })
    ));
    let again = GUARDRAIL.replace("guardrails.plain", "guardrails.again");
    assert!(matches!(
        load(&[("a.rego", GUARDRAIL), ("b.rego", &again)]),
        Err(Error::Rules { .. })
    ));
    assert!(matches!(
        load(&[("a.rego", "package slipway.guardrails.a\nnot rego")]),
        Err(Error::Parse { .. })
    ));
    let lost = "package slipway.guardrails.a\nrules[\"GR-1\"] := data.slipway.nowhere.f(1)\ndeny contains 1 if false\n";
    assert!(load(&[("a.rego", lost)]).is_err());
}

const LISTS: &str = "package slipway.plan\nmachines := input.plan.resources\n";

/// A bundle with one control whose facts end with `said`.
fn control(said: &str) -> Result<Bundle, Error> {
    let control = format!(
        r#"package slipway.baseline.plain
rules["VM-1"] := {{"title": "t", "description": "d", "severity": "low", "holds": "h", "fails": "f", {said}}}"#
    );
    load(&[
        ("plain.rego", GUARDRAIL),
        ("plan.rego", LISTS),
        ("control.rego", &control),
    ])
}

#[test]
fn a_control_can_be_said_by_its_facts_alone() {
    let bundle = control(
        r#""of": "machines", "checks": [{"each": "disks", "at": "size", "is_at_least": 30}, {"at": "name", "is_present": "a name"}]"#,
    )
    .unwrap();
    let input = input_with(&json!({"resources": [
        {"id": "/m/roomy", "body": {"name": "m", "disks": [{"size": 30}, {"size": 31}]}},
        {"id": "/m/small", "body": {"name": "m", "disks": [{"size": 30}, {"size": 29}]}},
        {"id": "/m/bare", "body": {}},
        {"id": "/m/later", "body": {"name": "m", "disks": {"$unknown": "reference('x')"}}},
    ]}));
    let report = bundle.check(&input);
    let said: Vec<_> = report
        .controls
        .iter()
        .map(|row| (row.resource.as_str(), row.result, row.path.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("/m/bare", ControlOutcome::Fail, "name"),
            ("/m/later", ControlOutcome::Unknown, "disks.size"),
            ("/m/roomy", ControlOutcome::Pass, "disks[0].size"),
            ("/m/small", ControlOutcome::Fail, "disks[1].size"),
        ]
    );
}

#[test]
fn checks_that_cannot_be_judged_do_not_load() {
    for (said, complaint) in [
        (r#""of": "machines""#, "needs both"),
        (r#""of": "machines", "checks": []"#, "needs both"),
        (r#""checks": [{"at": "a", "is": 1}]"#, "needs both"),
        (
            r#""of": "ships", "checks": [{"at": "a", "is": 1}]"#,
            "no such list",
        ),
        (r#""of": "machines", "checks": [{"is": 1}]"#, "needs `at`"),
        (
            r#""of": "machines", "checks": [{"at": "a"}]"#,
            "exactly one of",
        ),
        (
            r#""of": "machines", "checks": [{"at": "a", "is": 1, "is_one_of": [1]}]"#,
            "exactly one of",
        ),
        (
            r#""of": "machines", "checks": [{"at": "a", "is_not": 1}]"#,
            "needs `wanted`",
        ),
        (
            r#""of": "machines", "checks": [{"at": "a", "is_absent": false}]"#,
            "true or not there",
        ),
        (
            r#""of": "machines", "checks": [{"at": "a", "is": 1, "or": 2}]"#,
            "has no `or`",
        ),
        (
            r#""of": "machines", "checks": [{"at": 7, "is": 1}]"#,
            "dotted path",
        ),
    ] {
        let error = control(said).unwrap_err().to_string();
        assert!(
            error.contains(complaint) && error.contains("VM-1"),
            "{said}: {error}"
        );
    }
    let guardrail = GUARDRAIL.replace(
        r#""severity": "low""#,
        r#""severity": "low", "of": "machines", "checks": [{"at": "a", "is": 1}]"#,
    );
    assert!(load(&[("plain.rego", &guardrail), ("plan.rego", LISTS)]).is_err());
}

#[test]
fn the_hash_is_of_the_rules_and_nothing_else() {
    let hash = |files: &[(&str, &str)]| load(files).unwrap().hash().to_owned();
    let lib = ("lib.rego", "package slipway.look\nx := 1\n");
    let once = hash(&[("plain.rego", GUARDRAIL), lib]);
    assert_eq!(once.len(), 64);
    assert_eq!(once, hash(&[lib, ("plain.rego", GUARDRAIL)]));
    assert_eq!(
        once,
        hash(&[
            lib,
            ("plain.rego", GUARDRAIL),
            ("plain_test.rego", "package test.plain"),
            ("README.md", "x")
        ])
    );
    assert_ne!(once, hash(&[("plain.rego", GUARDRAIL)]));
    assert_eq!(
        load(&[("plain.rego", GUARDRAIL)])
            .unwrap()
            .check(&input())
            .bundle_hash,
        hash(&[("plain.rego", GUARDRAIL)])
    );
}

#[test]
fn rules_come_guardrails_first_and_by_id() {
    let rules = crate::reports::shipped();
    let order: Vec<(bool, &str)> = rules
        .rules()
        .iter()
        .map(|rule| (rule.kind == RuleKind::Control, rule.id.as_str()))
        .collect();
    assert!(order.is_sorted());
    assert!(order.len() >= 42);
}

#[test]
fn a_bundle_is_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&load(&[("plain.rego", GUARDRAIL)]).unwrap());
}
