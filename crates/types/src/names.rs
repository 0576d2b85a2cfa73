//! Names that people choose, checked once where they enter: project, stack, template and its version.

use serde::{Deserialize, Serialize};

/// Why a name was refused; `Display` says what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub String);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                $check(&text)?;
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(/// A project's name: 3 to 20 characters, `^[a-z][a-z0-9-]*[a-z0-9]$`; part of Azure resource group names, hence short.
    ProjectName, check_project);
name!(/// A stack's name: `^[a-z][a-z0-9-]{1,30}[a-z0-9]$`, unique per project and tier.
    StackName, check_stack);
name!(/// A template's name in the catalogue, `^[a-z][a-z0-9-]{1,48}[a-z0-9]$`.
    TemplateName, check_template);
name!(/// A template's version: `major.minor.patch`, each part a number without leading zeros.
    Version, check_version);
name!(/// A group of approvers of the installation, such as `platform-approvers`.
    GroupName, check_template);

fn check_slug(text: &str, what: &str, min: usize, max: usize) -> Result<(), NameError> {
    let shape_ok = text.len() >= min
        && text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if shape_ok {
        return Ok(());
    }
    Err(NameError(format!(
        "{what} has {min} to {max} characters: lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen."
    )))
}

fn check_project(text: &str) -> Result<(), NameError> {
    check_slug(text, "A project's name", 3, 20)
}

fn check_stack(text: &str) -> Result<(), NameError> {
    check_slug(text, "A name", 3, 32)
}

fn check_template(text: &str) -> Result<(), NameError> {
    check_slug(text, "This name", 3, 50)
}

fn check_version(text: &str) -> Result<(), NameError> {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| {
        !part.is_empty()
            && part.len() <= 6
            && part.chars().all(|c| c.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    if parts.len() == 3 && parts.iter().all(number) {
        return Ok(());
    }
    Err(NameError(
        "A version is three numbers with dots between, such as 1.4.0.".to_owned(),
    ))
}

impl Version {
    /// The three numbers, for ordering: text order would put 1.10.0 before 1.9.0.
    #[must_use]
    pub fn parts(&self) -> (u32, u32, u32) {
        let mut numbers = self.0.split('.').map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        (next(), next(), next())
    }
}

/// One version of a template, written `name@version`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TemplateRef {
    /// Which template.
    pub name: TemplateName,
    /// Which of its versions.
    pub version: Version,
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for TemplateRef {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for TemplateRef {
    fn name() -> std::borrow::Cow<'static, str> {
        "TemplateRef".into()
    }
}

impl TryFrom<String> for TemplateRef {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl std::str::FromStr for TemplateRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (name, version) = text.split_once('@').ok_or_else(|| {
            NameError(
                "A template is named with its version, such as azure-linux-vm@1.0.0.".to_owned(),
            )
        })?;
        Ok(Self {
            name: name.parse()?,
            version: version.parse()?,
        })
    }
}

impl From<TemplateRef> for String {
    fn from(template: TemplateRef) -> String {
        template.to_string()
    }
}

impl std::fmt::Display for TemplateRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_name_is_a_short_slug() {
        for good in ["web", "settlement-worker", "a1b"] {
            assert!(good.parse::<StackName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "1ab",
            "Web",
            "web-",
            "a_b",
            "../etc",
            "wéb",
            &"a".repeat(33),
        ] {
            assert!(bad.parse::<StackName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_template_is_named_with_its_version() {
        let template: TemplateRef = "azure-linux-vm@1.10.0".parse().unwrap();
        assert_eq!(template.version.parts(), (1, 10, 0));
        assert_eq!(template.to_string(), "azure-linux-vm@1.10.0");
        for bad in [
            "azure-linux-vm",
            "azure-linux-vm@1.0",
            "azure-linux-vm@01.0.0",
            "@1.0.0",
        ] {
            assert!(bad.parse::<TemplateRef>().is_err(), "{bad}");
        }
    }
}
