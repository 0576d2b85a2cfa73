//! Stories of the record: one chain whoever writes, and no change of it goes unseen.

use sqlx::{Connection as _, PgConnection, SqliteConnection};
use store::{KeptDecision, KeptText, NewAudit, NewDecision, Scope, TextKind};
use types::approval::DecisionKind;
use types::audit::{AuditFilter, Finding};
use types::ids::{CommentId, DecisionId};
use types::request::{Comment, RequestState};
use uuid::Uuid;

use crate::world::{World, developer, moment, now, project};

crate::stories![
    eight_writers_make_one_chain,
    a_changed_line_is_found,
    a_missing_line_is_found,
    lines_that_changed_places_are_found,
    a_line_before_the_first_is_found,
    another_spelling_of_a_detail_is_found,
    a_detail_that_is_no_longer_json_spoils_its_own_line_only,
    what_is_stored_is_what_is_hashed,
    one_replica_signs_at_a_time,
    checkpoints_are_kept_once_and_cannot_be_changed,
    texts_that_lines_prove_are_read_as_they_are_kept,
    the_tables_refuse_changes,
    the_record_is_read_by_filter_and_page,
];

fn line(action: &str, id: &str) -> NewAudit {
    NewAudit::by(
        &developer(),
        action,
        ("request", id.into(), "web"),
        Some(&project("payments")),
    )
    .with(serde_json::json!({"z": 1.5, "a": ["ü", 9_007_199_254_740_993_i64], "n": null}))
}

async fn write(world: &World, lines: u32) {
    for i in 0..lines {
        let mut tx = world.store.begin().await.unwrap();
        tx.audit(line("request.submitted", &i.to_string()));
        tx.commit(moment(i64::from(i))).await.unwrap();
    }
}

/// Runs SQL as somebody with the database's password would.
async fn behind_the_back(
    world: &World,
    sqlite: &[&'static str],
    postgres: &[&'static str],
) -> Result<(), sqlx::Error> {
    if world.store.is_shared() {
        let mut c = PgConnection::connect(&world.url).await?;
        for sql in postgres {
            sqlx::query(*sql).execute(&mut c).await?;
        }
    } else {
        let mut c = SqliteConnection::connect(&world.url).await?;
        for sql in sqlite {
            sqlx::query(*sql).execute(&mut c).await?;
        }
    }
    Ok(())
}

async fn eight_writers_make_one_chain(world: World) {
    let writers = (0..8).map(|writer| {
        let store = world.store.clone();
        tokio::spawn(async move {
            for turn in 0..5 {
                let mut tx = store.begin().await.unwrap();
                tx.audit(line("a.first", &format!("{writer}-{turn}")));
                tx.audit(line("a.second", &format!("{writer}-{turn}")));
                tx.commit(now()).await.unwrap();
            }
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    let check = world.check_audit().await;
    assert_eq!((check.result, check.lines), (Finding::Ok, 80));
}

/// Does something to a record of five lines that only the owner of the database can, and says what is found, and where.
async fn tampered(world: &World, statements: &[&'static str]) -> (Finding, Option<i64>) {
    write(world, 5).await;
    let sqlite: Vec<&'static str> = [
        "DROP TRIGGER audit_event_no_update",
        "DROP TRIGGER audit_event_no_delete",
        "DROP TRIGGER audit_event_at_the_end",
    ]
    .into_iter()
    .chain(statements.iter().copied())
    .collect();
    let postgres: Vec<&'static str> = ["ALTER TABLE audit_event DISABLE TRIGGER ALL"]
        .into_iter()
        .chain(statements.iter().copied())
        .collect();
    behind_the_back(world, &sqlite, &postgres).await.unwrap();
    let check = world.check_audit().await;
    (check.result, check.first_bad)
}

async fn a_changed_line_is_found(world: World) {
    let found = tampered(
        &world,
        &["UPDATE audit_event SET actor = 'somebody else' WHERE seq = 3"],
    )
    .await;
    assert_eq!(found, (Finding::Rewritten, Some(3)));
}

async fn a_missing_line_is_found(world: World) {
    let found = tampered(&world, &["DELETE FROM audit_event WHERE seq = 2"]).await;
    assert_eq!(found, (Finding::Cut, Some(2)));
}

async fn lines_that_changed_places_are_found(world: World) {
    let found = tampered(
        &world,
        &[
            "UPDATE audit_event SET seq = 40 WHERE seq = 2",
            "UPDATE audit_event SET seq = 2 WHERE seq = 4",
            "UPDATE audit_event SET seq = 4 WHERE seq = 40",
        ],
    )
    .await;
    assert_eq!(found, (Finding::Reordered, Some(2)));
}

async fn a_line_before_the_first_is_found(world: World) {
    let found = tampered(
        &world,
        &["INSERT INTO audit_event SELECT 0, at, 'cto', via, action, subject_kind, subject_id, subject_name, project, detail, previous_hash, hash \
           FROM audit_event WHERE seq = 1"],
    )
    .await;
    assert_eq!(found, (Finding::Rewritten, Some(0)));
}

/// JSON knows several spellings of one value; the hash covers the value, so another spelling must not be able to hide a second one.
async fn another_spelling_of_a_detail_is_found(world: World) {
    let found = tampered(
        &world,
        &[r#"UPDATE audit_event SET detail = '{"a":["forged"],"a":["ü",9007199254740992],"n":null,"z":1.5}' WHERE seq = 3"#],
    )
    .await;
    assert_eq!(found, (Finding::Rewritten, Some(3)));
}

async fn a_detail_that_is_no_longer_json_spoils_its_own_line_only(world: World) {
    write(&world, 5).await;
    if world.store.is_shared() {
        // PostgreSQL takes JSON only.
        return;
    }
    behind_the_back(
        &world,
        &[
            "DROP TRIGGER audit_event_no_update",
            "UPDATE audit_event SET detail = '{', at = CAST(x'ff' AS TEXT) WHERE seq = 4",
        ],
        &[],
    )
    .await
    .unwrap();
    let check = world.check_audit().await;
    assert_eq!(
        (check.result, check.first_bad, check.lines),
        (Finding::Rewritten, Some(4), 3)
    );
}

async fn what_is_stored_is_what_is_hashed(world: World) {
    write(&world, 1).await;
    let page = world
        .store
        .audit_events(&Scope::All, &AuditFilter::default())
        .await
        .unwrap();
    // Canonical JSON cannot hold 2^53 + 1: the record shows the number that the hash covers.
    assert_eq!(page.items[0].detail["a"][1], 9_007_199_254_740_992_i64);
    assert_eq!(world.check_audit().await.result, Finding::Ok);
}

async fn one_replica_signs_at_a_time(world: World) {
    let first = world.store.signing_turn().await.unwrap();
    assert!(first.is_some());
    if world.store.is_shared() {
        let second = store::Store::open(&world.url).await.unwrap();
        assert!(second.signing_turn().await.unwrap().is_none());
        // Proving is another turn.
        let proving = second.proving_turn().await.unwrap();
        assert!(proving.is_some());
        assert!(world.store.proving_turn().await.unwrap().is_none());
        drop(first);
        let mut turn = None;
        for _ in 0..100 {
            turn = second.signing_turn().await.unwrap();
            if turn.is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(turn.is_some(), "the turn comes round");
    }
}

async fn checkpoints_are_kept_once_and_cannot_be_changed(world: World) {
    for _ in 0..2 {
        world.store.keep_checkpoint(7, "k", "seven").await.unwrap();
    }
    world.store.keep_checkpoint(9, "k", "nine").await.unwrap();
    let kept = world.store.checkpoints_after(0, 10).await.unwrap();
    assert_eq!(kept, [(7, "seven".to_owned()), (9, "nine".to_owned())]);
    assert_eq!(
        world.store.newest_checkpoint().await.unwrap().as_deref(),
        Some("nine")
    );
    for sql in [
        "UPDATE audit_checkpoint SET line = ''",
        "DELETE FROM audit_checkpoint",
    ] {
        let refused = behind_the_back(&world, &[sql], &[sql]).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

async fn texts_that_lines_prove_are_read_as_they_are_kept(world: World) {
    let request = world
        .add_request("web", RequestState::AwaitingApproval)
        .await
        .summary
        .id;
    let comment = Comment {
        id: CommentId(Uuid::now_v7()),
        author: "developer".into(),
        text: "Zoë, please".into(),
        at: moment(1),
    };
    let decision = NewDecision {
        id: DecisionId(Uuid::now_v7()),
        request,
        approver: "approver".into(),
        decision: DecisionKind::RequestChanges,
        comment: "smaller".into(),
        plan_digest: "digest-1".into(),
        plan_revision: 1,
        break_glass: None,
        waited_seconds: 1,
        at: moment(2),
    };
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_comment(request, &comment).await.unwrap();
    tx.insert_decision(&decision).await.unwrap();
    tx.commit(now()).await.unwrap();

    let said = KeptText {
        id: comment.id.0,
        request: request.0,
        author: "developer".into(),
        text: "Zoë, please".into(),
        at: moment(1),
        decided: None,
    };
    let decided = KeptText {
        id: decision.id.0,
        request: request.0,
        author: "approver".into(),
        text: "smaller".into(),
        at: moment(2),
        decided: Some(KeptDecision {
            decision: "request_changes".into(),
            plan_digest: "digest-1".into(),
            plan_revision: 1,
            break_glass: None,
        }),
    };
    for (kind, kept) in [(TextKind::Comment, said), (TextKind::Decision, decided)] {
        let found = world
            .store
            .kept_texts(kind, &[kept.id, Uuid::now_v7()])
            .await
            .unwrap();
        assert_eq!(
            found.into_values().collect::<Vec<_>>(),
            std::slice::from_ref(&kept)
        );
        assert_eq!(world.store.count_kept_texts(kind).await.unwrap(), 1);
        let first = world.store.kept_texts_after(kind, None, 5).await.unwrap();
        assert_eq!(first, std::slice::from_ref(&kept));
        let rest = world.store.kept_texts_after(kind, Some(kept.id), 5).await;
        assert_eq!(rest.unwrap(), []);
    }
}

async fn the_tables_refuse_changes(world: World) {
    write(&world, 1).await;
    for sql in [
        "UPDATE audit_event SET actor = 'somebody else'",
        "DELETE FROM audit_event",
    ] {
        let refused = behind_the_back(&world, &[sql], &[sql]).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    // Ways around the row triggers: SQLite's REPLACE, PostgreSQL's TRUNCATE.
    let replace = "REPLACE INTO audit_event SELECT seq, at, 'cto', via, action, subject_kind, subject_id, subject_name, project, detail, previous_hash, hash FROM audit_event";
    let refused = behind_the_back(&world, &[replace], &["TRUNCATE audit_event"])
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("append-only"), "{refused}");
}

async fn the_record_is_read_by_filter_and_page(world: World) {
    let mut tx = world.store.begin().await.unwrap();
    for (action, id) in [
        ("request.submitted", "1"),
        ("request.approved", "1"),
        ("requests_are_something_else", "2"),
        ("request", "3"),
    ] {
        tx.audit(line(action, id));
    }
    let mut foreign = line("token.created", "9");
    foreign.project = None;
    tx.audit(foreign);
    tx.commit(moment(1)).await.unwrap();

    let read = |scope: Scope, filter: AuditFilter| {
        let store = world.store.clone();
        async move {
            let page = store.audit_events(&scope, &filter).await.unwrap();
            let seqs: Vec<i64> = page.items.iter().map(|line| line.seq).collect();
            (seqs, page.next_cursor)
        }
    };
    let action = AuditFilter {
        action: Some("request".into()),
        ..AuditFilter::default()
    };
    assert_eq!(read(Scope::All, action).await.0, [4, 2, 1]);
    let id = AuditFilter {
        subject_id: Some("1".into()),
        ..AuditFilter::default()
    };
    assert_eq!(read(Scope::All, id).await.0, [2, 1]);
    let mine = Scope::Projects(vec![project("payments")]);
    assert_eq!(read(mine, AuditFilter::default()).await.0, [4, 3, 2, 1]);
    assert!(
        read(Scope::Projects(vec![]), AuditFilter::default())
            .await
            .0
            .is_empty()
    );
    let mut filter = AuditFilter {
        limit: Some(2),
        ..AuditFilter::default()
    };
    let (first, cursor) = read(Scope::All, filter.clone()).await;
    filter.cursor = cursor;
    let (second, cursor) = read(Scope::All, filter.clone()).await;
    filter.cursor = cursor;
    let (third, end) = read(Scope::All, filter).await;
    assert_eq!(
        (first, second, third, end),
        (vec![5, 4], vec![3, 2], vec![1], None)
    );
}
