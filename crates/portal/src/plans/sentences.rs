//! A plan in words: what it does, for the approver, and who has to agree.

use types::catalogue::TemplateKind;
use types::cost::CostEstimate;
use types::plan::Change;
use types::policy::Report;
use types::request::RequestKind;

use super::{Ground, Planned};
use crate::checks::ParsedDraft;
use crate::forms::regions;
use crate::quotas;

/// One sentence with what changes, where, and what it costs.
pub(super) fn summary(
    draft: &ParsedDraft,
    planned: &Planned,
    cost: &CostEstimate,
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
            "Creates the {what} {name}{} in {place}, for {} a month.",
            machines(planned),
            cost.monthly
        ),
        RequestKind::Update => {
            let change = cost
                .monthly_before
                .map(|before| cost.monthly - before)
                .filter(|change| change.0 != 0)
                .map(|change| {
                    let sign = if change.0 > 0 { "+" } else { "" };
                    format!(" ({sign}{change} a month)")
                })
                .unwrap_or_default();
            format!(
                "Changes {} of the {what} {name} in {place}{change}.",
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
        .find_map(quotas::machines)
        .map(|(size, count)| {
            let size = size
                .strip_prefix("Standard_")
                .unwrap_or(size)
                .replace('_', " ");
            if count == 1 {
                format!(" ({size})")
            } else {
                format!(" ({count} × {size})")
            }
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
