//! Money and quota at the most that a plan allows: what grows never gets cheaper or less approved, and what has no price is never free.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod fixture;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use fixture::{DEV, PROD, TEMPLATES, World, draft, now};
use portal::azure_facts::{Fact, Price, Prices, Usage};
use proptest::prelude::*;
use serde_json::json;
use types::cost::Usd;
use types::plan::Plan;
use types::policy::Verdict;
use types::request::{RequestDraft, RequestKind};

const TIERS: [u32; 14] = [1, 2, 3, 4, 6, 10, 15, 20, 30, 40, 50, 60, 70, 80];
/// From the cheapest to the dearest.
const SIZES: [&str; 2] = ["Standard_D2ds_v6", "Standard_D4ds_v6"];
const SKUS: [&str; 2] = ["StandardSSD_LRS", "Premium_LRS"];

/// The price list with every tier of disks up to one of them, and with or without the larger size.
fn prices(tiers: usize, large_size: bool) -> Prices {
    let mut prices = fixture::prices(1.0);
    prices.disk_months = BTreeMap::new();
    for (at, tier) in TIERS.iter().enumerate().take(tiers) {
        let doubled = 2.0_f64.powi(i32::try_from(at).unwrap());
        for (letter, dollars) in [("p", 0.6 * doubled), ("e", 0.3 * doubled)] {
            prices.disk_months.insert(
                format!("{letter}{tier} lrs"),
                Price {
                    usd: dollars,
                    sample: true,
                },
            );
        }
    }
    if !large_size {
        prices.vm_hours.remove("standard_d4ds_v6");
    }
    prices
}

/// The shipped rules, a tier with this budget, and quota that a hundred nodes fit in.
fn world(prices: Prices, budget: Option<Usd>) -> World {
    let mut world = World::with_real_rules();
    for tier in world.project.tiers.values_mut() {
        tier.budget = budget;
    }
    let usage = |name: &str| Usage {
        name: name.to_owned(),
        label: name.to_owned(),
        used: 10,
        limit: 1_000,
    };
    world.facts.learn([
        (
            Fact::Prices {
                region: "westeurope".to_owned(),
                prices,
            },
            now(),
        ),
        (
            Fact::Usages {
                subscription: DEV.to_owned(),
                region: "westeurope".to_owned(),
                usages: ["cores", "standardDDSv6Family"].map(usage).into(),
            },
            now(),
        ),
    ]);
    world
}

fn pool(size: &str, least: i64, most: i64) -> RequestDraft {
    let mut draft = draft(TEMPLATES[2]);
    draft.parameters.insert("vmSize".into(), json!(size));
    draft.parameters.insert("minCount".into(), json!(least));
    draft.parameters.insert("maxCount".into(), json!(most));
    draft
}

fn vm(size: &str, os_gib: i64, data: Option<(&str, i64)>) -> RequestDraft {
    let mut draft = draft(TEMPLATES[0]);
    draft.parameters.insert("vmSize".into(), json!(size));
    draft
        .parameters
        .insert("osDiskSizeGB".into(), json!(os_gib));
    if let Some((sku, gib)) = data {
        draft.parameters.insert("dataDisk".into(), json!(true));
        draft.parameters.insert("dataDiskSku".into(), json!(sku));
        draft.parameters.insert("dataDiskSizeGB".into(), json!(gib));
    }
    draft
}

/// A longer life for the stack that a world has.
fn longer(world: &World) -> Plan {
    let extend = RequestDraft {
        kind: RequestKind::Extend,
        stack: Some(world.stack_id),
        expiry: "60d".to_owned(),
        justification: "It is needed for longer.".to_owned(),
        ..RequestDraft::default()
    };
    world.plan(&extend).unwrap().plan
}

/// The same in prod.
fn in_prod(mut draft: RequestDraft) -> RequestDraft {
    "prod".clone_into(&mut draft.tier);
    let subnet = fixture::subnet_id(PROD, "prod", "westeurope");
    draft.parameters.insert("subnetId".into(), json!(subnet));
    if draft.parameters.contains_key("clusterId") {
        let cluster = fixture::cluster_id(PROD, "prod");
        draft.parameters.insert("clusterId".into(), json!(cluster));
    }
    draft
}

fn groups(plan: &Plan) -> Vec<(String, u32)> {
    let mut groups: Vec<(String, u32)> = plan
        .report
        .approvals
        .iter()
        .map(|need| (format!("{} {}", need.id, need.group), need.count))
        .collect();
    groups.sort();
    groups
}

/// Whether the larger plan costs no less, is denied where the smaller one is, and asks everybody whom the smaller one asks.
fn assert_no_less(small: &Plan, large: &Plan) {
    let words = format!("{} -> {}", small.summary, large.summary);
    assert!(large.cost.monthly >= small.cost.monthly, "{words}");
    assert!(
        large.cost.monthly_least.unwrap_or(large.cost.monthly)
            >= small.cost.monthly_least.unwrap_or(small.cost.monthly),
        "{words}"
    );
    for denial in &small.report.denials {
        assert!(
            large.report.denials.iter().any(|d| d.id == denial.id),
            "{words}: {} denies the smaller one only",
            denial.id
        );
    }
    let asked = groups(large);
    for (need, count) in groups(small) {
        assert!(
            asked.iter().any(|(n, c)| *n == need && *c >= count),
            "{words}: {need} is asked for the smaller one only"
        );
    }
    for line in &small.quota {
        let after = large.quota.iter().find(|l| l.family == line.family);
        assert!(
            after.is_some_and(|after| after.requested >= line.requested),
            "{words}"
        );
    }
}

fn worlds() -> &'static [World] {
    static WORLDS: OnceLock<Vec<World>> = OnceLock::new();
    WORLDS.get_or_init(|| {
        let budgets = [None, Some(Usd(80_000)), Some(Usd(400_000))];
        [(14, true), (9, true), (11, false)]
            .into_iter()
            .flat_map(|(tiers, large)| budgets.map(|budget| world(prices(tiers, large), budget)))
            .collect()
    })
}

/// Two values, the smaller one first.
fn rising(values: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = (i64, i64)> {
    (values.clone(), values).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_larger_pool_is_never_cheaper_nor_less_approved(
        at in 0_usize..9,
        size in rising(0..=1),
        least in rising(1..=100),
        more in rising(0..=100),
    ) {
        let world = &worlds()[at];
        let draft = |size: i64, least: i64, most: i64| {
            pool(SIZES[usize::try_from(size).unwrap()], least.min(most), most)
        };
        let most = |least: i64, more: i64| (least + more).min(100);
        let small = draft(size.0, least.0, most(least.0, more.0));
        let large = draft(size.1, least.1, most(least.1, more.1));
        assert_no_less(&world.plan(&small).unwrap().plan, &world.plan(&large).unwrap().plan);
    }

    #[test]
    fn a_larger_machine_is_never_cheaper_nor_less_approved(
        at in 0_usize..9,
        size in rising(0..=1),
        os in rising(32..=2_048),
        sku in rising(0..=1),
        gib in rising(4..=32_767),
        disks in rising(0..=1),
    ) {
        let world = &worlds()[at];
        let draft = |size: i64, os: i64, disk: i64, sku: i64, gib: i64| {
            let sku = SKUS[usize::try_from(sku).unwrap()];
            vm(SIZES[usize::try_from(size).unwrap()], os, (disk == 1).then_some((sku, gib)))
        };
        let small = draft(size.0, os.0, disks.0, sku.0, gib.0);
        let large = draft(size.1, os.1, disks.1, sku.1, gib.1);
        assert_no_less(&world.plan(&small).unwrap().plan, &world.plan(&large).unwrap().plan);
    }

    #[test]
    fn a_change_that_grows_is_judged_like_a_new_stack_of_the_difference(
        first in 1_i64..=100,
        then in rising(1..=100),
    ) {
        static WORLD: OnceLock<Mutex<World>> = OnceLock::new();
        let mut world = WORLD
            .get_or_init(|| Mutex::new(world(prices(14, true), Some(Usd(80_000)))))
            .lock()
            .unwrap();
        world.stack = None;
        world.apply(&pool(SIZES[0], 1, first));
        let update = |most: i64| RequestDraft {
            kind: RequestKind::Update,
            stack: Some(world.stack_id),
            ..pool(SIZES[0], 1, most)
        };
        let (small, large) = (
            world.plan(&update(then.0)).unwrap().plan,
            world.plan(&update(then.1)).unwrap().plan,
        );
        assert_no_less(&small, &large);
        if then.1 <= first {
            prop_assert!(large.report.denials.iter().all(|denial| denial.id != "GR-006"), "{:?}", large.report.denials);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_longer_life_of_a_larger_pool_is_never_less_approved(
        size in rising(0..=1),
        most in rising(1..=100),
        prod in any::<bool>(),
    ) {
        static WORLD: OnceLock<Mutex<World>> = OnceLock::new();
        let mut world = WORLD
            .get_or_init(|| Mutex::new(world(prices(14, true), Some(Usd(80_000)))))
            .lock()
            .unwrap();
        let mut extended = |size: i64, most: i64| {
            let draft = pool(SIZES[usize::try_from(size).unwrap()], 1, most);
            let draft = if prod { in_prod(draft) } else { draft };
            world.stack = None;
            world.standing.own = Usd(0);
            let created = world.plan(&draft).unwrap().plan;
            world.apply(&draft);
            world.standing.own = created.cost.monthly;
            let plan = longer(&world);
            assert_eq!(plan.cost.monthly, created.cost.monthly, "it is the same stack");
            for (need, count) in groups(&created) {
                assert!(groups(&plan).contains(&(need.clone(), count)), "{need} is asked for the creation only");
            }
            plan
        };
        let small = extended(size.0, most.0);
        assert_no_less(&small, &extended(size.1, most.1));
    }
}

/// Parameters that name, place or label a thing: no value of theirs costs more than another.
const FREE: [&str; 12] = [
    "name",
    "location",
    "zones",
    "tags",
    "subnetId",
    "adminUsername",
    "sshPublicKey",
    "clusterName",
    "clusterId",
    "poolName",
    "nodeTaints",
    "nodeLabels",
];

/// The values of a parameter from the smallest to the largest, where it has such.
fn rises(template: &str, name: &str, parameter: &serde_json::Value) -> Vec<serde_json::Value> {
    let number = |bound: &str| parameter[bound].as_i64().unwrap();
    match (parameter["type"].as_str().unwrap(), name) {
        ("bool", _) => vec![json!(false), json!(true)],
        ("int", _) => {
            let (least, most) = (number("minValue"), number("maxValue"));
            let mut values = vec![
                least,
                least + 1,
                number("defaultValue"),
                (least + most) / 2,
                most - 1,
                most,
            ];
            values.sort_unstable();
            values.dedup();
            values.into_iter().map(|value| json!(value)).collect()
        }
        ("string", "vmSize") => SIZES.map(|size| json!(size)).into(),
        ("string", "dataDiskSku") => SKUS.map(|sku| json!(sku)).into(),
        (_, name) if FREE.contains(&name) => Vec::new(),
        (kind, name) => {
            panic!("{template} has a {kind} {name}: say how it grows, or that it costs nothing")
        }
    }
}

/// Whatever a template lets people raise, alone and from the least to the most: never cheaper, never less approved, never less quota.
#[test]
fn no_parameter_of_any_template_escapes_price_and_approval() {
    for world in worlds() {
        for template in TEMPLATES {
            let entry = world.catalogue.get(&template.parse().unwrap()).unwrap();
            for (name, parameter) in entry.arm["parameters"].as_object().unwrap() {
                let plans: Vec<Plan> = rises(template, name, parameter)
                    .into_iter()
                    .map(|value| {
                        let mut draft = draft(template);
                        if name.starts_with("dataDisk") && name != "dataDisk" {
                            draft.parameters.insert("dataDisk".into(), json!(true));
                        }
                        if name == "minCount" || name == "maxCount" {
                            draft.parameters.insert("minCount".into(), json!(1));
                            draft.parameters.insert("maxCount".into(), json!(100));
                        }
                        draft.parameters.insert(name.clone(), value.clone());
                        let made = world.plan(&draft);
                        made.unwrap_or_else(|errors| {
                            panic!("{template} {name} {value}: {errors:?}")
                        })
                        .plan
                    })
                    .collect();
                for pair in plans.windows(2) {
                    assert_no_less(&pair[0], &pair[1]);
                }
            }
        }
    }
}

#[test]
fn a_longer_life_asks_everybody_whom_the_stack_asked() {
    let platform = ("GR-014 platform-approvers".to_owned(), 1);
    let cost = |id: &str| (format!("{id} cost-approvers"), 1);
    let small = || vm(SIZES[0], 32, None);
    // What is made, how many parts of the tier have no price, and who is asked besides the platform approvers of prod.
    for (prices, made, unpriced, asked) in [
        (prices(14, true), small(), 0, vec![]),
        (prices(14, true), small(), 1, vec![cost("GR-006")]),
        (
            prices(14, true),
            pool(SIZES[1], 1, 100),
            0,
            vec![cost("GR-005")],
        ),
        (
            prices(9, true),
            vm(SIZES[0], 32, Some((SKUS[0], 16_384))),
            0,
            vec![cost("GR-017")],
        ),
    ] {
        for prod in [false, true] {
            // Without an end of what may be spent, but for the case that is about one.
            let mut world = world(prices.clone(), Some(Usd(10_000_000)));
            let draft = if prod {
                in_prod(made.clone())
            } else {
                made.clone()
            };
            world.standing.unpriced = unpriced;
            let created = groups(&world.plan(&draft).unwrap().plan);
            let mut wanted: Vec<_> = prod.then(|| platform.clone()).into_iter().collect();
            wanted.extend(asked.clone());
            wanted.sort();
            assert_eq!(created, wanted);
            world.apply(&draft);
            assert_eq!(groups(&longer(&world)), wanted);
        }
    }
}

#[test]
fn a_longer_life_over_the_budget_is_decided_by_people() {
    let mut world = world(prices(14, true), Some(Usd(80_000)));
    world.apply(&vm(SIZES[0], 32, None));
    assert_eq!(longer(&world).report.verdict, Verdict::Allowed);
    for tier in world.project.tiers.values_mut() {
        tier.budget = Some(Usd(5_000));
    }
    let plan = longer(&world);
    assert_eq!(plan.report.verdict, Verdict::NeedsApproval);
    assert_eq!(groups(&plan), [("GR-006 cost-approvers".to_owned(), 1)]);
}

#[test]
fn a_hundred_nodes_cost_a_hundred_nodes_and_the_surge() {
    let world = world(prices(14, true), Some(Usd(80_000)));
    let plan = world.plan(&pool(SIZES[1], 1, 100)).unwrap().plan;
    assert_eq!(
        plan.cost.monthly,
        Usd::from_dollars(0.298 * 730.0 * 100.0) + Usd::from_dollars(0.298 * 730.0 * 33.0)
    );
    assert_eq!(
        plan.cost.monthly_least,
        Some(Usd::from_dollars(0.298 * 730.0))
    );
    assert_eq!(plan.report.verdict, Verdict::Denied, "over the budget");
    assert_eq!(plan.quota[0].requested, 4 * 133);
    assert_eq!(plan.quota[0].headroom, 4 * 132);
    insta::assert_snapshot!(plan.summary, @"Creates the node pool settlement-worker (1 to 100 × D4ds v6) in Payments dev, West Europe, from $217.54 up to $28,932.82 a month.");

    let free = self::world(prices(14, true), None);
    let plan = free.plan(&pool(SIZES[1], 1, 100)).unwrap().plan;
    assert_eq!(plan.report.verdict, Verdict::NeedsApproval);
    assert_eq!(groups(&plan), [("GR-005 cost-approvers".to_owned(), 1)]);
}

#[test]
fn every_disk_that_the_template_allows_has_a_price() {
    let world = world(prices(14, true), Some(Usd(400_000)));
    let mut before = Usd(0);
    for gib in [4, 4_096, 16_384, 32_767] {
        for sku in SKUS {
            let plan = world
                .plan(&vm(SIZES[0], 32, Some((sku, gib))))
                .unwrap()
                .plan;
            assert!(plan.cost.unpriced.is_empty(), "{gib} {sku}");
        }
        let plan = world
            .plan(&vm(SIZES[0], 32, Some((SKUS[1], gib))))
            .unwrap()
            .plan;
        assert!(plan.cost.monthly > before, "{gib} GiB");
        before = plan.cost.monthly;
    }
}

#[test]
fn what_has_no_price_is_unknown_and_asks_the_cost_approvers() {
    for budget in [None, Some(Usd(80_000))] {
        // A region without prices, a size without one, a tier without one.
        let cases = [
            (Prices::default(), vm(SIZES[0], 32, None)),
            (prices(14, false), vm(SIZES[1], 32, None)),
            (prices(9, true), vm(SIZES[0], 32, Some((SKUS[1], 16_384)))),
        ];
        for (prices, draft) in cases {
            let plan = world(prices, budget).plan(&draft).unwrap().plan;
            assert!(!plan.cost.unpriced.is_empty());
            assert!(
                plan.cost.span().ends_with(" + unknown"),
                "{}",
                plan.cost.span()
            );
            assert!(
                plan.summary.contains(" + unknown a month"),
                "{}",
                plan.summary
            );
            assert_ne!(plan.report.verdict, Verdict::Allowed);
            assert!(
                groups(&plan).contains(&("GR-017 cost-approvers".to_owned(), 1)),
                "{:?}",
                plan.report
            );
        }
    }
}

#[test]
fn a_part_that_goes_does_not_hide_one_without_a_price() {
    let mut world = world(prices(9, true), Some(Usd(80_000)));
    world.apply(&vm(SIZES[1], 32, None));
    let update = RequestDraft {
        kind: RequestKind::Update,
        stack: Some(world.stack_id),
        // A machine for half the money, and a disk of which only a lower bound is known.
        ..vm(SIZES[0], 32, Some((SKUS[0], 16_384)))
    };
    let plan = world.plan(&update).unwrap().plan;
    assert!(plan.cost.change() < Usd(10_000), "{:?}", plan.cost.change());
    assert!(
        plan.summary.contains(" + unknown a month)"),
        "{}",
        plan.summary
    );
    assert_eq!(plan.report.verdict, Verdict::NeedsApproval);

    // An extension goes on paying for it.
    world.apply(&vm(SIZES[0], 32, Some((SKUS[0], 16_384))));
    let extend = RequestDraft {
        kind: RequestKind::Extend,
        stack: Some(world.stack_id),
        expiry: "60d".to_owned(),
        ..RequestDraft::default()
    };
    let plan = world.plan(&extend).unwrap().plan;
    assert_eq!(groups(&plan), [("GR-017 cost-approvers".to_owned(), 1)]);
}

/// A later end asks whom an extension asks, whatever else the update changes; and the plan says it.
#[test]
fn an_update_with_a_later_end_is_an_extension() {
    let mut world = world(prices(14, true), Some(Usd(1_000_000)));
    let large = pool(SIZES[0], 1, 20);
    world.apply(&large);
    let update = |expiry: &str| {
        let update = RequestDraft {
            kind: RequestKind::Update,
            stack: Some(world.stack_id),
            expiry: expiry.to_owned(),
            ..large.clone()
        };
        world.plan(&update).unwrap().plan
    };
    let asked = [("GR-005 cost-approvers".to_owned(), 1)];
    assert_eq!(groups(&longer(&world)), asked);
    let later = update("60d");
    assert_eq!(groups(&later), asked);
    assert!(later.moves_end.unwrap().is_later());
    assert!(
        later
            .summary
            .contains(" Extends its life: it expires 2027-01-21 (before: "),
        "{}",
        later.summary
    );
    // Neither what keeps its end, nor what ends earlier.
    let kept = update(&large.expiry);
    assert_eq!((groups(&kept), kept.moves_end), (vec![], None));
    let earlier = update("5d");
    assert_eq!(groups(&earlier), []);
    assert!(
        earlier
            .summary
            .contains(" Shortens its life: it expires 2026-11-27 (before: "),
        "{}",
        earlier.summary
    );
}

#[test]
fn a_budget_is_not_claimed_to_be_kept_where_the_tier_has_parts_without_a_price() {
    let mut world = world(prices(14, true), Some(Usd(80_000)));
    world.standing.committed = Usd(10_000);
    let plan = |world: &World| world.plan(&vm(SIZES[0], 32, None)).unwrap().plan;
    assert_eq!(plan(&world).report.verdict, Verdict::Allowed);
    world.standing.unpriced = 1;
    assert_eq!(
        groups(&plan(&world)),
        [("GR-006 cost-approvers".to_owned(), 1)]
    );
}

#[test]
fn a_price_that_rose_does_not_deny_a_smaller_stack() {
    let mut world = world(prices(14, true), Some(Usd(80_000)));
    world.apply(&pool(SIZES[0], 1, 4));
    world.standing.own = world
        .stack
        .as_ref()
        .unwrap()
        .plan
        .as_ref()
        .unwrap()
        .cost
        .monthly;
    let mut dearer = prices(14, true);
    for price in dearer.vm_hours.values_mut() {
        price.usd *= 10.0;
    }
    world.facts.learn([(
        Fact::Prices {
            region: "westeurope".to_owned(),
            prices: dearer,
        },
        now(),
    )]);
    let update = |most: i64| RequestDraft {
        kind: RequestKind::Update,
        stack: Some(world.stack_id),
        ..pool(SIZES[0], 1, most)
    };
    let smaller = world.plan(&update(3)).unwrap().plan;
    assert_eq!(
        smaller.report.verdict,
        Verdict::Allowed,
        "{:?}",
        smaller.report
    );
    let larger = world.plan(&update(5)).unwrap().plan;
    assert_eq!(larger.report.verdict, Verdict::Denied);
}

#[test]
fn nodes_that_a_pool_may_add_are_held_when_it_changes() {
    let mut world = world(prices(14, true), None);
    // Used: 10 of 1,000. The pool may take 2 × (100 + 33) = 266, of which Azure counts 2.
    world.apply(&pool(SIZES[0], 1, 100));
    let update = RequestDraft {
        kind: RequestKind::Update,
        stack: Some(world.stack_id),
        ..pool(SIZES[0], 1, 50)
    };
    let line = world.plan(&update).unwrap().plan.quota[0].clone();
    assert_eq!(
        (line.reserved, line.requested, line.headroom),
        (264, -132, 132)
    );
    assert!(line.fits);

    let mut new = self::world(prices(14, true), None);
    new.standing.reserved = vec![portal::plans::Reserved {
        subscription: DEV.to_owned(),
        region: "westeurope".to_owned(),
        family: "standardddsv6family".to_owned(),
        amount: 800,
    }];
    let fits = |most: i64| {
        let plan = new.plan(&pool(SIZES[0], 1, most)).unwrap().plan;
        plan.quota[0].fits
    };
    // 10 + 800 + 2 × (71 + 24) = 1,000.
    assert!(fits(71));
    assert!(!fits(72), "the surge does not fit any more");
}

#[test]
fn a_quota_of_which_nothing_is_known_asks_the_platform_approvers() {
    let world = world(prices(14, true), None);
    world.facts.learn([(
        Fact::Usages {
            subscription: DEV.to_owned(),
            region: "westeurope".to_owned(),
            usages: vec![],
        },
        now(),
    )]);
    let plan = world.plan(&vm(SIZES[0], 32, None)).unwrap().plan;
    assert_eq!(plan.quota_unknown.len(), 2, "{:?}", plan.quota_unknown);
    assert_eq!(groups(&plan), [("GR-008 platform-approvers".to_owned(), 1)]);
}
