//! Checked Azure ids: a value of these types is safe to put into a URL's path. Nothing else in this crate builds a path out of foreign text.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The id of a subscription, a UUID; kept in the case it was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubscriptionId(String);

impl SubscriptionId {
    /// Checks that it is a UUID.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`].
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() != 36 || uuid::Uuid::parse_str(text).is_err() {
            return Err(Error::invalid(
                "InvalidSubscriptionId",
                format!(
                    "`{}` is not a subscription id: it must be a UUID",
                    shown(text)
                ),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A resource group: its subscription and its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupId {
    subscription: SubscriptionId,
    name: String,
}

impl GroupId {
    /// Checks the name by ARM's rule: 1 to 90 letters, digits or `-_().`, not ending in a dot.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`].
    pub fn new(subscription: SubscriptionId, name: &str) -> Result<Self> {
        let letters = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '(' | ')' | '.'));
        if name.is_empty() || name.chars().count() > 90 || name.ends_with('.') || !letters {
            return Err(Error::invalid(
                "InvalidResourceGroupName",
                format!(
                    "`{}` is not a resource group's name: 1 to 90 letters, digits or -_(). , not ending in a dot",
                    shown(name)
                ),
            ));
        }
        Ok(Self {
            subscription,
            name: name.to_owned(),
        })
    }

    /// Reads `/subscriptions/S/resourceGroups/G`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["", subscriptions, subscription, groups, name]
                if subscriptions.eq_ignore_ascii_case("subscriptions")
                    && groups.eq_ignore_ascii_case("resourceGroups") =>
            {
                Self::new(SubscriptionId::parse(subscription)?, name)
            }
            _ => Err(Error::invalid(
                "InvalidResourceGroupId",
                format!("`{}` is not the id of a resource group", shown(text)),
            )),
        }
    }

    /// The subscription.
    #[must_use]
    pub fn subscription(&self) -> &SubscriptionId {
        &self.subscription
    }

    /// The group's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "/subscriptions/{}/resourceGroups/{}",
            self.subscription, self.name
        )
    }
}

/// A deployment in a resource group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeploymentId {
    group: GroupId,
    name: String,
}

impl DeploymentId {
    /// Checks the name: 1 to 64 letters, digits or `-._`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`].
    pub fn new(group: GroupId, name: &str) -> Result<Self> {
        let letters = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if name.is_empty() || name.len() > 64 || name.chars().all(|c| c == '.') || !letters {
            return Err(Error::invalid(
                "InvalidDeploymentName",
                format!(
                    "`{}` is not a deployment's name: 1 to 64 letters, digits or -._",
                    shown(name)
                ),
            ));
        }
        Ok(Self {
            group,
            name: name.to_owned(),
        })
    }

    /// The group it is made in.
    #[must_use]
    pub fn group(&self) -> &GroupId {
        &self.group
    }

    /// The deployment's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/providers/Microsoft.Resources/deployments/{}",
            self.group, self.name
        )
    }
}

/// The id of any resource below a subscription. Compares without regard to case, as ARM does, and keeps the case it was given.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId {
    text: String,
    group: Option<GroupId>,
    subscription: SubscriptionId,
    kind: String,
    name: String,
}

impl ResourceId {
    /// Reads `/subscriptions/S[/resourceGroups/G]/providers/NAMESPACE/TYPE/NAME[/TYPE/NAME…][/providers/…]`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] for another shape, and for any segment that is `.` or `..`, holds a control character, or holds one of
    /// `< > % & \ ? # :` (a slash separates, it is never part of a name).
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Error::invalid(
                "InvalidResourceId",
                format!("`{}` is not the id of a resource: {why}", shown(text)),
            )
        };
        if text.len() > 2048 {
            return Err(refuse("it is longer than 2048 bytes"));
        }
        let Some(path) = text.strip_prefix('/') else {
            return Err(refuse("it must start with /subscriptions/"));
        };
        let segments: Vec<&str> = path.split('/').collect();
        for segment in &segments {
            check_segment(segment)?;
        }
        let [subscriptions, subscription, rest @ ..] = segments.as_slice() else {
            return Err(refuse("it must start with /subscriptions/"));
        };
        if !subscriptions.eq_ignore_ascii_case("subscriptions") {
            return Err(refuse("it must start with /subscriptions/"));
        }
        let subscription = SubscriptionId::parse(subscription)?;
        let (group, rest) = match rest {
            [groups, name, rest @ ..] if groups.eq_ignore_ascii_case("resourceGroups") => {
                (Some(GroupId::new(subscription.clone(), name)?), rest)
            }
            rest => (None, rest),
        };
        // An extension resource (a lock, a role assignment) names the provider it belongs to last.
        let last = rest
            .iter()
            .rposition(|segment| segment.eq_ignore_ascii_case("providers"))
            .ok_or_else(|| refuse("it names no provider"))?;
        if !rest[0].eq_ignore_ascii_case("providers") {
            return Err(refuse("it names no provider"));
        }
        let [namespace, pairs @ ..] = &rest[last + 1..] else {
            return Err(refuse("it names no provider"));
        };
        if pairs.is_empty() || pairs.len() % 2 != 0 {
            return Err(refuse("types and names must alternate after the provider"));
        }
        let mut kind = (*namespace).to_owned();
        let mut name = String::new();
        for pair in pairs.chunks_exact(2) {
            kind = format!("{kind}/{}", pair[0]);
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(pair[1]);
        }
        Ok(Self {
            text: text.to_owned(),
            group,
            subscription,
            kind,
            name,
        })
    }

    /// The id of a resource in a group, from its full type and its full name (`a/b` for a child).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] as in [`ResourceId::parse`], or when type and name have different depths.
    pub fn in_group(group: &GroupId, kind: &str, name: &str) -> Result<Self> {
        let mut types = kind.split('/');
        let mut path = format!("{group}/providers/{}", types.next().unwrap_or_default());
        let types: Vec<&str> = types.collect();
        let names: Vec<&str> = name.split('/').collect();
        if types.len() != names.len() {
            return Err(Error::invalid(
                "InvalidResourceId",
                format!(
                    "the name `{}` does not fit the type `{}`",
                    shown(name),
                    shown(kind)
                ),
            ));
        }
        for (kind, name) in types.iter().zip(names) {
            path = format!("{path}/{kind}/{name}");
        }
        Self::parse(&path)
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The subscription.
    #[must_use]
    pub fn subscription(&self) -> &SubscriptionId {
        &self.subscription
    }

    /// The resource group, where there is one.
    #[must_use]
    pub fn group(&self) -> Option<&GroupId> {
        self.group.as_ref()
    }

    /// The full type, such as `Microsoft.Network/virtualNetworks/subnets`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether it is of this type, without regard to case.
    #[must_use]
    pub fn is_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }

    /// The full name, `vnet/subnet` for a child.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The last part of the name.
    #[must_use]
    pub fn last_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// The resource that this one is a child of, where it is one.
    #[must_use]
    pub fn parent(&self) -> Option<ResourceId> {
        let (kind, _) = self.text.rsplit_once('/')?;
        let (parent, _) = kind.rsplit_once('/')?;
        Self::parse(parent).ok()
    }

    fn folded(&self) -> String {
        self.text.to_lowercase()
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for GroupId {
    fn eq(&self, other: &Self) -> bool {
        self.to_string().to_lowercase() == other.to_string().to_lowercase()
    }
}

impl Eq for GroupId {}

impl Hash for GroupId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().to_lowercase().hash(state);
    }
}

impl PartialEq for DeploymentId {
    fn eq(&self, other: &Self) -> bool {
        self.to_string().to_lowercase() == other.to_string().to_lowercase()
    }
}

impl Eq for DeploymentId {}

impl Hash for DeploymentId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().to_lowercase().hash(state);
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DeploymentId {
    /// Reads `/subscriptions/S/resourceGroups/G/providers/Microsoft.Resources/deployments/NAME`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let id = ResourceId::parse(text)?;
        match (id.group(), id.is_kind("Microsoft.Resources/deployments")) {
            (Some(group), true) => Self::new(group.clone(), id.name()),
            _ => Err(Error::invalid(
                "InvalidDeploymentId",
                format!(
                    "`{}` is not the id of a deployment in a resource group",
                    shown(text)
                ),
            )),
        }
    }
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::parse(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )*};
}
text!(SubscriptionId, GroupId, DeploymentId, ResourceId);

/// Checks one path segment that is not part of an id: a region, a publisher, an offer.
pub(crate) fn check_segment(segment: &str) -> Result<&str> {
    let hostile = |c: char| {
        c.is_control() || matches!(c, '/' | '\\' | '<' | '>' | '%' | '&' | '?' | '#' | ':')
    };
    if segment.is_empty()
        || segment.len() > 260
        || segment.chars().all(|c| c == '.')
        || segment.trim() != segment
        || segment.chars().any(hostile)
    {
        return Err(Error::invalid(
            "InvalidName",
            format!("`{}` cannot be part of an Azure address", shown(segment)),
        ));
    }
    Ok(segment)
}

/// Foreign text for a message: control characters made visible, and no more than a line of it.
fn shown(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(120).is_some() {
        line.push('…');
    }
    line
}
