//! Stories of the record: one chain whoever writes, and no change of it goes unseen.

use sqlx::{Connection as _, PgConnection, SqliteConnection};
use store::{NewAudit, Scope};
use types::audit::{AuditFilter, ChainCheck};

use crate::world::{World, developer, moment, now, project};

crate::stories![
    eight_writers_make_one_chain,
    a_changed_line_is_found,
    a_missing_line_is_found,
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
    assert_eq!(
        world.store.check_audit_chain().await.unwrap(),
        ChainCheck {
            lines: 80,
            broken_at: None
        }
    );
}

async fn a_changed_line_is_found(world: World) {
    write(&world, 5).await;
    behind_the_back(
        &world,
        &[
            "DROP TRIGGER audit_event_no_update",
            "UPDATE audit_event SET actor = 'somebody else' WHERE seq = 3",
        ],
        &[
            "ALTER TABLE audit_event DISABLE TRIGGER ALL",
            "UPDATE audit_event SET actor = 'somebody else' WHERE seq = 3",
        ],
    )
    .await
    .unwrap();
    let check = world.store.check_audit_chain().await.unwrap();
    assert_eq!(check.broken_at, Some(3));
}

async fn a_missing_line_is_found(world: World) {
    write(&world, 5).await;
    behind_the_back(
        &world,
        &[
            "DROP TRIGGER audit_event_no_delete",
            "DELETE FROM audit_event WHERE seq = 2",
        ],
        &[
            "ALTER TABLE audit_event DISABLE TRIGGER ALL",
            "DELETE FROM audit_event WHERE seq = 2",
        ],
    )
    .await
    .unwrap();
    let check = world.store.check_audit_chain().await.unwrap();
    assert_eq!(check.broken_at, Some(2));
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
