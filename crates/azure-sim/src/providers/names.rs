//! What names Azure takes, by type. Only what all types forbid is checked elsewhere (`wire/ids.rs`); clusters and node pools check theirs themselves.
//!
//! Rules: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>.

use super::{identity, network};
use crate::wire::errors::Refusal;
use crate::wire::ids::Id;

/// Who words the refusal, which goes with the shape of the name.
enum House {
    /// 1 to 80 letters, digits, `_`, `.` and `-`; a letter, digit or `_` first and last.
    Network,
    /// 1 to 80 of the same; no `_` first, no `.` or `-` last.
    Compute,
    /// 3 to 128 letters, digits, `_` and `-`; a letter or digit first.
    Identity,
}

fn house(kind: &str) -> Option<House> {
    let among = |kinds: &[&str]| kinds.iter().any(|known| known.eq_ignore_ascii_case(kind));
    if among(&network::KINDS) {
        Some(House::Network)
    } else if among(&[
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Compute/disks",
    ]) {
        Some(House::Compute)
    } else if among(&[identity::KIND]) {
        Some(House::Identity)
    } else {
        None
    }
}

/// Refuses the last name of an id that its type does not take.
pub(super) fn check(kind: &str, id: &Id) -> Result<(), Refusal> {
    let name = id.last_name();
    match house(kind) {
        Some(House::Network) => {
            network(name)?;
            if kind.eq_ignore_ascii_case(network::VNET) && name.chars().count() > 64 {
                return Err(Refusal::bad(
                    "NetcfgInvalidVirtualNetworkSite",
                    format!(
                        "Virtual network site is not valid as specified with the name '{name}'."
                    ),
                ));
            }
            Ok(())
        }
        Some(House::Compute) => compute(name),
        Some(House::Identity) => identity(name),
        None => Ok(()),
    }
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The rule of Microsoft.Network, which holds for what stands inside its resources too. Its words: <https://github.com/rh-mobb/documentation/pull/204>.
pub(super) fn network(name: &str) -> Result<(), Refusal> {
    let fits = (1..=80).contains(&name.chars().count())
        && name.starts_with(word)
        && name.ends_with(word)
        && name.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    if fits {
        return Ok(());
    }
    Err(Refusal::bad(
        "InvalidResourceName",
        format!(
            "Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'."
        ),
    ))
}

/// Its words: <https://learn.microsoft.com/troubleshoot/azure/virtual-machines/error-messages>.
fn compute(name: &str) -> Result<(), Refusal> {
    let fits = (1..=80).contains(&name.chars().count())
        && name.starts_with(char::is_alphanumeric)
        && !name.ends_with(['-', '.'])
        && name.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    if fits {
        return Ok(());
    }
    Err(Refusal::bad(
        "InvalidParameter",
        "The entity name 'name' is invalid according to its validation rule: ^[^_\\W][\\w-._]{0,79}(?<![-.])$.",
    )
    .at("name"))
}

/// Which words Azure uses for this is not known.
fn identity(name: &str) -> Result<(), Refusal> {
    let fits = (3..=128).contains(&name.chars().count())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if fits {
        return Ok(());
    }
    Err(Refusal::bad(
        "InvalidResourceName",
        format!(
            "The name '{name}' of a user-assigned identity is not valid: 3 to 128 letters, digits, hyphens and underscores, beginning with a letter or digit."
        ),
    ))
}
