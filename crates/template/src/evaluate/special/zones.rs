//! Which zones a resource type has in a region, as far as Microsoft documents it: what `pickZones` answers before Azure is asked.

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
    // Regions may be written as they are shown, "West US 2".
    let location: String = location
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    if NOT_ZONAL.contains(&kind.as_str()) {
        return Some(&[]);
    }
    if !ZONAL.contains(&kind.as_str()) {
        return None;
    }
    if WITH_ZONES.contains(&location.as_str()) {
        Some(&["1", "2", "3"])
    } else if WITHOUT_ZONES.contains(&location.as_str()) {
        Some(&[])
    } else {
        None
    }
}
