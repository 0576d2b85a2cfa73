//! Stories of the small tables: persons and members, tokens, sessions, idempotency keys, Azure facts, and what is pruned.

use store::{ApiToken, AzureFact, Conflict, Error, Idempotency, Person};
use types::actor::{InstallationRole, Membership, Role};
use types::ids::TokenId;
use types::token::TokenSummary;
use uuid::Uuid;

use crate::world::{World, changed, moment, project, stack};

crate::stories![
    a_person_has_one_role_a_project,
    a_token_is_found_by_its_hash_until_it_ends,
    a_session_lives_until_its_time,
    a_key_has_one_answer,
    a_key_whose_call_was_killed_is_free_again_after_a_minute,
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
        },
        subject: "developer".into(),
        hash: [7; 32],
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

async fn a_key_whose_call_was_killed_is_free_again_after_a_minute(world: World) {
    let store = &world.store;
    let begin = |hash: u8, seconds: i64| {
        store.begin_idempotent(
            "developer",
            "key",
            if hash == 1 { &[1; 32] } else { &[2; 32] },
            moment(seconds * 1_000_000),
        )
    };
    assert_eq!(begin(1, 0).await.unwrap(), Idempotency::New);
    assert_eq!(begin(1, 59).await.unwrap(), Idempotency::InFlight);
    assert_eq!(begin(2, 61).await.unwrap(), Idempotency::Mismatch);
    assert_eq!(begin(1, 61).await.unwrap(), Idempotency::New);
    assert_eq!(begin(1, 62).await.unwrap(), Idempotency::InFlight);
    store
        .finish_idempotent("developer", "key", 201, "{}")
        .await
        .unwrap();
    let done = Idempotency::Done {
        status: 201,
        body: "{}".into(),
    };
    assert_eq!(begin(1, 3_600).await.unwrap(), done);
}

async fn a_key_has_one_answer(world: World) {
    let store = &world.store;
    let begin = |actor: &'static str, hash: u8| {
        let store = store.clone();
        async move {
            store
                .begin_idempotent(actor, "key", &[hash; 32], moment(0))
                .await
                .unwrap()
        }
    };
    let calls = futures::future::join_all((0..8).map(|_| begin("developer", 1))).await;
    assert_eq!(calls.iter().filter(|c| **c == Idempotency::New).count(), 1);
    assert_eq!(begin("developer", 2).await, Idempotency::Mismatch);
    assert_eq!(begin("owner", 2).await, Idempotency::New);
    store
        .finish_idempotent("developer", "key", 201, "{\"id\":1}")
        .await
        .unwrap();
    let done = Idempotency::Done {
        status: 201,
        body: "{\"id\":1}".into(),
    };
    assert_eq!(begin("developer", 1).await, done);
    store.forget_idempotent("developer", "key").await.unwrap();
    assert_eq!(begin("developer", 1).await, done, "an answer stays");
    store.forget_idempotent("owner", "key").await.unwrap();
    assert_eq!(begin("owner", 3).await, Idempotency::New);
    assert_eq!(
        store.finish_idempotent("nobody", "key", 200, "").await,
        Err(Error::NotFound)
    );
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
        world.store.azure_facts("usages").await.unwrap(),
        [fact(2, 20)]
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
        .begin_idempotent("developer", "key", &[0; 32], moment(0))
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
