//! Measures one plan on the server's side: evaluating the template, policy, cost and quota; 10,000 plans of each template.
//!
//! `cargo run --release -p portal --example plan_bench` prints p50, p99 and the maximum, whole and without the rules; another number of plans
//! can be given. The budget is p99 ≤ 5 ms. Run it on a quiet machine and without `RUST_BACKTRACE`, which makes the Rego engine slower. On a virtual machine
//! it also says how much time the host gave to others: each stolen slice of milliseconds is the slowest plan of its moment.

#![expect(
    clippy::unwrap_used,
    reason = "a figure from a run that went wrong would be worth nothing"
)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::time::{Duration, Instant};

use serde_json::json;

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PLANS: u32 = 10_000;

fn main() {
    let plans: u32 = std::env::args()
        .nth(1)
        .and_then(|count| count.parse().ok())
        .unwrap_or(PLANS)
        .max(1);
    let world = fixture::World::with_real_rules();
    let facts = world.facts.snapshot();
    for template in fixture::TEMPLATES {
        let mut draft = fixture::draft(template);
        if !template.starts_with("aks") {
            draft.parameters.insert("dataDisk".to_owned(), json!(true));
        }
        let mut whole: Vec<Duration> = Vec::new();
        let mut without_rules: Vec<Duration> = Vec::new();
        let stolen = stolen();
        for number in 0..plans {
            // Another plan each time: nothing may be remembered from one to the next.
            draft.name = format!("worker-{number}");
            draft.tags.insert("run".to_owned(), number.to_string());
            let begun = Instant::now();
            let outcome = world.plan_with(&draft, &facts);
            let took = begun.elapsed();
            let rules = Duration::from_micros(outcome.unwrap().plan.report.took_us);
            whole.push(took);
            without_rules.push(took.saturating_sub(rules));
        }
        println!(
            "{template}: {}; without the rules: {}; stolen by the host: {} ms",
            figures(&mut whole),
            figures(&mut without_rules),
            self::stolen().saturating_sub(stolen) * 10
        );
    }
}

/// Hundredths of a second that the machine's host gave to others since it started: the eighth figure of `/proc/stat` (proc(5)); 0 where there is none.
fn stolen() -> u64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    stat.split_whitespace()
        .nth(8)
        .and_then(|ticks| ticks.parse().ok())
        .unwrap_or(0)
}

fn figures(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| {
        let index = (times.len() * share / 1_000).min(times.len() - 1);
        times[index].as_secs_f64() * 1_000.0
    };
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        at(500),
        at(990),
        at(1_000)
    )
}
