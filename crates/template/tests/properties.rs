//! What holds for every input: no text breaks the reader, printing and reading agree, and an unknown never turns into a wrong value.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::{account, eval, eval_with, plan};
use template::{Error, Runtime, Template, Unknown, is_unknown};

/// A cloud in which the resource `/n` is the n-th of these values.
struct Leaves(Vec<Value>);

impl Runtime for Leaves {
    fn reference(&self, id: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, Error> {
        let index: Option<usize> = id.trim_start_matches('/').parse().ok();
        Ok(index.and_then(|index| self.0.get(index)).cloned())
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
}

/// Whether a value may be what a plan foretold: the same, but anything where the plan had an unknown.
fn fits(plan: &Value, live: &Value) -> bool {
    if is_unknown(plan) {
        return true;
    }
    match (plan, live) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| fits(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| fits(a, b)))
        }
        (a, b) => a == b,
    }
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        (-3_i64..6).prop_map(|n| n.to_string()),
        "[a-c]{0,3}".prop_map(|s| format!("'{s}'")),
        Just("true()".to_owned()),
        Just("false()".to_owned()),
        Just("null()".to_owned()),
        Just("createArray('a', 1, 'b')".to_owned()),
        Just("createArray(2, 1)".to_owned()),
        Just("createArray()".to_owned()),
        Just("createObject('a', 1, 'b', createObject('c', 'd'))".to_owned()),
        Just("createObject('A', 'x')".to_owned()),
    ]
}

/// An expression of common functions, and how many of its leaves are live.
fn expression() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![3 => literal(), 2 => (0_usize..8).prop_map(|n| format!("reference('/{n}')"))];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let one = prop::sample::select(vec![
            "not", "empty", "length", "first", "last", "string", "array", "flatten", "items", "objectKeys", "int", "bool", "toLower", "min", "max",
            "any", "shallowMerge", "json",
        ]);
        let two = prop::sample::select(vec![
            "and", "or", "xor", "equals", "less", "greaterOrEquals", "add", "sub", "div", "concat", "contains", "coalesce", "union", "intersection",
            "createArray", "take", "skip", "indexOf", "lastIndexOf", "tryGet", "tryIndexFromEnd", "split", "join", "startsWith", "range", "createObject", "padLeft",
        ]);
        let three = prop::sample::select(vec!["if", "union", "concat", "and", "or", "coalesce", "createArray", "replace", "substring", "tryGet"]);
        prop_oneof![
            (one, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            (two, inner.clone(), inner.clone()).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
            (three, inner.clone(), inner.clone(), inner.clone()).prop_map(|(f, a, b, c)| format!("{f}({a}, {b}, {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("createObject('k', {a}, 'l', {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("createArray({a}, 1)[{b}]")),
            inner.clone().prop_map(|a| format!("createObject('k', {a}).k")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("map({a}, lambda('x', createArray(lambdaVariables('x'), {b})))")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("filter({a}, lambda('x', equals(lambdaVariables('x'), {b})))")),
            inner.clone().prop_map(|a| format!("sort({a}, lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y'))))")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("reduce({a}, {b}, lambda('x', 'y', coalesce(lambdaVariables('y'), lambdaVariables('x'))))")),
            inner.clone().prop_map(|a| format!("toObject({a}, lambda('x', string(lambdaVariables('x'))))")),
            inner.prop_map(|a| format!("groupBy({a}, lambda('x', string(lambdaVariables('x'))))")),
        ]
    })
}

fn live_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..6).prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([])),
        Just(json!(["a", 1])),
        Just(json!([["a"], []])),
        Just(json!({"a": 2})),
        Just(json!({"A": {"x": 1}, "b": {"e": []}})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_breaks_the_reader(text in any::<String>(), inside in "[\\[\\]()'., a-c0-9-]{0,60}") {
        let _ = Template::parse(&text);
        let _ = eval(&text);
        let _ = eval(&format!("[{inside}]"));
    }

    #[test]
    fn a_printed_expression_reads_as_itself(inside in expression(), quoted in "[ -~äß]{0,12}") {
        let quoted = quoted.replace('\'', "''");
        // An unknown shows its expression as it was read.
        let source = format!("[equals(reference('/0'), if(true(), '{quoted}', {inside}))]");
        let printed = eval(&source).unwrap();
        let printed = printed["$unknown"].as_str().unwrap();
        let again = eval(&format!("[{printed}]")).unwrap();
        prop_assert_eq!(again["$unknown"].as_str(), Some(printed));
        let literal = format!("'{quoted}'");
        prop_assert!(printed.contains(&literal));
    }

    /// Whatever the cloud will answer later, the plan was not wrong: every value it gave comes true, and it did not refuse what
    /// would have worked.
    #[test]
    fn a_plan_with_unknowns_never_foretells_a_wrong_value(
        expression in expression(),
        leaves in prop::collection::vec(live_value(), 8),
    ) {
        let source = format!("[{expression}]");
        let planned = eval_with(&source, &Unknown);
        if let Ok(live) = eval_with(&source, &Leaves(leaves)) {
            match planned {
                Ok(planned) => prop_assert!(fits(&planned, &live), "{source}\n plan {planned}\n live {live}"),
                Err(error) => prop_assert!(false, "{source}\n live {live}\n but the plan fails: {error}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_loop_makes_as_many_as_it_says(count in 0_usize..60, drop in 1_usize..5) {
        let mut resource = account("[concat('s', copyIndex())]");
        resource["copy"] = json!({"name": "l", "count": count});
        resource["condition"] = json!(format!("[not(equals(mod(copyIndex(), {drop}), 0))]"));
        resource["properties"] = json!({"copy": [{"name": "p", "count": count, "input": "[copyIndex('p')]"}]});
        let evaluation = plan(json!({"resources": [resource]}), json!({})).unwrap();
        prop_assert_eq!(evaluation.resources.len(), (0..count).filter(|i| i % drop != 0).count());
        for resource in &evaluation.resources {
            prop_assert_eq!(resource.body["properties"]["p"].as_array().unwrap().len(), count);
        }
    }
}
