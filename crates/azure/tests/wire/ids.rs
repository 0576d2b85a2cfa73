//! Hostile and odd names at the border.

use azure::{DeploymentId, ErrorKind, GroupId, ResourceId};

use crate::stand_in::{SUBSCRIPTION, group, subscription};

#[test]
fn a_name_cannot_leave_its_place_in_the_address() {
    for name in [
        "..",
        ".",
        "a/../b",
        "a/b",
        "a\\b",
        "a%2e%2e",
        "a?b",
        "a#b",
        "",
        "a\nb",
        "a\u{202e}b ",
        "x.",
    ] {
        assert!(
            GroupId::new(subscription(), name).is_err(),
            "group {name:?}"
        );
        assert!(
            DeploymentId::new(group(), name).is_err() || name == "x.",
            "deployment {name:?}"
        );
    }
    let base = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"
    );
    for name in [
        "..",
        "a/../../b",
        "%2e%2e",
        "a?api-version=1",
        "a#b",
        "",
        "a\0b",
        "a:b",
        &"x".repeat(10_000),
    ] {
        let error = ResourceId::parse(&format!("{base}/{name}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{name:?}");
        assert!(error.message().len() < 1000 && !error.message().contains('\0'));
    }
}

#[test]
fn an_id_is_read_in_any_case_and_kept_as_it_was_written() {
    let text = format!(
        "/SUBSCRIPTIONS/{SUBSCRIPTION}/resourcegroups/RG-Web/providers/Microsoft.Network/virtualNetworks/net/subnets/Apps"
    );
    let subnet = ResourceId::parse(&text).unwrap();
    assert_eq!(subnet.as_str(), text);
    assert_eq!(subnet.kind(), "Microsoft.Network/virtualNetworks/subnets");
    assert_eq!((subnet.name(), subnet.last_name()), ("net/Apps", "Apps"));
    assert_eq!(subnet.group().unwrap().name(), "RG-Web");
    assert_eq!(subnet, ResourceId::parse(&text.to_lowercase()).unwrap());
    let network = subnet.parent().unwrap();
    assert_eq!(network.kind(), "Microsoft.Network/virtualNetworks");
    assert_eq!(network.parent(), None);
    let lock = ResourceId::parse(&format!(
        "{network}/providers/Microsoft.Authorization/locks/keep"
    ))
    .unwrap();
    assert_eq!(
        (lock.kind(), lock.name()),
        ("Microsoft.Authorization/locks", "keep")
    );
    let stored = serde_json::to_string(&lock).unwrap();
    assert_eq!(serde_json::from_str::<ResourceId>(&stored).unwrap(), lock);
    assert!(serde_json::from_str::<ResourceId>("\"/etc/passwd\"").is_err());
}
