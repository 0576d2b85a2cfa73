//! Every comparison of every rule is turned round, one at a time, and some test must notice: a rule that nothing holds in place is no rule.

use std::sync::Mutex;
use std::thread;

use crate::suite::{Case, Suite};

/// One change of one file.
struct Mutant {
    line: usize,
    change: String,
    text: String,
    /// The rule above the change, as its tests spell it: they are asked first.
    rule: Option<String>,
}

#[test]
fn a_rule_turned_round_is_noticed() {
    let suite = Suite::shipped();
    let cases = suite.cases();
    let survivors = Mutex::new(Vec::new());
    let files: Mutex<Vec<&(String, String)>> = Mutex::new(suite.rule_files().collect());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some((path, text)) = files.lock().unwrap().pop() else {
                        return;
                    };
                    let alive = survivors_of(&suite, path, text, &cases);
                    survivors.lock().unwrap().extend(alive);
                }
            });
        }
    });
    let mut survivors = survivors.into_inner().unwrap();
    survivors.sort();
    assert!(
        survivors.is_empty(),
        "no test notices:\n{}",
        survivors.join("\n")
    );
}

fn survivors_of(suite: &Suite, path: &str, text: &str, cases: &[Case]) -> Vec<String> {
    // `lib/` serves every rule, so every test speaks for it.
    let package = path.trim_end_matches(".rego").replace('/', ".");
    let of_file: Vec<&Case> = cases
        .iter()
        .filter(|case| path.starts_with("lib/") || case.package == format!("data.test.{package}"))
        .collect();
    assert!(!of_file.is_empty(), "{path} has no tests");
    mutants(text)
        .into_iter()
        .filter(|mutant| {
            // What cannot be loaded any more is noticed when the bundle is.
            let Some(mut engine) = suite.with(path, &mutant.text) else {
                return false;
            };
            let near = |case: &&&Case| {
                mutant
                    .rule
                    .as_ref()
                    .is_some_and(|rule| case.name.starts_with(rule))
            };
            let (first, rest): (Vec<&Case>, Vec<&Case>) = of_file.iter().partition(near);
            first
                .into_iter()
                .chain(rest)
                .all(|case| case.passes(&mut engine).is_ok())
        })
        .map(|mutant| format!("{path}:{}: {}", mutant.line, mutant.change))
        .collect()
}

/// Turned round, and where a line is drawn, moved by the line itself.
const SWAPS: [(&str, &[&str]); 6] = [
    (" == ", &[" != "]),
    (" != ", &[" == "]),
    (" >= ", &[" < ", " > "]),
    (" <= ", &[" > ", " < "]),
    (" > ", &[" <= ", " >= "]),
    (" < ", &[" >= ", " <= "]),
];

/// A check of a table, made so that it holds of everything.
const CHECKS: [&str; 4] = [
    "\"is\": ",
    "\"is_one_of\": ",
    "\"is_present\": ",
    "\"is_at_least\": ",
];
const HOLDS_OF_ALL: &str = "\"wanted\": \"\", \"is_not\": ";

fn mutants(text: &str) -> Vec<Mutant> {
    let code = code_only(text);
    let mut found = Vec::new();
    let mut add = |at: usize, old: &str, new: &str, insert_at: usize| {
        let mut changed = text.to_owned();
        if old.is_empty() {
            changed.insert_str(insert_at, new);
        } else {
            changed.replace_range(at..at + old.len(), new);
        }
        found.push(Mutant {
            line: text[..at].matches('\n').count() + 1,
            change: format!("`{}` to `{}`", old.trim(), new.trim()),
            text: changed,
            rule: rule_above(&text[..at]),
        });
    };
    for (old, news) in SWAPS {
        for (at, _) in code.match_indices(old) {
            for new in news {
                add(at, old, new, at);
            }
        }
    }
    for old in CHECKS {
        for (at, _) in text
            .match_indices(old)
            .filter(|(at, _)| code.as_bytes()[*at] == b'"')
        {
            add(at, old, HOLDS_OF_ALL, at);
        }
    }
    for (old, new) in [("true", "false"), ("false", "true")] {
        for (at, _) in code
            .match_indices(old)
            .filter(|(at, _)| is_word(&code, *at, old))
        {
            add(at, old, new, at);
        }
    }
    for (at, _) in code
        .match_indices("not ")
        .filter(|(at, _)| is_word(&code, *at, "not"))
    {
        add(at, "not ", "", at);
    }
    for (at, _) in code.match_indices(" in ") {
        let start = code[..at]
            .rfind(['\n', ';', '|', '{', '[', '(', ','])
            .map_or(0, |i| i + 1);
        let before = &code[start..at];
        let start = before.rfind(" if ").map_or(start, |i| start + i + 4);
        let expression = code[start..at].trim_start();
        if ["some ", "every ", "not "]
            .iter()
            .any(|word| expression.starts_with(word))
            || code[..start].ends_with("some i,")
        {
            continue;
        }
        let whole = matches!(code.as_bytes()[start - 1], b'\n' | b' ');
        if whole && !code[code[..at].rfind('\n').unwrap_or(0)..at].contains("some ") {
            add(
                at,
                "",
                "not ",
                start + (code[start..at].len() - expression.len()),
            );
        } else if !code[code[..at].rfind('\n').unwrap_or(0)..at].contains("some ") {
            add(at, " in ", " == ", at);
        }
    }
    found
}

/// The text with everything inside quotes and after `#` blanked, byte for byte.
fn code_only(text: &str) -> String {
    let mut quote = None;
    let mut escaped = false;
    let mut comment = false;
    text.chars()
        .flat_map(|c| {
            let inside = quote.is_some() || comment;
            if comment {
                comment = c != '\n';
            } else if let Some(end) = quote {
                if escaped {
                    escaped = false;
                } else if c == '\\' && end == '"' {
                    escaped = true;
                } else if c == end {
                    quote = None;
                }
            } else if c == '"' || c == '`' {
                quote = Some(c);
            } else if c == '#' {
                comment = true;
            }
            let shown = if inside && c != '\n' { '_' } else { c };
            // As many bytes as before, so that places in the code are places in the text.
            std::iter::repeat_n(shown, if shown == c { 1 } else { c.len_utf8() })
        })
        .collect()
}

fn is_word(code: &str, at: usize, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part)
}

fn rule_above(text: &str) -> Option<String> {
    let at = text.rfind("rules[\"")? + "rules[\"".len();
    let id = &text[at..at + text[at..].find('"')?];
    Some(format!("test_{}_", id.to_lowercase().replace('-', "_")))
}

#[test]
fn the_checks_of_a_table_are_turned_round_too() {
    let table = "\"is\": [{\"at\": \"is\", \"is\": true}]";
    let changed: Vec<String> = mutants(table)
        .into_iter()
        .map(|mutant| mutant.text)
        .collect();
    assert!(
        changed.contains(&table.replace("\"is\": true", &format!("{HOLDS_OF_ALL}true"))),
        "{changed:?}"
    );
    assert!(
        changed.contains(&table.replace("true", "false")),
        "{changed:?}"
    );
}
