//! Stories of the newer parts of the language: user-defined types and functions, linked templates, extensions, and why something is
//! not known.

mod support;

use serde_json::{Map, Value, json};
use support::{GROUP, SUBSCRIPTION, account, context, named, names, plan, template, with};
use template::{Cause, Error, Link, Runtime, Template, Unknown, check_parameters};

/// What is wrong with this value of the parameter `x`, declared so.
fn wrong(definitions: &Value, declaration: &Value, value: Value) -> Vec<String> {
    let parsed = Template::from_value(template(json!({
        "languageVersion": "2.0",
        "resources": {},
        "definitions": definitions,
        "parameters": {"x": declaration},
    })))
    .unwrap_or_else(|error| panic!("{error}"));
    let given: Map<String, Value> = [("x".to_owned(), value)].into_iter().collect();
    check_parameters(&parsed, &given)
        .into_iter()
        .inspect(|error| {
            assert_eq!(
                (error.name.as_str(), error.code.as_str()),
                ("x", "InvalidTemplate")
            )
        })
        .map(|error| error.message)
        .collect()
}

#[test]
fn refused_values_are_refused_in_arms_words() {
    let help = "Please see https://aka.ms/arm-syntax-parameters for usage details.";
    let said = |declaration: Value, value: Value| wrong(&json!({}), &declaration, value).join("\n");
    assert_eq!(
        said(json!({"type": "string", "minLength": 1}), json!("")),
        format!(
            "The provided value for the template parameter 'x' is not valid. Length of the value should be greater than or equal to '1'. {help}"
        )
    );
    assert_eq!(
        said(json!({"type": "string", "maxLength": 6}), json!("1234567")),
        format!(
            "The provided value for the template parameter 'x' is not valid. Length of the value should be less than or equal to '6'. {help}"
        )
    );
    assert_eq!(
        said(
            json!({"type": "string", "allowedValues": ["dev", "prod"]}),
            json!("test")
        ),
        format!(
            "The provided value for the template parameter 'x' is not valid. The value 'test' is not part of the allowed value(s): 'dev,prod'. {help}"
        )
    );
    assert_eq!(
        said(
            json!({"type": "securestring", "allowedValues": ["a"]}),
            json!("hunter2")
        ),
        format!(
            "The provided value for the template parameter 'x' is not valid. The value is not part of the allowed value(s): 'a'. {help}"
        )
    );
    assert_eq!(
        said(json!({"type": "string"}), json!(5)),
        format!(
            "The provided value for the template parameter 'x' is not valid. Expected a value of type 'String, Uri', but received a value of type 'Integer'. {help}"
        )
    );
    assert_eq!(
        said(
            json!({"type": "int", "minValue": 1, "maxValue": 9}),
            json!(10)
        ),
        format!(
            "The provided value for the template parameter 'x' is not valid. The value should be less than or equal to '9'. {help}"
        )
    );
    assert_eq!(
        plan(json!({"parameters": {"x": {"type": "string"}}}), json!({}))
            .unwrap_err()
            .to_string(),
        "The value for the template parameter 'x' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details."
    );
    let error = plan(
        json!({"parameters": {"x": {"type": "string"}}}),
        json!({"x": "a", "y": 1}),
    )
    .unwrap_err();
    assert_eq!(error.code(), "InvalidTemplate");
    assert_eq!(
        error.to_string(),
        "The template parameters 'y' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are 'x'. Please see https://aka.ms/arm-pass-parameter-values for usage details."
    );
}

#[test]
fn user_defined_types_are_closed_open_chosen_and_counted() {
    let definitions = json!({
        "cat": {"type": "object", "properties": {"kind": {"type": "string", "allowedValues": ["cat"]}, "lives": {"type": "int", "maxValue": 9}}, "additionalProperties": false},
        "dog": {"type": "object", "properties": {"kind": {"type": "string", "allowedValues": ["dog"]}, "name": {"type": "string", "nullable": true}}, "additionalProperties": {"type": "int"}},
        "pet": {"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"cat": {"$ref": "#/definitions/cat"}, "dog": {"$ref": "#/definitions/dog"}}}},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "int"}], "items": false},
        "pets": {"type": "array", "items": {"$ref": "#/definitions/pet"}, "minLength": 1, "maxLength": 2},
    });
    let check = |name: &str, value: Value| {
        wrong(
            &definitions,
            &json!({"$ref": format!("#/definitions/{name}")}),
            value,
        )
    };
    assert!(check("pet", json!({"kind": "cat", "lives": 9})).is_empty());
    assert!(check("pet", json!({"kind": "dog", "tricks": 3})).is_empty());
    assert!(check("pet", json!({"kind": "dog", "name": null})).is_empty());
    assert!(check("pair", json!(["a", 1])).is_empty());
    let one = |name: &str, value: Value, part: &str| {
        let said = check(name, value);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(part), "{said:?}");
    };
    one(
        "pet",
        json!({"kind": "fish"}),
        "at 'kind'. The value 'fish' is not part of the allowed value(s): 'cat,dog'.",
    );
    one(
        "pet",
        json!({"lives": 1}),
        "The property 'kind' is missing.",
    );
    one(
        "pet",
        json!({"kind": "cat", "lives": 10}),
        "at 'lives'. The value should be less than or equal to '9'.",
    );
    one(
        "pet",
        json!({"kind": "cat", "lives": 1, "tail": true}),
        "The property 'tail' is not declared",
    );
    one(
        "pet",
        json!({"kind": "dog", "tricks": "many"}),
        "at 'tricks'. Expected a value of type 'Integer'",
    );
    one("pair", json!(["a"]), "greater than or equal to '2'");
    one("pair", json!(["a", 1, 2]), "less than or equal to '2'");
    one(
        "pair",
        json!([1, 1]),
        "at '[0]'. Expected a value of type 'String, Uri'",
    );
    one("pets", json!([]), "greater than or equal to '1'");
    one(
        "pets",
        json!([{"kind": "cat", "lives": 1}, {"kind": "dog", "x": "y"}]),
        "at '[1].x'",
    );
    // A choice that is not known yet leaves open what may stand beside it.
    assert!(
        check(
            "pet",
            json!({"kind": {"$unknown": "reference('a').kind"}, "whatever": 1})
        )
        .is_empty()
    );
}

#[test]
fn nothing_within_a_secure_value_is_shown() {
    let declaration = json!({"type": "secureObject", "properties": {
        "mode": {"type": "string", "allowedValues": ["a"]},
        "inner": {"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"x": {"type": "object"}}}},
    }});
    let said = wrong(
        &json!({}),
        &declaration,
        json!({"mode": "hunter2", "inner": {"kind": "hunter3"}}),
    )
    .join("\n");
    assert!(
        said.contains("at 'mode'. The value is not part of the allowed value(s): 'a'."),
        "{said}"
    );
    assert!(
        said.contains("at 'inner.kind'. The value is not part"),
        "{said}"
    );
    assert!(!said.contains("hunter"), "{said}");
}

#[test]
fn user_defined_functions_check_what_they_are_given() {
    let call = |expression: &str| {
        plan(
            json!({
                "languageVersion": "2.0",
                "resources": {},
                "definitions": {"short": {"type": "string", "maxLength": 3}},
                "functions": [{"namespace": "my", "members": {"join": {
                    "parameters": [{"name": "a", "$ref": "#/definitions/short"}, {"name": "n", "type": "int"}],
                    "output": {"type": "string", "value": "[format('{0}{1}', parameters('a'), parameters('n'))]"},
                }}}],
                "outputs": {"o": {"type": "string", "value": expression}},
            }),
            json!({}),
        )
        .map(|evaluation| evaluation.outputs["o"].value.clone())
    };
    assert_eq!(call("[my.join('abc', 1)]").unwrap(), "abc1");
    let refused = |expression: &str| call(expression).unwrap_err().to_string();
    assert!(refused("[my.join('abcd', 1)]").contains("the argument `a` of `my.join`"));
    assert!(refused("[my.join('abc', '1')]").contains("Expected a value of type 'Integer'"));
    assert!(refused("[my.join('abc')]").contains("takes 2 argument(s)"));
}

/// Knows the template at one address.
struct Library;

impl Runtime for Library {
    fn reference(&self, _: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn list(
        &self,
        _: &str,
        _: &str,
        _: Option<&str>,
        _: Option<&Value>,
    ) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn linked(&self, link: &Link) -> Result<Option<Value>, Error> {
        let known = link.uri.as_deref() == Some("https://templates.example.com/store.json");
        Ok(known.then(|| {
            template(json!({
                "parameters": {"name": {"type": "string"}},
                "resources": [account("[parameters('name')]")],
                "outputs": {"name": {"type": "string", "value": "[toUpper(parameters('name'))]"}},
            }))
        }))
    }
}

#[test]
fn a_linked_template_comes_through_the_runtime_or_is_named() {
    let parts = |link: Value| {
        json!({
            "parameters": {"base": {"type": "string", "defaultValue": "https://templates.example.com/"}},
            "resources": [{
                "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "linked",
                "properties": {"mode": "Incremental", "templateLink": link, "parameters": {"name": {"value": "store"}}},
            }],
            "outputs": {"name": {"type": "string", "value": "[reference('linked').outputs.name.value]"}},
        })
    };
    let link = json!({"uri": "[uri(parameters('base'), 'store.json')]", "queryString": "sig=secret", "contentVersion": "1.0.0.0"});
    let evaluation = with(parts(link.clone()), json!({}), &context(), &Library).unwrap();
    assert_eq!(names(&evaluation), ["linked", "store"]);
    assert_eq!(evaluation.outputs["name"].value, "STORE");
    assert_eq!(
        named(&evaluation, "linked").body["properties"]["templateLink"]["uri"],
        "https://templates.example.com/store.json"
    );
    assert_eq!(
        named(&evaluation, "store").deployment.as_deref(),
        Some(format!("{GROUP}/providers/Microsoft.Resources/deployments/linked").as_str())
    );

    let error = plan(parts(link), json!({})).unwrap_err();
    assert_eq!(error.code(), "InvalidContentLink");
    assert_eq!(error.place(), "resources[0].properties.templateLink");
    let said = error.to_string();
    assert!(
        said.contains("`https://templates.example.com/store.json` is not loaded"),
        "{said}"
    );
    assert!(!said.contains("secret"), "{said}");
    for (link, named) in [
        (json!({"relativePath": "nested/a.json"}), "nested/a.json"),
        (
            json!({"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/templateSpecs/t/versions/1"}),
            "templateSpecs/t",
        ),
    ] {
        let error = with(parts(link), json!({}), &context(), &Library).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
    let old =
        json!({"uri": "https://templates.example.com/store.json", "contentVersion": "0.9.0.0"});
    let error = with(parts(old), json!({}), &context(), &Library).unwrap_err();
    assert!(
        error.to_string().contains("content version 0.9.0.0"),
        "{error}"
    );
}

#[test]
fn secure_outputs_of_a_nested_deployment_come_through_their_list_function() {
    let evaluation = plan(
        json!({
            "resources": [{
                "type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": "inner",
                "properties": {
                    "mode": "Incremental",
                    "expressionEvaluationOptions": {"scope": "inner"},
                    "template": template(json!({
                        "resources": [],
                        "outputs": {
                            "made": {"type": "securestring", "value": "[concat('a', 'b')]"},
                            "live": {"type": "securestring", "value": "[reference('/a/b', '2020-01-01').x]"},
                        },
                    })),
                },
            }],
            "outputs": {
                "made": {"type": "securestring", "value": "[listOutputsWithSecureValues('inner', '2025-04-01').made]"},
                "live": {"type": "securestring", "value": "[listOutputsWithSecureValues('inner', '2025-04-01').live]"},
            },
        }),
        json!({}),
    )
    .unwrap();
    assert_eq!(evaluation.outputs["made"].value, "ab");
    assert!(evaluation.outputs["made"].kind.secure());
    let live = evaluation.outputs["live"].value["$unknown"]
        .as_str()
        .unwrap();
    assert_eq!(evaluation.causes(live), [Cause::Reference("/a/b".into())]);
}

#[test]
fn a_resource_of_an_extension_is_refused_by_its_name() {
    let parts = |condition: bool| {
        json!({
            "languageVersion": "2.1-experimental",
            "extensions": {"kubernetes": {"name": "Kubernetes", "version": "1.0.0"}},
            "resources": {
                "service": {"extension": "kubernetes", "type": "core/Service@v1", "condition": condition, "properties": {}},
                "store": account("store"),
            },
        })
    };
    let error = plan(parts(true), json!({})).unwrap_err();
    assert_eq!(error.place(), "resources.service");
    assert!(
        error.to_string().contains("extension `kubernetes`"),
        "{error}"
    );
    assert_eq!(names(&plan(parts(false), json!({})).unwrap()), ["store"]);
}

#[test]
fn what_is_for_arm_alone_is_not_sent_to_the_provider() {
    let mut store = account("store");
    store["metadata"] = json!({"description": "for people"});
    store["@options"] = json!({"onlyIfNotExists": true});
    let evaluation = plan(
        json!({"languageVersion": "2.0", "metadata": {"note": "x"}, "resources": {"store": store}}),
        json!({}),
    )
    .unwrap();
    assert_eq!(named(&evaluation, "store").body, account("store"));
}

#[test]
fn the_deployment_shows_itself() {
    let parts = json!({
        "parameters": {"a": {"type": "int"}, "b": {"type": "int", "defaultValue": 2}},
        "resources": [account("[concat('a', parameters('a'))]")],
        "outputs": {"o": {"type": "object", "value": "[deployment().properties]"}},
    });
    let evaluation = plan(parts.clone(), json!({"a": 1})).unwrap();
    let hash = Template::from_value(template(parts.clone()))
        .unwrap()
        .hash();
    assert_eq!(
        evaluation.outputs["o"].value,
        json!({
            // As written: its expressions are not evaluated.
            "template": template(parts),
            "templateHash": hash,
            "parameters": {"a": {"value": 1}},
            "mode": "Incremental",
            "provisioningState": "Accepted",
        })
    );
    assert!(hash.parse::<u64>().is_ok(), "{hash}");
}

/// Knows where it is.
struct Home;

impl Runtime for Home {
    fn reference(&self, _: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn list(
        &self,
        _: &str,
        _: &str,
        _: Option<&str>,
        _: Option<&Value>,
    ) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn scope(&self, id: &str) -> Result<Option<Value>, Error> {
        Ok(Some(if id.starts_with("/tenants/") {
            json!({"displayName": "Example"})
        } else {
            json!({"displayName": format!("the name of {id}"), "state": "Enabled"})
        }))
    }
}

#[test]
fn what_is_known_of_the_subscription_and_the_tenant_is_shown() {
    let evaluation = with(
        json!({"outputs": {
            "subscription": {"type": "object", "value": "[subscription()]"},
            "tenant": {"type": "object", "value": "[tenant()]"},
        }}),
        json!({}),
        &context(),
        &Home,
    )
    .unwrap();
    let id = format!("/subscriptions/{SUBSCRIPTION}");
    let tenant = context().tenant_id;
    assert_eq!(
        evaluation.outputs["subscription"].value,
        json!({"id": id, "subscriptionId": SUBSCRIPTION, "tenantId": tenant, "displayName": format!("the name of {id}")})
    );
    assert_eq!(
        evaluation.outputs["tenant"].value,
        json!({
            "id": format!("/tenants/{tenant}"),
            "tenantId": tenant,
            "countryCode": {"$unknown": "tenant().countryCode"},
            "displayName": "Example",
        })
    );
}

/// The causes of the unknown that an output became.
fn causes(parts: Value, given: Value) -> Vec<Cause> {
    let evaluation =
        with(parts, given, &context(), &Unknown).unwrap_or_else(|error| panic!("{error}"));
    let text = evaluation.outputs["o"].value["$unknown"]
        .as_str()
        .unwrap_or_else(|| panic!("{} is no unknown", evaluation.outputs["o"].value));
    evaluation.causes(text).to_vec()
}

#[test]
fn every_unknown_says_why_it_is_one() {
    let output = |expression: &str| json!({"o": {"type": "string", "value": expression}});
    let shared = format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv");
    let symbolic = |expression: &str| {
        json!({
            "languageVersion": "2.0",
            "resources": {
                "vault": {"existing": true, "type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "kv"},
                "store": account("store"),
            },
            "outputs": output(expression),
        })
    };
    let store = format!("{GROUP}/providers/Microsoft.Storage/storageAccounts/store");
    assert_eq!(
        causes(
            symbolic("[toLower(reference('vault').vaultUri)]"),
            json!({})
        ),
        [Cause::Existing(shared)]
    );
    assert_eq!(
        causes(
            symbolic("[reference('store').primaryEndpoints.blob]"),
            json!({})
        ),
        [Cause::Reference(store.clone())]
    );
    assert_eq!(
        causes(
            symbolic(
                "[concat(listKeys('store', '2023-01-01').keys[0].value, deployer().objectId)]"
            ),
            json!({})
        ),
        [Cause::List(format!("listKeys of {store}")), Cause::Deployer]
    );
    assert!(matches!(
        causes(symbolic("[subscription().displayName]"), json!({})).as_slice(),
        [Cause::Existing(_)]
    ));
    // Through a parameter of a nested deployment, a variable, a loop and a lambda.
    let within = template(json!({
        "languageVersion": "2.0",
        "resources": {},
        "parameters": {"x": {"type": "object"}},
        "variables": {
            "known": "k",
            "live": {"a": "[parameters('x').list]"},
            "copy": [{"name": "many", "count": "[length(variables('live').a)]", "input": "[copyIndex('many')]"}],
        },
        "outputs": output("[join(map(variables('many'), lambda('x', string(lambdaVariables('x')))), variables('known'))]"),
    }));
    let through = json!({
        "resources": [{
            "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner",
            "properties": {
                "mode": "Incremental",
                "expressionEvaluationOptions": {"scope": "inner"},
                "template": within,
                "parameters": {"x": {"value": "[reference('/a/b', '2020-01-01')]"}},
            },
        }],
        "outputs": output("[reference('inner').outputs.o.value]"),
    });
    assert_eq!(
        causes(through, json!({})),
        [Cause::Reference("/a/b".into())]
    );
    // Given so by the caller.
    let given = json!({"parameters": {"x": {"type": "string"}}, "outputs": output("[toLower(parameters('x'))]")});
    let found = causes(
        given,
        json!({"x": {"$unknown": "the other stack's address"}}),
    );
    assert_eq!(found, [Cause::Given("x".into())]);
    assert!(!found[0].is_lawful());
    // Into a nested deployment and out of it again.
    let inner = template(json!({
        "parameters": {"p": {"type": "string"}, "secret": {"type": "securestring"}},
        "resources": [],
        "outputs": {
            "p": {"type": "string", "value": "[toUpper(parameters('p'))]"},
            "secret": {"type": "string", "value": "[base64(parameters('secret'))]"},
        },
    }));
    let nested = |name: &str| {
        json!({
            "resources": [{
                "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner",
                "properties": {
                    "mode": "Incremental",
                    "expressionEvaluationOptions": {"scope": "inner"},
                    "template": inner,
                    "parameters": {
                        "p": {"value": "[reference('/a/b', '2020-01-01').x]"},
                        "secret": {"reference": {"keyVault": {"id": "/kv"}, "secretName": "s"}},
                    },
                },
            }],
            "outputs": output(&format!("[reference('inner').outputs.{name}.value]")),
        })
    };
    assert_eq!(
        causes(nested("p"), json!({})),
        [Cause::Reference("/a/b".into())]
    );
    assert_eq!(
        causes(nested("secret"), json!({})),
        [Cause::Secret("secret".into())]
    );
}

#[test]
fn a_resource_that_may_not_come_says_on_what_it_hangs() {
    let mut maybe = account("maybe");
    maybe["condition"] = json!("[equals(reference('/a/b', '2020-01-01').x, 'on')]");
    let mut many = account("[concat('many', copyIndex(), parameters('suffix'))]");
    many["copy"] = json!({"name": "loop", "count": "[length(parameters('list'))]"});
    // Names and counts know live values only as a nested deployment's parameters.
    let inner = template(json!({
        "parameters": {"suffix": {"type": "string"}, "list": {"type": "array"}},
        "resources": [maybe, many],
    }));
    let evaluation = plan(
        json!({"resources": [{
            "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner",
            "properties": {
                "mode": "Incremental",
                "expressionEvaluationOptions": {"scope": "inner"},
                "template": inner,
                "parameters": {
                    "suffix": {"value": "[reference('/c/d', '2020-01-01').suffix]"},
                    "list": {"value": "[reference('/a/b', '2020-01-01').list]"},
                },
            },
        }]}),
        json!({}),
    )
    .unwrap();
    let [_, maybe, many] = evaluation.resources.as_slice() else {
        panic!("three resources were wanted: {:?}", names(&evaluation));
    };
    let lawful = |text: &str| {
        evaluation
            .causes(text)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lawful(maybe.uncertain.as_deref().unwrap()),
        ["reference: /a/b"]
    );
    assert_eq!(
        lawful(many.uncertain.as_deref().unwrap()),
        ["reference: /a/b"]
    );
    let shown = many
        .name
        .strip_prefix("<unknown: ")
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap();
    assert_eq!(lawful(shown), ["reference: /a/b", "reference: /c/d"]);
}
