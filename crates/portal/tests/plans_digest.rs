//! The digest is what an approver approves: it holds still when nothing that matters changes, and moves when anything does.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod fixture;

use std::sync::OnceLock;

use fixture::{TEMPLATES, World, draft, prices};
use portal::azure_facts::Fact;
use proptest::prelude::*;
use serde_json::{Value, json};
use types::Object;
use types::request::{RequestDraft, RequestKind};

type Change = fn(&mut types::request::RequestDraft);

/// One world for all cases: reading the rules takes longer than a hundred plans.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::new)
}

fn digest(parameters: &[(String, Value)]) -> String {
    let mut draft = draft(TEMPLATES[0]);
    draft.parameters.extend(parameters.iter().cloned());
    world().plan(&draft).unwrap().plan.digest
}

fn choices() -> impl Strategy<Value = Vec<(String, Value)>> {
    (
        prop::sample::select(vec![
            "Standard_D2ds_v6",
            "Standard_D4ds_v6",
            "Standard_D2s_v6",
        ]),
        "[a-z][a-z0-9]{2,8}",
        32i64..512,
        any::<bool>(),
        4i64..2_000,
        prop::sample::select(vec!["Premium_LRS", "StandardSSD_LRS"]),
    )
        .prop_map(|(size, user, os, disk, data, sku)| {
            vec![
                ("vmSize".to_owned(), json!(size)),
                ("adminUsername".to_owned(), json!(user)),
                ("osDiskSizeGB".to_owned(), json!(os)),
                ("dataDisk".to_owned(), json!(disk)),
                ("dataDiskSizeGB".to_owned(), json!(data)),
                ("dataDiskSku".to_owned(), json!(sku)),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_keys_does_not_matter(parameters in choices().prop_shuffle()) {
        let mut sorted = parameters.clone();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(digest(&parameters), digest(&sorted));
    }

    #[test]
    fn text_from_a_form_and_values_from_rest_are_the_same(parameters in choices()) {
        let posted: Vec<(String, Value)> = parameters
            .iter()
            .map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), Value::String(text))
            })
            .collect();
        prop_assert_eq!(digest(&parameters), digest(&posted));
    }

    #[test]
    fn prices_usage_and_verdicts_do_not_matter(factor in 0.1f64..10.0, used in 0i64..500) {
        let world = world();
        let one = draft(TEMPLATES[0]);
        let before = world.plan(&one).unwrap().plan;
        let mut facts = (*world.facts.snapshot()).clone();
        facts.insert(
            Fact::Prices { region: "westeurope".to_owned(), prices: prices(factor) },
            fixture::now(),
        );
        facts.insert(
            Fact::Usages {
                subscription: fixture::DEV.to_owned(),
                region: "westeurope".to_owned(),
                usages: vec![portal::azure_facts::Usage {
                    name: "cores".to_owned(),
                    label: "Total Regional vCPUs".to_owned(),
                    used,
                    limit: 10,
                }],
            },
            fixture::now(),
        );
        let after = world.plan_with(&one, &facts).unwrap().plan;
        prop_assert_eq!(before.digest, after.digest);
    }

    #[test]
    fn any_parameter_matters(parameters in choices(), others in choices(), which in 0usize..6) {
        let mut changed = parameters.clone();
        changed[which] = others[which].clone();
        let shown = parameters[3].1 == json!(true) || which < 4;
        let same = changed == parameters || !shown;
        prop_assert_eq!(digest(&parameters) == digest(&changed), same);
    }
}

#[test]
fn every_other_part_of_a_request_matters_too() {
    let world = world();
    let base = draft(TEMPLATES[0]);
    let first = world.plan(&base).unwrap().plan.digest;
    assert_eq!(first, world.plan(&base).unwrap().plan.digest);
    let changes: [(&str, Change); 9] = [
        ("name", |d| d.name = "another".to_owned()),
        ("tier", |d| d.tier = "test".to_owned()),
        ("zone", |d| d.zone = "2".to_owned()),
        ("cost centre", |d| d.cost_centre = "9".to_owned()),
        ("expiry", |d| d.expiry = "31d".to_owned()),
        ("tags", |d| {
            d.tags.insert("a".to_owned(), "b".to_owned());
        }),
        // Approvers read it and decide by it.
        ("justification", |d| {
            "Other words for the same thing.".clone_into(&mut d.justification);
        }),
        ("composed letters", |d| {
            "Second worker for the settlement qu\u{e9}ue.".clone_into(&mut d.justification);
        }),
        ("letters with a mark", |d| {
            "Second worker for the settlement que\u{301}ue.".clone_into(&mut d.justification);
        }),
    ];
    let mut seen = std::collections::HashSet::from([first.clone()]);
    for (what, change) in changes {
        let mut draft = base.clone();
        change(&mut draft);
        assert!(
            seen.insert(world.plan(&draft).unwrap().plan.digest),
            "{what}"
        );
    }
    // Spaces around what was typed are no part of it.
    let mut said = base.clone();
    said.justification = format!(" {}\n", base.justification);
    said.expiry = " 30d".to_owned();
    assert_eq!(first, world.plan(&said).unwrap().plan.digest);
    let mut other = World::new();
    other.stack_id = types::ids::StackId("01938e5b-3a00-7000-8000-0000003f9c1b".parse().unwrap());
    assert_ne!(
        first,
        other.plan(&base).unwrap().plan.digest,
        "another stack"
    );
}

#[test]
fn extending_and_deleting_are_told_apart_by_kind_and_end() {
    let mut world = World::new();
    world.apply(&draft(TEMPLATES[0]));
    let of = |kind: RequestKind, expiry: &str| {
        let draft = RequestDraft {
            kind,
            stack: Some(world.stack_id),
            expiry: expiry.to_owned(),
            ..RequestDraft::default()
        };
        world.plan(&draft).unwrap().plan.digest
    };
    let digests = [
        of(RequestKind::Extend, "60d"),
        of(RequestKind::Extend, "61d"),
        of(RequestKind::Extend, ""),
        of(RequestKind::Delete, ""),
    ];
    let different: std::collections::HashSet<&String> = digests.iter().collect();
    assert_eq!(different.len(), digests.len());
}

fn pool(labels: Value) -> Result<String, Vec<types::problem::FieldError>> {
    let mut draft = draft(TEMPLATES[2]);
    draft.parameters.insert("nodeLabels".to_owned(), labels);
    Ok(world().plan(&draft)?.plan.digest)
}

#[test]
fn numbers_that_json_readers_do_not_tell_apart_are_refused_wherever_they_stand() {
    for number in [
        "9007199254740992",
        "9007199254740993",
        "-9007199254740992",
        "18446744073709551615",
        "1.0",
        "1e0",
        "0.5",
        "-0",
        "1e300",
    ] {
        for labels in [
            format!(r#"{{"n": {number}}}"#),
            format!(r#"{{"n": [{number}]}}"#),
            format!(r#"{{"n": {{"m": [1, {{"o": {number}}}]}}}}"#),
        ] {
            let errors = pool(serde_json::from_str(&labels).unwrap()).unwrap_err();
            assert!(
                errors
                    .iter()
                    .any(|e| e.field == "parameters.nodeLabels" && e.code == "type"),
                "{labels}: {errors:?}"
            );
        }
    }
    // The form sends text; it means the same number.
    let mut form = draft(TEMPLATES[0]);
    form.parameters
        .insert("osDiskSizeGB".to_owned(), json!("9007199254740993"));
    let errors = world().plan(&form).err().unwrap();
    assert_eq!(errors[0].field, "parameters.osDiskSizeGB");
}

#[test]
fn a_plan_made_again_at_execution_is_the_same_plan() {
    let world = world();
    let base = draft(TEMPLATES[2]);
    let approved = world.plan(&base).unwrap().plan;
    let stored: types::plan::Plan =
        serde_json::from_str(&serde_json::to_string(&approved).unwrap()).unwrap();
    assert_eq!(stored, approved, "a plan survives the database");
    let mut later = World::new();
    later.pinned_now = stored.pinned_now;
    assert_eq!(later.plan(&base).unwrap().plan.digest, stored.digest);
}

#[test]
fn parameters_are_stored_as_they_were_used() {
    let plan = world().plan(&draft(TEMPLATES[0])).unwrap().plan;
    let names: Vec<&String> = plan.parameters.keys().collect();
    let declared: Object = plan.parameters.clone();
    assert_eq!(names.len(), declared.len());
    assert_eq!(plan.parameters["zones"], json!(["1"]));
    assert_eq!(plan.parameters["tags"]["environment"], json!("dev"));
    assert_eq!(plan.parameters["tags"]["costCenter"], json!("4410"));
}
