//! Whole reports of three plans, as the page and the API get them, and the schema of what rules see.

use std::path::Path;

use policy::Bundle;
use serde_json::Value;
use types::policy::{Input, Report, Verdict};

const SAMPLES: [&str; 3] = ["good-vm", "bad-vm", "good-node-pool"];

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn shipped() -> Bundle {
    Bundle::load(policy::files_in(&here().join("../../policies")).unwrap()).unwrap()
}

fn sample(name: &str) -> Value {
    let text =
        std::fs::read_to_string(here().join(format!("tests/policy/inputs/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn report(name: &str) -> Report {
    let input: Input = serde_json::from_value(sample(name)).unwrap();
    shipped().check(&input)
}

fn schema() -> jsonschema::Validator {
    let text =
        std::fs::read_to_string(here().join("../../docs/reference/policy-input.schema.json"))
            .unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn snapshot(name: &str) -> Report {
    let report = report(name);
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!(name, report, { ".bundle_hash" => "[hash]", ".took_us" => "[time]" });
    });
    report
}

#[test]
fn a_hardened_machine_goes_ahead() {
    let report = snapshot("good-vm");
    assert_eq!(report.verdict, Verdict::Allowed);
    assert_eq!(report.posture.unknown, 0);
}

#[test]
fn a_careless_machine_is_told_everything_at_once() {
    let report = snapshot("bad-vm");
    assert_eq!(report.verdict, Verdict::Denied);
    assert_eq!(report.posture.unknown, 1);
    assert!(
        report
            .denials
            .is_sorted_by(|a, b| (b.severity, &a.id) <= (a.severity, &b.id))
    );
}

#[test]
fn a_dear_node_pool_asks_the_cost_approvers() {
    let report = snapshot("good-node-pool");
    assert_eq!(report.verdict, Verdict::NeedsApproval);
    assert_eq!(report.posture.fail, 0);
}

#[test]
fn the_same_plan_gets_the_same_report() {
    let bundle = shipped();
    for name in SAMPLES {
        let input: Input = serde_json::from_value(sample(name)).unwrap();
        let [mut first, mut second] = [bundle.check(&input), bundle.check(&input)];
        (first.took_us, second.took_us) = (0, 0);
        assert_eq!(first, second, "{name}");
    }
}

#[test]
fn deleting_is_never_in_the_way_of_what_has_become_forbidden() {
    let mut input = sample("bad-vm");
    input["request"]["kind"] = "delete".into();
    input["request"]["justification"] = "The launch is over.".into();
    let report = shipped().check(&serde_json::from_value(input).unwrap());
    assert_eq!(
        report.verdict,
        Verdict::NeedsApproval,
        "{:?}",
        report.denials
    );
    let asked: Vec<&str> = report
        .approvals
        .iter()
        .map(|need| need.id.as_str())
        .collect();
    assert_eq!(asked, ["GR-015"]);
}

#[test]
fn the_samples_are_policy_inputs_and_others_are_not() {
    let schema = schema();
    for name in SAMPLES {
        let errors: Vec<String> = schema
            .iter_errors(&sample(name))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {}", errors.join("\n"));
    }
    for (path, wrong) in [
        ("/request/kind", Value::from("destroy")),
        ("/request/tier", Value::from("production")),
        ("/plan/cost/monthly_usd", Value::from("12")),
        ("/plan/resources/0/change", Value::from("replace")),
        ("/project/regions", Value::from("westeurope")),
        ("/now", Value::from(1)),
    ] {
        let mut input = sample("good-vm");
        *input.pointer_mut(path).unwrap() = wrong;
        assert!(!schema.is_valid(&input), "{path}");
    }
    let mut input = sample("good-vm");
    input.as_object_mut().unwrap().remove("project");
    assert!(!schema.is_valid(&input), "a part is missing");
}
