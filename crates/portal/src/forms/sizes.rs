//! VM sizes on the form: which are offered, what they cost, and why one cannot be chosen.

use types::catalogue::{Architecture, ManifestField, TemplateKind};
use types::form::{Control, SizeChoice};

use crate::azure_facts::{Facts, Size};
use crate::catalogue::Entry;
use crate::costs;

/// The control: the template's own offers as cards, everything else that the subscription may use behind them.
pub(super) fn control(
    field: &ManifestField,
    entry: &Entry,
    facts: &Facts,
    subscription: &str,
    region: &str,
    zone: &str,
) -> Control {
    let known = facts.sizes(subscription, region);
    let offered = field
        .offered
        .iter()
        .map(|name| match facts.size(subscription, region, name) {
            Some(size) => choice(size, entry, facts, region, zone),
            None => SizeChoice {
                value: name.clone(),
                label: short(name),
                vcpus: 0,
                memory_gib: String::new(),
                architecture: String::new(),
                monthly: None,
                sample: false,
                disabled: known.as_ref().map(|_| {
                    format!(
                        "Azure does not offer it in {}.",
                        super::regions::title(region)
                    )
                }),
            },
        })
        .collect();
    let more = known
        .unwrap_or_default()
        .into_iter()
        .filter(|size| {
            !field
                .offered
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&size.name))
        })
        .map(|size| choice(size, entry, facts, region, zone))
        .collect();
    Control::Sizes { offered, more }
}

fn choice(size: &Size, entry: &Entry, facts: &Facts, region: &str, zone: &str) -> SizeChoice {
    let price = costs::vm_month(facts, region, &size.name);
    SizeChoice {
        value: size.name.clone(),
        label: short(&size.name),
        vcpus: size.vcpus,
        memory_gib: size.memory_gib.to_string(),
        architecture: if size.architecture.eq_ignore_ascii_case("arm64") {
            "Arm".to_owned()
        } else {
            "x64".to_owned()
        },
        monthly: price.map(|(monthly, _)| monthly),
        sample: price.is_some_and(|(_, sample)| sample),
        disabled: unfit(size, entry).or_else(|| unavailable(size, region, zone)),
    }
}

/// Why the template cannot run on a size at all.
pub(crate) fn unfit(size: &Size, entry: &Entry) -> Option<String> {
    let architecture = if size.architecture.eq_ignore_ascii_case("arm64") {
        Architecture::Arm64
    } else {
        Architecture::X64
    };
    if !entry.manifest.architectures.contains(&architecture) {
        let own = match architecture {
            Architecture::Arm64 => "x64",
            Architecture::X64 => "Arm",
        };
        return Some(format!("This template's image is for {own} sizes."));
    }
    if !size.trusted_launch {
        return Some("It does not support Trusted Launch.".to_owned());
    }
    if !size.encryption_at_host {
        return Some("It does not support encryption at host.".to_owned());
    }
    if entry.manifest.kind == TemplateKind::NodePool && !size.ephemeral_os {
        return Some("It has no local disk for an ephemeral OS disk.".to_owned());
    }
    None
}

/// Why Azure would not give it here and now.
fn unavailable(size: &Size, region: &str, zone: &str) -> Option<String> {
    let title = super::regions::title(region);
    if size.restricted {
        return Some(format!("The subscription may not use it in {title}."));
    }
    if zone.is_empty() {
        return None;
    }
    if !size.zones.iter().any(|known| known == zone) {
        return Some(format!("Zone {zone} of {title} does not have it."));
    }
    if size.restricted_zones.iter().any(|known| known == zone) {
        return Some(format!("The subscription may not use it in zone {zone}."));
    }
    None
}

/// `D2ds v6` for `Standard_D2ds_v6`.
pub(crate) fn short(name: &str) -> String {
    name.strip_prefix("Standard_")
        .unwrap_or(name)
        .replace('_', " ")
}
