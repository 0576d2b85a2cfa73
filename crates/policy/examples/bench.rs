//! Measures `check` over 10,000 plans of each sample: `cargo run --release -p policy --example bench`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use types::policy::{Input, Verdict};

const PLANS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bundle = policy::Bundle::load(policy::files_in(&here.join("../../policies"))?)?;
    println!(
        "{:<16} {:>9} {:>9} {:>9}  verdict",
        "plan", "p50", "p99", "max"
    );
    for name in ["good-vm", "bad-vm", "good-node-pool"] {
        let text = std::fs::read_to_string(here.join(format!("tests/policy/inputs/{name}.json")))?;
        let input: Input = serde_json::from_str(&text)?;
        let mut verdict = Verdict::Denied;
        let mut took: Vec<u128> = (0..PLANS)
            .map(|_| {
                let started = Instant::now();
                verdict = bundle.check(&input).verdict;
                started.elapsed().as_micros()
            })
            .collect();
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100];
        println!(
            "{name:<16} {:>6} µs {:>6} µs {:>6} µs  {verdict:?}",
            at(50),
            at(99),
            at(100)
        );
    }
    Ok(())
}
