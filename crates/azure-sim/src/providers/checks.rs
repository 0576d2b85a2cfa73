//! What is checked of a resource of any type: that its type is served in this version, its scope, region, tags, and what it refers to. What is special to a type lives in its provider's file.

use http::StatusCode;
use serde_json::Value;

use super::{Draft, Kind, Scene, kind, kinds};
use crate::seed;
use crate::state::model::{Resource, references};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

/// Checks that the type exists and knows the version.
pub(crate) fn known(id: &Id, api_version: &str) -> Result<&'static Kind, Refusal> {
    known_kind(&id.kind(), api_version)
}

pub(crate) fn known_kind(name: &str, api_version: &str) -> Result<&'static Kind, Refusal> {
    let Some(kind) = kind(name) else {
        let (namespace, short) = name.split_once('/').unwrap_or((name, ""));
        let served = kinds()
            .values()
            .any(|kind| kind.namespace().eq_ignore_ascii_case(namespace));
        return Err(if served {
            Refusal::missing(
                "InvalidResourceType",
                format!(
                    "The resource type '{short}' could not be found in the namespace '{namespace}' for api version '{api_version}'."
                ),
            )
        } else {
            Refusal::missing(
                "InvalidResourceNamespace",
                format!("The resource namespace '{namespace}' is invalid."),
            )
        });
    };
    check_version(kind.short(), kind.versions, api_version)?;
    Ok(kind)
}

pub(crate) fn check_version(
    short: &str,
    versions: &[&str],
    api_version: &str,
) -> Result<(), Refusal> {
    if versions
        .iter()
        .any(|version| version.eq_ignore_ascii_case(api_version))
    {
        return Ok(());
    }
    Err(Refusal::bad(
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for location '{}' and API version '{api_version}' for type '{short}'. The supported api-versions are '{}'. The supported locations are '{}'.",
            seed::REGIONS[0],
            versions.join(", "),
            seed::REGIONS.join(", "),
        ),
    )
    .by_gateway())
}

/// What may stand at the top of a resource, whatever its type: ARM's own envelope, and what the types shown here write there themselves.
const ENVELOPE: [&str; 25] = [
    "apiVersion",
    "asserts",
    "comments",
    "dependsOn",
    "etag",
    "extendedLocation",
    "id",
    "identity",
    "kind",
    "location",
    "managedBy",
    "managedByExtended",
    "metadata",
    "name",
    "placement",
    "plan",
    "properties",
    "resources",
    "scale",
    "scope",
    "sku",
    "systemData",
    "tags",
    "type",
    "zones",
];

/// Refuses members that ARM does not know, as ARM words it.
pub(super) fn envelope(body: &Value) -> Result<(), Refusal> {
    let unknown = body.as_object().into_iter().flatten().find(|(name, _)| {
        !ENVELOPE
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    });
    match unknown {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::bad(
            "InvalidRequestContent",
            format!(
                "The request content was invalid and could not be deserialized: 'Could not find member '{name}' on object of type 'ResourceDefinition'. Path '{name}', line 1, position {}.'.",
                name.len() + 4
            ),
        )),
    }
}

/// Types that may stand at any scope, or extend any resource.
const EXTENSIONS: [&str; 4] = [
    "microsoft.authorization/locks",
    "microsoft.authorization/policyassignments",
    "microsoft.authorization/policyexemptions",
    "microsoft.authorization/roleassignments",
];

/// Whether a resource of this type can stand at this scope at all, whatever is there.
fn scope_fits(id: &Id) -> Result<(), Refusal> {
    let name = id.kind().to_ascii_lowercase();
    let fits = if EXTENSIONS.contains(&name.as_str()) {
        id.extends.is_empty() || Id::parse(&id.extends).is_some()
    } else if name == "microsoft.authorization/policydefinitions" {
        id.extends.is_empty() && id.group.is_none()
    } else {
        id.extends.is_empty() && id.group.is_some()
    };
    if fits {
        return Ok(());
    }
    Err(Refusal::missing(
        "InvalidResourceType",
        format!(
            "The resource type '{}' could not be found in the namespace '{}' at the scope of '{}'.",
            id.types.join("/"),
            id.namespace,
            id.text()
        ),
    ))
}

pub(super) fn check_scope(scene: &Scene<'_>, id: &Id) -> Result<(), Refusal> {
    scope_fits(id)?;
    if id.group.is_some() {
        let key = ids::key(&id.scope());
        match scene.world.group(&key) {
            None if scene.planned.contains(&key) => {}
            None => return Err(Refusal::group_not_found(id.group_name())),
            Some(group) if group.deleting.is_some() => {
                return Err(Refusal::conflict(
                    "ResourceGroupBeingDeleted",
                    format!(
                        "The resource group '{}' is in deprovisioning state and cannot perform this operation.",
                        group.name
                    ),
                ));
            }
            Some(_) => {}
        }
    }
    if let Some(parent) = id.parent()
        && !scene.exists(&parent.key())
    {
        return Err(Refusal::missing(
            "ParentResourceNotFound",
            format!(
                "Failed to perform 'write' on resource(s) of type '{}', because the parent resource '{}' could not be found.",
                id.types.join("/"),
                parent.text()
            ),
        ));
    }
    if !id.extends.is_empty()
        && let Some(extended) = Id::parse(&id.extends)
        // Scopes of types that are not served here, such as a management group, are taken as they are given.
        && kind(&extended.kind()).is_some()
        && !scene.exists(&extended.key())
    {
        return Err(Refusal::resource_not_found(
            &extended.kind(),
            &extended.name(),
            extended.group_name(),
        ));
    }
    Ok(())
}

pub(super) fn location(
    kind: &Kind,
    scene: &Scene<'_>,
    id: &Id,
    body: &mut Value,
    old: Option<&Resource>,
) -> Result<String, Refusal> {
    if !kind.located {
        at::remove(body, "/location");
        let owner = id
            .parent()
            .and_then(|parent| scene.world.resource(&parent.key()))
            .and_then(|parent| parent.location());
        return Ok(owner.unwrap_or(seed::REGIONS[0]).to_owned());
    }
    let Some(given) = at::text(body, "/location") else {
        if body.get("location").is_some_and(template::is_unknown) {
            return Ok(seed::REGIONS[0].to_owned());
        }
        return Err(Refusal::bad(
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    };
    let location = normal_location(given);
    if !seed::REGIONS.contains(&location.as_str()) {
        return Err(Refusal::bad(
            "LocationNotAvailableForResourceType",
            format!(
                "The provided location '{given}' is not available for resource type '{}'. List of available regions for the resource type is '{}'.",
                kind.name,
                seed::REGIONS.join(",")
            ),
        ));
    }
    if let Some(before) = old.and_then(Resource::location)
        && before != location
    {
        return Err(Refusal::conflict(
            "InvalidResourceLocation",
            format!(
                "The resource '{}' already exists in location '{before}' in resource group '{}'. A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
                id.last_name(),
                id.group_name()
            ),
        ));
    }
    at::set(body, "/location", location.as_str().into());
    Ok(location)
}

/// `West Europe` is `westeurope`.
pub(crate) fn normal_location(name: &str) -> String {
    name.replace(' ', "").to_ascii_lowercase()
}

pub(crate) fn tags(body: &Value) -> Result<(), Refusal> {
    let Some(tags) = body.get("tags") else {
        return Ok(());
    };
    if template::is_unknown(tags) {
        return Ok(());
    }
    let Some(tags) = tags.as_object() else {
        return Err(Refusal::bad(
            "InvalidRequestContent",
            "The request content was invalid: 'tags' must be an object.",
        ));
    };
    if tags.len() > 50 {
        return Err(Refusal::bad(
            "InvalidTags",
            "The number of tags exceeds the maximum of 50.",
        ));
    }
    for (name, value) in tags {
        let fits = template::is_unknown(value)
            || value
                .as_str()
                .is_some_and(|value| value.chars().count() <= 256);
        if name.chars().count() > 512 || name.contains(['<', '>', '%', '&', '\\', '?', '/']) {
            return Err(Refusal::bad(
                "InvalidTagNameCharacters",
                format!(
                    "The tag name '{name}' is too long or has one of the reserved characters '<,>,%,&,\\,?,/'."
                ),
            ));
        }
        // Reserved by the Tags REST reference (`Tags_CreateOrUpdate`, of predefined names); code and wording are ours.
        let lower = name.to_lowercase();
        if ["microsoft", "azure", "windows"]
            .iter()
            .any(|prefix| lower.starts_with(prefix))
        {
            return Err(Refusal::bad(
                "InvalidTagName",
                format!(
                    "The tag name '{name}' begins with a prefix that is reserved for Azure: 'microsoft', 'azure', 'windows'."
                ),
            ));
        }
        if !fits {
            return Err(Refusal::bad(
                "InvalidTagValue",
                format!("The value of tag '{name}' must be a text of at most 256 characters."),
            ));
        }
    }
    Ok(())
}

/// What a body points at must be there, as far as the simulator has such a type at all.
pub(super) fn references_exist(draft: &Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let own = draft.id.key();
    for key in references(&draft.body) {
        let Some(id) = Id::parse(&key) else { continue };
        if kind(&id.kind()).is_none() || key.starts_with(&own) || scene.exists(&key) {
            continue;
        }
        let network = draft.id.namespace.eq_ignore_ascii_case("Microsoft.Network");
        return Err(if network {
            Refusal::bad(
                "InvalidResourceReference",
                format!(
                    "Resource {key} referenced by resource {} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.",
                    draft.id.text()
                ),
            )
        } else {
            Refusal {
                gateway: false,
                ..Refusal::new(
                    StatusCode::NOT_FOUND,
                    "NotFound",
                    format!(
                        "Resource {key} referenced by {} was not found.",
                        draft.id.text()
                    ),
                )
            }
        });
    }
    Ok(())
}
