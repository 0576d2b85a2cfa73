//! What the rules say to a waiting request now. It may have waited for days: budget and quota were used up since, prices moved, rules changed. Whoever
//! decides sees and decides on what holds at that moment; what the digest covers stays the plan that was sent.

use store::Request;
use types::cost::BudgetLine;
use types::plan::Plan;
use types::policy::Verdict;
use types::request::RequestState;

use super::keep_plan;
use crate::operations::{Since, differs};
use crate::{Error, Portal, Result};

/// How a waiting request stands now.
#[derive(Debug, Default)]
pub(crate) struct Today {
    /// What is otherwise than when its plan was made, a sentence each.
    pub(crate) changes: Vec<String>,
    /// Why it cannot be approved now.
    pub(crate) refused: Option<String>,
}

impl Portal {
    /// Judges a waiting request again and puts verdict, cost, quota and needs of now in the place of those that were stored. Other requests stay as
    /// they are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer. That the plan cannot be made any more is no error: it is `refused` then.
    pub(crate) async fn judge_again(&self, request: &mut Request) -> Result<Today> {
        if request.summary.state != RequestState::AwaitingApproval {
            return Ok(Today::default());
        }
        let Some(sent) = request.plan.clone() else {
            return Ok(Today::default());
        };
        let made = match Box::pin(self.prepare_again(request)).await {
            Ok(prepared) => Box::pin(self.made_now(&prepared)).await,
            Err(error) => Err(error),
        };
        let now = match made {
            Ok(outcome) => outcome.plan,
            Err(Error::Invalid { errors }) => {
                let words: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
                return Ok(Today {
                    changes: Vec::new(),
                    refused: Some(format!(
                        "Its plan can no longer be made. {}",
                        words.join(" ")
                    )),
                });
            }
            Err(error) => return Err(error),
        };
        if now.digest != sent.digest {
            let changes: Vec<String> = differs(&sent, &now, Since::Sent).into_iter().collect();
            return Ok(Today {
                refused: Some(format!(
                    "The plan has changed since it was sent. {} Ask for changes, so that it is made again.",
                    changes.join(" ")
                )),
                changes,
            });
        }
        let refused = (now.report.verdict == Verdict::Denied).then(|| {
            let denials: Vec<String> = now
                .report
                .denials
                .iter()
                .map(|denial| format!("{}: {}", denial.id, denial.message))
                .collect();
            format!(
                "It cannot be approved now, because a guardrail denies it. {}",
                denials.join(" ")
            )
        });
        let changes = changes(&sent, &now);
        // It keeps its digest and revision; only what was found out about it is of now.
        keep_plan(request, now);
        Ok(Today { changes, refused })
    }
}

/// The differences that somebody who decides wants to know.
fn changes(sent: &Plan, now: &Plan) -> Vec<String> {
    let mut found: Vec<String> = differs(sent, now, Since::Sent).into_iter().collect();
    for gone in &sent.report.approvals {
        if !now.report.approvals.iter().any(|need| need.id == gone.id) {
            found.push(format!("{} no longer asks for {}.", gone.id, gone.group));
        }
    }
    for warning in &now.report.warnings {
        if !sent.report.warnings.iter().any(|w| w.id == warning.id) {
            found.push(format!("{} warns now: {}", warning.id, warning.message));
        }
    }
    if sent.cost.monthly != now.cost.monthly {
        found.push(format!(
            "The cost changed from {} to {} a month.",
            sent.cost.monthly, now.cost.monthly
        ));
    }
    if let (Some(before), Some(after)) = (&sent.cost.budget, &now.cost.budget) {
        found.extend(budget(before, after));
    }
    // Quota moves all the time; it matters here when it is no longer enough.
    for line in now.quota.iter().filter(|line| !line.fits) {
        if sent
            .quota
            .iter()
            .any(|before| before.family == line.family && before.fits)
        {
            found.push(format!(
                "{} of {} {} are in use or held now: not enough is left.",
                line.used + line.reserved,
                line.limit,
                line.label
            ));
        }
    }
    found
}

fn budget(before: &BudgetLine, after: &BudgetLine) -> Option<String> {
    if before.committed == after.committed && before.limit == after.limit {
        return None;
    }
    Some(format!(
        "{} of the budget of {} is committed now; it was {} of {}.",
        after.committed, after.limit, before.committed, before.limit
    ))
}
