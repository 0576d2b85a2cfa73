//! The decision table of ownership: whose a resource is, what of a scope is not the stack's, and which reservations clash.

use proptest::prelude::*;
use store::Reservation;
use types::ids::{InstallationId, StackId};
use uuid::Uuid;

use super::reservations::clashes;
use super::{
    INSTALLATION_TAG, Look, Marks, Mine, NotOurs, Owner, POOL, STACK_TAG, Seen, Subject, Whose,
    doubtful, fault, going_with_the_group, in_group, in_place, mark_of, replace, whose,
};

const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
const ROLE: &str = "Microsoft.Authorization/roleAssignments";
const NIC: &str = "Microsoft.Network/networkInterfaces";
const MACHINE: &str = "Microsoft.Compute/virtualMachines";
const EXTENSION: &str = "Microsoft.Compute/virtualMachines/extensions";
const DISK: &str = "Microsoft.Compute/disks";

const GROUP: &str = "/subscriptions/5117/resourceGroups/rg-own";
const CLUSTER: &str = "/subscriptions/5117/resourceGroups/rg-shared/providers/Microsoft.ContainerService/managedClusters/aks";

fn stack(n: u128) -> StackId {
    StackId(Uuid::from_u128(n))
}

fn installation(n: u128) -> InstallationId {
    InstallationId(Uuid::from_u128(n))
}

fn mine() -> Mine {
    Mine {
        stack: stack(1),
        installation: installation(10),
    }
}

/// Marks of tags with these values; the names in a case of their own.
fn marks(stack: Option<&str>, installation: Option<&str>) -> Marks {
    let tags: Vec<(String, String)> = [
        (STACK_TAG.to_uppercase(), stack),
        (INSTALLATION_TAG.to_owned(), installation),
        ("owner".to_owned(), Some("ledger")),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?.to_owned())))
    .collect();
    Marks::of(tags.iter().map(|(name, value)| (name, value)))
}

fn ours() -> Marks {
    marks(
        Some(&stack(1).to_string()),
        Some(&installation(10).to_string()),
    )
}

fn seen(id: &str, kind: &str, marks: Marks) -> Seen {
    Seen {
        id: id.to_owned(),
        kind: kind.to_owned(),
        marks,
        managed_by: None,
        etag: None,
    }
}

fn subject(id: &str, kind: &str) -> Subject {
    Subject {
        id: id.to_owned(),
        kind: kind.to_owned(),
    }
}

fn held(stack: StackId, id: &str, sent: bool) -> Reservation {
    Reservation {
        stack,
        id: id.to_owned(),
        kind: POOL.to_owned(),
        sent,
    }
}

#[test]
fn whose_a_resource_is() {
    let (me, you) = (stack(1).to_string(), stack(2).to_string());
    let (here, there) = (installation(10).to_string(), installation(20).to_string());
    let yours = Whose::Foreign(Owner::Stack(stack(2)));
    let theirs = Whose::Foreign(Owner::Installation);
    let nobodys = Whose::Foreign(Owner::Nobody);
    // Tag of the stack, tag of the installation; the verdict for a type with tags, for one without, and for one without whose write was recorded.
    for (stack, installation, tagged, untagged, sent) in [
        (None, None, nobodys, nobodys, Whose::Ours),
        (
            Some(&me),
            Some(&here),
            Whose::Ours,
            Whose::Ours,
            Whose::Ours,
        ),
        (Some(&me), None, Whose::Ours, Whose::Ours, Whose::Ours),
        (Some(&me), Some(&there), theirs, theirs, theirs),
        (Some(&you), Some(&here), yours, yours, yours),
        (Some(&you), None, yours, yours, yours),
        (Some(&you), Some(&there), theirs, theirs, theirs),
        (None, Some(&here), nobodys, nobodys, Whose::Ours),
        (None, Some(&there), theirs, theirs, theirs),
    ] {
        let marks = marks(stack.map(String::as_str), installation.map(String::as_str));
        let verdicts = [(POOL, false), (SUBNET, false), (SUBNET, true)]
            .map(|(kind, sent)| whose(&mine(), kind, Some(&marks), sent));
        assert_eq!(verdicts, [tagged, untagged, sent], "{marks:?}");
        assert_eq!(
            whose(&mine(), POOL, Some(&marks), true),
            tagged,
            "a reservation does not replace the tags of a type that has them: {marks:?}"
        );
        assert_eq!(whose(&mine(), POOL, None, true), Whose::Absent);
    }
    let odd = marks(Some("not an id"), Some(&installation(10).to_string()));
    assert_eq!(whose(&mine(), POOL, Some(&odd), true), nobodys);
}

proptest! {
    /// Whatever the tags say: only what names this very stack, and no other installation, is the stack's; for types without tags also what names nobody.
    #[test]
    fn only_what_says_so_is_ours(
        who in prop::option::of(0_u128..4),
        place in prop::option::of(9_u128..12),
        kind in prop::sample::select(vec![POOL, NIC, SUBNET, ROLE, "Contoso.New/things"]),
        sent in any::<bool>(),
    ) {
        let (who_text, place_text) = (who.map(|n| stack(n).to_string()), place.map(|n| installation(n).to_string()));
        let marks = marks(who_text.as_deref(), place_text.as_deref());
        let verdict = whose(&mine(), kind, Some(&marks), sent);
        let named = who == Some(1) && place.is_none_or(|n| n == 10);
        let unnamed = who.is_none() && place.is_none_or(|n| n == 10);
        let by_id = unnamed && sent && mark_of(kind) == super::Mark::ReservedId;
        prop_assert_eq!(verdict == Whose::Ours, named || by_id);
        prop_assert_ne!(verdict, Whose::Absent);
    }
}

#[test]
fn as_few_lists_as_possible_are_read() {
    let pool = format!("{CLUSTER}/agentPools/batch");
    let nic = format!("{GROUP}/providers/Microsoft.Network/networkInterfaces/nic");
    let vm = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm");
    let subnet = "/subscriptions/5117/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/v/subnets/s";
    let role = format!("{nic}/providers/Microsoft.Authorization/roleAssignments/1");
    let far = format!("{CLUSTER}/providers/Microsoft.Authorization/roleAssignments/2");
    let look = Look::at(&[
        subject(&pool, POOL),
        subject(&pool.to_uppercase().replace("BATCH", "other"), POOL),
        subject(&nic, NIC),
        subject(&vm, MACHINE),
        subject(&format!("{vm}/extensions/e"), EXTENSION),
        subject(subnet, SUBNET),
        subject(&role, ROLE),
        subject(&far, ROLE),
    ]);
    assert_eq!(
        look.groups.into_iter().collect::<Vec<_>>(),
        [GROUP.to_lowercase()]
    );
    assert_eq!(
        look.clusters.into_iter().collect::<Vec<_>>(),
        [CLUSTER.to_lowercase()]
    );
    // The role of the own interface goes with it; the others are in no list.
    assert_eq!(
        look.singles.into_iter().collect::<Vec<_>>(),
        [subnet.to_lowercase(), far.to_lowercase()]
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
}

#[test]
fn what_is_in_place_is_compared_in_any_case_of_letters() {
    let pool = format!("{CLUSTER}/agentPools/batch");
    let subjects = [subject(&pool.to_uppercase(), POOL)];
    let there = |marks| in_place(&mine(), &subjects, &[seen(&pool, POOL, marks)], &[]);
    assert_eq!(there(ours()), (vec![], vec![]));
    let (foreign, _) = there(marks(Some(&stack(2).to_string()), None));
    assert_eq!(foreign[0].owner, Owner::Stack(stack(2)));
    let (foreign, _) = there(Marks::default());
    assert_eq!(foreign[0].owner, Owner::Nobody);
    let (foreign, absent) = in_place(&mine(), &subjects, &[], &[]);
    assert_eq!((foreign.len(), absent.len()), (0, 1));
    // Another stack has written it, and the list does not show it yet.
    let (foreign, _) = in_place(&mine(), &subjects, &[], &[held(stack(2), &pool, true)]);
    assert_eq!(foreign.len(), 1);
    // Reserved is not made.
    let (foreign, _) = in_place(&mine(), &subjects, &[], &[held(stack(2), &pool, false)]);
    assert_eq!(foreign, []);
}

#[test]
fn a_child_of_an_own_parent_is_ours_unless_it_says_otherwise() {
    let vm = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm");
    let extension = format!("{vm}/extensions/monitor");
    let subjects = [subject(&vm, MACHINE), subject(&extension, EXTENSION)];
    let with = |marks| {
        let all = [
            seen(&vm, MACHINE, ours()),
            seen(&extension, EXTENSION, marks),
        ];
        in_place(&mine(), &subjects, &all, &[]).0
    };
    assert_eq!(with(Marks::default()), []);
    assert_eq!(with(marks(Some(&stack(2).to_string()), None)).len(), 1);
}

#[test]
fn a_cluster_is_not_deleted_with_another_stacks_pool_in_it() {
    let pool = held(stack(2), &format!("{CLUSTER}/agentPools/theirs"), true);
    let kind = "Microsoft.ContainerService/managedClusters";
    let subjects = [subject(CLUSTER, kind)];
    let (foreign, _) = in_place(&mine(), &subjects, &[seen(CLUSTER, kind, ours())], &[pool]);
    assert_eq!(foreign.len(), 1);
    assert!(foreign[0].id.ends_with("/theirs"));
}

#[test]
fn everything_in_an_own_group_is_accounted_for_before_it_goes() {
    let id = |rest: &str| format!("{GROUP}/providers/{rest}");
    let vm = id("Microsoft.Compute/virtualMachines/vm");
    let os_disk = id("Microsoft.Compute/disks/osdisk");
    let implied = [subject(&os_disk.to_uppercase(), DISK)];
    let attached = Seen {
        managed_by: Some(vm.to_uppercase()),
        ..seen(
            &id("Microsoft.Compute/disks/snapshot-copy"),
            DISK,
            Marks::default(),
        )
    };
    let fine = [
        seen(&vm, MACHINE, ours()),
        seen(
            &format!("{vm}/extensions/monitor"),
            EXTENSION,
            Marks::default(),
        ),
        seen(&os_disk, DISK, Marks::default()),
        attached,
    ];
    assert_eq!(in_group(&mine(), GROUP, &fine, &implied, &[]), []);

    let by_hand = seen(
        &id("Microsoft.Compute/disks/by-hand"),
        DISK,
        Marks::default(),
    );
    let theirs = seen(
        &id("Microsoft.Network/networkInterfaces/theirs"),
        NIC,
        marks(Some(&stack(2).to_string()), None),
    );
    // Its tags were taken off, or somebody replaced it: nobody can tell, so it stays.
    let bare = seen(&vm, MACHINE, Marks::default());
    let unknown = seen(
        &id("Contoso.New/things/one"),
        "Contoso.New/things",
        Marks::default(),
    );
    for stranger in [by_hand, theirs, bare, unknown.clone()] {
        let found = in_group(
            &mine(),
            GROUP,
            std::slice::from_ref(&stranger),
            &implied,
            &[],
        );
        assert_eq!(found.len(), 1, "{stranger:?}");
    }
    // A type without tags is the stack's once its write was recorded.
    let recorded = [held(stack(1), &unknown.id, true)];
    assert_eq!(in_group(&mine(), GROUP, &[unknown], &[], &recorded), []);
    let nested = [held(stack(2), &id("Contoso.New/things/two"), true)];
    assert_eq!(in_group(&mine(), GROUP, &[], &[], &nested).len(), 1);
}

#[test]
fn only_what_decides_is_read_a_second_time() {
    let id = |rest: &str| format!("{GROUP}/providers/{rest}");
    let vm = id("Microsoft.Compute/virtualMachines/vm");
    let extension = format!("{vm}/extensions/monitor");
    let disk = id("Microsoft.Compute/disks/data");
    let pool = format!("{CLUSTER}/agentPools/batch");
    let rows = [
        seen(&vm, MACHINE, ours()),
        seen(&extension, EXTENSION, ours()),
        seen(&disk, DISK, Marks::default()),
        Seen {
            etag: Some("5e5ffdce".to_owned()),
            ..seen(&pool, POOL, ours())
        },
    ];
    let foreign = [
        NotOurs::new(&disk, DISK, Owner::Nobody),
        // Known from a reservation, and not from the list.
        NotOurs::new(
            id("Contoso.New/things/one"),
            "Contoso.New/things",
            Owner::Stack(stack(2)),
        ),
    ];
    let absent = [
        id("Microsoft.Compute/virtualMachines/next"),
        id("Microsoft.Compute/virtualMachines/next/extensions/monitor"),
    ];
    let read = |foreign: &[NotOurs], absent: &[String], going: &[String], fresh: bool| {
        let read = doubtful(&rows, foreign, absent, going, fresh);
        read.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        read(&[], &[], &[], false),
        [""; 0],
        "what is ours costs no read"
    );
    assert_eq!(read(&foreign, &[], &[], true), [disk.to_lowercase()]);
    assert_eq!(read(&[], &absent, &[], false), [absent[0].to_lowercase()]);
    assert_eq!(read(&[], &absent, &[], true), [""; 0]);
    let going = [vm.clone(), pool.clone(), absent[0].clone()];
    let mut both = [vm.to_lowercase(), absent[0].to_lowercase()];
    both.sort();
    assert_eq!(read(&[], &[], &going, true), both, "an ETag says the same");
    assert_eq!(going_with_the_group(&mine(), &rows), [vm, pool]);
}

#[test]
fn what_was_read_by_itself_takes_the_place_of_what_a_list_said() {
    let disk = format!("{GROUP}/providers/Microsoft.Compute/disks/Data");
    let mut rows = vec![Seen {
        managed_by: Some("vm".to_owned()),
        ..seen(&disk, DISK, Marks::default())
    }];
    let now = seen(&disk.to_lowercase(), DISK, ours());
    replace(&mut rows, &disk.to_lowercase(), Some(now));
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].id, &rows[0].marks), (&disk, &ours()));
    assert_eq!(rows[0].managed_by.as_deref(), Some("vm"));
    replace(&mut rows, &disk.to_uppercase(), None);
    assert_eq!(rows, []);
}

#[test]
fn reservations_clash_on_the_same_id_and_inside_each_other() {
    let pool = format!("{CLUSTER}/agentPools/batch");
    let wants = |id: &str| vec![subject(id, POOL)];
    let theirs = |id: &str, sent| vec![held(stack(2), id, sent)];
    let clash = |wanted: &str, held: &[Reservation], shared: &[String]| {
        clashes(stack(1), &wants(wanted), held, shared).len()
    };
    for sent in [false, true] {
        assert_eq!(clash(&pool.to_uppercase(), &theirs(&pool, sent), &[]), 1);
    }
    assert_eq!(clash(&pool, &theirs(&format!("{pool}x"), true), &[]), 0);
    assert_eq!(clash(&pool, &[held(stack(1), &pool, true)], &[]), 0);
    // A parent of theirs, and a child of theirs.
    assert_eq!(clash(&pool, &theirs(CLUSTER, true), &[]), 1);
    assert_eq!(clash(CLUSTER, &theirs(&pool, true), &[]), 1);
    // The project may use the cluster, whoever made it; the same pool stays taken.
    let shared = [CLUSTER.to_uppercase()];
    assert_eq!(clash(&pool, &theirs(CLUSTER, true), &shared), 0);
    let group = CLUSTER.split("/providers/").next().unwrap();
    assert_eq!(clash(&pool, &theirs(group, true), &shared), 0);
    assert_eq!(clash(&pool, &theirs(&pool, true), &shared), 1);
}

#[test]
fn the_fault_names_what_is_in_the_way_and_what_to_do() {
    let id = |n: usize| format!("{CLUSTER}/agentPools/p{n}");
    let one = fault(&[NotOurs::new(id(1), POOL, Owner::Installation)]);
    assert_eq!(one.code, "not_ours");
    assert_eq!(
        one.message,
        "The node pool p1 belongs to another Slipway installation. Nothing was touched."
    );
    assert_eq!(one.target, Some(id(1)));
    assert!(one.explanation.is_some());
    let many: Vec<NotOurs> = (0..7)
        .map(|n| NotOurs::new(id(n), POOL, Owner::Nobody))
        .collect();
    assert!(fault(&many).message.contains("2 more"));
}
