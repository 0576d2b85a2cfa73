//! People, tokens and rights: what nobody may see does not exist, and a token is shown once.

use types::event::EventFilter;
use types::token::NewToken;

use crate::world::{World, submission, vm};

#[tokio::test]
async fn another_projects_things_do_not_exist() {
    let world = World::new().await;
    let request = world.send(vm("hidden", "prod")).await;
    let outsider = world.actor("outsider").await;
    let portal = &world.portal;
    let id = request.summary.id;
    assert_eq!(
        portal.request(&outsider, id).await.unwrap_err().status(),
        404
    );
    assert_eq!(
        portal
            .stack(&outsider, request.summary.stack)
            .await
            .unwrap_err()
            .status(),
        404
    );
    assert_eq!(
        portal
            .comment(&outsider, id, "hello")
            .await
            .unwrap_err()
            .status(),
        404
    );
    assert_eq!(
        portal
            .withdraw(&outsider, id, 1)
            .await
            .unwrap_err()
            .status(),
        404
    );
    assert_eq!(
        portal
            .submit(&outsider, vm("mine", "dev"), submission())
            .await
            .unwrap_err()
            .status(),
        404
    );
    assert!(
        portal
            .requests(&outsider, &Default::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert!(
        portal
            .events_after(&outsider, 0, &EventFilter::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        portal
            .audit(&outsider, &Default::default())
            .await
            .unwrap_err()
            .status(),
        403
    );

    let reader = world.actor("reader").await;
    assert!(portal.request(&reader, id).await.is_ok());
    let error = portal
        .withdraw(&reader, id, request.summary.version)
        .await
        .unwrap_err();
    assert_eq!(error.status(), 403);
    assert!(error.to_string().contains("developer or owner"));
    assert!(
        !portal
            .events_after(&reader, 0, &EventFilter::default())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_token_is_its_person_until_it_is_revoked_or_ends() {
    let world = World::new().await;
    let portal = &world.portal;
    let approver = world.actor("approver").await;
    let made = portal
        .create_token(
            &approver,
            NewToken {
                name: "pipeline".into(),
                days: 30,
            },
        )
        .await
        .unwrap();
    assert!(made.value.starts_with("slw_") && made.value.len() == 47);
    let actor = portal.actor_for_token(&made.value).await.unwrap().unwrap();
    assert_eq!(actor.subject, "approver");
    assert_eq!(
        portal
            .create_token(
                &actor,
                NewToken {
                    name: "more".into(),
                    days: 1
                }
            )
            .await
            .unwrap_err()
            .code(),
        "person_needed"
    );
    let listed = portal.tokens(&approver).await.unwrap();
    assert!(listed[0].last_used_at.is_some());
    assert!(!format!("{listed:?}").contains(&made.value));
    for wrong in ["", "slw_", "Bearer", &made.value[..46]] {
        assert!(portal.actor_for_token(wrong).await.unwrap().is_none());
    }

    world.clock.advance(time::Duration::days(31));
    assert!(portal.actor_for_token(&made.value).await.unwrap().is_none());
    let second = portal
        .create_token(
            &approver,
            NewToken {
                name: "second".into(),
                days: 30,
            },
        )
        .await
        .unwrap();
    portal
        .revoke_token(&approver, second.token.id)
        .await
        .unwrap();
    assert!(
        portal
            .actor_for_token(&second.value)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        portal
            .revoke_token(&approver, second.token.id)
            .await
            .unwrap_err()
            .status(),
        404
    );
    world.audited(&["token.created", "token.revoked"]).await;
}

#[tokio::test]
async fn a_comment_is_plain_text_of_bounded_length() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let request = world.send(vm("talked", "prod")).await;
    let id = request.summary.id;
    let told = world
        .portal
        .comment(&developer, id, "  Needed by Friday. ")
        .await
        .unwrap();
    assert_eq!(told.text, "Needed by Friday.");
    for bad in [
        "",
        " ",
        "\u{202e}txt",
        &"x".repeat(4_001),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
    ] {
        assert_eq!(
            world
                .portal
                .comment(&developer, id, bad)
                .await
                .unwrap_err()
                .status(),
            422,
            "{}",
            &bad[..bad.len().min(20)]
        );
    }
}

#[tokio::test]
async fn a_token_that_nobody_looks_at_is_not_shown_later() {
    let world = World::new().await;
    let portal = &world.portal;
    let developer = world.actor("developer").await;
    let new = NewToken {
        name: "late".into(),
        days: 1,
    };
    let submission = submission().0;
    let id = portal
        .order_token(&developer, &new, submission)
        .await
        .unwrap();
    world.clock.advance(time::Duration::minutes(11));
    assert_eq!(portal.show_token(&developer, id).await.unwrap(), None);
    assert!(!portal.tokens(&developer).await.unwrap()[0].shown);

    // Another person's form with the same number is another token, and nobody's token makes or shows one.
    let approver = world.actor("approver").await;
    let other = portal
        .order_token(&approver, &new, submission)
        .await
        .unwrap();
    assert_ne!(other, id);
    assert_eq!(
        portal
            .show_token(&developer, other)
            .await
            .unwrap_err()
            .status(),
        404
    );
    let made = portal.show_token(&approver, other).await.unwrap().unwrap();
    let token = portal.actor_for_token(&made.value).await.unwrap().unwrap();
    for refused in [
        portal.show_token(&token, other).await.unwrap_err(),
        portal
            .order_token(&token, &new, submission)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(refused.code(), "person_needed");
    }

    // A stream's token is asked again by its id, until it ends.
    assert!(
        portal
            .actor_for_token_id(other)
            .await
            .unwrap()
            .is_some_and(|actor| actor.subject == "approver")
    );
    world.clock.advance(time::Duration::days(1));
    assert!(portal.actor_for_token_id(other).await.unwrap().is_none());
}
