//! Refusals in the record: decisions that somebody may not make, sign-ins that fail, tokens that do not count. Few lines, whoever sends however many: the
//! first of a minute one by one, the rest as a count.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::NewAudit;
use types::actor::Actor;
use types::ids::RequestId;

use crate::origin::{Origin, network, with_origin};
use crate::{Error, Portal};

/// Lines a minute of one actor, action and address.
const FIRST: u32 = 3;
/// Actors and addresses that are counted one by one in a minute.
const COUNTED: usize = 256;
/// Lines at once, and how long until there is one more: at most some 9,000 a day, 5 MB, whatever is sent.
const BURST: u32 = 60;
const ONE_MORE: Duration = Duration::from_secs(10);
/// Lines that are kept back for counts.
const FOR_COUNTS: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// Who is not known.
const UNKNOWN: &str = "unknown";
/// Who are too many to be named.
const SEVERAL: &str = "several";

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// It is not written as a token.
    Malformed,
    /// There is none with its hash.
    Unknown,
    /// It is of a person who is not known any more.
    PersonGone,
}

impl BadToken {
    fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::PersonGone => "person_gone",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    actor: String,
    action: &'static str,
    /// An IPv6 subscriber has 2^64 addresses: they count as one.
    network: Option<IpAddr>,
}

#[derive(Debug, Default)]
struct Count {
    lines: u32,
    more: u64,
}

/// How many lines were written, and what waits to be told as a count.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    began: Option<Instant>,
    /// Lines that may be written now, and when one was added last.
    left: u32,
    filled: Option<Instant>,
    counts: HashMap<Key, Count>,
}

impl Refusals {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn fill(&mut self, now: Instant) {
        let Some(filled) = self.filled else {
            (self.left, self.filled) = (BURST, Some(now));
            return;
        };
        let added = now.saturating_duration_since(filled).as_secs() / ONE_MORE.as_secs();
        let added = u32::try_from(added).unwrap_or(BURST);
        if added > 0 {
            self.left = self.left.saturating_add(added).min(BURST);
            self.filled = Some(if self.left == BURST {
                now
            } else {
                filled + ONE_MORE * added
            });
        }
    }

    /// Whether this refusal gets a line of its own; otherwise it is counted.
    fn may_write(&mut self, key: Key, now: Instant) -> bool {
        self.began.get_or_insert(now);
        self.fill(now);
        let has_place = self.counts.len() < COUNTED || self.counts.contains_key(&key);
        let key = if has_place { key } else { others(key.action) };
        let count = self.counts.entry(key).or_default();
        if count.lines < FIRST && self.left > FOR_COUNTS {
            count.lines += 1;
            self.left -= 1;
            return true;
        }
        count.more += 1;
        false
    }

    /// What was counted in a minute that has ended, as far as it may be written; the rest waits, summed up by action.
    fn take_counts(&mut self, now: Instant, end: bool) -> Vec<(Key, u64)> {
        let over = self
            .began
            .is_some_and(|began| end || now.saturating_duration_since(began) >= MINUTE);
        if !over {
            return Vec::new();
        }
        self.fill(now);
        self.began = None;
        let mut counts: Vec<(Key, u64)> = std::mem::take(&mut self.counts)
            .into_iter()
            .filter(|(_, count)| count.more > 0)
            .map(|(key, count)| (key, count.more))
            .collect();
        counts.sort_by_key(|(_, more)| std::cmp::Reverse(*more));
        let may = usize::try_from(self.left.min(FOR_COUNTS)).unwrap_or(0);
        let rest = counts.split_off(may.min(counts.len()));
        self.left -= u32::try_from(counts.len()).unwrap_or(0);
        for (key, more) in rest {
            self.began.get_or_insert(now);
            self.counts.entry(others(key.action)).or_default().more += more;
        }
        if end {
            // Nobody tells them later: one line for each action, whatever was written before.
            let last = std::mem::take(&mut self.counts);
            counts.extend(last.into_iter().map(|(key, count)| (key, count.more)));
        }
        counts
    }
}

fn others(action: &'static str) -> Key {
    Key {
        actor: SEVERAL.to_owned(),
        action,
        network: None,
    }
}

impl Portal {
    /// Records that somebody may not decide a request, whatever the reason: four eyes, another group, no right, or not even the right to see it.
    pub(crate) async fn decision_refused(&self, actor: &Actor, id: RequestId, error: &Error) {
        let refused = matches!(
            error,
            Error::Refused { .. } | Error::Forbidden { .. } | Error::NotFound { .. }
        );
        if !refused {
            return;
        }
        let Ok(Some(request)) = self.0.store.request(id).await else {
            return;
        };
        let summary = &request.summary;
        let line = NewAudit::by(
            actor,
            "request.decision_refused",
            ("request", id.to_string(), summary.name.as_str()),
            Some(&summary.project),
        )
        .with(json!({ "code": error.code() }));
        self.refused("request.decision_refused", line).await;
    }

    /// Records that somebody could not sign in. What they typed is left out: it may be a password in the wrong field.
    pub async fn sign_in_refused(&self, why: &str) {
        let line = unknown("person.sign_in_refused", "person", json!({ "code": why }));
        self.refused("person.sign_in_refused", line).await;
    }

    /// Records that a token does not count; `prefix` is the part of it that its row would show.
    pub(crate) async fn token_refused(&self, why: BadToken, prefix: &str) {
        let mut detail = json!({ "code": why.word() });
        if why != BadToken::Malformed {
            detail["prefix"] = json!(prefix);
        }
        let line = unknown("token.refused", "token", detail);
        self.refused("token.refused", line).await;
    }

    /// Records that a token was presented which has ended. It names whose it was, not who presented it.
    pub(crate) async fn ended_token_refused(&self, token: &store::EndedToken, prefix: &str) {
        let code = if token.revoked { "revoked" } else { "expired" };
        let mut line = unknown(
            "token.refused",
            "token",
            json!({ "code": code, "prefix": prefix, "person": token.subject }),
        );
        line.via = format!("token {}", token.id);
        line.subject_id = token.id.to_string();
        self.refused("token.refused", line).await;
    }

    async fn refused(&self, action: &'static str, line: NewAudit) {
        let address = Origin::current().and_then(|origin| origin.address);
        let key = Key {
            actor: line.actor.clone(),
            action,
            network: address.map(network),
        };
        let may = self.0.watch.refusals.inner().may_write(key, Instant::now());
        if may {
            let detail = with_origin(line.detail.clone());
            self.write_refusal(line.with(detail)).await;
        }
    }

    /// Writes what was counted in the minute that has ended; at the end of the process, whatever was counted.
    pub(crate) async fn tell_refusals(&self, end: bool) {
        let counts = self
            .0
            .watch
            .refusals
            .inner()
            .take_counts(Instant::now(), end);
        for (key, more) in counts {
            let mut detail = json!({ "count": more });
            if let Some(network) = key.network {
                detail["address"] = json!(network);
            }
            let mut line = unknown(key.action, "refusals", detail);
            line.actor = key.actor;
            line.subject_name = format!("{more} more");
            self.write_refusal(line).await;
        }
    }

    /// The call is refused either way: a database that does not answer only leaves its trace in the log.
    async fn write_refusal(&self, line: NewAudit) {
        let written = async {
            let mut tx = self.0.store.begin().await?;
            tx.audit(line);
            tx.commit(self.now()).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "a refusal could not be written to the audit record");
        }
    }
}

fn unknown(action: &str, kind: &str, detail: Value) -> NewAudit {
    NewAudit {
        actor: UNKNOWN.to_owned(),
        via: UNKNOWN.to_owned(),
        action: action.to_owned(),
        subject_kind: kind.to_owned(),
        subject_id: String::new(),
        subject_name: String::new(),
        project: None,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: u32) -> Key {
        Key {
            actor: UNKNOWN.to_owned(),
            action: "token.refused",
            network: Some(network(IpAddr::from(address.to_be_bytes()))),
        }
    }

    #[test]
    fn the_first_have_a_line_and_the_rest_a_count() {
        let start = Instant::now();
        let mut inner = Inner::default();
        let written = (0..1_000)
            .filter(|_| inner.may_write(key(1), start))
            .count();
        assert_eq!(written, 3);
        assert!(inner.take_counts(start, false).is_empty());
        assert_eq!(inner.take_counts(start + MINUTE, false), [(key(1), 997)]);
        assert!(inner.may_write(key(1), start + MINUTE));
    }

    #[test]
    fn a_day_of_a_million_addresses_is_a_few_thousand_lines_and_nobody_is_forgotten() {
        let start = Instant::now();
        let mut inner = Inner::default();
        let (mut lines, mut told) = (0, 0);
        for minute in 0..1_440_u32 {
            let now = start + MINUTE * minute;
            for address in 0..700 {
                let written = inner.may_write(key(minute * 700 + address), now);
                lines += u64::from(written);
            }
            assert!(inner.counts.len() <= COUNTED + 1);
            for (_, more) in inner.take_counts(now + MINUTE, false) {
                lines += 1;
                told += more - 1;
            }
        }
        for (_, more) in inner.take_counts(start + MINUTE * 1_440, true) {
            lines += 1;
            told += more - 1;
        }
        assert!(lines < 9_000, "{lines}");
        assert_eq!(lines + told, 1_440 * 700);
    }
}
