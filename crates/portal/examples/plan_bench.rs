//! Measures one plan on the server's side: evaluating the template, policy, cost and quota; 10,000 plans of each template.
//!
//! `cargo run --release -p portal --example plan_bench` prints p50, p99 and the maximum. The budget is p99 ≤ 5 ms.

#![expect(
    clippy::unwrap_used,
    reason = "a figure from a run that went wrong would be worth nothing"
)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::time::{Duration, Instant};

use serde_json::json;

const PLANS: u32 = 10_000;

fn main() {
    let world = fixture::World::with_real_rules();
    let facts = world.facts.snapshot();
    for template in fixture::TEMPLATES {
        let mut draft = fixture::draft(template);
        if !template.starts_with("aks") {
            draft.parameters.insert("dataDisk".to_owned(), json!(true));
        }
        let mut times: Vec<Duration> = Vec::new();
        let mut policy_us = 0;
        for number in 0..PLANS {
            // Another plan each time: nothing may be remembered from one to the next.
            draft.name = format!("worker-{number}");
            draft.tags.insert("run".to_owned(), number.to_string());
            let begun = Instant::now();
            let outcome = world.plan_with(&draft, &facts);
            times.push(begun.elapsed());
            policy_us += outcome.unwrap().plan.report.took_us;
        }
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 1_000).min(times.len() - 1)];
        println!(
            "{template}: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms; policy {:.2} ms on average",
            ms(at(500)),
            ms(at(990)),
            ms(at(999)),
            ms(at(1_000)),
            Duration::from_micros(policy_us / u64::from(PLANS)).as_secs_f64() * 1_000.0,
        );
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
