//! The three built-in templates, from draft to plan: what they make, what it costs, and what changes later.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod fixture;

use fixture::{DEV, TEMPLATES, World, draft, subnet_id};
use serde_json::{Value, json};
use types::plan::Change;
use types::request::{RequestDraft, RequestKind};

fn fields(errors: &[types::problem::FieldError]) -> Vec<(&str, &str)> {
    errors
        .iter()
        .map(|error| (error.field.as_str(), error.code.as_str()))
        .collect()
}

/// What rules say is the rules' own test; it would make these snapshots change with every rule.
fn without_report(world: &World, draft: &RequestDraft) -> Value {
    let plan = world.plan(draft).unwrap().plan;
    let mut plan = serde_json::to_value(plan).unwrap();
    // The hashes change with every word of a manifest; `plans_digest` says what they have to do.
    for outside in ["report", "digest", "template_hash"] {
        plan.as_object_mut().unwrap().shift_remove(outside);
    }
    plan
}

#[test]
fn each_template_with_its_defaults_gives_the_plan_that_was_reviewed() {
    let world = World::new();
    for template in TEMPLATES {
        let name = template.split('@').next().unwrap();
        insta::assert_json_snapshot!(name, without_report(&world, &draft(template)));
    }
}

#[test]
fn every_manifest_follows_the_published_schema() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let schema = std::fs::read_to_string(root.join("docs/reference/manifest.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let world = World::new();
    assert_eq!(world.catalogue.entries().count(), TEMPLATES.len());
    for entry in world.catalogue.entries() {
        let file = root.join(format!(
            "catalog/{}/{}/manifest.yaml",
            entry.manifest.name, entry.manifest.version
        ));
        let manifest: Value =
            serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let errors: Vec<String> = schema
            .iter_errors(&manifest)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", entry.reference());
    }
}

#[test]
fn the_schema_refuses_what_the_catalogue_refuses() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let schema: Value = serde_json::from_str(&read("docs/reference/manifest.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let good: Value =
        serde_saphyr::from_str(&read("catalog/azure-linux-vm/1.0.0/manifest.yaml")).unwrap();
    let breaks: [(&str, Value); 5] = [
        ("/colour", json!("red")),
        ("/kind", json!("toaster")),
        ("/version", json!("1.0")),
        ("/fields/vmSize/widget", json!("slider")),
        ("/bindings/tags", json!("moon")),
    ];
    for (path, value) in breaks {
        let mut bad = good.clone();
        let (parent, name) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value);
        assert!(!schema.is_valid(&bad), "schema takes {path}");
        let files = [
            (
                "azure-linux-vm/1.0.0/manifest.yaml".to_owned(),
                bad.to_string(),
            ),
            (
                "azure-linux-vm/1.0.0/main.json".to_owned(),
                read("catalog/azure-linux-vm/1.0.0/main.json"),
            ),
            ("azure-linux-vm/1.0.0/README.md".to_owned(), String::new()),
        ];
        assert!(
            portal::Catalogue::from_files(files).is_err(),
            "catalogue takes {path}"
        );
    }
}

#[test]
fn a_manifest_that_does_not_fit_its_arm_template_is_refused_with_the_place() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let read =
        |file: &str| std::fs::read_to_string(root.join("azure-linux-vm/1.0.0").join(file)).unwrap();
    let manifest = read("manifest.yaml");
    let cases = [
        (manifest.replace("  vmSize:\n", "  vmSise:\n"), "vmSise"),
        (
            manifest.replace("  tags: tags\n", "  tags: name\n"),
            "bindings.tags",
        ),
        (manifest.replace("  tags: tags\n", ""), "tags"),
        (
            manifest.replace("      field: dataDisk\n", "      field: nothing\n"),
            "visible_if",
        ),
        (
            manifest.replace("version: 1.0.0", "version: 1.0.1"),
            "1.0.1",
        ),
        (
            manifest.replace("[a-z_][a-z0-9_-]{0,31}", "[a-z"),
            "pattern",
        ),
    ];
    for (manifest, expected) in cases {
        let files = [
            ("azure-linux-vm/1.0.0/manifest.yaml".to_owned(), manifest),
            (
                "azure-linux-vm/1.0.0/main.json".to_owned(),
                read("main.json"),
            ),
            (
                "azure-linux-vm/1.0.0/README.md".to_owned(),
                read("README.md"),
            ),
        ];
        let message = portal::Catalogue::from_files(files)
            .unwrap_err()
            .to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn a_machine_with_a_data_disk_costs_more_and_says_so() {
    let world = World::new();
    let plain = world.plan(&draft(TEMPLATES[0])).unwrap().plan;
    let mut with_disk = draft(TEMPLATES[0]);
    // As a browser posts it: text only.
    with_disk.parameters.insert("dataDisk".into(), json!("on"));
    with_disk
        .parameters
        .insert("dataDiskSizeGB".into(), json!("100"));
    let plan = world.plan(&with_disk).unwrap().plan;
    // 0.149 × 730 + 5.28, and a P10 for everything between 65 and 128 GiB.
    assert_eq!(plain.cost.monthly.to_string(), "$114.05");
    assert_eq!(plan.cost.monthly.to_string(), "$133.76");
    assert!(plan.cost.lines.iter().any(|line| line.sample));
    assert!(
        plan.resources
            .iter()
            .any(|r| r.kind == "Microsoft.Compute/disks")
    );
    let differing: Vec<&str> = plan.differences.iter().map(|d| d.path.as_str()).collect();
    assert_eq!(differing, ["Data disk", "Size of the data disk"]);
    assert!(plain.differences.is_empty());
}

#[test]
fn a_hidden_field_counts_for_nothing() {
    let world = World::new();
    let mut hidden = draft(TEMPLATES[0]);
    hidden.parameters.insert("dataDisk".into(), json!(false));
    hidden
        .parameters
        .insert("dataDiskSizeGB".into(), json!("far too much"));
    let plan = world.plan(&hidden).unwrap().plan;
    assert_eq!(plan.parameters["dataDiskSizeGB"], json!(128));
    assert_eq!(
        plan.digest,
        world.plan(&draft(TEMPLATES[0])).unwrap().plan.digest
    );
}

#[test]
fn a_node_pool_goes_into_its_clusters_group_and_costs_its_most_nodes() {
    let world = World::new();
    let plan = world.plan(&draft(TEMPLATES[2])).unwrap().plan;
    assert_eq!(plan.target.resource_group, "rg-platform-dev");
    assert!(!plan.target.owns_group);
    assert_eq!(plan.resources[0].name, "aks-dev-westeurope/batch");
    // Three nodes and the one that an upgrade adds; an ephemeral disk is free.
    assert_eq!(plan.cost.lines.len(), 2);
    assert_eq!(
        plan.cost.monthly,
        types::cost::Usd::from_dollars(0.149 * 730.0 * 3.0)
            + types::cost::Usd::from_dollars(0.149 * 730.0)
    );
    assert_eq!(
        plan.cost.monthly_least,
        Some(types::cost::Usd::from_dollars(0.149 * 730.0 * 3.0))
    );
    let family = &plan.quota[0];
    assert_eq!(
        (family.family.as_str(), family.requested, family.headroom),
        ("standardDDSv6Family", 8, 2)
    );

    let mut spread = draft(TEMPLATES[2]);
    spread.zone = String::new();
    let spread = world.plan(&spread).unwrap().plan;
    let zones = &spread.resources[0].body["properties"]["availabilityZones"];
    assert_eq!(*zones, json!(["1", "2", "3"]));
}

#[test]
fn a_pool_cannot_have_fewer_nodes_at_most_than_at_least() {
    let world = World::new();
    let mut pool = draft(TEMPLATES[2]);
    pool.parameters.insert("minCount".into(), json!("7"));
    let errors = world.plan(&pool).unwrap_err();
    assert_eq!(fields(&errors), [("parameters.maxCount", "out_of_range")]);
    pool.parameters.insert("maxCount".into(), json!("7"));
    assert!(world.plan(&pool).is_ok());
}

#[test]
fn approved_requests_hold_their_quota() {
    let mut world = World::new();
    let small = |world: &World| world.plan(&draft(TEMPLATES[0])).unwrap().plan.quota[0].clone();
    assert!(small(&world).fits);
    world.standing.reserved = vec![portal::plans::Reserved {
        subscription: DEV.to_uppercase(),
        region: "westeurope".to_owned(),
        family: "standardddsv6family".to_owned(),
        amount: 29,
    }];
    let line = small(&world);
    assert_eq!(
        (line.used, line.reserved, line.requested, line.limit),
        (70, 29, 2, 100)
    );
    assert!(!line.fits);
}

#[test]
fn an_update_says_what_changes_and_what_goes() {
    let mut world = World::new();
    let mut first = draft(TEMPLATES[0]);
    first.parameters.insert("dataDisk".into(), json!(true));
    world.apply(&first);

    let mut same = first.clone();
    same.kind = RequestKind::Update;
    same.stack = Some(world.stack_id);
    let plan = world.plan(&same).unwrap().plan;
    assert!(plan.resources.iter().all(|r| r.change == Change::Keep));
    assert!(plan.deletions.is_empty());
    assert!(
        plan.quota
            .iter()
            .all(|line| line.requested == 0 && line.fits)
    );

    let mut smaller = same.clone();
    smaller.parameters.insert("dataDisk".into(), json!(false));
    smaller
        .parameters
        .insert("vmSize".into(), json!("Standard_D4ds_v6"));
    let plan = world.plan(&smaller).unwrap().plan;
    let vm = plan
        .resources
        .iter()
        .find(|r| r.kind == "Microsoft.Compute/virtualMachines")
        .unwrap();
    assert_eq!(vm.change, Change::Update);
    assert!(
        vm.differences
            .iter()
            .any(|d| d.path == "properties.hardwareProfile.vmSize"
                && d.before == Some(json!("Standard_D2ds_v6"))
                && d.after == Some(json!("Standard_D4ds_v6")))
    );
    assert_eq!(plan.deletions.len(), 1);
    assert_eq!(plan.deletions[0].kind, "Microsoft.Compute/disks");
    assert_eq!(plan.quota[0].requested, 2);
    assert_eq!(plan.cost.monthly_before.unwrap().to_string(), "$133.76");
    insta::assert_snapshot!(plan.summary, @"Changes the resources (1 changed, 1 deleted) of the virtual machine settlement-worker in Payments dev, West Europe (+$89.06 a month).");
}

#[test]
fn what_azure_cannot_change_is_refused_before_azure_would() {
    let mut world = World::new();
    let first = draft(TEMPLATES[0]);
    world.apply(&first);
    let mut other = first.clone();
    other.kind = RequestKind::Update;
    other.name = "another".to_owned();
    other.region = "northeurope".to_owned();
    other.zone = "2".to_owned();
    other
        .parameters
        .insert("adminUsername".into(), json!("somebody"));
    other.parameters.insert("osDiskSizeGB".into(), json!(64));
    let errors = world.plan(&other).unwrap_err();
    assert!(
        errors.iter().all(|error| error.code == "create_only"),
        "{errors:?}"
    );
    let names: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(
        names,
        [
            "name",
            "region",
            "zone",
            "parameters.adminUsername",
            "parameters.osDiskSizeGB"
        ]
    );
}

#[test]
fn a_deletion_lists_everything_dependants_first() {
    let mut world = World::new();
    world.apply(&draft(TEMPLATES[0]));
    let delete = RequestDraft {
        kind: RequestKind::Delete,
        stack: Some(world.stack_id),
        ..RequestDraft::default()
    };
    let plan = world.plan(&delete).unwrap().plan;
    let kinds: Vec<&str> = plan
        .deletions
        .iter()
        .map(|gone| gone.kind.rsplit('/').next().unwrap())
        .collect();
    let at = |kind: &str| kinds.iter().position(|known| *known == kind).unwrap();
    assert_eq!(kinds.len(), 6);
    assert!(at("extensions") < at("virtualMachines"));
    assert!(at("virtualMachines") < at("networkInterfaces"));
    assert!(at("networkInterfaces") < at("networkSecurityGroups"));
    assert!(plan.resources.is_empty() && plan.cost.monthly.0 == 0);
    assert!(
        plan.report.guardrails_checked > 0,
        "policy sees deletions too"
    );
    insta::assert_snapshot!(plan.summary, @"Deletes the virtual machine settlement-worker in Payments dev, West Europe with 6 resources.");
}

#[test]
fn an_extension_changes_the_date_and_nothing_else() {
    let mut world = World::new();
    world.apply(&draft(TEMPLATES[0]));
    let extend = |expiry: &str| RequestDraft {
        kind: RequestKind::Extend,
        stack: Some(world.stack_id),
        expiry: expiry.to_owned(),
        ..RequestDraft::default()
    };
    let plan = world.plan(&extend("90d")).unwrap().plan;
    assert!(plan.resources.iter().all(|r| r.change == Change::Keep) && plan.deletions.is_empty());
    let longer = world.plan(&extend("365d")).unwrap().plan;
    assert_ne!(
        plan.digest, longer.digest,
        "another date is another thing to approve"
    );
    let errors = world.plan(&extend("7d")).unwrap_err();
    assert_eq!(fields(&errors), [("expiry", "out_of_range")]);
}

#[test]
fn another_projects_network_or_cluster_is_never_a_target() {
    let world = World::new();
    let mut foreign = draft(TEMPLATES[2]);
    foreign.parameters.insert(
        "clusterId".into(),
        json!("/subscriptions/s/resourceGroups/other/providers/Microsoft.ContainerService/managedClusters/theirs"),
    );
    foreign.parameters.insert(
        "subnetId".into(),
        json!(subnet_id(DEV, "dev", "northeurope")),
    );
    let errors = world.plan(&foreign).unwrap_err();
    assert_eq!(
        fields(&errors),
        [
            ("parameters.clusterId", "not_allowed"),
            ("parameters.subnetId", "other_region")
        ]
    );
}

#[test]
fn the_preview_boots_without_secure_boot_and_says_why() {
    let world = World::new();
    let plan = world.plan(&draft(TEMPLATES[1])).unwrap().plan;
    let vm = plan
        .resources
        .iter()
        .find(|r| r.kind == "Microsoft.Compute/virtualMachines")
        .unwrap();
    let security = &vm.body["properties"]["securityProfile"];
    assert_eq!(security["securityType"], "TrustedLaunch");
    assert_eq!(
        security["uefiSettings"],
        json!({"secureBootEnabled": false, "vTpmEnabled": true})
    );
    let entry = world.catalogue.get(&TEMPLATES[1].parse().unwrap()).unwrap();
    assert!(!entry.manifest.tiers.contains(&types::project::Tier::Prod));
    assert!(
        entry
            .manifest
            .support_note
            .as_ref()
            .unwrap()
            .contains("vulnerabilities")
    );
}
