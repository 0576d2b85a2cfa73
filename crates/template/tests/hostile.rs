//! Hostile input ends with an error: whatever the document, on a small stack, and soon.

mod support;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::{context, plan, template};
use template::{Error, Template, Unknown, check_parameters, evaluate};

/// What a worker thread has; half of what threads have by default.
const SMALL_STACK: usize = 1024 * 1024;

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let fine = std::thread::Builder::new()
        .stack_size(SMALL_STACK)
        .spawn(work)
        .map(|thread| thread.join().is_ok())
        .is_ok_and(|fine| fine);
    assert!(fine, "the work on a small stack failed");
}

/// JSON that is `depth` deep. Kept from being dropped: dropping it by recursion is the caller's trouble, not the evaluator's.
fn tower(depth: usize) -> Value {
    let mut value = json!(1);
    for i in 0..depth {
        value = if i % 2 == 0 {
            Value::Array(vec![value])
        } else {
            let mut object = Map::new();
            object.insert("a".into(), value);
            Value::Object(object)
        };
    }
    value
}

#[test]
fn what_nests_without_end_is_refused() {
    on_a_small_stack(|| {
        for opened in ["[", "{\"a\":", "{\"resources\":["] {
            let text = opened.repeat(200_000);
            assert!(matches!(
                Template::parse(&text),
                Err(Error::NotJson { .. } | Error::Limit { .. })
            ));
        }
        let mut document = template(json!({}));
        document["metadata"] = tower(100_000);
        assert!(matches!(
            Template::from_value(document),
            Err(Error::Limit { .. })
        ));

        let parsed = Template::from_value(template(json!({
            "parameters": {"x": {"type": "array"}},
        })))
        .unwrap();
        let mut given = Map::new();
        given.insert("x".into(), tower(100_001));
        assert_eq!(check_parameters(&parsed, &given).len(), 1);
        assert!(evaluate(&parsed, &given, &context(), &Unknown).is_err());
        std::mem::forget(given);

        for expression in [
            format!("[{}1{}]", "add(1, ".repeat(3_000), ")".repeat(3_000)),
            format!("[{}]", "((".repeat(10_000)),
            format!("[variables('a'){}]", ".b".repeat(10_000)),
            format!("[variables('a'){}]", "[0]".repeat(6_000)),
            format!("[{}]", "'".repeat(24_001)),
            format!("[json('{}')]", "[".repeat(20_000)),
        ] {
            assert!(support::eval(&expression).is_err(), "{}", &expression[..30]);
        }
    });
}

#[test]
fn what_calls_itself_is_refused() {
    on_a_small_stack(|| {
        let own_type = json!({
            "languageVersion": "2.0",
            "resources": {},
            "definitions": {
                "list": {"type": "object", "properties": {"next": {"$ref": "#/definitions/list", "nullable": true}}},
                "circle": {"$ref": "#/definitions/circle"},
            },
            "parameters": {"x": {"$ref": "#/definitions/list"}},
        });
        // A recursive type is lawful, and its values are looked at to their end.
        let mut list = json!({});
        for _ in 0..100 {
            list = json!({"next": list});
        }
        plan(own_type.clone(), json!({"x": list.clone()})).unwrap();
        let mut wrong = own_type.clone();
        wrong["parameters"]["x"] = json!({"$ref": "#/definitions/circle"});
        assert!(plan(wrong, json!({"x": list})).is_err());

        let functions = json!([{"namespace": "f", "members": {
            "a": {"parameters": [], "output": {"type": "int", "value": "[f.b()]"}},
            "b": {"parameters": [], "output": {"type": "int", "value": "[f.a()]"}},
        }}]);
        let calls = json!({"languageVersion": "2.0", "resources": {}, "functions": functions, "outputs": {"o": {"type": "int", "value": "[f.a()]"}}});
        assert!(matches!(plan(calls, json!({})), Err(Error::Limit { .. })));

        let circle = json!({
            "parameters": {"a": {"type": "int", "defaultValue": "[parameters('b')]"}, "b": {"type": "int", "defaultValue": "[parameters('a')]"}},
        });
        assert!(plan(circle, json!({})).is_err());

        let names = |of: &str| json!({"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": format!("[resourceInfo('{of}').name]")});
        let circle =
            json!({"languageVersion": "2.0", "resources": {"a": names("b"), "b": names("a")}});
        assert!(matches!(plan(circle, json!({})), Err(Error::Limit { .. })));

        let nested = |depth: usize| {
            let mut inner = json!({"resources": []});
            for _ in 0..depth {
                inner = json!({"resources": [{
                    "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d",
                    "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": template(inner)},
                }]});
            }
            plan(inner, json!({}))
        };
        assert_eq!(nested(30).unwrap().resources.len(), 30);
        assert!(matches!(nested(40), Err(Error::Limit { .. })));
    });
}

/// Expressions that mean something in a template, and some that do not.
fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "a",
        "a/b",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.Resources/deployments",
        "string",
        "int",
        "array",
        "object",
        "bool",
        "securestring",
        "Inner",
        "outer",
        "serial",
        "2.0",
        "#/definitions/a",
        "#/definitions/b",
        "[parameters('a')]",
        "[parameters('b')]",
        "[variables('a')]",
        "[variables('b')]",
        "[copyIndex()]",
        "[copyIndex('a')]",
        "[reference('a')]",
        "[reference('a').outputs.a.value]",
        "[listKeys('a', '2020-01-01')]",
        "[a.b(1)]",
        "[parameters('a').b]",
        "[length(variables('a'))]",
        "[concat('a', copyIndex())]",
        "[not(parameters('a'))]",
        "[map(variables('a'), lambda('x', lambdaVariables('x')))]",
        "[newGuid()]",
        "[resourceGroup().location]",
        "[if(parameters('a'), 1, 'b')]",
        "[",
        "[[x]",
        "[x",
        "[range(0, 3)]",
        "[deployment().name]",
        "[utcNow()]",
        "[createObject('a', reference('b'))]",
        "[json('{\"$unknown\":\"x\"}')]",
    ])
    .prop_map(str::to_owned)
}

/// JSON of the words of the language in no order.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::String),
        1 => (-2_i64..5).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let word = prop::sample::select(vec![
        "a",
        "b",
        "type",
        "apiVersion",
        "name",
        "properties",
        "condition",
        "copy",
        "count",
        "input",
        "mode",
        "batchSize",
        "dependsOn",
        "resources",
        "scope",
        "existing",
        "resourceGroup",
        "template",
        "templateLink",
        "uri",
        "parameters",
        "value",
        "variables",
        "outputs",
        "definitions",
        "$ref",
        "defaultValue",
        "allowedValues",
        "minLength",
        "maxValue",
        "nullable",
        "items",
        "prefixItems",
        "additionalProperties",
        "discriminator",
        "propertyName",
        "mapping",
        "functions",
        "namespace",
        "members",
        "output",
        "expressionEvaluationOptions",
        "location",
        "[parameters('a')]",
        "languageVersion",
        "extension",
        "$unknown",
        "metadata",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            4 => prop::collection::vec((word.clone(), inner), 0..7)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    (document(), text(), document(), any::<bool>()).prop_map(|(more, name, properties, nested)| {
        let kind = if nested {
            "Microsoft.Resources/deployments"
        } else {
            "Microsoft.Storage/storageAccounts"
        };
        let mut resource = json!({"type": kind, "apiVersion": "2022-09-01", "name": name, "properties": properties});
        if let (Value::Object(resource), Value::Object(more)) = (&mut resource, more) {
            resource.extend(more);
        }
        resource
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_document_breaks_the_evaluator(
        sections in prop::collection::vec((prop::sample::select(vec!["parameters", "variables", "outputs", "definitions", "functions"]), document()), 0..4),
        resources in prop::collection::vec(resource(), 0..4),
        symbolic in any::<bool>(),
        given in document(),
    ) {
        let mut parts = Map::new();
        for (name, value) in sections {
            parts.insert(name.to_owned(), value);
        }
        if symbolic {
            parts.insert("languageVersion".into(), "2.0".into());
            parts.insert("resources".into(), resources.into_iter().enumerate().map(|(i, resource)| (format!("r{i}"), resource)).collect());
        } else {
            parts.insert("resources".into(), Value::Array(resources));
        }
        let document = template(Value::Object(parts));
        let parsed = Template::parse(&document.to_string());
        prop_assert_eq!(parsed.is_ok(), Template::from_value(document).is_ok());
        if let Ok(parsed) = parsed {
            let given = match given {
                Value::Object(given) => given,
                _ => Map::new(),
            };
            let _ = check_parameters(&parsed, &given);
            let _ = evaluate(&parsed, &given, &context(), &Unknown);
        }
    }
}
