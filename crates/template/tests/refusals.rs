//! What ARM refuses before it deploys anything, in its words: circles, dependencies on nothing, functions out of place.

mod support;

use serde_json::{Value, json};
use support::{GROUP, account, named, names, plan, template};

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

fn nested(name: &str, scope: &str, inner: Value, parameters: Value) -> Value {
    let mut deployment = json!({
        "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name,
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": scope},
            "template": template(inner),
        },
    });
    deployment["properties"]["parameters"] = parameters;
    deployment
}

/// What a template is refused with: `InvalidTemplate` and a sentence.
fn refused(parts: Value) -> String {
    let shown = parts.to_string();
    match plan(parts, json!({})) {
        Ok(_) => panic!("a refusal was expected: {shown}"),
        Err(error) => {
            assert_eq!(error.code(), "InvalidTemplate", "{error}");
            error.to_string()
        }
    }
}

fn circular(id: &str) -> String {
    format!(
        "Circular dependency detected on resource: '{id}'. Please see https://aka.ms/arm-syntax-resources for usage details."
    )
}

#[test]
fn resources_that_wait_for_each_other_are_refused() {
    let waits =
        |name: &str, depends_on: &str| account_with(name, json!({"dependsOn": [depends_on]}));
    assert_eq!(
        refused(
            json!({"resources": [account("free"), waits("a", "b"), waits("b", "c"), waits("c", "a"), waits("d", "a")]})
        ),
        circular(&account_id("a"))
    );
    assert_eq!(
        refused(
            json!({"resources": [waits("a", "[resourceId('Microsoft.Storage/storageAccounts', 'A')]")]})
        ),
        circular(&account_id("a"))
    );
    // A reference by name is a dependency, in both language versions; one by id is not.
    let refers = |name: &str, to: &str| {
        account_with(
            name,
            json!({"properties": {"x": format!("[reference({to}).x]")}}),
        )
    };
    assert_eq!(
        refused(json!({"resources": [refers("a", "'b'"), waits("b", "a")]})),
        circular(&account_id("a"))
    );
    assert_eq!(
        refused(
            json!({"languageVersion": "2.0", "resources": {"one": refers("a", "'two'"), "two": refers("b", "'one'")}})
        ),
        circular(&account_id("a"))
    );
    assert_eq!(
        refused(json!({"languageVersion": "2.0", "resources": {"one": refers("a", "'one'")}})),
        circular(&account_id("a"))
    );
    let by_id = refers(
        "a",
        "resourceId('Microsoft.Storage/storageAccounts', 'b'), '2023-01-01'",
    );
    plan(json!({"resources": [by_id, waits("b", "a")]}), json!({})).unwrap();
    // Each deployment has its own circles, and deployments may wait for each other's outputs.
    let inside = json!({"resources": [waits("a", "b"), waits("b", "a")]});
    assert_eq!(
        refused(json!({"resources": [nested("inner", "inner", inside, json!({}))]})),
        circular(&account_id("a"))
    );
    let taking = |name: &str, from: &str| {
        let given = json!({"p": {"value": format!("[reference('{from}').outputs.o.value]")}});
        let inner = json!({
            "parameters": {"p": {"type": "string"}}, "resources": [],
            "outputs": {"o": {"type": "string", "value": "[parameters('p')]"}},
        });
        nested(name, "inner", inner, given)
    };
    assert_eq!(
        refused(json!({"resources": [taking("x", "y"), taking("y", "x")]})),
        circular(&format!(
            "{GROUP}/providers/Microsoft.Resources/deployments/x"
        ))
    );
    // A serial loop's later copies wait for its earlier ones.
    let serial = account_with(
        "[format('s{0}', copyIndex())]",
        json!({"copy": {"name": "s", "count": 2, "mode": "serial", "batchSize": 1}, "dependsOn": ["[if(equals(copyIndex(), 0), 'between', 'first')]"]}),
    );
    assert_eq!(
        refused(json!({"resources": [serial, account("first"), waits("between", "s1")]})),
        circular(&account_id("s0"))
    );
    // The longest chain that a template can hold ends well, and so does the longest circle.
    let chain = |last: &str| {
        let resources: Vec<Value> = (0..800)
            .map(|i| match i {
                799 => account_with("n799", json!({"dependsOn": [last]})),
                i => waits(&format!("n{i}"), &format!("n{}", i + 1)),
            })
            .collect();
        json!({"resources": resources})
    };
    assert_eq!(refused(chain("n0")), circular(&account_id("n0")));
    assert_eq!(refused(chain("n799")), circular(&account_id("n799")));
}

#[test]
fn a_dependency_is_a_resource_of_the_same_template() {
    let undefined = |name: &str| {
        format!(
            "The resource '{name}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details."
        )
    };
    let waits = |depends_on: &str| account_with("w", json!({"dependsOn": [depends_on]}));
    let inner = || {
        nested(
            "inner",
            "inner",
            json!({"resources": [account("within")]}),
            json!({}),
        )
    };
    for name in [
        "nobody",
        "Microsoft.Storage/storageAccounts/nobody",
        "[resourceId('Microsoft.Storage/storageAccounts', 'nobody')]",
        // The nested deployment can be waited for, not what it makes.
        "within",
        "[resourceId('Microsoft.Storage/storageAccounts', 'within')]",
    ] {
        let shown = name
            .split('\'')
            .nth(3)
            .map_or_else(|| name.to_owned(), account_id);
        assert_eq!(
            refused(json!({"resources": [inner(), waits(name)]})),
            undefined(&shown)
        );
    }
    // What the outer template has is out of reach for the inner one, in either scope.
    for scope in ["inner", "outer"] {
        let inner =
            json!({"resources": [account_with("within", json!({"dependsOn": ["outside"]}))]});
        assert_eq!(
            refused(
                json!({"resources": [account("outside"), nested("n", scope, inner, json!({}))]})
            ),
            undefined("outside")
        );
    }
    let lawful = json!({
        "parameters": {"none": {"type": "array", "defaultValue": []}},
        "resources": [
            inner(),
            account_with("never", json!({"condition": false})),
            account_with("[parameters('none')[0]]", json!({"condition": false})),
            account_with("[concat('c', copyIndex())]", json!({"copy": {"name": "Loop", "count": 2}})),
            account_with("[concat('z', copyIndex())]", json!({"copy": {"name": "nothing", "count": 0}})),
            {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "far", "resourceGroup": "other", "properties": inner()["properties"]},
            account_with("w", json!({"dependsOn": [
                "inner", "NEVER", "loop", "C1", "nothing",
                "[resourceId('microsoft.storage/storageaccounts', 'c0')]",
                "Microsoft.Resources/deployments/inner",
                // Another group than the deployment's own: the type and the name count.
                "[resourceId('Microsoft.Resources/deployments', 'far')]",
                // Its condition is false and its name makes no sense.
                "[resourceId('Microsoft.Storage/storageAccounts', 'first')]",
            ]})),
        ],
    });
    let evaluation = plan(lawful, json!({})).unwrap();
    let waits = &named(&evaluation, "w").depends_on;
    let ends: Vec<&str> = waits
        .iter()
        .filter_map(|id| id.rsplit('/').next())
        .collect();
    assert_eq!(ends, ["inner", "c0", "c1", "far"]);
    let symbolic = json!({
        "languageVersion": "2.0",
        "resources": {
            "there": {"existing": true, "type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "kv"},
            "store": account_with("w", json!({"dependsOn": ["There"]})),
        },
    });
    assert_eq!(
        named(&plan(symbolic, json!({})).unwrap(), "w")
            .depends_on
            .len(),
        1
    );
}

#[test]
fn a_nested_deployment_of_outer_scope_takes_parameters_and_means_its_parents() {
    let inner = json!({
        "parameters": {"name": {"type": "string"}},
        "resources": [account("[parameters('name')]")],
    });
    let outer = |given: Value| {
        json!({
            "parameters": {"name": {"type": "string", "defaultValue": "parent"}},
            "resources": [nested("n", "outer", inner.clone(), given)],
        })
    };
    let evaluation = plan(outer(json!({"name": {"value": "child"}})), json!({})).unwrap();
    assert_eq!(names(&evaluation), ["n", "parent"]);
    assert!(refused(outer(json!({}))).contains("'name' is not provided"));
    assert!(
        refused(outer(json!({"name": {"value": 5}})))
            .contains("received a value of type 'Integer'")
    );
}

#[test]
fn expressions_fail_in_the_words_of_arm() {
    let store = "Microsoft.Storage/storageAccounts";
    let cases = [
        (
            json!({"variables": {"unused": "[createObject('a', 1).b]"}}),
            "variables.unused",
            "The template variable 'unused' is not valid: The language expression property 'b' doesn't exist, available properties are 'a'.".to_owned(),
        ),
        (
            json!({"variables": {"copy": [{"name": "many", "count": 2, "input": "[createArray(1)[copyIndex('many')]]"}]}}),
            "variables.many.input",
            "The template variable 'many' is not valid: The language expression property array index '1' is out of bounds.".to_owned(),
        ),
        (
            json!({"outputs": {"o": {"type": "string", "value": "[variables('x')]"}}}),
            "outputs.o.value",
            "The template output 'o' is not valid: The template variable 'x' is not found. Please see https://aka.ms/arm-syntax-variables for usage details.".to_owned(),
        ),
        (
            json!({"outputs": {"o": {"type": "string", "value": "[reference('zzz').x]"}}}),
            "outputs.o.value",
            "The template output 'o' is not valid: The template reference 'zzz' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details.".to_owned(),
        ),
        (
            json!({"resources": [account_with("a", json!({"tags": {"t": "[parameters('p')]"}}))]}),
            "resources[0].tags.t",
            format!(
                "Unable to process template language expressions for resource '{GROUP}/providers/{store}/a'. 'The template parameter 'p' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.'"
            ),
        ),
        (
            json!({"resources": [account("[parameters('p')]")]}),
            "resources[0].name",
            "The template resource '[parameters('p')]' is not valid: The template parameter 'p' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.".to_owned(),
        ),
        (
            json!({"parameters": {"p": {"type": "string", "defaultValue": "[resourceGroup().nothing]"}}}),
            "parameters.p.defaultValue",
            "The template parameter 'p' is not valid: The language expression property 'nothing' doesn't exist, available properties are 'id, name, type, location, tags, properties'.".to_owned(),
        ),
        (
            json!({"outputs": {"o": {"type": "string", "value": "[foo()]"}}}),
            "outputs.o.value",
            "The template function 'foo' is not valid. Please see https://aka.ms/arm-functions for usage details.".to_owned(),
        ),
    ];
    for (parts, place, message) in cases {
        let error = plan(parts, json!({})).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!((error.code(), error.place()), ("InvalidTemplate", place));
    }
}

fn misplaced(function: &str) -> String {
    format!(
        "The template function '{function}' is not expected at this location. Please see https://aka.ms/arm-functions for usage details."
    )
}

#[test]
fn what_only_azure_knows_stands_in_bodies_and_outputs_alone() {
    let live = "[reference('/a/b', '2020-01-01').x]";
    let resource = |more: Value| json!({"resources": [account_with("a", more)]});
    for (parts, place, subject) in [
        (
            json!({"variables": {"v": {"deep": [live]}}}),
            "variables.v",
            "template variable 'v'".to_owned(),
        ),
        (
            json!({"variables": {"v": "[if(false(), listKeys('x', '2020-01-01'), '')]"}}),
            "variables.v",
            "template variable 'v'".to_owned(),
        ),
        (
            json!({"parameters": {"p": {"type": "string", "defaultValue": live}}}),
            "parameters.p.defaultValue",
            "template parameter 'p'".to_owned(),
        ),
        (
            resource(json!({"name": live})),
            "resources[0].name",
            format!("template resource '{live}'"),
        ),
        (
            resource(json!({"apiVersion": live})),
            "resources[0].apiVersion",
            "template resource 'a'".to_owned(),
        ),
        (
            resource(json!({"copy": {"name": "c", "count": live}})),
            "resources[0].copy",
            "template resource 'a'".to_owned(),
        ),
    ] {
        let function = if parts.to_string().contains("listKeys") {
            "listKeys"
        } else {
            "reference"
        };
        let error = plan(parts, json!({})).unwrap_err();
        assert_eq!((error.code(), error.place()), ("InvalidTemplate", place));
        assert_eq!(
            error.to_string(),
            format!("The {subject} is not valid: {}", misplaced(function))
        );
    }
    // The whole template of a nested deployment of outer scope is part of a body.
    let inner = json!({"resources": [account("[concat('a', reference('/a/b', '2020-01-01').x)]")]});
    plan(
        json!({"resources": [nested("n", "outer", inner.clone(), json!({}))]}),
        json!({}),
    )
    .unwrap();
    let error = plan(
        json!({"resources": [nested("n", "inner", inner, json!({}))]}),
        json!({}),
    )
    .unwrap_err();
    assert_eq!(
        error.place(),
        "resources[0].properties.template.resources[0].name"
    );
    // The loops of variables have names, and no resource is around them.
    let many =
        |input: &str| json!({"variables": {"copy": [{"name": "v", "count": 2, "input": input}]}});
    plan(many("[copyIndex('v', 1)]"), json!({})).unwrap();
    for input in ["[copyIndex()]", "[add(copyIndex(1), 1)]"] {
        assert_eq!(
            refused(many(input)),
            format!(
                "The template variable 'v' is not valid: {}",
                misplaced("copyIndex")
            )
        );
    }
}

#[test]
fn user_defined_functions_keep_to_themselves() {
    let with_function = |version: &str, output: Value| {
        json!({
            "languageVersion": version,
            "resources": if version == "1.0" { json!([]) } else { json!({}) },
            "variables": {"v": 1},
            "functions": [{"namespace": "my", "members": {
                "one": {"parameters": [], "output": {"type": "int", "value": 1}},
                "f": {"parameters": [], "output": output},
            }}],
            "outputs": {"o": {"type": "int", "value": "[my.f()]"}},
        })
    };
    let int = |value: &str| json!({"type": "int", "value": value});
    for (value, function) in [
        ("[variables('v')]", "variables"),
        ("[reference('/a/b', '2020-01-01').x]", "reference"),
        ("[listKeys('/a/b', '2020-01-01').x]", "listKeys"),
        ("[my.one()]", "my.one"),
    ] {
        assert_eq!(
            refused(with_function("1.0", int(value))),
            misplaced(function)
        );
    }
    plan(with_function("2.0", int("[my.one()]")), json!({})).unwrap();
    assert_eq!(
        refused(with_function("1.0", int("[string(1)]"))),
        "The template output 'o' is not valid: the output of `my.f`: Template output JToken type is not valid. Expected 'Integer'. Actual 'String'. (in `my.f()`)"
    );
}

#[test]
fn loops_have_their_places_and_sizes() {
    let child = json!({
        "type": "services", "apiVersion": "2023-01-01", "name": "[concat('s', copyIndex())]",
        "copy": {"name": "c", "count": 2},
    });
    assert_eq!(
        refused(json!({"resources": [account_with("a", json!({"resources": [child]}))]})),
        "The template resource '[concat('s', copyIndex())]' is not valid. Copying nested resources is not supported. Please see https://aka.ms/arm-copy for usage details."
    );
    let empty = json!({"copy": {"name": "c", "count": 2, "mode": "serial", "batchSize": 0}});
    assert!(
        refused(json!({"resources": [account_with("[concat('a', copyIndex())]", empty)]}))
            .contains("at least 1")
    );
}

#[test]
fn a_deployment_to_a_subscription_says_where_it_is_kept() {
    let mut inner = nested("inner", "inner", json!({"resources": []}), json!({}));
    inner["subscriptionId"] = "00000000-0000-0000-0000-0000000000dd".into();
    let error = plan(json!({"resources": [inner.clone()]}), json!({})).unwrap_err();
    assert_eq!(error.code(), "InvalidDeployment");
    assert_eq!(
        error.to_string(),
        "The 'location' property must be specified for 'inner'. Please see https://aka.ms/deploy-to-subscription for usage details."
    );
    let mut located = inner.clone();
    located["location"] = "westeurope".into();
    plan(json!({"resources": [located]}), json!({})).unwrap();
    inner["resourceGroup"] = "other".into();
    plan(json!({"resources": [inner]}), json!({})).unwrap();
}

#[test]
fn outputs_are_held_against_their_types_and_show_no_secrets() {
    let output = |declared: Value| {
        plan(
            json!({
                "languageVersion": "2.0",
                "resources": {},
                "definitions": {
                    "count": {"type": "int", "minValue": 1},
                    "login": {"type": "object", "properties": {
                        "user": {"type": "string"},
                        "password": {"type": "securestring"},
                        "more": {"type": "array", "items": {"$ref": "#/definitions/login"}, "nullable": true},
                    }},
                },
                "outputs": {"o": declared},
            }),
            json!({}),
        )
        .map(|evaluation| evaluation.outputs["o"].value.clone())
    };
    let wrong = |declared: Value| output(declared).unwrap_err().to_string();
    assert_eq!(
        wrong(json!({"$ref": "#/definitions/count", "value": "three"})),
        "The template output 'o' is not valid: Template output JToken type is not valid. Expected 'Integer'. Actual 'String'."
    );
    assert_eq!(
        wrong(json!({"$ref": "#/definitions/count", "value": "[sub(1, 1)]"})),
        "The template output 'o' is not valid: The value should be greater than or equal to '1'."
    );
    assert!(
        wrong(json!({"$ref": "#/definitions/login", "value": {"user": "u"}}))
            .contains("The property 'password' is missing.")
    );
    let login =
        json!({"user": "u", "password": "hunter2", "more": [{"user": "v", "password": "hunter3"}]});
    assert_eq!(
        output(json!({"$ref": "#/definitions/login", "value": login})).unwrap(),
        json!({"user": "u", "more": [{"user": "v"}]})
    );
    assert_eq!(
        output(json!({"type": "securestring", "value": "whole"})).unwrap(),
        "whole"
    );
}
