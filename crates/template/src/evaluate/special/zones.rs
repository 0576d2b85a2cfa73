//! Which zones a resource type has in a region, as far as Microsoft documents it: what `pickZones` answers before Azure is asked.
//! And the names of zones: `toLogicalZone` and its kin.

use std::rc::Rc;

use serde_json::Value;

use super::known_args;
use crate::cause::Cause;
use crate::evaluate::{Deployment, Frame};
use crate::expression::Call;
use crate::functions::{Args, Fault, Function, special, wrong};
use crate::runtime::is_unknown;
use crate::schema::called;

pub(crate) static TABLE: &[Function] = &[
    special("toLogicalZone", 3, 3, |deployment, call, frame| {
        one(deployment, call, frame, logical)
    }),
    special("toLogicalZones", 3, 3, |deployment, call, frame| {
        many(deployment, call, frame, logical)
    }),
    special("toPhysicalZone", 3, 3, |deployment, call, frame| {
        one(deployment, call, frame, physical)
    }),
    special("toPhysicalZones", 3, 3, |deployment, call, frame| {
        many(deployment, call, frame, physical)
    }),
];

/// Regions with availability zones; each has three.
/// Source: <https://learn.microsoft.com/azure/reliability/regions-list>.
const WITH_ZONES: &[&str] = &[
    "australiaeast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "canadacentral",
    "centralindia",
    "centralus",
    "chilecentral",
    "chinanorth3",
    "denmarkeast",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "koreacentral",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northeurope",
    "norwayeast",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "uaenorth",
    "uksouth",
    "usgovvirginia",
    "westeurope",
    "westus2",
    "westus3",
];

/// Regions that the same list shows without zones, and `global`. A region in neither list is newer than both: nothing is known.
const WITHOUT_ZONES: &[&str] = &[
    "australiacentral",
    "australiacentral2",
    "australiasoutheast",
    "brazilsoutheast",
    "canadaeast",
    "francesouth",
    "germanynorth",
    "global",
    "koreasouth",
    "northcentralus",
    "norwaywest",
    "southafricawest",
    "southindia",
    "switzerlandwest",
    "uaecentral",
    "ukwest",
    "westcentralus",
    "westindia",
    "westus",
];

/// Zonal types: their resources bear `zones`.
/// Source: <https://learn.microsoft.com/azure/reliability/availability-zones-service-support>.
const ZONAL: &[&str] = &[
    "microsoft.compute/disks",
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.compute/hostgroups",
    "microsoft.compute/capacityreservationgroups",
    "microsoft.containerservice/managedclusters",
    "microsoft.containerinstance/containergroups",
    "microsoft.network/applicationgateways",
    "microsoft.network/azurefirewalls",
    "microsoft.network/loadbalancers",
    "microsoft.network/natgateways",
    "microsoft.network/publicipaddresses",
    "microsoft.network/publicipprefixes",
    "microsoft.netapp/netappaccounts/capacitypools/volumes",
    // Named by the reference of `pickZones` as the type to ask for zone redundancy of storage and databases.
    "microsoft.storage/storageaccounts",
];

/// Types without zones of their own: of no region, or zone-redundant, for which `pickZones` gives an empty array.
const NOT_ZONAL: &[&str] = &[
    "microsoft.authorization/roleassignments",
    "microsoft.cdn/profiles",
    "microsoft.keyvault/vaults",
    "microsoft.managedidentity/userassignedidentities",
    "microsoft.network/dnszones",
    "microsoft.network/frontdoors",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/privatednszones",
    "microsoft.network/routetables",
    "microsoft.network/trafficmanagerprofiles",
    "microsoft.network/virtualnetworks",
    "microsoft.resources/resourcegroups",
];

/// The zones of a type in a region: empty where there are none, `None` where the type or the region is not listed.
pub(super) fn of(kind: &str, location: &str) -> Option<&'static [&'static str]> {
    let kind = kind.to_ascii_lowercase();
    if NOT_ZONAL.contains(&kind.as_str()) {
        return Some(&[]);
    }
    if !ZONAL.contains(&kind.as_str()) {
        return None;
    }
    of_region(&region(location))
}

/// Regions may be written as they are shown, "West US 2".
fn region(location: &str) -> String {
    location
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

fn of_region(region: &str) -> Option<&'static [&'static str]> {
    if WITH_ZONES.contains(&region) {
        Some(&["1", "2", "3"])
    } else if WITHOUT_ZONES.contains(&region) {
        Some(&[])
    } else {
        None
    }
}

/// Finds a zone's other name among the zones of a region.
type Renamed = fn(region: &str, zones: &[&str], zone: &str) -> Option<String>;

/// Azure maps the zones of each subscription in its own way; here logical zone 1 is physical zone `<region>-az1`, and so on.
/// Names: <https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-resource#tologicalzone>.
fn logical(region: &str, zones: &[&str], zone: &str) -> Option<String> {
    zones
        .iter()
        .find(|logical| format!("{region}-az{logical}").eq_ignore_ascii_case(zone))
        .map(|logical| (*logical).to_owned())
}

fn physical(region: &str, zones: &[&str], zone: &str) -> Option<String> {
    zones.contains(&zone).then(|| format!("{region}-az{zone}"))
}

/// The region and its zones, which the first two arguments name: the subscription and the location.
fn place(
    deployment: &Deployment<'_>,
    args: &mut Args,
) -> Result<(String, &'static [&'static str]), Fault> {
    let _subscription = args.string()?;
    let region = region(&args.string()?);
    match of_region(&region) {
        Some(zones) => Ok((region, zones)),
        None => {
            deployment.world.causes.meet(Cause::Zones(region));
            Err(Fault::Unknown)
        }
    }
}

/// The other name of one zone; empty for what is no zone.
fn one(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    frame: &Frame,
    renamed: Renamed,
) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let (region, zones) = place(deployment, &mut args)?;
    let zone = args.string()?;
    Ok(renamed(&region, zones, &zone).unwrap_or_default().into())
}

fn many(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    frame: &Frame,
    renamed: Renamed,
) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let (region, zones) = place(deployment, &mut args)?;
    args.array()?
        .iter()
        .map(|zone| match zone {
            Value::String(zone) => Ok(Value::from(
                renamed(&region, zones, zone).unwrap_or_default(),
            )),
            other if is_unknown(other) => Err(Fault::Unknown),
            other => wrong(format!("zones are strings, one is {}", called(other))),
        })
        .collect()
}
