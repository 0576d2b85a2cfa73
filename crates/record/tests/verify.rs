//! Stories of an auditor with an export, the checkpoints and a public key: every way to change a record has its word, and names the first bad line.

#![expect(
    clippy::unwrap_used,
    reason = "a story stops where something is not as it should be"
)]

use record::{
    BEGINNING, Checkpoints, Keys, Line, Read, Run, SigningKey, Span, Verifier, make_key_file,
    read_checkpoints, read_newest, sign,
};
use serde_json::json;
use types::audit::{AuditCheck, Finding};
use types::time::Timestamp;

/// Twenty lines, a minute apart, signed at lines 5, 12 and 18.
const LINES: i64 = 20;
const SIGNED: [i64; 3] = [5, 12, 18];

struct World {
    key: SigningKey,
    lines: Vec<Line>,
    checkpoints: String,
}

fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
    start.plus(time::Duration::minutes(minute))
}

fn key() -> SigningKey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    make_key_file(&path).unwrap();
    SigningKey::from_file(&path).unwrap()
}

fn world() -> World {
    let key = key();
    let mut lines = Vec::new();
    for seq in 1..=LINES {
        lines.push(Line {
            seq,
            at: at(seq).micros_text(),
            actor: format!("person-{seq}"),
            via: "person".to_owned(),
            action: "request.commented".to_owned(),
            subject_kind: "request".to_owned(),
            subject_id: "r".to_owned(),
            subject_name: "web".to_owned(),
            project: Some("payments".to_owned()),
            detail: json!({ "text": format!("note {seq}"), "n": seq }),
            previous_hash: String::new(),
            hash: String::new(),
        });
    }
    rebuild(&mut lines, 0);
    let checkpoints = SIGNED
        .iter()
        .map(|seq| checkpoint(&key, &lines, *seq))
        .collect();
    World {
        key,
        lines,
        checkpoints,
    }
}

fn checkpoint(key: &SigningKey, lines: &[Line], seq: i64) -> String {
    let line = lines.iter().find(|line| line.seq == seq).unwrap();
    let signed = sign(key, seq, &line.hash, at(seq), 600).unwrap();
    signed.to_text().unwrap() + "\n"
}

/// Computes numbers and hashes anew from an index on, as a forger with the source at hand does.
fn rebuild(lines: &mut [Line], from: usize) {
    for i in from..lines.len() {
        let previous = match i {
            0 => BEGINNING.to_owned(),
            _ => lines[i - 1].hash.clone(),
        };
        lines[i].seq = i64::try_from(i).unwrap() + 1;
        lines[i].hash = lines[i].hash_after(&previous).unwrap();
        lines[i].previous_hash = previous;
    }
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.to_text().unwrap()).collect()
}

fn check_part(
    export: &[String],
    checkpoints: &str,
    keys: &[&SigningKey],
    span: Span,
) -> AuditCheck {
    let public: Vec<_> = keys.iter().map(|key| key.public()).collect();
    let keys = Keys::new(&public);
    let mut read = Checkpoints::default();
    read_checkpoints(checkpoints.as_bytes(), "checkpoints", &keys, &mut read).unwrap();
    let mut verifier = Verifier::new(read, span);
    for text in export {
        let read = Line::parse(text).map_or(Read::Unreadable, |line| Read::Line(Box::new(line)));
        if verifier.push(read).is_break() {
            break;
        }
    }
    verifier.finish()
}

fn check(export: &[String], world: &World) -> AuditCheck {
    check_part(export, &world.checkpoints, &[&world.key], Span::default())
}

/// What is found in the lines after `change`, and up to where they are proven.
fn after(change: impl FnOnce(&mut Vec<Line>)) -> (Finding, Option<i64>, i64) {
    let world = world();
    let mut lines = world.lines.clone();
    change(&mut lines);
    let check = check(&texts(&lines), &world);
    assert!(!check.detail.is_empty());
    (
        check.result,
        check.first_bad,
        check.signed.map_or(0, |signed| signed.seq),
    )
}

#[test]
fn a_good_record_says_what_is_signed_and_what_is_not() {
    let world = world();
    let check = check(&texts(&world.lines), &world);
    assert_eq!((check.result, check.first_bad), (Finding::Ok, None));
    assert_eq!((check.lines, check.unsigned), (20, 2));
    assert_eq!(check.signed.as_ref().unwrap().seq, 18);
    let told = record::describe(&check, 1);
    assert!(told.starts_with("ok: 20 lines"), "{told}");
    assert!(told.contains("Not proven: lines 19 to 20"), "{told}");
}

#[test]
fn a_rewritten_line_is_named() {
    use Finding::Rewritten;
    let changes: [fn(&mut Line); 9] = [
        |line| line.actor = "cto".to_owned(),
        |line| line.via = "token x".to_owned(),
        |line| line.action = "request.approved".to_owned(),
        |line| line.subject_id = "s".to_owned(),
        |line| line.project = None,
        |line| line.detail["text"] = json!("note 7."),
        |line| line.at = at(8).micros_text(),
        |line| line.hash = "0".repeat(64),
        |line| line.previous_hash = "1".repeat(64),
    ];
    for change in changes {
        assert_eq!(
            after(|lines| change(&mut lines[6])),
            (Rewritten, Some(7), 5)
        );
        assert_eq!(
            after(|lines| change(&mut lines[0])),
            (Rewritten, Some(1), 0)
        );
        assert_eq!(
            after(|lines| change(&mut lines[19])),
            (Rewritten, Some(20), 18)
        );
    }
    // The forger gave the line a hash of its own: the line after it tells which one it had.
    let own_hash = |lines: &mut Vec<Line>| {
        lines[6].actor = "cto".to_owned();
        lines[6].hash = lines[6].hash_after(&lines[5].hash).unwrap();
    };
    assert_eq!(after(own_hash), (Rewritten, Some(7), 5));
}

#[test]
fn a_chain_that_was_computed_anew_differs_from_a_checkpoint() {
    for index in [0, 4, 6, 11, 17] {
        let (found, first, proven) = after(|lines| {
            lines[index].actor = "cto".to_owned();
            rebuild(lines, index);
        });
        let signed = SIGNED
            .into_iter()
            .rfind(|seq| *seq <= i64::try_from(index).unwrap())
            .unwrap_or(0);
        assert_eq!(
            (found, first, proven),
            (Finding::Rebuilt, Some(signed + 1), signed)
        );
    }
    // Also where lines were taken out, put in or swapped before everything was computed anew.
    for change in [
        |lines: &mut Vec<Line>| drop(lines.remove(2)),
        |lines: &mut Vec<Line>| lines.insert(2, lines[9].clone()),
        |lines: &mut Vec<Line>| lines.swap(1, 2),
    ] {
        let found = after(|lines| {
            change(lines);
            rebuild(lines, 0);
        });
        assert_eq!(found, (Finding::Rebuilt, Some(1), 0));
    }
}

#[test]
fn missing_lines_are_found_wherever_they_were() {
    use Finding::Cut;
    assert_eq!(after(|l| drop(l.drain(..3))), (Cut, Some(1), 0));
    assert_eq!(after(|l| drop(l.remove(7))), (Cut, Some(8), 5));
    assert_eq!(after(|l| drop(l.drain(5..11))), (Cut, Some(6), 5));
    assert_eq!(after(|l| l.truncate(17)), (Cut, Some(18), 12));
    assert_eq!(after(|l| l.truncate(1)), (Cut, Some(2), 0));
    // Numbers closed up, hashes left as they were.
    for taken in [0, 7, 17] {
        let (found, first, _) = after(|lines| {
            lines.remove(taken);
            for (i, line) in lines.iter_mut().enumerate() {
                line.seq = i64::try_from(i).unwrap() + 1;
            }
        });
        assert_eq!(
            (found, first),
            (Cut, Some(i64::try_from(taken).unwrap() + 1))
        );
    }
    // What no checkpoint holds can be cut without a trace; the answer says so.
    let world = world();
    let check = check(&texts(&world.lines[..18]), &world);
    assert_eq!((check.result, check.unsigned), (Finding::Ok, 0));
}

#[test]
fn lines_in_another_order_are_found() {
    use Finding::Reordered;
    assert_eq!(after(|l| l.swap(6, 7)), (Reordered, Some(7), 5));
    assert_eq!(after(|l| l.swap(2, 16)), (Reordered, Some(3), 0));
    assert_eq!(after(|l| l.reverse()), (Reordered, Some(1), 0));
    assert_eq!(after(|l| l[5..9].rotate_left(1)), (Reordered, Some(6), 5));
    assert_eq!(after(|l| l[5..9].rotate_right(1)), (Reordered, Some(6), 5));
    for (one, other) in [(6, 7), (2, 16), (0, 1), (18, 19)] {
        // Numbers exchanged with the places, hashes taken along.
        let renumbered = after(|lines| {
            lines.swap(one, other);
            let seq = lines[one].seq;
            lines[one].seq = lines[other].seq;
            lines[other].seq = seq;
        });
        assert_eq!(renumbered.0, Reordered);
        assert_eq!(renumbered.1, Some(i64::try_from(one).unwrap() + 1));
        // Numbers and hashes left in their places, contents exchanged.
        let exchanged = after(|lines| {
            let (a, b) = (lines[one].clone(), lines[other].clone());
            for (to, from, place) in [(one, b.clone(), a.clone()), (other, a, b)] {
                lines[to] = Line {
                    seq: place.seq,
                    previous_hash: place.previous_hash,
                    hash: place.hash,
                    ..from
                };
            }
        });
        assert_eq!(exchanged.0, Reordered);
        assert_eq!(exchanged.1, Some(i64::try_from(one).unwrap() + 1));
    }
}

#[test]
fn a_line_that_comes_twice_is_found() {
    use Finding::Duplicated;
    assert_eq!(
        after(|l| l.insert(8, l[7].clone())),
        (Duplicated, Some(8), 5)
    );
    assert_eq!(after(|l| l.push(l[0].clone())), (Duplicated, Some(1), 18));
    let renumbered = after(|lines| {
        lines.insert(8, lines[7].clone());
        for (i, line) in lines.iter_mut().enumerate() {
            line.seq = i64::try_from(i).unwrap() + 1;
        }
    });
    assert_eq!(renumbered, (Duplicated, Some(9), 5));
    let zero = after(|lines| {
        let mut line = lines[0].clone();
        line.seq = 0;
        lines.insert(0, line);
    });
    assert_eq!(zero, (Finding::Rewritten, Some(0), 0));
}

#[test]
fn an_empty_record_is_no_record() {
    assert_eq!(after(Vec::clear), (Finding::Emptied, Some(1), 0));
    let world = world();
    assert_eq!(check(&[String::new()], &world).result, Finding::Rewritten);
    // Begun anew: the few lines fit each other, and are too few.
    let begun_anew = after(|lines| {
        lines.truncate(3);
        lines[0].actor = "cto".to_owned();
        rebuild(lines, 0);
    });
    assert_eq!(begun_anew, (Finding::Cut, Some(4), 0));
}

#[test]
fn another_spelling_is_another_text() {
    let world = world();
    let good = texts(&world.lines);
    let spellings: [fn(&str) -> String; 8] = [
        |text| text.replace("\"actor\":", "\"actor\" :"),
        |text| text.replace("note", "n\\u006fte"),
        |text| text.replace("\"n\":7", "\"n\":7.0"),
        |text| text.replace("12:07:00.000000Z", "13:07:00.000000+01:00"),
        |text| text.replace("12:07:00.000000Z", "12:07:00Z"),
        |text| text.replace("\"actor\":", "\"actor\":\"cto\",\"actor\":"),
        |text| {
            let line: serde_json::Value = serde_json::from_str(text).unwrap();
            let mut members: Vec<_> = line.as_object().unwrap().clone().into_iter().collect();
            members.reverse();
            let map: serde_json::Map<_, _> = members.into_iter().collect();
            serde_json::Value::Object(map).to_string()
        },
        |text| format!("{text}\r"),
    ];
    for spelling in spellings {
        let mut export = good.clone();
        export[6] = spelling(&export[6]);
        assert_ne!(export[6], good[6]);
        let check = check(&export, &world);
        assert_eq!(
            (check.result, check.first_bad),
            (Finding::Rewritten, Some(7))
        );
    }
}

#[test]
fn checkpoints_of_others_do_not_count() {
    let world = world();
    let export = texts(&world.lines);
    let other = key();
    let with = |checkpoints: &str, keys: &[&SigningKey]| {
        check_part(&export, checkpoints, keys, Span::default()).result
    };
    // The key was swapped, or the file was.
    assert_eq!(
        with(&world.checkpoints, &[&other]),
        Finding::ForeignCheckpoint
    );
    let forged: String = SIGNED
        .iter()
        .map(|seq| checkpoint(&other, &world.lines, *seq))
        .collect();
    assert_eq!(with(&forged, &[&world.key]), Finding::ForeignCheckpoint);
    // One among good ones, one that says something else than was signed, and rubbish.
    let own = &world.checkpoints;
    let changed = own
        .replace("\"seq\":18", "\"seq\":19")
        .replace("\"lines\":18", "\"lines\":19");
    let newer = own.replacen("\"version\":1", "\"version\":2", 1);
    let spaced = own.replacen("\"seq\":", "\"seq\": ", 1);
    let print = (
        other.public().fingerprint(),
        world.key.public().fingerprint(),
    );
    let renamed = forged.replace(&print.0, &print.1);
    for text in [
        format!("{own}{}", checkpoint(&other, &world.lines, 20)),
        changed,
        newer,
        spaced,
        renamed,
        format!("{own}rubbish\n"),
        format!("{own}{}\n", "x".repeat(10_000)),
    ] {
        assert_eq!(
            with(&text, &[&world.key]),
            Finding::ForeignCheckpoint,
            "{text}"
        );
    }
    // A rewritten record is named all the same.
    let mut lines = world.lines.clone();
    lines[6].actor = "cto".to_owned();
    let text = format!("{own}rubbish\n");
    let check = check_part(&texts(&lines), &text, &[&world.key], Span::default());
    assert_eq!(
        (check.result, check.first_bad),
        (Finding::Rewritten, Some(7))
    );
    // A last line that was being written when the machine stopped is no forgery.
    let torn = format!("{own}{}", &own[..100]);
    assert_eq!(with(&torn, &[&world.key]), Finding::Ok);
}

#[test]
fn checkpoints_that_are_gone_are_missed() {
    let world = world();
    let export = texts(&world.lines);
    let first: String = world
        .checkpoints
        .lines()
        .take(1)
        .map(|l| format!("{l}\n"))
        .collect();
    let found = |text: &str| check_part(&export, text, &[&world.key], Span::default());
    assert_eq!(found("").result, Finding::CheckpointsMissing);
    // Lines 6 to 20 cover fourteen minutes without a checkpoint, and the installation promises one within ten.
    let check = found(&first);
    assert_eq!(
        (check.result, check.first_bad),
        (Finding::CheckpointsMissing, Some(6))
    );
    // The two that a running installation may still be about to sign are no reason.
    assert_eq!(found(&world.checkpoints).result, Finding::Ok);
}

#[test]
fn a_rotated_key_counts_beside_the_new_one() {
    let world = world();
    let export = texts(&world.lines);
    let next = key();
    let both = format!(
        "{}{}",
        world.checkpoints,
        checkpoint(&next, &world.lines, 20)
    );
    let with = |keys: &[&SigningKey]| check_part(&export, &both, keys, Span::default());
    let check = with(&[&next, &world.key]);
    assert_eq!((check.result, check.unsigned), (Finding::Ok, 0));
    assert_eq!(check.signed.unwrap().key, next.public().fingerprint());
    assert_eq!(with(&[&next]).result, Finding::ForeignCheckpoint);
}

#[test]
fn a_part_of_the_record_is_verified_as_a_part() {
    let world = world();
    let lines = texts(&world.lines);
    let part = |from: i64, to: Option<i64>, export: &[String]| {
        let span = Span { from, to };
        let check = check_part(export, &world.checkpoints, &[&world.key], span);
        (check.result, check.first_bad)
    };
    assert_eq!(part(8, None, &lines[7..]), (Finding::Ok, None));
    assert_eq!(part(6, Some(15), &lines[5..15]), (Finding::Ok, None));
    assert_eq!(part(6, Some(15), &lines[5..14]), (Finding::Cut, Some(15)));
    assert_eq!(part(8, None, &lines[8..]), (Finding::Cut, Some(8)));
    let mut forged = world.lines.clone();
    forged[8].actor = "cto".to_owned();
    rebuild(&mut forged, 8);
    assert_eq!(
        part(8, None, &texts(&forged)[7..]),
        (Finding::Rebuilt, Some(8))
    );
    // No checkpoint lies in it: whoever can compute the chain anew makes such a part, whether the line before it is signed or not.
    let unsigned = |from: i64, to: i64, lines: &[Line]| {
        let span = Span { from, to: Some(to) };
        let (first, last) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
        let export = texts(&lines[first - 1..last]);
        let check = check_part(&export, &world.checkpoints, &[&world.key], span);
        assert_eq!(check.result, Finding::NotSigned, "{check:?}");
        let told = record::describe(&check, from);
        assert!(told.contains(&format!("Lines {from} to {to},")), "{told}");
        let rest = format!("Not proven: lines {from} to {to},");
        assert!(
            told.contains(&rest) && told.contains("Proven: nothing"),
            "{told}"
        );
    };
    for (from, to) in [(6, 11), (7, 11), (13, 17), (19, 20), (20, 20)] {
        unsigned(from, to, &world.lines);
    }
    unsigned(6, 11, &forged);
    unsigned(7, 11, &forged);
    unsigned(14, 17, &forged);
    // What is proven of a part is named as a part.
    let span = Span {
        from: 8,
        to: Some(15),
    };
    let check = check_part(&lines[7..15], &world.checkpoints, &[&world.key], span);
    let told = record::describe(&check, 8);
    assert!(told.contains("Proven: the lines 8 to 12 "), "{told}");
    assert!(told.contains("Not proven: lines 13 to 15,"), "{told}");
    // The line before the part is signed: the part must go on from it.
    forged[5].previous_hash = "0".repeat(64);
    forged[5].hash = forged[5].hash_after(&"0".repeat(64)).unwrap();
    let (found, first) = part(6, Some(6), &texts(&forged)[5..6]);
    assert_eq!((found, first), (Finding::Rewritten, Some(6)));
}

/// Which of the wanted lines are proved by the lines `from` to `to`.
fn proved(
    lines: &[Line],
    (from, to): (i64, i64),
    signed: Option<&Line>,
    wanted: &[i64],
) -> Vec<i64> {
    let mut run = Run::new(signed.map(|line| line.hash.clone()));
    for line in lines {
        if (from..=to).contains(&line.seq) {
            let read = Read::Line(Box::new(line.clone()));
            run.push(line.seq, read, wanted.contains(&line.seq));
        }
    }
    run.finish().iter().map(|line| line.seq).collect()
}

#[test]
fn a_line_is_proved_by_those_up_to_the_next_checkpoint() {
    let world = world();
    let good = &world.lines;
    let signed = Some(&good[11]);
    let of = |lines: &[Line]| proved(lines, (6, 12), signed, &[7, 10]);
    assert_eq!(of(good), [7, 10]);
    let changed = |index: usize, anew: bool| {
        let mut lines = good.clone();
        lines[index].actor = "cto".to_owned();
        if anew {
            rebuild(&mut lines, index);
        }
        lines
    };
    // The line itself, one before, between and after.
    assert_eq!(of(&changed(6, false)), [10]);
    assert_eq!(of(&changed(5, false)), [7, 10]);
    assert_eq!(of(&changed(8, false)), [10]);
    assert_eq!(of(&changed(10, false)), [0; 0]);
    // Its hash fits and the next line does not; all of them fit and the checkpoint does not.
    let mut own_hash = changed(6, false);
    own_hash[6].hash = own_hash[6].hash_after(&own_hash[5].hash).unwrap();
    assert_eq!(of(&own_hash), [10]);
    assert_eq!(of(&changed(6, true)), [0; 0]);
    assert_eq!(proved(good, (6, 11), signed, &[7]), [0; 0]);
    let without = [&good[..8], &good[9..]].concat();
    assert_eq!(of(&without), [10]);
    // Where none signs them they only have to fit each other, on both sides.
    let of = |lines: &[Line]| proved(lines, (18, 20), None, &[19]);
    assert_eq!(of(good), [19]);
    assert_eq!(of(&changed(18, false)), [0; 0]);
    assert_eq!(of(&changed(19, false)), [0; 0]);
    let mut own_hash = changed(17, false);
    own_hash[17].hash = own_hash[17].hash_after(&own_hash[16].hash).unwrap();
    assert_eq!(of(&own_hash), [0; 0]);
    assert_eq!(of(&changed(18, true)), [19], "what remains");
}

#[test]
fn the_newest_checkpoint_is_at_the_end_of_the_file() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoints.jsonl");
    let keys = Keys::new(&[world.key.public()]);
    assert!(read_newest(&file, &keys).unwrap().good.is_empty());
    for repeated in [1, 100] {
        std::fs::write(&file, world.checkpoints.repeat(repeated)).unwrap();
        let found = read_newest(&file, &keys).unwrap();
        assert_eq!(found.newest().unwrap().seq, 18);
        assert!(found.foreign.is_none());
    }
}
