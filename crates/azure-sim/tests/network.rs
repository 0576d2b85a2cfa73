//! What Azure refuses of names, networks, security rules and references, and what it takes.

mod common;

use common::NETWORK;
use common::group::{Group, nsg, rule};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn vnet(space: &[&str], subnets: &[(&str, &str)]) -> Value {
    let subnets: Vec<Value> = subnets
        .iter()
        .map(|(name, prefix)| json!({ "name": name, "properties": { "addressPrefix": prefix } }))
        .collect();
    json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": space }, "subnets": subnets } })
}

fn nic(configurations: &[Value]) -> Value {
    json!({ "location": "westeurope", "properties": { "ipConfigurations": configurations } })
}

fn configuration(name: &str, subnet: &str) -> Value {
    json!({ "name": name, "properties": { "subnet": { "id": subnet } } })
}

#[tokio::test]
async fn names_follow_the_rules_of_their_type_wherever_they_stand() {
    let group = Group::new("rg-names").await;
    let place = json!({ "location": "westeurope" });
    for name in ["a*b", "v.", "%20", "a%20b", "-v", "x%E2%80%AE"] {
        group
            .refused(
                &format!("publicIPAddresses/{name}"),
                &place,
                "InvalidResourceName",
            )
            .await;
    }
    let long = "n".repeat(81);
    group
        .refused(
            &format!("networkSecurityGroups/{long}"),
            &nsg(&[]),
            "InvalidResourceName",
        )
        .await;
    let long = "n".repeat(65);
    group
        .refused(
            &format!("virtualNetworks/{long}"),
            &vnet(&["10.0.0.0/16"], &[]),
            "NetcfgInvalidVirtualNetworkSite",
        )
        .await;
    for name in ["pip", "_x_", "a.b-c_", &"n".repeat(80)] {
        group
            .make(&format!("publicIPAddresses/{name}"), &place)
            .await;
    }

    // What stands inside its parent is a resource as well.
    for name in ["../x", "a/b", "", "v."] {
        group
            .refused(
                "networkSecurityGroups/nsg",
                &nsg(&[rule(name, "*", "22")]),
                "InvalidResourceName",
            )
            .await;
        group
            .refused(
                "virtualNetworks/vnet",
                &vnet(&["10.0.0.0/16"], &[(name, "10.0.0.0/24")]),
                "InvalidResourceName",
            )
            .await;
    }
    let twice = vnet(
        &["10.0.0.0/16"],
        &[("a", "10.0.0.0/24"), ("A", "10.0.1.0/24")],
    );
    let seen = group
        .refused("virtualNetworks/vnet", &twice, "InvalidRequestFormat")
        .await;
    assert_eq!(
        seen.body["error"]["details"][0]["code"],
        "DuplicateResourceName"
    );

    let identities = format!(
        "{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
        group.path
    );
    for (name, status) in [("ab", 400), ("a.b", 400), ("_ab", 400), ("id-one_2", 201)] {
        let path = format!("{identities}/{name}?api-version=2024-11-30");
        assert_eq!(group.sim.put(&path, &place).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn subnets_fit_into_their_network_and_keep_what_is_in_use() {
    let group = Group::new("rg-subnets").await;
    let network = "virtualNetworks/vnet";
    for (prefix, code) in [
        ("10.0.0.0/30", "NetcfgInvalidSubnet"),
        ("10.0.0.0/31", "NetcfgInvalidSubnet"),
        ("10.1.0.0/24", "NetcfgSubnetRangeOutsideVnet"),
        ("10.0.0.5/24", "InvalidCIDRNotation"),
        ("10.0.0.0", "InvalidAddressPrefixFormat"),
        ("fd00:1::/64", "NetcfgSubnetRangeOutsideVnet"),
    ] {
        let body = vnet(&["10.0.0.0/16"], &[("a", prefix)]);
        group.refused(network, &body, code).await;
    }
    let both = vnet(
        &["10.0.0.0/16", "fd00::/48"],
        &[("a", "10.0.0.0/29"), ("b", "10.0.1.0/24")],
    );
    group.make(network, &both).await;
    // The second prefix counts as the first does.
    let pair = |prefixes: &[&str]| json!({ "properties": { "addressPrefixes": prefixes } });
    let c = "virtualNetworks/vnet/subnets/c";
    group
        .refused(
            c,
            &pair(&["10.0.2.0/24", "10.0.1.128/25"]),
            "NetcfgSubnetRangesOverlap",
        )
        .await;
    group
        .refused(
            c,
            &pair(&["10.0.2.0/24", "fd00::/63"]),
            "NetcfgInvalidSubnet",
        )
        .await;
    group.make(c, &pair(&["10.0.2.0/24", "fd00::/64"])).await;
    group
        .refused(
            "virtualNetworks/vnet/subnets/d",
            &pair(&["10.0.3.0/24", "fd00::/64"]),
            "NetcfgSubnetRangesOverlap",
        )
        .await;

    // Both families in one interface.
    let subnet = group.id(c);
    let mut six = configuration("six", &subnet);
    six["properties"]["privateIPAddressVersion"] = "IPv6".into();
    let made = group
        .make(
            "networkInterfaces/nic",
            &nic(&[configuration("four", &subnet), six]),
        )
        .await;
    let address = |at: usize| {
        made["properties"]["ipConfigurations"][at]["properties"]["privateIPAddress"].clone()
    };
    assert_eq!(
        (address(0), address(1)),
        ("10.0.2.4".into(), "fd00::4".into())
    );

    group
        .refused(
            c,
            &pair(&["10.0.4.0/24", "fd00::/64"]),
            "InUsePrefixCannotBeDeleted",
        )
        .await;
    // What nobody is in moves.
    group
        .make(
            "virtualNetworks/vnet/subnets/b",
            &json!({ "properties": { "addressPrefix": "10.0.8.0/24" } }),
        )
        .await;
    // The network cannot leave its subnets behind, whether it names them or not.
    let mut away = vnet(&["10.9.0.0/16"], &[]);
    away["properties"]
        .as_object_mut()
        .unwrap()
        .remove("subnets");
    group
        .refused(network, &away, "NetcfgSubnetRangeOutsideVnet")
        .await;
    // Read and written back, nothing is refused.
    let seen = group.get(network).await;
    assert_eq!(seen["properties"]["subnets"].as_array().unwrap().len(), 3);
    group.make(network, &seen).await;
    // In the place of what goes, something else may come.
    let other = "virtualNetworks/other";
    group
        .make(other, &vnet(&["10.0.0.0/16"], &[("a", "10.0.0.0/24")]))
        .await;
    group
        .make(
            other,
            &vnet(
                &["10.0.0.0/16"],
                &[("y", "10.0.1.0/24"), ("z", "10.0.0.0/24")],
            ),
        )
        .await;
    let changed = vnet(
        &["10.0.0.0/16"],
        &[("y", "10.0.0.0/24"), ("z", "10.0.1.0/24")],
    );
    let seen = group.make(other, &changed).await;
    assert_eq!(
        seen["properties"]["subnets"][0]["properties"]["addressPrefix"],
        "10.0.0.0/24"
    );
}

#[tokio::test]
async fn security_rules_name_ports_and_addresses_that_there_are() {
    let group = Group::new("rg-rules").await;
    let name = "networkSecurityGroups/nsg";
    for port in ["99999", "30-20", "80,443", "ssh", "-1", "1-", ""] {
        let body = nsg(&[rule("r", "*", port)]);
        let seen = group.put(name, &body).await;
        assert_eq!(seen.code(), "SecurityRuleInvalidPortRange", "{port}");
    }
    for source in [
        "Bogus",
        "300.1.1.1",
        "10.0.0.0/33",
        "any",
        "10.0.0",
        "Azure Cloud",
    ] {
        let body = nsg(&[rule("r", source, "22")]);
        let seen = group.put(name, &body).await;
        assert_eq!(seen.code(), "SecurityRuleInvalidAddressPrefix", "{source}");
    }
    for (source, port) in [
        ("*", "*"),
        ("VirtualNetwork", "22"),
        ("Internet", "0-65535"),
        ("AzureLoadBalancer", "443"),
        ("Storage.WestEurope", "443"),
        ("AzureFrontDoor.Backend", "443"),
        ("10.0.0.4", "443"),
        ("10.0.0.0/8", "443"),
        ("2001:db8::/32", "443"),
    ] {
        group.make(name, &nsg(&[rule("r", source, port)])).await;
    }
    let alone = rule("r", "Nowhere", "22");
    group
        .refused(
            "networkSecurityGroups/nsg/securityRules/r",
            &json!({ "properties": alone["properties"] }),
            "SecurityRuleInvalidAddressPrefix",
        )
        .await;
}

#[tokio::test]
async fn references_lead_to_one_owner_of_the_right_type() {
    let group = Group::new("rg-references").await;
    group
        .make(
            "virtualNetworks/vnet",
            &vnet(&["10.0.0.0/16"], &[("a", "10.0.0.0/24")]),
        )
        .await;
    let network = group.id("virtualNetworks/vnet");
    let subnet = format!("{network}/subnets/a");
    let mut wrong = nic(&[configuration("main", &subnet)]);
    wrong["properties"]["networkSecurityGroup"] = json!({ "id": network });
    let seen = group
        .refused("networkInterfaces/one", &wrong, "InvalidRequestFormat")
        .await;
    assert_eq!(
        seen.body["error"]["details"][0]["code"],
        "InvalidJsonReferenceWrongType"
    );
    group
        .refused(
            "networkInterfaces/one",
            &nic(&[configuration("main", "somewhere")]),
            "LinkedInvalidPropertyId",
        )
        .await;

    let place = json!({ "location": "westeurope" });
    group.make("publicIPAddresses/pip", &place).await;
    let address = group.id("publicIPAddresses/pip");
    let mut public = configuration("front", &subnet);
    public["properties"]["publicIPAddress"] = json!({ "id": address });
    group
        .make("networkInterfaces/one", &nic(&[public.clone()]))
        .await;
    let shown = group.get("publicIPAddresses/pip").await;
    let holder = format!(
        "{}/ipConfigurations/front",
        group.id("networkInterfaces/one")
    );
    assert_eq!(
        shown["properties"]["ipConfiguration"]["id"],
        holder.as_str()
    );
    let seen = group
        .refused(
            "networkInterfaces/two",
            &nic(&[public.clone()]),
            "PublicIPAddressInUse",
        )
        .await;
    assert!(
        seen.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains(&holder)
    );
    group
        .refused(
            "natGateways/nat",
            &json!({ "location": "westeurope", "properties": { "publicIpAddresses": [{ "id": address }] } }),
            "PublicIPAddressInUse",
        )
        .await;
    // Its owner may keep it.
    group.make("networkInterfaces/one", &nic(&[public])).await;
}

#[tokio::test]
async fn a_patch_of_a_network_resource_brings_tags_and_nothing_else() {
    let group = Group::new("rg-patch").await;
    group
        .make(
            "virtualNetworks/vnet",
            &vnet(&["10.0.0.0/16"], &[("a", "10.0.0.0/24")]),
        )
        .await;
    let subnet = group.id("virtualNetworks/vnet/subnets/a");
    group
        .make(
            "networkInterfaces/nic",
            &nic(&[configuration("main", &subnet)]),
        )
        .await;
    let patch = async |name: &str, body: Value| {
        let path = format!("{}?api-version={NETWORK}", group.id(name));
        group
            .sim
            .send(Method::PATCH, &path, Some(&body))
            .await
            .unwrap()
    };
    let seen = patch(
        "networkInterfaces/nic",
        json!({ "properties": { "ipConfigurations": [] } }),
    )
    .await;
    assert_eq!(
        (seen.status, seen.code()),
        (StatusCode::BAD_REQUEST, "OnlyTagsSupportedForPatch")
    );
    let seen = patch("networkInterfaces/nic", json!({ "tags": { "a": "b" } })).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert_eq!(seen.body["tags"], json!({ "a": "b" }));
    assert_eq!(
        seen.body["properties"]["ipConfigurations"][0]["name"],
        "main"
    );
    let seen = patch(
        "virtualNetworks/vnet/subnets/a",
        json!({ "properties": {} }),
    )
    .await;
    assert_eq!(seen.status, StatusCode::METHOD_NOT_ALLOWED, "{}", seen.body);
}
