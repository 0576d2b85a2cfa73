//! Scopes and resource ids.

use crate::Context;

/// Where a deployment goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Group { subscription: String, group: String },
    Subscription(String),
    ManagementGroup(String),
    Tenant,
}

impl Scope {
    pub(crate) fn of(context: &Context) -> Self {
        if let Some(group) = &context.resource_group {
            return Self::Group {
                subscription: context.subscription_id.clone(),
                group: group.name.clone(),
            };
        }
        if !context.subscription_id.is_empty() {
            return Self::Subscription(context.subscription_id.clone());
        }
        match &context.management_group {
            Some(name) => Self::ManagementGroup(name.clone()),
            None => Self::Tenant,
        }
    }

    /// The scope's id; empty for the tenant.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Group {
                subscription,
                group,
            } => format!("/subscriptions/{subscription}/resourceGroups/{group}"),
            Self::Subscription(subscription) => format!("/subscriptions/{subscription}"),
            Self::ManagementGroup(name) => {
                format!("/providers/Microsoft.Management/managementGroups/{name}")
            }
            Self::Tenant => String::new(),
        }
    }

    /// Reads a scope as `scope` and ids write it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let is = |i: usize, word: &str| {
            parts
                .get(i)
                .is_some_and(|part| part.eq_ignore_ascii_case(word))
        };
        match parts.as_slice() {
            [] => Some(Self::Tenant),
            [_, subscription] if is(0, "subscriptions") => {
                Some(Self::Subscription((*subscription).to_owned()))
            }
            [_, subscription, _, group] if is(0, "subscriptions") && is(2, "resourceGroups") => {
                Some(Self::Group {
                    subscription: (*subscription).to_owned(),
                    group: (*group).to_owned(),
                })
            }
            [_, _, name] | [_, _, _, name]
                if (is(0, "Microsoft.Management") && is(1, "managementGroups"))
                    || (is(0, "providers")
                        && is(1, "Microsoft.Management")
                        && is(2, "managementGroups")) =>
            {
                Some(Self::ManagementGroup((*name).to_owned()))
            }
            _ => None,
        }
    }

    pub(crate) fn subscription(&self) -> Option<&str> {
        match self {
            Self::Group { subscription, .. } | Self::Subscription(subscription) => {
                Some(subscription)
            }
            _ => None,
        }
    }
}

/// The id of a resource under `base`: every part of the type after its provider is followed by its part of the name.
/// `None` where type and name have different numbers of parts.
pub(crate) fn resource_id(base: &str, kind: &str, names: &[&str]) -> Option<String> {
    let (provider, types) = kind.split_once('/')?;
    let types: Vec<&str> = types.split('/').collect();
    if types.len() != names.len() {
        return None;
    }
    // Groups, subscriptions and the like have ids of their own form.
    let single = names.first().copied().unwrap_or_default();
    if kind.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups")
        && !base.contains("/resourceGroups/")
    {
        return Some(format!("{base}/resourceGroups/{single}"));
    }
    if kind.eq_ignore_ascii_case("Microsoft.Resources/subscriptions") {
        return Some(format!("/subscriptions/{single}"));
    }
    let base = if kind.eq_ignore_ascii_case("Microsoft.Management/managementGroups") {
        ""
    } else {
        base
    };
    let mut id = format!("{base}/providers/{provider}");
    for (kind, name) in types.iter().zip(names) {
        id.push('/');
        id.push_str(kind);
        id.push('/');
        id.push_str(name);
    }
    Some(id)
}
