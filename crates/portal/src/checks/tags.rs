//! Tags: Azure's limits, and the names that Slipway keeps for itself.

use std::collections::HashSet;

use indexmap::IndexMap;
use types::problem::FieldError;

use super::reserved;
use super::text::{Lines, error, unfit};
use crate::plans::tags::{OWN, most};

/// Azure's limits on names and values of tags, in characters, and the characters that names may not hold
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>).
const LONGEST_NAME: usize = 512;
const LONGEST_VALUE: usize = 256;
const NOT_IN_NAMES: [char; 7] = ['<', '>', '%', '&', '\\', '?', '/'];
/// *Tag names cannot have the following prefixes which are reserved for Azure use*: said of predefined tag names
/// (Tags REST reference, <https://learn.microsoft.com/rest/api/resources/tags/create-or-update>, api-version 2021-04-01, read 2026-11-27), held for all here.
const AZURES: [&str; 3] = ["microsoft", "azure", "windows"];

/// Everything that is wrong with the tags of a request.
pub(super) fn problems(
    tags: &IndexMap<String, String>,
    project: &IndexMap<String, String>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let room = most(project);
    if tags.len() > room {
        errors.push(error(
            "tags",
            "too_many",
            format!("Azure takes 50 tags on a resource; beside the project's and Slipway's own, {room} are left."),
        ));
        return errors;
    }
    let mut seen = HashSet::new();
    for (name, value) in tags {
        if let Some(found) = unfit("tags", name, Lines::One, LONGEST_NAME)
            .or_else(|| unfit("tags", value, Lines::One, LONGEST_VALUE))
        {
            errors.push(found);
            continue;
        }
        let lower = name.trim().to_lowercase();
        if lower.is_empty() {
            errors.push(error("tags", "required", "A tag needs a name."));
        } else if let Some(found) = reserved::name_problem("tags", name) {
            errors.push(found);
        } else if lower.starts_with("slipway") || OWN.iter().any(|own| own.to_lowercase() == lower)
        {
            errors.push(error(
                "tags",
                "tag_reserved",
                format!(
                    "Slipway sets this tag itself; leave it out. Its own are {}.",
                    OWN.join(", ")
                ),
            ));
        } else if name.trim() != name {
            errors.push(error(
                "tags",
                "tag_name",
                "The name of a tag begins or ends with a space, and looks like another one. Remove the space.",
            ));
        } else if name.contains(NOT_IN_NAMES) {
            errors.push(error(
                "tags",
                "tag_name",
                "Names of tags cannot hold < > % & \\ ? /",
            ));
        } else if AZURES.iter().any(|prefix| lower.starts_with(prefix)) {
            errors.push(error(
                "tags",
                "tag_name",
                "Azure keeps tags that begin with microsoft, azure or windows for itself.",
            ));
        } else if !seen.insert(lower) {
            errors.push(error(
                "tags",
                "duplicate",
                "Two tags have the same name; Azure does not tell capitals apart.",
            ));
        }
    }
    errors
}
