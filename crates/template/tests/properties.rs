//! What holds for every input: no text breaks the reader, printing and reading agree, and an unknown never turns into a wrong value.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::{account, eval, eval_with, fits, plan};
use template::{Cause, Error, Runtime, Template, is_unknown};

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

/// An expression that mostly computes: of one type, its parts of the types that they must have. Leaves 0 and 1 are integers,
/// 2 and 3 strings, 4 and 5 bools, 6 and 7 arrays, 8 and 9 objects.
fn sound(kind: usize, depth: u32) -> BoxedStrategy<String> {
    let known = match kind {
        0 => vec!["0", "1", "2", "-1"],
        1 => vec!["''", "'a'", "'b'", "'a,b'"],
        2 => vec!["true()", "false()"],
        3 => vec![
            "createArray()",
            "createArray('a', 1)",
            "createArray('b', 'a')",
            "createArray(createArray(1), 2)",
        ],
        _ => vec![
            "createObject()",
            "createObject('a', 1)",
            "createObject('a', createObject('b', 2), 'c', 'd')",
        ],
    };
    let leaf = prop_oneof![
        prop::sample::select(known).prop_map(str::to_owned),
        (0_usize..2).prop_map(move |n| format!("reference('/{}')", kind * 2 + n)),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let part = |kind| sound(kind, depth - 1);
    let any = || prop_oneof![part(0), part(1), part(2), part(3), part(4)];
    let one = |names: Vec<&'static str>, a: BoxedStrategy<String>| {
        (prop::sample::select(names), a)
            .prop_map(|(f, a)| format!("{f}({a})"))
            .boxed()
    };
    let two = |names: Vec<&'static str>, a: BoxedStrategy<String>, b: BoxedStrategy<String>| {
        (prop::sample::select(names), a, b)
            .prop_map(|(f, a, b)| format!("{f}({a}, {b})"))
            .boxed()
    };
    let choice = (part(2), part(kind), part(kind))
        .prop_map(|(a, b, c)| format!("if({a}, {b}, {c})"))
        .boxed();
    let own = match kind {
        0 => prop_oneof![
            two(vec!["add", "sub", "mul", "max"], part(0), part(0)),
            one(vec!["length"], part(3)),
            one(vec!["length"], part(4)),
            two(vec!["indexOf", "lastIndexOf"], part(3), any().boxed()),
            two(vec!["indexOf"], part(1), part(1)),
        ].boxed(),
        1 => prop_oneof![
            one(vec!["string"], any().boxed()),
            two(vec!["concat"], part(1), part(1)),
            one(vec!["toUpper", "trim", "first"], part(1)),
            two(vec!["take", "skip", "padLeft"], part(1), part(0)),
        ].boxed(),
        2 => prop_oneof![
            two(vec!["equals"], any().boxed(), any().boxed()),
            two(vec!["contains"], part(3), any().boxed()),
            two(vec!["contains"], part(4), part(1)),
            two(vec!["and", "or", "xor"], part(2), part(2)),
            two(vec!["less", "greaterOrEquals"], part(0), part(0)),
            one(vec!["empty"], prop_oneof![part(1), part(3), part(4)].boxed()),
            one(vec!["not"], part(2)),
        ].boxed(),
        3 => prop_oneof![
            two(vec!["concat", "union", "intersection"], part(3), part(3)),
            two(vec!["take", "skip"], part(3), part(0)),
            two(vec!["createArray"], any().boxed(), any().boxed()),
            one(vec!["items", "objectKeys"], part(4)),
            one(vec!["array"], any().boxed()),
            (part(3), any()).prop_map(|(a, b)| format!("map({a}, lambda('x', createArray(lambdaVariables('x'), {b})))")),
            (part(3), any()).prop_map(|(a, b)| format!("filter({a}, lambda('x', equals(lambdaVariables('x'), {b})))")),
            (part(3), part(3)).prop_map(|(a, b)| format!("flatten(createArray({a}, {b}))")),
            part(3).prop_map(|a| format!(
                "sort(map({a}, lambda('x', string(lambdaVariables('x')))), lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y'))))"
            )),
        ].boxed(),
        _ => prop_oneof![
            two(vec!["union", "intersection"], part(4), part(4)),
            (part(1), any(), any()).prop_map(|(a, b, c)| format!("createObject('a', {b}, concat('k', {a}), {c})")),
            (part(4), part(4)).prop_map(|(a, b)| format!("shallowMerge(createArray({a}, {b}))")),
            part(3).prop_map(|a| format!("toObject({a}, lambda('x', string(lambdaVariables('x'))))")),
            part(3).prop_map(|a| format!("groupBy({a}, lambda('x', string(lambdaVariables('x'))))")),
            (part(4), any()).prop_map(|(a, b)| format!("mapValues({a}, lambda('x', createArray(lambdaVariables('x'), {b})))")),
            (part(4), any()).prop_map(|(a, b)| format!("createObject('t', tryGet({a}, 'a'), 'c', coalesce(tryGet({a}, 'b'), {b}))")),
        ].boxed(),
    };
    prop_oneof![2 => leaf, 5 => own, 1 => choice].boxed()
}

/// What the cloud answers for the leaves of [`sound`].
fn answers() -> impl Strategy<Value = Vec<Value>> {
    let int = || (-2_i64..4).prop_map(Value::from);
    let text = || "[ab]{0,2}".prop_map(Value::from);
    let flag = || any::<bool>().prop_map(Value::from);
    let list = || {
        prop::sample::select(vec![
            json!([]),
            json!(["a", 1]),
            json!(["b"]),
            json!([["a"], {"a": 1}]),
        ])
    };
    let object = || {
        prop::sample::select(vec![
            json!({}),
            json!({"a": 1}),
            json!({"A": {"b": 2}}),
            json!({"a": {"b": 3}, "b": [1]}),
        ])
    };
    (
        int(),
        int(),
        text(),
        text(),
        flag(),
        flag(),
        list(),
        list(),
        object(),
        object(),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i, j)| vec![a, b, c, d, e, f, g, h, i, j])
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
        expression in prop_oneof![sound(0, 3), sound(1, 3), sound(2, 3), sound(3, 3), sound(4, 3)],
        leaves in answers(),
    ) {
        foretold(&expression, leaves)?;
    }

    /// The same for expressions that mostly do not compute.
    #[test]
    fn nor_does_it_for_expressions_without_sense(
        expression in expression(),
        leaves in prop::collection::vec(live_value(), 8),
    ) {
        foretold(&expression, leaves)?;
    }
}

fn foretold(expression: &str, leaves: Vec<Value>) -> Result<(), TestCaseError> {
    let source = format!("[{expression}]");
    let planned = planned(&source)?;
    if let Ok(live) = eval_with(&source, &Leaves(leaves)) {
        match planned {
            Ok(planned) => prop_assert!(
                fits(&planned, &live),
                "{source}\n plan {planned}\n live {live}"
            ),
            Err(error) => prop_assert!(
                false,
                "{source}\n live {live}\n but the plan fails: {error}"
            ),
        }
    }
    Ok(())
}

/// What a plan makes of an expression. Every unknown in it has a cause, and each cause is a reference that the expression makes.
fn planned(source: &str) -> Result<Result<Value, Error>, TestCaseError> {
    let parts = json!({"languageVersion": "2.0", "resources": {}, "outputs": {"it": {"value": source, "nullable": true}}});
    let evaluation = match plan(parts, json!({})) {
        Ok(evaluation) => evaluation,
        Err(error) => return Ok(Err(error)),
    };
    let value = evaluation.outputs["it"].value.clone();
    let mut open = vec![&value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(_) if is_unknown(value) => {
                let text = value["$unknown"].as_str().unwrap_or_default();
                let causes = evaluation.causes(text);
                prop_assert!(!causes.is_empty(), "{source}: `{text}` has no cause");
                for cause in causes {
                    let Cause::Reference(id) = cause else {
                        return Err(TestCaseError::fail(format!("{source}: {cause}")));
                    };
                    prop_assert!(
                        source.contains(&format!("reference('{id}')")),
                        "{source}: {cause}"
                    );
                }
            }
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    Ok(Ok(value))
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
