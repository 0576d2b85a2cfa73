//! Stories of an Azure that asks to wait, loses answers or is away: it lives in this process and in a time that jumps to whatever is waited for next.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot be told must not pass"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azure::{
    Arm, Carried, Carrier, Config, Credential, Endpoints, Error, ErrorKind, GroupId, ResourceId,
    SubscriptionId,
};
use futures::future::join_all;
use http::{Request, Response};
use serde_json::json;
use tokio::time::{Instant, sleep};

const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

/// What was asked: the last name of the path, and how many calls of this method and name came before.
struct Asked {
    name: String,
    nth: usize,
}

/// How long the answer takes, and the answer; `None` where it is lost.
type Reply = (Duration, Option<Response<Vec<u8>>>);

struct Story<F> {
    tell: F,
    asked: Mutex<Vec<(String, String)>>,
}

impl<F> fmt::Debug for Story<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Story")
    }
}

impl<F: Fn(&Asked) -> Reply + Send + Sync> Carrier for Story<F> {
    fn carry(&self, request: Request<Vec<u8>>) -> Carried {
        let path = request.uri().path().trim_end_matches("/instanceView");
        let name = path.rsplit('/').next().unwrap().to_owned();
        let method = request.method().to_string();
        let key = (method, name.clone());
        let mut log = self.asked.lock().unwrap();
        let nth = log.iter().filter(|old| **old == key).count();
        log.push(key);
        drop(log);
        let asked = Asked { name, nth };
        let (takes, answer) = (self.tell)(&asked);
        Box::pin(async move {
            sleep(takes).await;
            answer
        })
    }
}

impl<F> Story<F> {
    fn count(&self, method: &str, name: &str) -> usize {
        let log = self.asked.lock().unwrap();
        log.iter().filter(|(m, n)| m == method && n == name).count()
    }
}

fn told<F>(tell: F) -> (Arm, Arc<Story<F>>)
where
    F: Fn(&Asked) -> Reply + Send + Sync + 'static,
{
    let story = Arc::new(Story {
        tell,
        asked: Mutex::default(),
    });
    let credential = Credential::ClientSecret {
        client_id: "app".to_owned(),
        secret: "secret".into(),
    };
    let endpoints = Endpoints::single(&"https://azure.example/".parse().unwrap()).unwrap();
    let mut config = Config::new(
        endpoints,
        "99999999-2222-3333-4444-555555555555",
        credential,
    );
    config.carrier = Some(Arc::clone(&story) as Arc<dyn Carrier>);
    (Arm::new(config).unwrap(), story)
}

fn answer(status: u16, headers: &[(&str, &str)], body: &serde_json::Value) -> Reply {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    (
        Duration::ZERO,
        Some(response.body(body.to_string().into_bytes()).unwrap()),
    )
}

fn token(lives_for: u64, value: &str) -> Reply {
    answer(
        200,
        &[],
        &json!({"token_type": "Bearer", "expires_in": lives_for, "access_token": value}),
    )
}

fn fine() -> Reply {
    answer(
        200,
        &[],
        &json!({"id": group("rg").to_string(), "name": "rg", "location": "westeurope", "properties": {"provisioningState": "Succeeded"}}),
    )
}

fn refused(code: &str, headers: &[(&str, &str)]) -> Reply {
    answer(
        429,
        headers,
        &json!({"error": {"code": code, "message": "Please try again later."}}),
    )
}

fn group(name: &str) -> GroupId {
    GroupId::new(SubscriptionId::parse(SUBSCRIPTION).unwrap(), name).unwrap()
}

fn resource(kind: &str, name: &str) -> ResourceId {
    ResourceId::parse(&format!("{}/providers/{kind}/{name}", group("rg"))).unwrap()
}

async fn put(arm: &Arm, name: &str) -> Result<(), Error> {
    let tags = BTreeMap::new();
    let group = group(name);
    let done = arm.groups().put(&group, "westeurope", &tags).await;
    done.map(|_| ())
}

fn left(arm: &Arm, limit: &str) -> f64 {
    let budgets = arm.budgets();
    budgets
        .iter()
        .find(|budget| budget.limit == limit)
        .unwrap()
        .left
}

const MACHINE: &str = "Microsoft.Compute/virtualMachines";

#[tokio::test(start_paused = true)]
async fn what_a_provider_refuses_stops_nobody_else() {
    for (kind, code) in [
        (
            "Microsoft.Network/networkInterfaces",
            "RetryableErrorDueToAnotherOperation",
        ),
        (
            "Microsoft.ContainerService/managedClusters",
            "TooManyRequests",
        ),
        (MACHINE, "TooManyRequests"),
    ] {
        let (arm, story) = told(move |asked| match (asked.name.as_str(), asked.nth) {
            ("token", _) => token(3600, "t"),
            ("busy", 0) => refused(code, &[("retry-after", "30")]),
            _ => fine(),
        });
        let (busy, other) = (resource(kind, "busy"), resource(kind, "other"));
        let begun = Instant::now();
        let late = async {
            arm.resources().get(&busy).await.unwrap();
            begun.elapsed()
        };
        let rest = async {
            sleep(Duration::from_secs(1)).await;
            let seen = (left(&arm, "reads"), begun.elapsed());
            arm.resources().get(&other).await.unwrap();
            (seen.0, begun.elapsed())
        };
        let (late, (reads, soon)) = tokio::join!(late, rest);
        assert!(late >= Duration::from_secs(30), "{kind}: {late:?}");
        assert!(soon < Duration::from_secs(2), "{kind}: {soon:?}");
        assert!(reads > 240.0, "{kind}: {reads}");
        assert_eq!(story.count("GET", "busy"), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn computes_own_word_closes_the_line_of_the_whole_subscription() {
    let (arm, _) = told(|asked| match (asked.name.as_str(), asked.nth) {
        ("token", _) => token(3600, "t"),
        ("busy", 0) => refused(
            "TooManyRequests",
            &[
                ("retry-after", "30"),
                (
                    "x-ms-ratelimit-remaining-resource",
                    "Microsoft.Compute/GetVM3Min;0,Microsoft.Compute/GetVM30Min;900",
                ),
            ],
        ),
        _ => fine(),
    });
    let begun = Instant::now();
    let (busy, other) = (resource(MACHINE, "busy"), resource(MACHINE, "other"));
    let rest = async {
        sleep(Duration::from_secs(1)).await;
        assert!(left(&arm, "GetVM") < 1.0 && left(&arm, "reads") > 240.0);
        let found = arm.resources().get(&other).await;
        found.unwrap();
        begun.elapsed()
    };
    let resources = arm.resources();
    let (first, other) = tokio::join!(resources.get(&busy), rest);
    first.unwrap();
    assert!(other >= Duration::from_secs(30), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn arms_whole_wait_is_kept_and_the_line_reopens_empty() {
    let begun = Instant::now();
    let closed = Duration::from_secs(300);
    let (arm, story) = told(move |asked| match asked.name.as_str() {
        "token" => token(36_000, "t"),
        _ if begun.elapsed() < closed => refused(
            "SubscriptionRequestsThrottled",
            &[("retry-after", "300"), ("x-ms-failure-cause", "gateway")],
        ),
        _ => fine(),
    });
    let error = put(&arm, "rg-first").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(closed));
    sleep(Duration::from_secs(100)).await;
    assert!(left(&arm, "writes") < f64::EPSILON, "nothing comes back");

    let error = put(&arm, "rg-second").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::Throttled, Some(Duration::from_secs(200)))
    );
    assert_eq!(begun.elapsed(), Duration::from_secs(100), "at once");
    assert_eq!(story.count("PUT", "rg-second"), 0, "it was not sent");

    // These can wait for the line to reopen, and then go one after the other.
    sleep(Duration::from_secs(100)).await;
    let names: Vec<String> = (0..50).map(|number| format!("rg-{number}")).collect();
    for done in join_all(names.iter().map(|name| put(&arm, name))).await {
        done.unwrap();
    }
    let took = begun.elapsed().as_secs_f64();
    assert!((304.9..306.0).contains(&took), "{took} s of the clock");
    assert!(names.iter().all(|name| story.count("PUT", name) == 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_understood_in_every_form() {
    let huge = "99999999999999999999999";
    for (headers, seconds) in [
        (vec![("retry-after", "900")], Some(900)),
        (vec![("x-ms-retry-after-ms", "90000")], Some(90)),
        (
            vec![("retry-after", "1"), ("retry-after-ms", "70000")],
            Some(70),
        ),
        (
            vec![
                ("retry-after", "Mon, 23 Nov 2026 12:02:00 GMT"),
                ("date", "Mon, 23 Nov 2026 12:00:00 GMT"),
            ],
            Some(120),
        ),
        (vec![("retry-after", huge)], Some(3600)),
        (vec![("retry-after-ms", "18446744073709551615")], Some(3600)),
        (vec![("retry-after", "18446744073709551615")], Some(3600)),
        (vec![("retry-after", "soon")], None),
    ] {
        let shown = format!("{headers:?}");
        let (arm, _) = told(move |asked| match asked.name.as_str() {
            "token" => token(3600, "t"),
            _ => refused("TooManyRequests", &headers),
        });
        let error = put(&arm, "rg").await.unwrap_err();
        assert_eq!(
            error.retry_after(),
            seconds.map(Duration::from_secs),
            "{shown}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn counts_are_read_by_their_whole_names_and_as_whole_numbers() {
    for (name, value, limit, expected) in [
        ("subscription-global-reads", "7", "reads", 7.0),
        ("subscription-resource-requests", "9", "reads", 9.0),
        ("subscription-reads", "-inf", "reads", 249.0),
        ("subscription-reads", "nan", "reads", 249.0),
        ("tenant-reads", "3", "reads", 249.0),
        (
            "resource",
            "Microsoft.Compute/GetVMImageFromLocation3Min;5",
            "GetVM",
            23_999.0,
        ),
        ("resource", "Microsoft.Compute/GetVM3Min;5", "GetVM", 5.0),
    ] {
        let header = format!("x-ms-ratelimit-remaining-{name}");
        let (arm, _) = told(move |asked| match asked.name.as_str() {
            "token" => token(3600, "t"),
            _ => answer(200, &[(&header, value)], &json!({})),
        });
        let machine = resource(MACHINE, "m");
        for _ in 0..2 {
            arm.resources().get(&machine).await.unwrap();
        }
        let found = left(&arm, limit);
        assert!(
            (expected - 1.5..=expected + 0.5).contains(&found),
            "{name} {value}: {found}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_stays_lost_when_it_cannot_be_sent_again() {
    let (arm, story) = told(|asked| match (asked.name.as_str(), asked.nth) {
        ("token", _) => token(3600, "t"),
        // Its answer is lost while another call learns that ARM is closed.
        ("rg-lost", 0) => (Duration::from_secs(2), None),
        ("rg-other", _) => refused(
            "SubscriptionRequestsThrottled",
            &[("retry-after", "300"), ("x-ms-failure-cause", "gateway")],
        ),
        ("rg-busy", 0) => (Duration::ZERO, None),
        ("rg-busy", _) => refused("TooManyRequests", &[("retry-after", "900")]),
        _ => fine(),
    });
    let (lost, other) = tokio::join!(put(&arm, "rg-lost"), put(&arm, "rg-other"));
    assert_eq!(other.unwrap_err().kind(), ErrorKind::Throttled);
    let error = lost.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LostAnswer, "{error}");
    assert!(error.retry_after().is_some());
    assert_eq!(story.count("PUT", "rg-lost"), 1);

    sleep(Duration::from_secs(400)).await;
    let error = put(&arm, "rg-busy").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LostAnswer, "{error}");
    assert_eq!(story.count("PUT", "rg-busy"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_of_ours_is_not_called_azures() {
    let (arm, story) = told(|asked| match asked.name.as_str() {
        "token" => token(36_000, "t"),
        "rg-last" => fine(),
        _ => (Duration::from_secs(1000), None),
    });
    let slow: Vec<_> = (0..48)
        .map(|number| {
            let arm = arm.clone();
            tokio::spawn(async move { put(&arm, &format!("rg-{number}")).await })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    let error = put(&arm, "rg-last").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.retry_after()),
        (ErrorKind::Throttled, "OwnQueueFull", None)
    );
    assert_eq!(story.count("PUT", "rg-last"), 0);
    for call in slow {
        call.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_lives_is_used_while_another_is_asked_for() {
    let (arm, story) = told(|asked| match (asked.name.as_str(), asked.nth) {
        ("token", 0) => token(240, "old"),
        ("token", 1) => (Duration::from_secs(50), None),
        ("token", _) => token(3600, "new"),
        _ => fine(),
    });
    put(&arm, "rg").await.unwrap();
    let times = join_all((0..20).map(|_| async {
        let begun = Instant::now();
        put(&arm, "rg").await.unwrap();
        begun.elapsed()
    }))
    .await;
    let waited = times.iter().filter(|time| !time.is_zero()).count();
    assert!(waited <= 1, "one renews: {times:?}");
    assert!(
        times.iter().all(|time| *time <= Duration::from_secs(10)),
        "{times:?}"
    );
    let begun = Instant::now();
    put(&arm, "rg").await.unwrap();
    assert!(begun.elapsed().is_zero(), "the authority is left alone");
    assert_eq!(story.count("POST", "token"), 2);

    sleep(Duration::from_secs(31)).await;
    put(&arm, "rg").await.unwrap();
    assert_eq!(story.count("POST", "token"), 3);
}
