//! Stories of the small tables: persons and members, tokens, sessions, idempotency keys, Azure facts, and what is pruned.

use store::{ApiToken, AzureFact, Conflict, Error, Idempotency, Made, Person};
use types::actor::{InstallationRole, Membership, Role};
use types::ids::{CommentId, OperationId, RequestId, TokenId};
use types::token::TokenSummary;
use uuid::Uuid;

use crate::world::{World, changed, moment, project, stack};

crate::stories![
    a_person_has_one_role_a_project,
    a_token_is_found_by_its_hash_until_it_ends,
    a_session_lives_until_its_time,
    a_key_has_one_call_and_keeps_what_it_made,
    an_actor_has_so_many_keys_and_no_more,
    a_token_that_was_ordered_is_shown_once,
    whoever_waits_for_events_can_be_woken_without_one,
    a_key_whose_call_was_killed_is_free_again_after_its_lease,
    an_older_fact_does_not_replace_a_newer_one,
    what_has_had_its_time_goes,
    moments_are_compared_as_time_and_not_as_text,
];

async fn a_person_has_one_role_a_project(world: World) {
    let person = Person {
        subject: "approver".into(),
        name: "The approver".into(),
        groups: vec!["platform-approvers".parse().unwrap()],
        installation: vec![InstallationRole::Auditor],
        seen_at: moment(1),
    };
    let mut tx = world.store.begin().await.unwrap();
    for role in [Role::Reader, Role::Approver] {
        tx.put_member(&project("payments"), "approver", role)
            .await
            .unwrap();
    }
    tx.put_member(&project("payments"), "never-seen", Role::Owner)
        .await
        .unwrap();
    for seen_at in [moment(0), moment(1)] {
        tx.put_person(&Person {
            seen_at,
            ..person.clone()
        })
        .await
        .unwrap();
    }
    tx.commit(moment(2)).await.unwrap();
    assert_eq!(world.store.person("approver").await.unwrap(), Some(person));
    assert_eq!(world.store.person("nobody").await.unwrap(), None);
    assert_eq!(
        world.store.memberships("approver").await.unwrap(),
        [Membership {
            project: project("payments"),
            role: Role::Approver
        }]
    );
    let members = world.store.members(&project("payments")).await.unwrap();
    let names: Vec<_> = members.iter().map(|m| (m.name.as_str(), m.role)).collect();
    assert_eq!(
        names,
        [
            ("The approver", Role::Approver),
            ("never-seen", Role::Owner)
        ]
    );
    let mut tx = world.store.begin().await.unwrap();
    assert!(
        tx.delete_member(&project("payments"), "approver")
            .await
            .unwrap()
    );
    assert!(
        !tx.delete_member(&project("payments"), "approver")
            .await
            .unwrap()
    );
    tx.commit(moment(3)).await.unwrap();
    assert!(
        world
            .store
            .memberships("approver")
            .await
            .unwrap()
            .is_empty()
    );

    let mut tx = world.store.begin().await.unwrap();
    let refused = match tx
        .put_member(&project("nowhere"), "approver", Role::Reader)
        .await
    {
        Ok(()) => tx.commit(moment(4)).await,
        refused => refused,
    };
    assert_eq!(refused, Err(Error::Conflict(Conflict::Missing)));
}

async fn a_token_is_found_by_its_hash_until_it_ends(world: World) {
    let token = ApiToken {
        summary: TokenSummary {
            id: TokenId(Uuid::now_v7()),
            name: "ci".into(),
            prefix: "slw_abcd".into(),
            created_at: moment(0),
            expires_at: moment(1_000),
            last_used_at: None,
            shown: true,
        },
        subject: "developer".into(),
        hash: [7; 32],
        shown_at: Some(moment(0)),
    };
    let id = token.summary.id;
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_token(&token).await.unwrap();
    tx.commit(moment(0)).await.unwrap();
    let find = |hash: [u8; 32], at| {
        let store = world.store.clone();
        async move { store.token_by_hash(&hash, at).await.unwrap() }
    };
    let found = find([7; 32], moment(999)).await.unwrap();
    assert_eq!(found, ("developer".into(), token.summary.clone()));
    assert_eq!(find([8; 32], moment(999)).await, None);
    assert_eq!(find([7; 32], moment(1_000)).await, None);
    let ended = |hash: [u8; 32], at| {
        let store = world.store.clone();
        async move { store.ended_token(&hash, at).await.unwrap() }
    };
    assert_eq!(ended([7; 32], moment(999)).await, None);
    let expired = ended([7; 32], moment(1_000)).await.unwrap();
    assert_eq!(
        (expired.id, expired.subject.as_str(), expired.revoked),
        (id, "developer", false)
    );
    world.store.touch_token(id, moment(500)).await.unwrap();
    assert_eq!(
        world.store.tokens("developer").await.unwrap()[0].last_used_at,
        Some(moment(500))
    );
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(tx.delete_token("somebody", id).await.unwrap(), None);
    tx.keep_revoked_token("somebody", id, moment(600))
        .await
        .unwrap();
    tx.keep_revoked_token("developer", id, moment(600))
        .await
        .unwrap();
    assert!(tx.delete_token("developer", id).await.unwrap().is_some());
    tx.commit(moment(0)).await.unwrap();
    assert_eq!(find([7; 32], moment(1)).await, None);
    let revoked = ended([7; 32], moment(700)).await.unwrap();
    assert_eq!((revoked.id, revoked.revoked), (id, true));
    assert_eq!(ended([8; 32], moment(700)).await, None);
}

async fn a_session_lives_until_its_time(world: World) {
    let store = &world.store;
    let data = serde_json::json!({"subject": "developer"});
    assert!(store.create_session("s1", &data, moment(10)).await.unwrap());
    assert!(!store.create_session("s1", &data, moment(99)).await.unwrap());
    let session = store.session("s1", moment(9)).await.unwrap().unwrap();
    assert_eq!((session.data, session.expires_at), (data, moment(10)));
    assert_eq!(store.session("s1", moment(10)).await.unwrap(), None);
    let data = serde_json::json!({"subject": "owner"});
    store.save_session("s1", &data, moment(20)).await.unwrap();
    let session = store.session("s1", moment(10)).await.unwrap().unwrap();
    assert_eq!(session.data, data);
    store.delete_session("s1").await.unwrap();
    assert_eq!(store.session("s1", moment(0)).await.unwrap(), None);
}

/// Longer than any call takes.
const LEASE: time::Duration = time::Duration::seconds(60);

async fn a_key_whose_call_was_killed_is_free_again_after_its_lease(world: World) {
    let store = &world.store;
    let begin = |hash: u8, seconds: i64| {
        store.begin_idempotent(
            "developer",
            "key",
            if hash == 1 { &[1; 32] } else { &[2; 32] },
            // Also where the actor has as many keys as one may: this one is among them.
            1,
            LEASE,
            moment(seconds * 1_000_000),
        )
    };
    assert_eq!(begin(1, 0).await.unwrap(), Idempotency::New);
    assert_eq!(begin(1, 59).await.unwrap(), Idempotency::InFlight);
    assert_eq!(begin(2, 61).await.unwrap(), Idempotency::Mismatch);
    assert_eq!(begin(1, 61).await.unwrap(), Idempotency::New);
    assert_eq!(begin(1, 62).await.unwrap(), Idempotency::InFlight);
    let made = Made::Comment(CommentId(Uuid::now_v7()));
    store
        .finish_idempotent("developer", "key", 201, made)
        .await
        .unwrap();
    let done = Idempotency::Done {
        status: 201,
        made: Some(made),
    };
    assert_eq!(begin(1, 3_600).await.unwrap(), done);
}

async fn a_key_has_one_call_and_keeps_what_it_made(world: World) {
    let store = &world.store;
    let begin = |actor: &'static str, hash: u8| {
        let store = store.clone();
        async move {
            store
                .begin_idempotent(actor, "key", &[hash; 32], 10, LEASE, moment(0))
                .await
                .unwrap()
        }
    };
    assert_eq!(
        store
            .idempotent("developer", "key", &[1; 32])
            .await
            .unwrap(),
        None
    );
    let calls = futures::future::join_all((0..8).map(|_| begin("developer", 1))).await;
    assert_eq!(calls.iter().filter(|c| **c == Idempotency::New).count(), 1);
    assert_eq!(
        store
            .idempotent("developer", "key", &[1; 32])
            .await
            .unwrap(),
        Some(Idempotency::InFlight)
    );
    assert_eq!(begin("developer", 2).await, Idempotency::Mismatch);
    assert_eq!(begin("owner", 2).await, Idempotency::New);
    for made in [
        Made::Request(RequestId(Uuid::now_v7())),
        Made::Operation(OperationId(Uuid::now_v7())),
    ] {
        store
            .finish_idempotent("developer", "key", 202, made)
            .await
            .unwrap();
        let done = Idempotency::Done {
            status: 202,
            made: Some(made),
        };
        assert_eq!(begin("developer", 1).await, done);
        store.forget_idempotent("developer", "key").await.unwrap();
        assert_eq!(begin("developer", 1).await, done, "what was done stays");
    }
    store.forget_idempotent("owner", "key").await.unwrap();
    assert_eq!(begin("owner", 3).await, Idempotency::New);
    let nothing = Made::Request(RequestId(Uuid::now_v7()));
    assert_eq!(
        store.finish_idempotent("nobody", "key", 200, nothing).await,
        Err(Error::NotFound)
    );
}

async fn an_actor_has_so_many_keys_and_no_more(world: World) {
    let store = &world.store;
    let begin = |actor: &'static str, key: &'static str, at: i64| {
        store.begin_idempotent(actor, key, &[1; 32], 2, LEASE, moment(at))
    };
    assert_eq!(begin("ci", "one", 1).await.unwrap(), Idempotency::New);
    assert_eq!(begin("ci", "two", 2).await.unwrap(), Idempotency::New);
    let full = Idempotency::Full { oldest: moment(1) };
    assert_eq!(begin("ci", "three", 3).await.unwrap(), full);
    assert_eq!(begin("ci", "one", 3).await.unwrap(), Idempotency::InFlight);
    assert_eq!(begin("other", "three", 3).await.unwrap(), Idempotency::New);
    store.forget_idempotent("ci", "two").await.unwrap();
    assert_eq!(begin("ci", "three", 4).await.unwrap(), Idempotency::New);
    store.prune(moment(0), moment(0), moment(2)).await.unwrap();
    assert_eq!(begin("ci", "four", 5).await.unwrap(), Idempotency::New);
}

async fn a_token_that_was_ordered_is_shown_once(world: World) {
    let store = &world.store;
    let id = TokenId(Uuid::now_v7());
    let token = |id, hash| ApiToken {
        summary: TokenSummary {
            id,
            name: "ci".into(),
            prefix: String::new(),
            created_at: moment(10),
            expires_at: moment(1_000),
            last_used_at: None,
            shown: false,
        },
        subject: "developer".into(),
        hash,
        shown_at: None,
    };
    let mut tx = store.begin().await.unwrap();
    tx.lock("tokens of developer").await.unwrap();
    assert!(tx.insert_token(&token(id, [7; 32])).await.unwrap());
    assert!(!tx.insert_token(&token(id, [8; 32])).await.unwrap());
    assert_eq!(tx.count_tokens("developer", moment(999)).await.unwrap(), 1);
    assert_eq!(
        tx.count_tokens("developer", moment(1_000)).await.unwrap(),
        0,
        "what has ended does not count"
    );
    tx.commit(moment(10)).await.unwrap();
    // Until it is shown, neither hash nor id opens anything.
    for hash in [[7; 32], [8; 32]] {
        assert_eq!(store.token_by_hash(&hash, moment(11)).await.unwrap(), None);
    }
    assert_eq!(store.token_by_id(id, moment(11)).await.unwrap(), None);
    let show = |subject: &'static str, hash: u8, made_after: i64| {
        let store = store.clone();
        async move {
            let mut tx = store.begin().await.unwrap();
            let shown = tx
                .show_token(
                    subject,
                    id,
                    &[hash; 32],
                    "slw_abcd",
                    moment(12),
                    moment(made_after),
                )
                .await
                .unwrap();
            tx.commit(moment(12)).await.unwrap();
            shown
        }
    };
    assert_eq!(show("owner", 1, 0).await, None, "another person's");
    assert_eq!(show("developer", 2, 10).await, None, "too late");
    let shown = show("developer", 3, 0).await.unwrap();
    assert_eq!((shown.prefix.as_str(), shown.shown), ("slw_abcd", true));
    assert_eq!(show("developer", 4, 0).await, None, "once");
    let found = store.token_by_hash(&[3; 32], moment(13)).await.unwrap();
    assert_eq!(found.unwrap().1.id, id);
    let found = store.token_by_id(id, moment(999)).await.unwrap();
    assert_eq!(found.unwrap().0, "developer");
    assert_eq!(store.token_by_id(id, moment(1_000)).await.unwrap(), None);
}

async fn whoever_waits_for_events_can_be_woken_without_one(world: World) {
    let mut here = world.store.subscribe();
    let other = store::Store::open(&world.url).await.unwrap();
    let mut elsewhere = other.subscribe();
    // PostgreSQL begins to listen in the background.
    for _ in 0..200 {
        world.store.wake().await.unwrap();
        assert!(here.recv().await.is_ok());
        if !other.is_shared() || elsewhere.try_recv().is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the other process never heard it");
}

async fn an_older_fact_does_not_replace_a_newer_one(world: World) {
    let fact = |value: i64, at| AzureFact {
        kind: "usages".into(),
        key: "sub/westeurope".into(),
        body: serde_json::json!({"b": value, "a": 1}),
        fetched_at: moment(at),
    };
    for fact in [fact(1, 10), fact(2, 20), fact(3, 15)] {
        world.store.put_azure_fact(&fact).await.unwrap();
    }
    assert_eq!(
        world
            .store
            .azure_fact("usages", "sub/westeurope")
            .await
            .unwrap(),
        Some(fact(2, 20))
    );
    assert_eq!(
        world.store.azure_fact_keys("usages").await.unwrap(),
        ["sub/westeurope"]
    );
    assert_eq!(
        world.store.azure_fact("usages", "elsewhere").await.unwrap(),
        None
    );
}

async fn what_has_had_its_time_goes(world: World) {
    let store = &world.store;
    let mut tx = store.begin().await.unwrap();
    tx.event(changed(stack("web").summary.id));
    tx.commit(moment(0)).await.unwrap();
    let old = store.latest_event().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.event(changed(stack("web").summary.id));
    tx.commit(moment(100)).await.unwrap();
    store
        .save_session("s", &serde_json::Value::Null, moment(50))
        .await
        .unwrap();
    store
        .begin_idempotent("developer", "key", &[0; 32], 10, LEASE, moment(0))
        .await
        .unwrap();
    let gone = store
        .prune(moment(60), moment(50), moment(50))
        .await
        .unwrap();
    assert_eq!(gone, 3);
    let left = store
        .events_after(0, &store::Scope::All, &Default::default(), 10)
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].seq > old);
}

async fn moments_are_compared_as_time_and_not_as_text(world: World) {
    // A whole second and the half after it: as sqlx writes them, the text of the later one sorts first.
    let store = &world.store;
    let data = serde_json::Value::Null;
    store
        .save_session("half", &data, moment(500_000))
        .await
        .unwrap();
    assert!(store.session("half", moment(0)).await.unwrap().is_some());
    store.save_session("whole", &data, moment(0)).await.unwrap();
    assert!(
        store
            .session("whole", moment(500_000))
            .await
            .unwrap()
            .is_none()
    );
}
