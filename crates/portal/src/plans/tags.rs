//! The tags that every resource of a stack bears: the project's, the request's and Slipway's own.

use indexmap::IndexMap;
use serde_json::Value;
use types::Object;
use types::names::ProjectName;
use types::project::Tier;

use crate::ownership::{INSTALLATION_TAG, Mine, STACK_TAG};

/// Slipway's own tags. The first three are those that the baseline wants on every resource.
pub(crate) const OWN: [&str; 6] = [
    "owner",
    "costCenter",
    "environment",
    "managed-by",
    STACK_TAG,
    INSTALLATION_TAG,
];

/// Azure takes 50 tags on a resource
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>).
const AZURE_LIMIT: usize = 50;

/// How many tags a request may add.
pub(crate) fn most(project: &IndexMap<String, String>) -> usize {
    AZURE_LIMIT.saturating_sub(OWN.len() + project.len())
}

/// All tags. A request's tag wins over the project's of the same name, Slipway's own over both; `owner` is the project,
/// because people change teams and a tag that names one of them would be both stale and personal.
pub(crate) fn of_stack(
    mine: &Mine,
    project: &ProjectName,
    tier: Tier,
    cost_centre: &str,
    project_tags: &IndexMap<String, String>,
    request_tags: &IndexMap<String, String>,
) -> Object {
    let own = [
        ("owner", project.to_string()),
        ("costCenter", cost_centre.to_owned()),
        ("environment", tier.as_str().to_owned()),
        ("managed-by", "slipway".to_owned()),
    ]
    .into_iter()
    .chain(mine.tags());
    let mut tags = Object::new();
    let all = project_tags
        .iter()
        .chain(request_tags)
        .map(|(name, value)| (name.as_str(), value.clone()))
        .chain(own);
    for (name, value) in all {
        // Azure does not tell capitals in tag names apart.
        let same = tags
            .keys()
            .find(|known| known.eq_ignore_ascii_case(name))
            .cloned();
        if let Some(same) = same {
            tags.shift_remove(&same);
        }
        tags.insert(name.to_owned(), Value::String(value));
    }
    tags
}
