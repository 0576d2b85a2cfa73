//! What the reference of functions leaves to its readers: how values are written and compared, and what is refused by name. What it
//! documents is in `matrix.json`.

mod support;

use serde_json::{Value, json};
use support::{eval, refusal};

/// Each line: an expression without its brackets, and what it gives.
fn gives(lines: &[(&str, Value)]) {
    for (expression, wanted) in lines {
        match eval(&format!("[{expression}]")) {
            Ok(found) => assert_eq!(&found, wanted, "{expression}"),
            Err(error) => panic!("{expression}: {error}"),
        }
    }
}

#[test]
fn text_is_written_as_dotnet_writes_it() {
    gives(&[
        ("string(true())", json!("True")),
        ("toLower(string(true()))", json!("true")),
        ("concat('on', true())", json!("onTrue")),
        ("concat('prefix', '-', 5)", json!("prefix-5")),
        ("format('{0:x4}', 255)", json!("00ff")),
        ("format('{0:#,##0.00}', 1234567)", json!("1,234,567.00")),
        // What lies in the middle goes away from zero, as exactly as the number is held: 0.15 is a little less.
        ("format('{0:N0}', json('2.5'))", json!("3")),
        ("format('{0:N0}', json('-2.5'))", json!("-3")),
        ("format('{0:F1}', json('0.25'))", json!("0.3")),
        ("format('{0:F1}', json('0.15'))", json!("0.1")),
        ("format('{0:N1}', json('9999.95'))", json!("10,000.0")),
        ("format('{0:F0}', json('0.4'))", json!("0")),
        ("format('{0:0.0%}', json('0.1234'))", json!("12.3%")),
        ("format('{0:0.0%}', 2)", json!("200.0%")),
        ("format('{0:P1}', json('0.285'))", json!("28.5 %")),
        ("format('{0:P0}', json('0.005'))", json!("1 %")),
        (
            "format('{0}', createObject('it''s', 'a \"word\"'))",
            json!("{'it\\'s':'a \"word\"'}"),
        ),
        ("length('🚀')", json!(2)),
        ("uriComponentToString('50%')", json!("50%")),
        ("join(createArray('a', null(), 'b'), ',')", json!("a,,b")),
        ("div(-8, 5)", json!(-1)),
    ]);
}

#[test]
fn names_are_met_in_any_case_and_values_in_theirs() {
    gives(&[
        ("contains(createObject('one', 'a'), 'ONE')", json!(true)),
        ("contains(createArray('one', 'two'), 'TWO')", json!(false)),
        (
            "equals(createObject('a', 1, 'b', 2), createObject('b', 2, 'a', 1))",
            json!(true),
        ),
        ("greater('b', 'A')", json!(true)),
        ("resourceGroup().tags.OWNER", json!("team")),
        ("items(createObject('b', 1, 'A', 2))[0].key", json!("A")),
        ("TOUPPER('a')", json!("A")),
        ("sys.toUpper('a')", json!("A")),
    ]);
}

/// The arguments of `guid` and `uniqueString` are joined by hyphens before anything is computed.
#[test]
fn names_made_of_names_join_their_parts() {
    gives(&[
        (
            "equals(uniqueString('a', 'b'), uniqueString('a-b'))",
            json!(true),
        ),
        ("equals(guid('a', 'b'), guid('a-b'))", json!(true)),
        ("length(uniqueString(resourceGroup().id))", json!(13)),
        // Texts of every length modulo the block of eight bytes.
        (
            "length(union(map(range(0, 17), lambda('n', uniqueString(take('abcdefghijklmnopq', lambdaVariables('n')))))))",
            json!(17),
        ),
    ]);
}

#[test]
fn what_is_not_supported_is_named() {
    assert!(refusal("[made.up('x')]").contains("The template function 'made.up' is not valid."));
    assert!(
        refusal("[externalInput('x')]")
            .contains("The template function 'externalInput' is not valid.")
    );
    assert!(refusal("[concat()]").contains("at least 1 argument"));
    assert!(refusal("[mod(1, 0)]").contains("division by zero"));
}
