//! What Azure refuses of names, networks, security rules, role assignments and policies, and what it takes.

mod common;

use azure_sim::seed;
use common::{Answer, NETWORK, Sim, fast};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A group, and the ways to ask for what is in it.
struct Group {
    sim: Sim,
    path: String,
}

impl Group {
    async fn new(name: &str) -> Group {
        let sim = Sim::start(fast()).await;
        let path = sim.group(name).await;
        Group { sim, path }
    }

    fn id(&self, name: &str) -> String {
        format!("{}/providers/Microsoft.Network/{name}", self.path)
    }

    async fn put(&self, name: &str, body: &Value) -> Answer {
        let path = format!("{}?api-version={NETWORK}", self.id(name));
        self.sim.put(&path, body).await
    }

    /// Makes something, to the end.
    async fn make(&self, name: &str, body: &Value) -> Value {
        let made = self.put(name, body).await;
        assert!(made.status.is_success(), "{name}: {}", made.body);
        self.sim
            .settled(&format!("{}?api-version={NETWORK}", self.id(name)))
            .await
    }

    async fn refused(&self, name: &str, body: &Value, code: &str) -> Answer {
        let seen = self.put(name, body).await;
        assert_eq!(
            (seen.status, seen.code()),
            (StatusCode::BAD_REQUEST, code),
            "{name} {body}: {}",
            seen.body
        );
        seen
    }

    async fn get(&self, name: &str) -> Value {
        let path = format!("{}?api-version={NETWORK}", self.id(name));
        self.sim.get(&path).await.body
    }
}

fn vnet(space: &[&str], subnets: &[(&str, &str)]) -> Value {
    let subnets: Vec<Value> = subnets
        .iter()
        .map(|(name, prefix)| json!({ "name": name, "properties": { "addressPrefix": prefix } }))
        .collect();
    json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": space }, "subnets": subnets } })
}

fn rule(name: &str, source: &str, port: &str) -> Value {
    json!({ "name": name, "properties": {
        "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
        "sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": port,
    } })
}

fn nsg(rules: &[Value]) -> Value {
    json!({ "location": "westeurope", "properties": { "securityRules": rules } })
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
        .make(other, &vnet(&["10.0.0.0/16"], &[("z", "10.0.0.0/24")]))
        .await;
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

#[tokio::test]
async fn roles_are_assigned_once_to_somebody_and_for_good() {
    let group = Group::new("rg-roles").await;
    let path = |name: u128| {
        format!(
            "{}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-{name:012}?api-version=2022-04-01",
            group.path
        )
    };
    let body = |role: &str, principal: &str| {
        json!({ "properties": {
            "roleDefinitionId": format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{role}", seed::SUBSCRIPTION_DEV),
            "principalId": principal,
        } })
    };
    let (reader, pull) = (
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    );
    let somebody = "aaaaaaaa-1111-2222-3333-444444444444";
    let other = "bbbbbbbb-1111-2222-3333-444444444444";
    let mut bare = body("", somebody);
    bare["properties"]["roleDefinitionId"] = reader.into();
    for (body, status, code) in [
        (bare, 400, "BadRequestFormat"),
        (body("junk", somebody), 400, "InvalidRoleDefinitionId"),
        (
            body("00000000-0000-0000-0000-000000000001", somebody),
            404,
            "RoleDefinitionDoesNotExist",
        ),
        (body(reader, "somebody"), 400, "InvalidPrincipalId"),
    ] {
        let seen = group.sim.put(&path(1), &body).await;
        assert_eq!(
            (seen.status.as_u16(), seen.code()),
            (status, code),
            "{}",
            seen.body
        );
    }
    for (name, role) in [(1, reader), (2, pull)] {
        let made = group.sim.put(&path(name), &body(role, somebody)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    let again = body(&reader.to_uppercase(), &somebody.to_uppercase());
    let seen = group.sim.put(&path(3), &again).await;
    assert_eq!(
        (seen.status, seen.code()),
        (StatusCode::CONFLICT, "RoleAssignmentExists")
    );
    assert_eq!(group.sim.put(&path(1), &again).await.status, StatusCode::OK);
    let seen = group.sim.put(&path(1), &body(reader, other)).await;
    assert_eq!(
        (seen.status, seen.code()),
        (StatusCode::BAD_REQUEST, "RoleAssignmentUpdateNotPermitted")
    );
    let made = group.sim.put(&path(4), &body(reader, other)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);

    let count = async |scope: &str, filter: &str| {
        let path = format!(
            "{scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter={filter}"
        );
        let seen = group.sim.get(&path).await.body;
        seen["value"].as_array().unwrap().len()
    };
    let above = format!("/subscriptions/{}", seed::SUBSCRIPTION_DEV);
    assert_eq!(count(&group.path, "atScope()").await, 3);
    assert_eq!(count(&above, "atScope()").await, 0);
    assert_eq!(
        count(&above, &format!("principalId eq '{somebody}'")).await,
        2
    );
    assert_eq!(
        count(&group.path, &format!("atScope() and assignedTo('{other}')")).await,
        1
    );
    let roles = format!(
        "{above}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter=roleName eq 'AcrPull'"
    );
    assert_eq!(group.sim.get(&roles).await.body["value"][0]["name"], pull);
}

const POLICY: &str = "2025-03-01";

impl Group {
    fn definition(name: &str) -> String {
        format!(
            "/subscriptions/{}/providers/Microsoft.Authorization/policyDefinitions/{name}",
            seed::SUBSCRIPTION_DEV
        )
    }

    async fn define(
        &self,
        name: &str,
        parameters: &Value,
        condition: &Value,
        effect: &str,
    ) -> Answer {
        let body = json!({ "properties": {
            "mode": "All", "parameters": parameters, "policyRule": { "if": condition, "then": { "effect": effect } },
        } });
        let path = format!("{}?api-version={POLICY}", Group::definition(name));
        self.sim.put(&path, &body).await
    }

    async fn assign(&self, name: &str, parameters: &Value) -> Answer {
        let body = json!({ "properties": { "policyDefinitionId": Group::definition(name), "parameters": parameters } });
        let path = self.assignment(name);
        self.sim.put(&path, &body).await
    }

    fn assignment(&self, name: &str) -> String {
        format!(
            "{}/providers/Microsoft.Authorization/policyAssignments/{name}?api-version={POLICY}",
            self.path
        )
    }
}

#[tokio::test]
async fn a_policy_that_makes_no_sense_is_refused_and_an_assigned_one_stays() {
    let group = Group::new("rg-nonsense").await;
    let none = json!({});
    let sound = json!({ "field": "name", "equals": "x" });
    for (parameters, condition, effect, code) in [
        (&none, sound.clone(), "bogus", "InvalidPolicyRule"),
        (
            &none,
            json!({ "field": "name", "equals": "[parameters('nope')]" }),
            "deny",
            "InvalidPolicyParameters",
        ),
        (
            &none,
            sound.clone(),
            "[parameters('nope')]",
            "InvalidPolicyParameters",
        ),
        (
            &none,
            json!({ "field": "name", "equals": "x", "notEquals": "y" }),
            "deny",
            "InvalidPolicyRule",
        ),
        (
            &none,
            json!({ "field": "name", "like": "a*b*" }),
            "deny",
            "InvalidPolicyRule",
        ),
        (
            &none,
            json!({ "field": "name", "in": "x" }),
            "deny",
            "InvalidPolicyRule",
        ),
        (
            &none,
            json!({ "field": "name", "equals": "[concat('a'" }),
            "deny",
            "created",
        ),
        (
            &none,
            json!({ "field": "name", "equals": "[concat('a']" }),
            "deny",
            "InvalidPolicyRule",
        ),
        (
            &none,
            json!({ "allOf": [sound], "field": "name" }),
            "deny",
            "InvalidPolicyRule",
        ),
        (
            &none,
            json!({ "count": { "field": "Microsoft.Network/virtualNetworks/subnets" }, "greater": 1 }),
            "deny",
            "InvalidPolicyRule",
        ),
        (
            &json!({ "idle": { "type": "String" } }),
            sound.clone(),
            "deny",
            "UnusedPolicyParameters",
        ),
        (&none, sound.clone(), "Audit", "created"),
        (&none, sound.clone(), "disabled", "created"),
    ] {
        let seen = group.define("odd", parameters, &condition, effect).await;
        let expected = if code == "created" { "" } else { code };
        assert_eq!(seen.code(), expected, "{condition} {effect}: {}", seen.body);
    }

    let parameters = json!({ "effect": { "type": "String", "allowedValues": ["Deny", "Disabled"], "defaultValue": "Deny" } });
    let made = group
        .define("sound", &parameters, &sound, "[parameters('effect')]")
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let seen = group
        .assign("sound", &json!({ "other": { "value": "x" } }))
        .await;
    assert_eq!(seen.code(), "UndefinedPolicyParameter", "{}", seen.body);
    let seen = group
        .assign("sound", &json!({ "effect": { "value": "Audit" } }))
        .await;
    assert_eq!(
        seen.code(),
        "PolicyParameterValueNotAllowed",
        "{}",
        seen.body
    );
    let made = group.assign("sound", &none).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);

    let path = format!("{}?api-version={POLICY}", Group::definition("sound"));
    let seen = group.sim.delete(&path).await;
    assert_eq!(
        (seen.status, seen.code()),
        (
            StatusCode::BAD_REQUEST,
            "InvalidDeletePolicyDefinitionRequest"
        )
    );
    let list = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/policyDefinitions?api-version={POLICY}&$filter=policyType eq ",
        seed::SUBSCRIPTION_DEV
    );
    let count = async |kind: &str| {
        let seen = group.sim.get(&format!("{list}'{kind}'")).await.body;
        seen["value"].as_array().unwrap().len()
    };
    assert_eq!((count("BuiltIn").await, count("Custom").await), (3, 2));
    group.sim.delete(&group.assignment("sound")).await;
    assert_eq!(group.sim.delete(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_policy_counts_and_asks_for_fields_where_the_resource_is() {
    let group = Group::new("rg-counts").await;
    let list = "Microsoft.Network/networkSecurityGroups/securityRules[*]";
    let open = json!({ "allOf": [
        { "field": "type", "equals": "Microsoft.Network/networkSecurityGroups" },
        { "count": { "field": list, "where": { "allOf": [
            { "field": format!("{list}.access"), "equals": "Allow" },
            { "value": format!("[current('{list}.sourceAddressPrefix')]"), "in": ["Internet", "*"] },
            { "value": format!("[first(field('{list}.direction'))]"), "equals": "Inbound" },
        ] } }, "greater": "[parameters('most')]" },
    ] });
    let most = json!({ "most": { "type": "Integer" } });
    let made = group.define("open", &most, &open, "deny").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    group
        .assign("open", &json!({ "most": { "value": 1 } }))
        .await;

    let prefixes = json!({ "prefixes": { "type": "Array" } });
    let named = json!({ "allOf": [
        { "field": "type", "equals": "Microsoft.Network/publicIPAddresses" },
        { "anyOf": [
            { "count": { "value": "[parameters('prefixes')]", "name": "prefix", "where": { "field": "name", "like": "[concat(current('prefix'), '-*')]" } }, "equals": 0 },
            { "field": "tags.called", "notEquals": "[toUpper(field('name'))]" },
        ] },
    ] });
    let made = group.define("named", &prefixes, &named, "deny").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    group
        .assign("named", &json!({ "prefixes": { "value": ["pip", "ip"] } }))
        .await;

    let denied = async |name: &str, body: &Value| {
        let seen = group.put(name, body).await;
        assert_eq!(
            (seen.status, seen.code()),
            (StatusCode::FORBIDDEN, "RequestDisallowedByPolicy"),
            "{name}: {}",
            seen.body
        );
        seen.body["error"]["additionalInfo"][0]["info"]["evaluationDetails"]["evaluatedExpressions"]
            .clone()
    };
    let mut second = rule("b", "*", "443");
    second["properties"]["priority"] = 200.into();
    let inner = rule("a", "10.0.0.0/8", "22");
    let outer = rule("a", "Internet", "22");
    let name = "networkSecurityGroups/nsg";
    let seen = denied(name, &nsg(&[outer, second.clone()])).await;
    assert_eq!(
        seen[1],
        json!({
            "result": "True", "expressionKind": "Count", "expression": list,
            "expressionValue": 2, "targetValue": 1, "operator": "Greater",
        })
    );
    group.make(name, &nsg(&[inner, second])).await;

    let called = |tag: &str| json!({ "location": "westeurope", "tags": { "called": tag } });
    denied("publicIPAddresses/front", &called("FRONT")).await;
    denied("publicIPAddresses/ip-front", &called("front door")).await;
    group
        .make("publicIPAddresses/ip-front", &called("IP-FRONT"))
        .await;
}
