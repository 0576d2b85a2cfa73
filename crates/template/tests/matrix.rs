//! The matrix of documented functions × golden outputs, `matrix.json`. Its cells are the examples of Microsoft's reference,
//! <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions> and its pages by subject (`page`), or
//! follow from its wording; none was written from what this evaluator gave. Some have other sources:
//!
//! - `uniqueString`: values that people had from Azure or from Microsoft's own library: `tyeth`
//!   (<https://stackoverflow.com/questions/43295720>), `hello`, `world` (<https://github.com/JasonWhall/go-azure-uniquestring>), the
//!   vector of Microsoft's Terraform provider (Azure/terraform-provider-azapi, `unique_string_function_test.go`), and one that a
//!   public test has from the Bicep command line.
//! - `guid`: version 5 UUIDs from Python's `uuid.uuid5` under the namespace of ARM.
//! - `like`, `distinct`, `resourceInfo`: the reference has no page for them; the cells follow from what they are for.
//! - `dataUri`: `charset=utf-8` is from Azure/bicep, `FunctionResolverTests.cs`; the reference still shows `utf8`.
//! - `format` of objects and arrays: Azure/bicep, `src/Bicep.Core.IntegrationTests/EvaluationTests.cs`.
//!
//! A cell is an expression (`is`) and what it gives, or a part of the message it is refused with (`refuses`). It is evaluated as
//! an output of a deployment to a group, unless it says another `scope`, that it is the `default` of a parameter (`where`), or in
//! how many copies (`copy`).

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{context, with};
use template::{Context, Error, Runtime};

/// Each documented function needs at least this many cells.
const LEAST: usize = 3;

#[test]
fn every_documented_function_gives_what_its_reference_says() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("matrix.json")).unwrap();
    let mut failures = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let function = row["function"].as_str().unwrap();
        assert!(seen.insert(function), "{function} has two rows");
        let cells = row["cells"].as_array().unwrap();
        if cells.len() < LEAST {
            failures.push(format!(
                "{function}: {} cell(s), wanted {LEAST}",
                cells.len()
            ));
        }
        let called = function.trim_end_matches('*').to_lowercase();
        for (i, cell) in cells.iter().enumerate() {
            let text = cell["is"].as_str().unwrap();
            if !text.to_lowercase().contains(&format!(
                "{called}{}",
                if function.ends_with('*') { "" } else { "(" }
            )) {
                failures.push(format!("{function}[{i}]: {text} does not call it"));
            }
            if let Some(failure) = failure(cell) {
                failures.push(format!("{function}[{i}]: {text}: {failure}"));
            }
        }
    }
    for function in DOCUMENTED {
        if !seen.contains(function) {
            failures.push(format!("{function}: no row"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} cell(s) of the matrix fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Why a cell does not hold.
fn failure(cell: &Value) -> Option<String> {
    let found = evaluated(cell);
    match (cell.get("gives"), cell.get("refuses"), found) {
        (Some(wanted), None, Ok(found)) => {
            (found != *wanted).then(|| format!("gives {found}, wanted {wanted}"))
        }
        (Some(_), None, Err(error)) => Some(format!("is refused: {error}")),
        (None, Some(wanted), Err(error)) => {
            let wanted = wanted.as_str().unwrap_or_default();
            (!error.to_string().contains(wanted))
                .then(|| format!("is refused with {error}, wanted {wanted}"))
        }
        (None, Some(_), Ok(found)) => Some(format!("gives {found}, a refusal is wanted")),
        _ => Some("a cell has either `gives` or `refuses`".to_owned()),
    }
}

fn evaluated(cell: &Value) -> Result<Value, Error> {
    let expression = format!("[{}]", cell["is"].as_str().unwrap_or_default());
    let mut parameters = json!({
        "stringParameter": {"type": "string", "defaultValue": "option 1"},
        "intParameter": {"type": "int", "defaultValue": 1},
        "objectParameter": {"type": "object", "defaultValue": {"one": "a", "two": "b"}},
        "arrayParameter": {"type": "array", "defaultValue": [1, 2, 3]},
        "crossParameter": {"type": "string", "defaultValue": "[parameters('stringParameter')]"},
        "objectToTest": {"type": "object", "defaultValue": {"null1": null, "null2": null, "string": "default", "int": 1, "object": {"first": "default"}, "array": [1]}},
    });
    let mut output = json!({"nullable": true, "value": expression});
    if cell["where"] == "default" {
        parameters["it"] = json!({"defaultValue": expression});
        output["value"] = json!("[parameters('it')]");
    } else if let Some(count) = cell.get("copy") {
        output = json!({"copy": {"count": count, "input": expression}});
    }
    // Others than this one are evaluated without resources.
    let resources = if expression.contains("resourceInfo(") {
        let store = |name: &str| json!({"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": name, "location": "westeurope"});
        let mut stores = store("[format('copy{0}', copyIndex())]");
        stores["copy"] = json!({"name": "stores", "count": 2});
        json!({
            "service": {"type": "Microsoft.Storage/storageAccounts/blobServices", "apiVersion": "2023-01-01", "name": "[format('{0}/default', resourceInfo('store').name)]"},
            "store": store("examplestorage"),
            "stores": stores,
        })
    } else {
        json!({})
    };
    let evaluation = with(
        json!({
            "languageVersion": "2.0",
            "parameters": parameters,
            "variables": {
                "var1": "myVariable",
                "var2": [1, 2, 3, 4],
                "var3": "[variables('var1')]",
                "var4": {"property1": "value1", "property2": "value2"},
                "dogs": [
                    {"name": "Evie", "age": 5, "interests": ["Ball", "Frisbee"]},
                    {"name": "Casper", "age": 3, "interests": ["Other dogs"]},
                    {"name": "Indy", "age": 2, "interests": ["Butter"]},
                    {"name": "Kira", "age": 8, "interests": ["Rubs"]},
                ],
            },
            "resources": resources,
            "outputs": {"it": output},
        }),
        json!({}),
        &scope(cell["scope"].as_str()),
        &Examples,
    )?;
    Ok(evaluation.outputs["it"].value.clone())
}

fn scope(name: Option<&str>) -> Context {
    let mut context = context();
    if name.is_some() {
        context.resource_group = None;
        context.deployment_location = Some("westus".into());
    }
    match name {
        Some("managementGroup") => {
            context.subscription_id = String::new();
            context.management_group = Some("examplemg".into());
        }
        Some("tenant") => context.subscription_id = String::new(),
        _ => {}
    }
    context
}

/// What the reference's examples of live functions find in Azure.
struct Examples;

impl Runtime for Examples {
    fn reference(&self, _: &str, _: Option<&str>, full: bool) -> Result<Option<Value>, Error> {
        let properties = json!({
            "primaryEndpoints": {"blob": "https://examplestorage.blob.core.windows.net/"},
            "provisioningState": "Succeeded",
            "supportsHttpsTrafficOnly": true,
        });
        Ok(Some(if full {
            json!({"location": "southcentralus", "properties": properties})
        } else {
            properties
        }))
    }

    fn list(
        &self,
        function: &str,
        _: &str,
        _: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Option<Value>, Error> {
        Ok(Some(match body {
            Some(body) => {
                json!({"accountSasToken": format!("token for {}", body["signedServices"].as_str().unwrap_or_default())})
            }
            None => {
                assert!(function.eq_ignore_ascii_case("listKeys"));
                json!({"keys": [
                    {"keyName": "key1", "permissions": "Full", "value": "key one"},
                    {"keyName": "key2", "permissions": "Full", "value": "key two"},
                ]})
            }
        }))
    }

    fn providers(&self, namespace: &str, kind: Option<&str>) -> Result<Option<Value>, Error> {
        assert_eq!(namespace, "Microsoft.Web");
        Ok(Some(json!({
            "resourceType": kind,
            "locations": ["South Central US", "North Europe"],
            "apiVersions": ["2016-08-01", "2016-03-01"],
        })))
    }

    fn deployer(&self) -> Result<Option<Value>, Error> {
        Ok(Some(json!({
            "objectId": "00000000-0000-0000-0000-0000000000cc",
            "tenantId": "00000000-0000-0000-0000-0000000000bb",
            "userPrincipalName": "user@example.com",
        })))
    }
}

/// Every function of the reference, in the order of its index; `list*` stands for all whose name begins so.
const DOCUMENTED: [&str; 115] = [
    "array",
    "concat",
    "contains",
    "createArray",
    "distinct",
    "empty",
    "first",
    "flatten",
    "indexFromEnd",
    "indexOf",
    "intersection",
    "last",
    "lastIndexOf",
    "length",
    "max",
    "min",
    "range",
    "skip",
    "take",
    "tryGet",
    "tryIndexFromEnd",
    "union",
    "parseCidr",
    "cidrSubnet",
    "cidrHost",
    "coalesce",
    "equals",
    "greater",
    "greaterOrEquals",
    "less",
    "lessOrEquals",
    "dateTimeAdd",
    "dateTimeFromEpoch",
    "dateTimeToEpoch",
    "utcNow",
    "deployment",
    "environment",
    "parameters",
    "variables",
    "deployer",
    "filter",
    "groupBy",
    "map",
    "mapValues",
    "reduce",
    "sort",
    "toObject",
    "and",
    "bool",
    "false",
    "if",
    "not",
    "or",
    "true",
    "xor",
    "fail",
    "add",
    "copyIndex",
    "div",
    "float",
    "int",
    "mod",
    "mul",
    "sub",
    "createObject",
    "items",
    "json",
    "null",
    "objectKeys",
    "shallowMerge",
    "extensionResourceId",
    "list*",
    "pickZones",
    "providers",
    "reference",
    "roleDefinitions",
    "resourceId",
    "subscriptionResourceId",
    "managementGroupResourceId",
    "tenantResourceId",
    "resourceInfo",
    "toLogicalZone",
    "toLogicalZones",
    "toPhysicalZone",
    "toPhysicalZones",
    "managementGroup",
    "resourceGroup",
    "subscription",
    "tenant",
    "base64",
    "base64ToJson",
    "base64ToString",
    "dataUri",
    "buildUri",
    "dataUriToString",
    "endsWith",
    "format",
    "guid",
    "join",
    "like",
    "newGuid",
    "padLeft",
    "parseUri",
    "replace",
    "split",
    "startsWith",
    "string",
    "substring",
    "toLower",
    "toUpper",
    "trim",
    "uniqueString",
    "uri",
    "uriComponent",
    "uriComponentToString",
];
