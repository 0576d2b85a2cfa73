//! The Rego tests pass, say something about every rule in four ways, and reach every line.

use crate::suite::Suite;

/// How a rule meets its property: as it should be, as it should not, not there, known only after apply.
const FOUR: [&str; 4] = ["passes", "fails", "absent", "unknown"];

#[test]
fn every_rego_test_passes_and_every_line_is_reached() {
    let suite = Suite::shipped();
    let mut engine = suite.engine();
    engine.set_enable_coverage(true);
    let broken: Vec<String> = suite
        .cases()
        .iter()
        .filter_map(|case| case.passes(&mut engine).err())
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    let missed: Vec<String> = engine
        .get_coverage_report()
        .unwrap()
        .files
        .into_iter()
        .filter(|file| is_rule(&file.path) && !file.not_covered.is_empty())
        .map(|file| {
            format!(
                "{}: lines {:?} are reached by no test",
                file.path, file.not_covered
            )
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_rule_has_its_four_cases() {
    let suite = Suite::shipped();
    let bundle = policy::Bundle::load(suite.rule_files().cloned()).unwrap();
    let names: Vec<String> = suite.cases().into_iter().map(|case| case.name).collect();
    let missing: Vec<String> = bundle
        .rules()
        .iter()
        .flat_map(|rule| {
            FOUR.map(|case| format!("test_{}_{case}", rule.id.to_lowercase().replace('-', "_")))
        })
        .filter(|wanted| !names.contains(wanted))
        .collect();
    assert!(
        missing.is_empty(),
        "no test is called {}",
        missing.join(", ")
    );
}

#[test]
fn there_are_rules_enough_for_every_kind_of_stack() {
    let suite = Suite::shipped();
    let bundle = policy::Bundle::load(suite.rule_files().cloned()).unwrap();
    let with = |start: &str| {
        bundle
            .rules()
            .iter()
            .filter(|rule| rule.id.starts_with(start))
            .count()
    };
    assert!(with("GR-") >= 12);
    assert!(with("VM-") + with("DSK-") + with("NET-") + with("AKS-") >= 30);
    assert!(with("AKS-") >= 8);
}

/// The loader adds files of its own, which are no author's to test.
fn is_rule(path: &str) -> bool {
    path.ends_with(".rego") && !path.ends_with("_test.rego")
}
