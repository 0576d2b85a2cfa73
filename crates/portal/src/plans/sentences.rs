//! A plan in words: what it does, for the approver, and who has to agree.

use types::catalogue::TemplateKind;
use types::cost::CostEstimate;
use types::plan::{Change, EndMove};
use types::policy::Report;
use types::request::RequestKind;
use types::time::Timestamp;

use super::{Ground, Planned};
use crate::capacity;
use crate::checks::ParsedDraft;
use crate::forms::regions;

/// One sentence with what changes, where, and what it costs.
pub(super) fn summary(
    draft: &ParsedDraft,
    planned: &Planned,
    cost: &CostEstimate,
    moves_end: Option<EndMove>,
    ground: &Ground<'_>,
) -> String {
    let what = match draft.template.manifest.kind {
        TemplateKind::VirtualMachine => "virtual machine",
        TemplateKind::NodePool => "node pool",
        TemplateKind::Cluster => "cluster",
    };
    let place = format!(
        "{} {}, {}",
        ground.project.title,
        draft.tier.as_str(),
        regions::title(&planned.target.region)
    );
    let name = &draft.name;
    match draft.kind {
        RequestKind::Create => format!(
            "Creates the {what} {name}{} in {place}, {}{} a month.",
            machines(planned),
            if cost.monthly_least.is_some() {
                ""
            } else {
                "for "
            },
            cost.span()
        ),
        RequestKind::Update => {
            let change = cost.change();
            let unpriced = cost.unpriced_parts();
            let change = if cost.monthly_before.is_none() || (change.0 == 0 && unpriced == 0) {
                String::new()
            } else {
                let sign = if change.0 > 0 { "+" } else { "" };
                format!(" ({sign}{} a month)", change.with_unknown(unpriced))
            };
            let end = moves_end.map_or_else(String::new, |end| {
                let date = |end: Option<Timestamp>| match end {
                    Some(end) => end.get().date().to_string(),
                    None => "never".to_owned(),
                };
                let word = if end.is_later() {
                    "Extends"
                } else {
                    "Shortens"
                };
                format!(
                    " {word} its life: it expires {} (before: {}).",
                    date(end.after),
                    date(end.before)
                )
            });
            format!(
                "Changes {} of the {what} {name} in {place}{change}.{end}",
                parts(planned)
            )
        }
        RequestKind::Extend => match draft.expires_at {
            Some(_) if draft.expiry.ends_with('d') => format!(
                "Lets the {what} {name} in {place} live for {} days from the approval.",
                draft.expiry.trim_end_matches('d')
            ),
            Some(ends) => format!(
                "Lets the {what} {name} in {place} live until {}.",
                ends.get().date()
            ),
            None => format!("Lets the {what} {name} in {place} live until it is deleted."),
        },
        RequestKind::Delete => {
            let count = planned.deletions.len();
            let resources = if count == 1 { "resource" } else { "resources" };
            format!("Deletes the {what} {name} in {place} with {count} {resources}.")
        }
    }
}

fn machines(planned: &Planned) -> String {
    planned
        .resources
        .iter()
        .find_map(|resource| capacity::machines(resource).into_iter().next())
        .and_then(|machines| {
            let size = machines.size?;
            let size = size
                .strip_prefix("Standard_")
                .unwrap_or(size)
                .replace('_', " ");
            Some(match machines.nodes {
                Some(nodes) if nodes.least < nodes.most => {
                    format!(" ({} to {} × {size})", nodes.least, nodes.most)
                }
                Some(nodes) if nodes.most != 1 => format!(" ({} × {size})", nodes.most),
                _ => format!(" ({size})"),
            })
        })
        .unwrap_or_default()
}

fn parts(planned: &Planned) -> String {
    let count = |wanted: Change| {
        planned
            .resources
            .iter()
            .filter(|resource| resource.change == wanted)
            .count()
    };
    let words: Vec<String> = [
        (count(Change::Update), "changed"),
        (count(Change::Create), "new"),
        (planned.deletions.len(), "deleted"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        words => format!("the resources ({})", words.join(", ")),
    }
}

/// Who has to agree and why, one sentence per rule.
#[must_use]
pub fn approvers(report: &Report) -> Vec<String> {
    report
        .approvals
        .iter()
        .map(|need| {
            let approvals = if need.count == 1 {
                "approval"
            } else {
                "approvals"
            };
            format!(
                "{} {approvals} from {}: {}",
                need.count, need.group, need.message
            )
        })
        .collect()
}
