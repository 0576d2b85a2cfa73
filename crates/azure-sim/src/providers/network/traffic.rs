//! What a security rule may say of traffic: ports, addresses and service tags.

use std::net::IpAddr;

use super::range;
use crate::wire::errors::Refusal;

/// `*`, a port, or two with a hyphen. Words: <https://github.com/Azure/azure-cli/issues/23499>.
pub(super) fn port(text: &str) -> Result<(), Refusal> {
    let one = |text: &str| -> Option<u16> {
        let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        text.parse().ok().filter(|_| plain)
    };
    let fits = match text.trim().split_once('-') {
        _ if text.trim() == "*" => true,
        None => one(text.trim()).is_some(),
        Some((from, to)) => {
            matches!((one(from.trim()), one(to.trim())), (Some(from), Some(to)) if from <= to)
        }
    };
    if fits {
        return Ok(());
    }
    Err(Refusal::bad(
        "SecurityRuleInvalidPortRange",
        format!(
            "Security rule has invalid Port range. Value provided: {text}. Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535."
        ),
    ))
}

/// `*`, an address, a prefix, a range of addresses, or a service tag. Words: <https://github.com/ernestio/ernest/issues/473>.
///
/// A prefix need not begin at its first address.
pub(super) fn prefix(text: &str) -> Result<(), Refusal> {
    let text = text.trim();
    let address = |text: &str| text.trim().parse::<IpAddr>().is_ok();
    let fits = text == "*"
        || address(text)
        || range::parts(text).is_some()
        || text
            .split_once('-')
            .is_some_and(|(from, to)| address(from) && address(to))
        || is_tag(text);
    if fits {
        return Ok(());
    }
    Err(Refusal::bad(
        "SecurityRuleInvalidAddressPrefix",
        format!("Security rule has invalid Address prefix. Value provided: {text}"),
    ))
}

/// A service's name, and for some a region or a part of the service behind a dot.
fn is_tag(text: &str) -> bool {
    let mut parts = text.split('.');
    let service = parts.next().unwrap_or_default().to_ascii_lowercase();
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    // New services of a family come every month.
    let fits = plain(&service.replace('_', ""));
    let known = FAMILIES.iter().any(|family| service.starts_with(family))
        || TAGS.contains(&service.as_str());
    fits && known && parts.all(plain)
}

const FAMILIES: [&str; 6] = [
    "azure",
    "dynamics365",
    "m365",
    "microsoft",
    "power",
    "windows",
];

/// In lower case, with the spelling of classic networks. Source: <https://learn.microsoft.com/azure/virtual-network/service-tags-overview>.
const TAGS: [&str; 38] = [
    "actiongroup",
    "apimanagement",
    "applicationinsightsavailability",
    "appconfiguration",
    "appservice",
    "appservicemanagement",
    "autonomousdevelopmentplatform",
    "batchnodemanagement",
    "chaosstudio",
    "cognitiveservicesfrontend",
    "cognitiveservicesmanagement",
    "datafactory",
    "datafactorymanagement",
    "eopexternalpublishedips",
    "eventhub",
    "gatewaymanager",
    "grafana",
    "guestandhybridmanagement",
    "hdinsight",
    "internet",
    "kustoanalytics",
    "logicapps",
    "logicappsmanagement",
    "onedscollector",
    "sccservice",
    "scuba",
    "serialconsole",
    "servicebus",
    "servicefabric",
    "sql",
    "sqlmanagement",
    "storage",
    "storagemover",
    "storagesyncservice",
    "videoindexer",
    "virtual_network",
    "virtualdesktop",
    "virtualnetwork",
];
