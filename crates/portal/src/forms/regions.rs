//! Azure regions as people call them.

/// Azure's display names (<https://learn.microsoft.com/azure/reliability/regions-list>).
const TITLES: [(&str, &str); 30] = [
    ("australiaeast", "Australia East"),
    ("brazilsouth", "Brazil South"),
    ("canadacentral", "Canada Central"),
    ("centralindia", "Central India"),
    ("centralus", "Central US"),
    ("eastasia", "East Asia"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("francecentral", "France Central"),
    ("germanywestcentral", "Germany West Central"),
    ("israelcentral", "Israel Central"),
    ("italynorth", "Italy North"),
    ("japaneast", "Japan East"),
    ("koreacentral", "Korea Central"),
    ("mexicocentral", "Mexico Central"),
    ("newzealandnorth", "New Zealand North"),
    ("northcentralus", "North Central US"),
    ("northeurope", "North Europe"),
    ("norwayeast", "Norway East"),
    ("polandcentral", "Poland Central"),
    ("southafricanorth", "South Africa North"),
    ("southcentralus", "South Central US"),
    ("southeastasia", "Southeast Asia"),
    ("spaincentral", "Spain Central"),
    ("swedencentral", "Sweden Central"),
    ("switzerlandnorth", "Switzerland North"),
    ("uaenorth", "UAE North"),
    ("uksouth", "UK South"),
    ("westeurope", "West Europe"),
    ("westus3", "West US 3"),
];

/// `West Europe` for `westeurope`; a region that is not in the list stands as it is.
pub(crate) fn title(region: &str) -> &str {
    TITLES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(region))
        .map_or(region, |(_, title)| title)
}
