//! What a request says of itself in a sentence: why it is denied, whom it waits for.

use store::Request;

pub(crate) fn denied_sentence(request: &Request) -> String {
    let rules: Vec<&str> = request
        .plan
        .iter()
        .flat_map(|plan| &plan.report.denials)
        .map(|d| d.id.as_str())
        .collect();
    format!(
        "Denied by {}. Edit the request to make a new plan.",
        listed(&rules)
    )
}

pub(crate) fn waiting_sentence(request: &Request) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for need in &request.needs {
        if !groups.contains(&need.group.as_str()) {
            groups.push(need.group.as_str());
        }
    }
    if groups.is_empty() {
        "Waits for an approver of the project.".to_owned()
    } else {
        format!("Waits for {}.", listed(&groups))
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
