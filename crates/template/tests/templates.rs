//! Stories of whole templates: what an author writes, and the concrete resources that come of it.

mod support;

use serde_json::{Value, json};
use support::{GROUP, account, context, named, names, plan, template, with};
use template::{Error, Runtime, Template, Unknown, is_unknown};

fn account_id(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}")
}

/// `account` with more members.
fn account_with(name: &str, more: Value) -> Value {
    let mut account = account(name);
    if let (Value::Object(account), Value::Object(more)) = (&mut account, more) {
        account.extend(more);
    }
    account
}

#[test]
fn a_template_becomes_the_resources_that_are_put() {
    let evaluation = plan(
        json!({
            "parameters": {
                "name": {"type": "string"},
                "sku": {"type": "string", "defaultValue": "[variables('skus')[0]]", "allowedValues": ["Standard_LRS", "Premium_LRS"]},
            },
            "variables": {"skus": ["Standard_LRS"], "full": "[concat(parameters('NAME'), 'store')]"},
            "resources": [account_with("[variables('full')]", json!({
                "location": "[resourceGroup().location]",
                "comments": "not for Azure",
                "sku": {"name": "[parameters('sku')]"},
                "tags": {"[parameters('name')]": "[[not an expression]", "plain": "[odd"},
            }))],
            "outputs": {"id": {"type": "string", "value": "[resourceId('Microsoft.Storage/storageAccounts', variables('full'))]"}},
        }),
        json!({"Name": "app"}),
    )
    .unwrap();
    let store = named(&evaluation, "appstore");
    assert_eq!(store.id, account_id("appstore"));
    assert_eq!(store.location.as_deref(), Some("westeurope"));
    assert_eq!(
        store.body,
        json!({
            "type": "Microsoft.Storage/storageAccounts",
            "apiVersion": "2023-01-01",
            "name": "appstore",
            "location": "westeurope",
            "sku": {"name": "Standard_LRS"},
            "tags": {"app": "[not an expression]", "plain": "[odd"},
        })
    );
    assert_eq!(
        evaluation.outputs["id"].value,
        json!(account_id("appstore"))
    );
    assert_eq!(evaluation.parameters["sku"], json!("Standard_LRS"));
}

#[test]
fn loops_make_copies_and_serial_loops_wait_for_the_batch_before() {
    let evaluation = plan(
        json!({
            "variables": {"copy": [{"name": "letters", "count": 3, "input": "[substring('abc', copyIndex('letters'), 1)]"}]},
            "resources": [
                account_with("[concat('s', copyIndex(1))]", json!({
                    "copy": {"name": "stores", "count": 5, "mode": "serial", "batchSize": 2},
                    "properties": {"copy": [{"name": "rules", "count": 2, "input": "[format('{0}/{1}', copyIndex(), copyIndex('rules'))]"}]},
                })),
                account_with("after", json!({"dependsOn": ["stores"]})),
            ],
            "outputs": {
                "letters": {"type": "array", "value": "[variables('letters')]"},
                "squares": {"type": "array", "copy": {"count": 3, "input": "[mul(copyIndex(), copyIndex())]"}},
            },
        }),
        json!({}),
    )
    .unwrap();
    assert_eq!(names(&evaluation), ["s1", "s2", "s3", "s4", "s5", "after"]);
    assert_eq!(
        named(&evaluation, "s3").body["properties"],
        json!({"rules": ["2/0", "2/1"]})
    );
    assert_eq!(named(&evaluation, "s2").depends_on, Vec::<String>::new());
    assert_eq!(
        named(&evaluation, "s4").depends_on,
        [account_id("s1"), account_id("s2")]
    );
    assert_eq!(
        named(&evaluation, "s5").depends_on,
        [account_id("s3"), account_id("s4")]
    );
    assert_eq!(named(&evaluation, "after").depends_on.len(), 5);
    assert_eq!(evaluation.outputs["letters"].value, json!(["a", "b", "c"]));
    assert_eq!(evaluation.outputs["squares"].value, json!([0, 1, 4]));
}

#[test]
fn a_false_condition_drops_the_resource_and_what_depends_on_it_goes_on() {
    let evaluation = plan(
        json!({
            "resources": [
                account_with("never", json!({"condition": "[equals(1, 2)]"})),
                account_with("always", json!({"condition": true, "dependsOn": ["[resourceId('Microsoft.Storage/storageAccounts', 'never')]"]})),
            ],
            "outputs": {
                "no": {"type": "string", "condition": false, "value": "[fail('not computed')]"},
                "yes": {"type": "int", "condition": "[not(false())]", "value": 1},
            },
        }),
        json!({}),
    )
    .unwrap();
    assert_eq!(names(&evaluation), ["always"]);
    assert_eq!(
        named(&evaluation, "always").depends_on,
        Vec::<String>::new()
    );
    assert_eq!(evaluation.outputs.keys().collect::<Vec<_>>(), ["yes"]);
}

#[test]
fn dependencies_are_found_by_name_id_loop_child_and_reference() {
    let evaluation = plan(
        json!({
            "resources": [
                {
                    "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-01-01", "name": "net", "location": "westeurope",
                    "resources": [{"type": "subnets", "apiVersion": "2023-01-01", "name": "inner", "dependsOn": ["net"], "properties": {}}],
                },
                account_with("by-type", json!({"dependsOn": ["Microsoft.Network/virtualNetworks/net"]})),
                account_with("by-reference", json!({"properties": {"x": "[reference(resourceId('Microsoft.Storage/storageAccounts', 'by-type')).x]"}})),
                account_with("by-child", json!({"dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'inner')]"]})),
            ],
        }),
        json!({}),
    )
    .unwrap();
    let net = format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/net");
    let subnet = named(&evaluation, "net/inner");
    assert_eq!(subnet.kind, "Microsoft.Network/virtualNetworks/subnets");
    assert_eq!(subnet.id, format!("{net}/subnets/inner"));
    assert_eq!(subnet.depends_on, [net.as_str()]);
    assert_eq!(named(&evaluation, "by-type").depends_on, [net.as_str()]);
    assert_eq!(
        named(&evaluation, "by-reference").depends_on,
        [account_id("by-type")]
    );
    assert_eq!(
        named(&evaluation, "by-child").depends_on,
        [format!("{net}/subnets/inner")]
    );
    let error = plan(
        json!({"resources": [account_with("a", json!({"dependsOn": ["nobody"]}))]}),
        json!({}),
    )
    .unwrap_err();
    assert_eq!(error.place(), "resources[0].dependsOn[0]");
    assert_eq!(
        error.to_string(),
        "The resource 'nobody' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details."
    );
}

#[test]
fn symbolic_names_refer_to_resources_copies_and_existing_ones() {
    let evaluation = plan(
        json!({
            "languageVersion": "2.0",
            "resources": {
                "vault": {"existing": true, "type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "resourceGroup": "shared", "name": "kv"},
                "stores": account_with("[format('s{0}', copyIndex())]", json!({"copy": {"name": "stores", "count": 2}})),
                "lock": {
                    "type": "Microsoft.Authorization/locks", "apiVersion": "2020-05-01", "name": "keep",
                    "scope": "[resourceId('Microsoft.Storage/storageAccounts', 's1')]",
                    "properties": {"level": "CanNotDelete", "notes": "[reference('vault').vaultUri]", "first": "[reference(format('stores[{0}]', 0), '2023-01-01', 'full').location]"},
                    "dependsOn": ["stores"],
                },
            },
        }),
        json!({}),
    )
    .unwrap();
    let vault = named(&evaluation, "kv");
    assert!(vault.existing);
    assert_eq!(
        vault.id,
        "/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/shared/providers/Microsoft.KeyVault/vaults/kv"
    );
    assert_eq!(
        named(&evaluation, "s1").symbolic_name.as_deref(),
        Some("stores[1]")
    );
    let lock = named(&evaluation, "keep");
    assert_eq!(
        lock.id,
        format!(
            "{}/providers/Microsoft.Authorization/locks/keep",
            account_id("s1")
        )
    );
    assert_eq!(
        lock.depends_on,
        [account_id("s0"), account_id("s1"), vault.id.clone()]
    );
    assert_eq!(
        lock.body["properties"]["notes"],
        json!({"$unknown": "reference('vault').vaultUri"})
    );
    assert_eq!(lock.body.get("scope"), None);
}

fn nested(scope: &str, inner: Value, parameters: Value) -> Value {
    let mut deployment = json!({
        "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": scope},
            "template": template(inner),
        },
    });
    deployment["properties"]["parameters"] = parameters;
    deployment
}

#[test]
fn a_nested_deployment_brings_its_resources_and_its_outputs() {
    let inner = json!({
        "parameters": {"name": {"type": "string"}},
        "variables": {"suffix": "in"},
        "resources": [account_with("[concat(parameters('name'), variables('suffix'))]", json!({"properties": {"deployment": "[deployment().name]"}}))],
        "outputs": {
            "name": {"type": "string", "value": "[parameters('name')]"},
            "key": {"type": "string", "value": "[listKeys(resourceId('Microsoft.Storage/storageAccounts', 'x'), '2023-01-01').keys[0].value]"},
        },
    });
    let evaluation = plan(
        json!({
            "variables": {"suffix": "out"},
            "resources": [
                account("first"),
                {
                    "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "resourceGroup": "other", "dependsOn": ["first"],
                    "properties": nested("inner", inner, json!({"name": {"value": "store"}}))["properties"],
                },
            ],
            "outputs": {
                "name": {"type": "string", "value": "[reference('inner').outputs.name.value]"},
                "key": {"type": "string", "value": "[reference('inner').outputs.key.value]"},
            },
        }),
        json!({}),
    )
    .unwrap();
    assert_eq!(names(&evaluation), ["first", "inner", "storein"]);
    let store = named(&evaluation, "storein");
    let other = "/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/other";
    assert_eq!(
        store.id,
        format!("{other}/providers/Microsoft.Storage/storageAccounts/storein")
    );
    assert_eq!(
        store.deployment.as_deref(),
        Some(format!("{other}/providers/Microsoft.Resources/deployments/inner").as_str())
    );
    assert_eq!(store.depends_on, [account_id("first")]);
    assert_eq!(store.body["properties"]["deployment"], "inner");
    assert_eq!(evaluation.outputs["name"].value, "store");
    assert!(is_unknown(&evaluation.outputs["key"].value));
}

#[test]
fn expressions_of_outer_scope_mean_the_outer_template() {
    let inner =
        json!({"variables": {"word": "inner"}, "resources": [account("[variables('word')]")]});
    let outer = json!({"variables": {"word": "outer"}, "resources": [nested("outer", inner.clone(), json!({}))]});
    assert_eq!(names(&plan(outer, json!({})).unwrap()), ["inner", "outer"]);
    let outer =
        json!({"variables": {"word": "outer"}, "resources": [nested("inner", inner, json!({}))]});
    assert_eq!(names(&plan(outer, json!({})).unwrap()), ["inner", "inner"]);
}

#[test]
fn a_template_that_an_expression_made_speaks_of_its_own_parameters_in_either_scope() {
    let made = template(json!({
        "parameters": {"name": {"type": "string"}},
        "resources": [account("[[parameters('name')]")],
    }));
    for scope in ["outer", "inner"] {
        let given = json!({"name": {"value": "[parameters('name')]"}});
        let mut deployment = nested(scope, json!({"resources": []}), given);
        deployment["properties"]["template"] = "[variables('made')]".into();
        let outer = json!({
            "parameters": {"name": {"type": "string", "defaultValue": "given"}},
            "variables": {"made": made},
            "resources": [deployment],
        });
        let evaluation = plan(outer, json!({})).unwrap();
        assert!(
            names(&evaluation).contains(&"given"),
            "{scope}: {:?}",
            names(&evaluation)
        );
    }
}

#[test]
fn user_defined_functions_see_only_their_own_parameters() {
    let functions = json!([{"namespace": "my", "members": {
        "hello": {"parameters": [{"name": "who", "type": "string"}], "output": {"type": "string", "value": "[format('hello {0}', parameters('who'))]"}},
        "again": {"parameters": [{"name": "x", "type": "int"}], "output": {"type": "int", "value": "[my.again(parameters('x'))]"}},
    }}]);
    let with_output = |value: &str| {
        plan(
            json!({"languageVersion": "2.0", "resources": {}, "functions": functions, "parameters": {"who": {"type": "string", "defaultValue": "nobody"}}, "outputs": {"o": {"type": "string", "value": value}}}),
            json!({}),
        )
    };
    assert_eq!(
        with_output("[MY.Hello('team')]").unwrap().outputs["o"].value,
        "hello team"
    );
    assert!(matches!(
        with_output("[my.again(1)]"),
        Err(Error::Limit { .. })
    ));
    assert!(matches!(
        with_output("[my.nothing(1)]"),
        Err(Error::UnsupportedFunction { .. })
    ));
}

/// A cloud that knows one resource.
struct Cloud;

impl Runtime for Cloud {
    fn reference(
        &self,
        id: &str,
        api_version: Option<&str>,
        full: bool,
    ) -> Result<Option<Value>, Error> {
        if id.ends_with("/missing") {
            return Err(Error::runtime(
                "ResourceNotFound",
                "There is no such resource.",
            ));
        }
        Ok(Some(
            json!({"id": id, "version": api_version, "full": full}),
        ))
    }

    fn list(
        &self,
        function: &str,
        id: &str,
        _: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Option<Value>, Error> {
        Ok(Some(json!({"function": function, "id": id, "body": body})))
    }
}

#[test]
fn a_live_runtime_answers_references_and_lists() {
    let parts = |expression: &str| json!({"resources": [account("store")], "outputs": {"o": {"type": "object", "value": expression}}});
    let ask = |expression: &str| {
        with(parts(expression), json!({}), &context(), &Cloud).map(|e| e.outputs["o"].value.clone())
    };
    assert_eq!(
        ask("[reference('store')]").unwrap(),
        json!({"id": account_id("store"), "version": "2023-01-01", "full": false})
    );
    assert_eq!(
        ask("[reference('/a/b', '2020-01-01', 'Full')]").unwrap(),
        json!({"id": "/a/b", "version": "2020-01-01", "full": true})
    );
    assert_eq!(
        ask("[listKeys('store', '2023-01-01', createObject('a', 1))]").unwrap(),
        json!({"function": "listKeys", "id": account_id("store"), "body": {"a": 1}})
    );
    assert_eq!(
        ask("[reference('/a/missing')]").unwrap_err().code(),
        "ResourceNotFound"
    );
}

#[test]
fn utc_now_and_new_guid_are_pinned() {
    let parts = json!({
        "parameters": {"a": {"type": "string", "defaultValue": "[newGuid()]"}, "b": {"type": "string", "defaultValue": "[newGuid()]"}, "t": {"type": "string", "defaultValue": "[utcNow('o')]"}},
    });
    let once = plan(parts.clone(), json!({})).unwrap();
    assert_eq!(once.parameters, plan(parts, json!({})).unwrap().parameters);
    assert_ne!(once.parameters["a"], once.parameters["b"]);
    assert_eq!(once.parameters["t"], "2020-04-07T14:53:14.5000000Z");
}

#[test]
fn all_that_is_wrong_with_parameters_is_said_at_once() {
    let parsed = Template::from_value(template(json!({
        "languageVersion": "2.0",
        "resources": {},
        "definitions": {"size": {"type": "object", "properties": {"disks": {"type": "int", "maxValue": 8}, "label": {"type": "string", "nullable": true}}, "additionalProperties": false}},
        "parameters": {
            "needed": {"type": "string"},
            "short": {"type": "securestring", "minLength": 12},
            "tier": {"type": "string", "allowedValues": ["dev", "prod"]},
            "count": {"type": "int", "minValue": 1, "maxValue": 3},
            "size": {"$ref": "#/definitions/size"},
            "fine": {"type": "bool", "nullable": true},
        },
    })))
    .unwrap();
    assert!(parsed.parameters()["needed"].required());
    assert!(!parsed.parameters()["fine"].required());
    let given = json!({"short": "hunter2", "tier": "test", "count": 9, "size": {"disks": 9, "odd": 1}, "extra": 1});
    let errors = template::check_parameters(&parsed, given.as_object().unwrap());
    let mut said: Vec<&str> = errors.iter().map(|error| error.name.as_str()).collect();
    said.dedup();
    assert_eq!(said, ["extra", "needed", "short", "tier", "count", "size"]);
    let text = format!("{errors:?}");
    assert!(
        text.contains("'size' is not valid at 'disks'. The value should be less than or equal to '8'.")
            && text.contains("The property 'odd' is not declared")
            && text.contains("'tier' is not valid. The value 'test' is not part of the allowed value(s): 'dev,prod'.")
            && text.contains("'short' is not valid. Length of the value should be greater than or equal to '12'.")
            && text.contains("The value for the template parameter 'needed' is not provided."),
        "{text}"
    );
    assert!(
        !text.contains("hunter2"),
        "a secret must not be in a message"
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    let cases = [
        (
            json!({"resources": [account("[concat('a']")]}),
            "resources[0].name",
            "expected `)`",
        ),
        (
            json!({"resources": [account("[concat('a]")]}),
            "resources[0].name",
            "not closed",
        ),
        (
            json!({"resources": [account("[variables.x]")]}),
            "resources[0].name",
            "parentheses",
        ),
        (
            json!({"variables": {"a": "[nothing()]"}}),
            "variables.a",
            "The template function 'nothing' is not valid.",
        ),
        (
            json!({"variables": {"a": "[variables('b')]", "b": "[variables('A')]"}, "resources": [account("[variables('a')]")]}),
            "variables.b",
            "needs itself",
        ),
        (
            json!({"resources": [account("[parameters('x')]")]}),
            "resources[0].name",
            "The template parameter 'x' is not found.",
        ),
        (
            json!({"resources": [account("a"), account("A")]}),
            "resources[1]",
            "declared twice",
        ),
        (
            json!({"resources": [account("a/b")]}),
            "resources[0].name",
            "wants a name of 1 part",
        ),
        (
            json!({"resources": [account_with("a", json!({"copy": {"name": "c", "count": 801}}))]}),
            "resources[0].copy.count",
            "800",
        ),
        (
            json!({"variables": {"o": {"a": 1}}, "resources": [account("[variables('o').b]")]}),
            "resources[0].name",
            "property 'b' doesn't exist, available properties are 'a'.",
        ),
        (
            json!({"outputs": {"o": {"type": "int", "value": "text"}}}),
            "outputs.o",
            "Expected 'Integer'. Actual 'String'.",
        ),
        (json!({"surprise": 1}), "surprise", "no part of a template"),
        (
            json!({"resources": [nested("inner", json!({"resources": [account("[fail('no')]")]}), json!({}))]}),
            "resources[0].properties.template.resources[0].name",
            "refuses: no",
        ),
    ];
    for (parts, place, message) in cases {
        let error = plan(parts.clone(), json!({})).expect_err(&parts.to_string());
        assert_eq!(error.place(), place, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn limits_are_errors() {
    let many = |count: usize, value: Value| -> Value {
        Value::Object(
            (0..count)
                .map(|i| (format!("n{i}"), value.clone()))
                .collect(),
        )
    };
    let limit = |parts: Value| match plan(parts, json!({})) {
        Err(Error::Limit { limit, .. }) => limit,
        other => panic!(
            "a limit was expected: {:?}",
            other.map(|e| e.resources.len())
        ),
    };
    assert_eq!(
        limit(json!({"parameters": many(257, json!({"type": "int", "defaultValue": 1}))})),
        256
    );
    assert_eq!(limit(json!({"variables": many(257, json!(1))})), 256);
    assert_eq!(
        limit(json!({"outputs": many(65, json!({"type": "int", "value": 1}))})),
        64
    );
    assert_eq!(
        limit(
            json!({"resources": [account_with("[concat('a', copyIndex())]", json!({"copy": {"name": "a", "count": 500}})), account_with("[concat('b', copyIndex())]", json!({"copy": {"name": "b", "count": 500}}))]})
        ),
        800
    );
    assert_eq!(
        limit(json!({"variables": {"v": format!("['{}']", "x".repeat(24_577))}})),
        24_576
    );
    assert_eq!(
        limit(json!({"metadata": "x".repeat(5 * 1024 * 1024)})),
        4 * 1024 * 1024
    );
}

#[test]
fn runaway_templates_end_with_an_error() {
    let chain = |first: &str, each: &dyn Fn(usize) -> String, count: usize| -> Value {
        let mut variables = serde_json::Map::new();
        variables.insert("v0".into(), first.into());
        for i in 1..count {
            variables.insert(format!("v{i}"), each(i - 1).into());
        }
        json!({"variables": variables, "outputs": {"o": {"type": "string", "value": format!("[string(variables('v{}'))]", count - 1)}}})
    };
    // Lawful but deep: 256 variables, each needing the one before.
    let deep = chain("x", &|i| format!("[concat(variables('v{i}'), '')]"), 256);
    assert_eq!(plan(deep, json!({})).unwrap().outputs["o"].value, "x");
    let text = chain(
        "xxxxxxxxxx",
        &|i| format!("[concat(variables('v{i}'), variables('v{i}'))]"),
        200,
    );
    assert!(matches!(plan(text, json!({})), Err(Error::Limit { .. })));
    let tree = chain(
        "x",
        &|i| format!("[createArray(variables('v{i}'), variables('v{i}'))]"),
        200,
    );
    assert!(matches!(plan(tree, json!({})), Err(Error::Limit { .. })));
    let loops = json!({"variables": {"r": "[range(0, 10000)]"}, "outputs": {"o": {"type": "array", "value":
        "[map(variables('r'), lambda('x', length(map(variables('r'), lambda('y', add(lambdaVariables('y'), 1))))))]"}}});
    assert!(matches!(plan(loops, json!({})), Err(Error::Limit { .. })));
    let tower = "[reduce(range(0, 10000), 1, lambda('x', 'y', createArray(lambdaVariables('x'))))]";
    assert!(matches!(support::eval(tower), Err(Error::Limit { .. })));
    let deep_text = format!("[{}1{}]", "add(1, ".repeat(3000), ")".repeat(3000));
    assert!(matches!(
        support::eval(&deep_text),
        Err(Error::Syntax { .. })
    ));
    let brackets = format!("[variables('a'){}]", "[0]".repeat(5000));
    assert!(matches!(
        support::eval(&brackets),
        Err(Error::Syntax { .. })
    ));
}

#[test]
fn what_is_not_known_keeps_the_resource_and_says_why() {
    let inner = json!({
        "parameters": {"on": {"type": "bool"}, "list": {"type": "array"}},
        "resources": [
            account_with("maybe", json!({"condition": "[parameters('on')]"})),
            account_with("[concat('many', copyIndex())]", json!({"copy": {"name": "c", "count": "[length(parameters('list'))]"}})),
        ],
    });
    let live = "[reference('/subscriptions/s/resourceGroups/g/providers/Microsoft.Made/ups/u').x]";
    let evaluation = plan(
        json!({"resources": [nested("inner", inner, json!({"on": {"value": live}, "list": {"value": live}}))]}),
        json!({}),
    )
    .unwrap();
    assert_eq!(evaluation.resources.len(), 3);
    assert!(named(&evaluation, "maybe").uncertain.is_some());
    let many = &evaluation.resources[2];
    assert!(
        many.uncertain.is_some() && many.name.starts_with("<unknown: "),
        "{many:?}"
    );
}

#[test]
fn a_deployment_to_a_subscription_makes_groups_and_deploys_into_them() {
    let mut to_subscription = context();
    to_subscription.resource_group = None;
    to_subscription.deployment_location = Some("westeurope".into());
    let evaluation = with(
        json!({
            "resources": [
                {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2022-09-01", "name": "new", "location": "[deployment().location]"},
                {
                    "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "resourceGroup": "new", "dependsOn": ["new"],
                    "properties": nested("inner", json!({"resources": [account("[toLower(resourceGroup().name)]")]}), json!({}))["properties"],
                },
            ],
        }),
        json!({}),
        &to_subscription,
        &Unknown,
    )
    .unwrap();
    let group = "/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/new";
    assert_eq!(evaluation.resources[0].id, group);
    assert_eq!(
        evaluation.resources[2].id,
        format!("{group}/providers/Microsoft.Storage/storageAccounts/new")
    );
    assert_eq!(evaluation.resources[2].depends_on, [group]);
}
