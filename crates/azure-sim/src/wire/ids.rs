//! Resource ids: read from text, compared without case, written back with the casing that was given. Which types exist is known in `providers`.

/// A resource id taken apart. Extension resources (`{resource}/providers/{namespace}/…`) keep what they extend in `scope`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) subscription: String,
    pub(crate) group: Option<String>,
    /// The id of what this resource extends; empty for resources of a group or a subscription itself.
    pub(crate) extends: String,
    pub(crate) namespace: String,
    pub(crate) types: Vec<String>,
    pub(crate) names: Vec<String>,
}

impl Id {
    pub(crate) fn parse(text: &str) -> Option<Id> {
        let segments: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
        Id::from_segments(&segments)
    }

    pub(crate) fn from_segments(segments: &[&str]) -> Option<Id> {
        if segments.len() < 6
            || !segments[0].eq_ignore_ascii_case("subscriptions")
            || segments.iter().any(|segment| segment.is_empty())
        {
            return None;
        }
        let subscription = segments[1].to_owned();
        let group = segments[2]
            .eq_ignore_ascii_case("resourcegroups")
            .then(|| segments[3].to_owned());
        let split = segments
            .iter()
            .rposition(|segment| segment.eq_ignore_ascii_case("providers"))?;
        let scope_end = if group.is_some() { 4 } else { 2 };
        if split < scope_end {
            return None;
        }
        let extends = if split > scope_end {
            format!("/{}", segments[..split].join("/"))
        } else {
            String::new()
        };
        let namespace = (*segments.get(split + 1)?).to_owned();
        let rest = segments.get(split + 2..)?;
        if rest.is_empty() || rest.len() % 2 != 0 {
            return None;
        }
        Some(Id {
            subscription,
            group,
            extends,
            namespace,
            types: rest
                .iter()
                .step_by(2)
                .map(|part| (*part).to_owned())
                .collect(),
            names: rest
                .iter()
                .skip(1)
                .step_by(2)
                .map(|part| (*part).to_owned())
                .collect(),
        })
    }

    /// `Microsoft.Network/virtualNetworks/subnets`.
    pub(crate) fn kind(&self) -> String {
        format!("{}/{}", self.namespace, self.types.join("/"))
    }

    /// `vnet/subnet`.
    pub(crate) fn name(&self) -> String {
        self.names.join("/")
    }

    pub(crate) fn last_name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    pub(crate) fn group_name(&self) -> &str {
        self.group.as_deref().unwrap_or("")
    }

    /// The id of the group, or of the subscription where there is none.
    pub(crate) fn scope(&self) -> String {
        scope(&self.subscription, self.group.as_deref())
    }

    pub(crate) fn text(&self) -> String {
        let base = if self.extends.is_empty() {
            self.scope()
        } else {
            self.extends.clone()
        };
        let mut text = format!("{base}/providers/{}", self.namespace);
        for (kind, name) in self.types.iter().zip(&self.names) {
            text.push('/');
            text.push_str(kind);
            text.push('/');
            text.push_str(name);
        }
        text
    }

    pub(crate) fn key(&self) -> String {
        key(&self.text())
    }

    /// The id of the parent resource of a child.
    pub(crate) fn parent(&self) -> Option<Id> {
        (self.types.len() > 1).then(|| {
            let mut parent = self.clone();
            parent.types.pop();
            parent.names.pop();
            parent
        })
    }

    pub(crate) fn child(&self, kind: &str, name: &str) -> Id {
        let mut child = self.clone();
        child.types.push(kind.to_owned());
        child.names.push(name.to_owned());
        child
    }

    /// A resource of another type in the same group.
    pub(crate) fn sibling(&self, namespace: &str, kind: &str, name: &str) -> Id {
        Id {
            subscription: self.subscription.clone(),
            group: self.group.clone(),
            extends: String::new(),
            namespace: namespace.to_owned(),
            types: vec![kind.to_owned()],
            names: vec![name.to_owned()],
        }
    }
}

/// Ids are compared in lower case.
pub(crate) fn key(id: &str) -> String {
    id.to_ascii_lowercase()
}

pub(crate) fn scope(subscription: &str, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("/subscriptions/{subscription}/resourceGroups/{group}"),
        None => format!("/subscriptions/{subscription}"),
    }
}

/// Whether the name could be a resource's name at all: no characters that ARM forbids, nothing that would climb in a path.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 260
        && name != "."
        && name != ".."
        && !name
            .chars()
            .any(|c| matches!(c, '<' | '>' | '%' | '&' | ':' | '\\' | '?' | '/') || c.is_control())
}

/// 1 to 90 characters, letters, digits and `-_().`, no dot at the end.
pub(crate) fn is_group_name(name: &str) -> bool {
    (1..=90).contains(&name.chars().count())
        && !name.ends_with('.')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '(' | ')' | '.'))
}
