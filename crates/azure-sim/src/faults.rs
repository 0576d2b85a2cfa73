//! Failures on order. Rules come in over `POST /_sim/faults` and are kept like the rest of the state; `GET` shows them with what is left, `DELETE` clears them.
//! A file `faults.json` in the data directory is read at every start, in place of the rules that were kept.
//!
//! A body is one rule or a list of rules:
//!
//! ```json
//! {"method": "PUT", "path": "/virtualMachines/", "times": 1, "probability": 1.0,
//!  "action": {"type": "fail", "code": "AllocationFailed", "message": "Allocation failed. We do not have sufficient capacity"}}
//! ```
//!
//! `method` and `path` (a regular expression over the path, case-insensitive, searched anywhere) say what a rule is for; both may be left out. `times` is how often
//! it acts (no value: always), `probability` how likely (no value: 1). A deployment's own PUT of a resource counts as `PUT` of the resource's id. The first rule that fits acts.
//!
//! Actions:
//! - `{"type": "respond", "status": 429, "code": "TooManyRequests", "message": "…", "retry_after": 5}`: answered instead of doing anything.
//! - `{"type": "delay", "ms": 3000}`: done as usual, but later.
//! - `{"type": "drop", "when": "before"}` or `"after"`: the connection is closed, before anything is done or after everything is.
//! - `{"type": "truncate"}`: done as usual, but the answer's body breaks off in the middle.
//! - `{"type": "fail", "code": "…", "message": "…"}`: the operation that the request begins fails at its end.
//! - `{"type": "hang"}`: the operation that the request begins never ends.
//! - `{"type": "lag", "seconds": 60}`: a list of `…/resources` shows what was there so long ago, though not from before the rule came. Nothing else
//!   lags here; in Azure a resource that is read by itself may, too (Azure/azure-rest-api-specs#21221, 2022-11-22).

use std::sync::Arc;

use http::StatusCode;
use regex::RegexBuilder;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::state::model::Change;
use crate::state::{State, Tx};
use crate::wire::errors::{Problem, Refusal};

/// One rule, with what is left of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    #[serde(default = "Uuid::new_v4")]
    id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default = "always")]
    probability: f64,
    action: Action,
    /// How often it has acted.
    #[serde(default)]
    acted: u32,
}

fn always() -> f64 {
    1.0
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Action {
    Respond {
        status: u16,
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
        #[serde(default)]
        retry_after: Option<u64>,
    },
    Delay {
        ms: u64,
    },
    Drop {
        when: When,
    },
    Truncate,
    Fail {
        code: String,
        #[serde(default)]
        message: String,
    },
    Hang,
    Lag {
        seconds: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum When {
    Before,
    After,
}

/// What is to go wrong with one request or one operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    pub(crate) refusal: Option<Refusal>,
    pub(crate) delay_ms: u64,
    pub(crate) drop_before: bool,
    pub(crate) drop_after: bool,
    pub(crate) truncate: bool,
    pub(crate) doomed: Option<Problem>,
    pub(crate) hang: bool,
    /// How far behind a list is.
    pub(crate) lag: Option<time::Duration>,
}

/// Reads rules as they are posted.
pub(crate) fn read(body: Value) -> Result<Vec<Rule>, Refusal> {
    let wrong = |message: String| Refusal::bad("InvalidFault", message);
    let rows = match body {
        Value::Array(rows) => rows,
        row => vec![row],
    };
    rows.into_iter()
        .map(|row| {
            let rule: Rule =
                serde_json::from_value(row).map_err(|error| wrong(error.to_string()))?;
            if let Some(path) = &rule.path {
                pattern(path).map_err(|error| wrong(error.to_string()))?;
            }
            if !(0.0..=1.0).contains(&rule.probability) {
                return Err(wrong("probability is a number from 0 to 1".to_owned()));
            }
            if let Action::Respond { status, .. } = &rule.action {
                StatusCode::from_u16(*status).map_err(|error| wrong(error.to_string()))?;
            }
            Ok(rule)
        })
        .collect()
}

fn pattern(path: &str) -> Result<regex::Regex, regex::Error> {
    RegexBuilder::new(path)
        .case_insensitive(true)
        .size_limit(1 << 20)
        .build()
}

/// What is ordered for a request; the rule that acts is counted.
pub(crate) fn for_request(state: &State, method: &str, path: &str) -> Orders {
    if state.read(|world, _| world.faults().is_empty()) {
        return Orders::default();
    }
    let (orders, ticket) = state.write(|tx| Ok(for_operation(tx, method, path)));
    drop(ticket);
    orders.unwrap_or_default()
}

/// As [`for_request`], inside a transaction.
pub(crate) fn for_operation(tx: &mut Tx<'_>, method: &str, path: &str) -> Orders {
    let rules = tx.faults().clone();
    let fits = |rule: &Rule| {
        rule.times != Some(0)
            && rule
                .method
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && rule
                .path
                .as_ref()
                .is_none_or(|wanted| pattern(wanted).is_ok_and(|pattern| pattern.is_match(path)))
            && rand::random::<f64>() < rule.probability
    };
    let Some(index) = rules.iter().position(fits) else {
        return Orders::default();
    };
    let mut rules = Vec::clone(&rules);
    let rule = &mut rules[index];
    rule.times = rule.times.map(|times| times - 1);
    rule.acted += 1;
    let orders = rule.orders();
    tx.apply(Change::Faults(Arc::new(rules)));
    orders
}

/// How long lists may want to look back: the largest lag of the rules, whether they still act or not.
pub(crate) fn longest_lag(rules: &[Rule]) -> Option<time::Duration> {
    rules
        .iter()
        .filter_map(|rule| match rule.action {
            Action::Lag { seconds } => Some(time::Duration::seconds(i64::from(seconds))),
            _ => None,
        })
        .max()
}

impl Rule {
    fn orders(&self) -> Orders {
        let mut orders = Orders::default();
        match &self.action {
            Action::Respond {
                status,
                code,
                message,
                retry_after,
            } => {
                let status =
                    StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let code = if code.is_empty() {
                    status
                        .canonical_reason()
                        .unwrap_or("Fault")
                        .replace([' ', '-'], "")
                } else {
                    code.clone()
                };
                let mut refusal = Refusal::new(status, code, message.clone());
                refusal.retry_after = *retry_after;
                orders.refusal = Some(refusal);
            }
            Action::Delay { ms } => orders.delay_ms = *ms,
            Action::Drop { when } => {
                orders.drop_before = *when == When::Before;
                orders.drop_after = *when == When::After;
            }
            Action::Truncate => orders.truncate = true,
            Action::Fail { code, message } => {
                orders.doomed = Some(Problem::new(code, message));
            }
            Action::Hang => orders.hang = true,
            Action::Lag { seconds } => {
                orders.lag = Some(time::Duration::seconds(i64::from(*seconds)));
            }
        }
        orders
    }
}
