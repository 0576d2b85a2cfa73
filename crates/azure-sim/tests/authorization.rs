//! Role assignments and policies: what Azure refuses of them, and what they then do.

mod common;

use azure_sim::seed;
use common::Answer;
use common::group::{Group, nsg, rule};
use reqwest::StatusCode;
use serde_json::{Value, json};

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
    let many = json!({ "prefixes": { "value": vec!["x"; 201] } });
    let seen = group.assign("named", &many).await;
    assert_eq!(seen.code(), "TooManyCountExpressions", "{}", seen.body);
    let few = json!({ "prefixes": { "value": ["pip", "ip"] } });
    let made = group.assign("named", &few).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);

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
