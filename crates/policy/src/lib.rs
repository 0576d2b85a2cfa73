//! The rules' door: loads a bundle of Rego files, evaluates a plan against it and reports; the only crate that sees regorus.
//!
//! The rules themselves stand in `policies/`; this crate names none of them. Who may do what is not policy but `portal`'s rights.
//!
//! What a bundle looks like:
//! - a package `slipway.guardrails.<subject>` has `rules` (facts by id) and the sets `deny`, `warn` and `approve`;
//! - a package `slipway.baseline.<subject>` has `rules` and the set `results`, one row per control and resource;
//! - every other package (`slipway.plan`, say) is there to be used by those;
//! - `look.…` are functions of this crate (`look.rs`); `data.slipway.controls.open` and `data.slipway.facts` tell guardrails about the baseline;
//! - files that end in `_test.rego` are tests and stay out.
//!
//! A finding carries only what it found. Title, severity, documentation and, for a control, its sentences come from the rule's facts, so that an
//! author writes each fact once.

mod evaluate;
mod folder;
mod look;
mod report;
mod rules;
mod table;

use std::time::Instant;

use sha2::{Digest, Sha256};
use types::policy::{Input, Report, Rule};

pub use evaluate::engine;
pub use folder::files_in;

use evaluate::Evaluator;
use rules::Facts;

/// Why a bundle cannot be used. A bundle that loads never fails later: `check` turns a failing rule into a denial.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not Rego, or breaks a length limit.
    #[error("the policy file {path} cannot be read as Rego: {detail}")]
    Parse {
        /// The file.
        path: String,
        /// What the Rego parser said.
        detail: String,
    },
    /// The files do not fit together: a rule calls something that is nowhere.
    #[error("the policy bundle cannot be compiled: {0}")]
    Compile(String),
    /// A rule's facts are missing, malformed or there twice.
    #[error("the rules of package {package} are not well formed: {detail}")]
    Rules {
        /// Such as `slipway.guardrails.placement`.
        package: String,
        /// What is wrong with them.
        detail: String,
    },
    /// A bundle without a guardrail would let everything through.
    #[error(
        "the policy bundle has no guardrail: a bundle without one would let every plan through"
    )]
    Empty,
}

/// A set of rules, compiled once. Cheap to share; every `check` works on its own copy of the engine's state.
pub struct Bundle {
    evaluator: Evaluator,
    facts: Facts,
    hash: String,
}

impl Bundle {
    /// Compiles the `.rego` files among `files`, each a path (for messages and the hash) and its text. Test files and files of other kinds are skipped.
    ///
    /// # Errors
    ///
    /// A file that is not Rego, a rule without complete facts, an id that is there twice, a bundle without a guardrail.
    pub fn load(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut files: Vec<(String, String)> = files
            .into_iter()
            .filter(|(path, _)| is_rule_file(path))
            .collect();
        files.sort();
        let hash = hash_of(&files);
        let evaluator = Evaluator::compile(files)?;
        let facts = Facts::collect(&evaluator.rule_facts()?)?;
        Ok(Self {
            evaluator,
            facts,
            hash,
        })
    }

    /// What all rules say about one plan. Never fails: a rule that cannot be evaluated denies as `GR-000`.
    #[must_use]
    pub fn check(&self, input: &Input) -> Report {
        let started = Instant::now();
        let findings = self.evaluator.evaluate(input);
        let mut report = report::assemble(&self.facts, findings);
        report.bundle_hash.clone_from(&self.hash);
        report.took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        report
    }

    /// All rules, guardrails first, each kind by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.facts.rules()
    }

    /// SHA-256 of the rules, in hexadecimal: the same files in any order give the same hash.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("hash", &self.hash)
            .field("rules", &self.rules().len())
            .finish_non_exhaustive()
    }
}

fn is_rule_file(path: &str) -> bool {
    path.ends_with(".rego") && !path.ends_with("_test.rego")
}

fn hash_of(sorted: &[(String, String)]) -> String {
    use std::fmt::Write as _;

    let mut digest = Sha256::new();
    for part in sorted.iter().flat_map(|(path, text)| [path, text]) {
        // Lengths first: no two different bundles may run together to the same bytes.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest
        .finalize()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
