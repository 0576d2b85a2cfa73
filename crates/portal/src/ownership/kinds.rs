//! The one table: which resource types bear tags, and which are owned by their reserved id.
//!
//! Source: "Tag support for Azure resources", <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-support>, and for node pools, which that
//! page does not list, "Use Azure tags in Azure Kubernetes Service", <https://learn.microsoft.com/azure/aks/use-tags>; both read on 2026-11-27.

/// How a resource shows whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// By its tags, which stand here in its JSON.
    Tags(&'static str),
    /// It has no tags: by its id, reserved and recorded before it was written.
    ReservedId,
}

const TAGS: Mark = Mark::Tags("/tags");

/// What is not listed counts as without tags: it is the stack's only when its id was reserved and its write recorded, so an unknown type that
/// exists already is never taken over.
const TABLE: &[(&str, Mark)] = &[
    ("Microsoft.Resources/resourceGroups", TAGS),
    ("Microsoft.Compute/availabilitySets", TAGS),
    ("Microsoft.Compute/diskEncryptionSets", TAGS),
    ("Microsoft.Compute/disks", TAGS),
    ("Microsoft.Compute/images", TAGS),
    ("Microsoft.Compute/proximityPlacementGroups", TAGS),
    ("Microsoft.Compute/snapshots", TAGS),
    ("Microsoft.Compute/virtualMachines", TAGS),
    ("Microsoft.Compute/virtualMachines/extensions", TAGS),
    ("Microsoft.Compute/virtualMachineScaleSets", TAGS),
    (
        "Microsoft.Compute/virtualMachineScaleSets/extensions",
        Mark::ReservedId,
    ),
    ("Microsoft.ContainerService/managedClusters", TAGS),
    // Not tags of Azure Resource Manager's, but the provider's own: they stand among the properties.
    (
        "Microsoft.ContainerService/managedClusters/agentPools",
        Mark::Tags("/properties/tags"),
    ),
    (
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        Mark::ReservedId,
    ),
    (
        "Microsoft.KubernetesConfiguration/extensions",
        Mark::ReservedId,
    ),
    (
        "Microsoft.KubernetesConfiguration/fluxConfigurations",
        Mark::ReservedId,
    ),
    ("Microsoft.Network/loadBalancers", TAGS),
    ("Microsoft.Network/natGateways", TAGS),
    ("Microsoft.Network/networkInterfaces", TAGS),
    ("Microsoft.Network/networkSecurityGroups", TAGS),
    (
        "Microsoft.Network/networkSecurityGroups/securityRules",
        Mark::ReservedId,
    ),
    ("Microsoft.Network/privateDnsZones", TAGS),
    ("Microsoft.Network/privateEndpoints", TAGS),
    ("Microsoft.Network/publicIPAddresses", TAGS),
    ("Microsoft.Network/publicIPPrefixes", TAGS),
    ("Microsoft.Network/routeTables", TAGS),
    ("Microsoft.Network/routeTables/routes", Mark::ReservedId),
    ("Microsoft.Network/virtualNetworks", TAGS),
    (
        "Microsoft.Network/virtualNetworks/subnets",
        Mark::ReservedId,
    ),
    (
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        Mark::ReservedId,
    ),
    ("Microsoft.ManagedIdentity/userAssignedIdentities", TAGS),
    (
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        Mark::ReservedId,
    ),
    ("Microsoft.Authorization/locks", Mark::ReservedId),
    (
        "Microsoft.Authorization/policyAssignments",
        Mark::ReservedId,
    ),
    ("Microsoft.Authorization/roleAssignments", Mark::ReservedId),
    ("Microsoft.Authorization/roleDefinitions", Mark::ReservedId),
    ("Microsoft.Insights/dataCollectionRules", TAGS),
    (
        "Microsoft.Insights/dataCollectionRuleAssociations",
        Mark::ReservedId,
    ),
    ("Microsoft.KeyVault/vaults", TAGS),
    ("Microsoft.Maintenance/maintenanceConfigurations", TAGS),
    (
        "Microsoft.Maintenance/configurationAssignments",
        Mark::ReservedId,
    ),
    ("Microsoft.OperationalInsights/workspaces", TAGS),
];

/// How resources of a type show whose they are.
pub(crate) fn mark_of(kind: &str) -> Mark {
    TABLE
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(kind))
        .map_or(Mark::ReservedId, |(_, mark)| *mark)
}

#[cfg(test)]
mod tests {
    use super::{Mark, TABLE, mark_of};

    #[test]
    fn each_type_is_listed_once_and_what_is_unknown_is_owned_by_its_reserved_id() {
        for (index, (kind, mark)) in TABLE.iter().enumerate() {
            assert!(
                TABLE[index + 1..]
                    .iter()
                    .all(|(other, _)| !other.eq_ignore_ascii_case(kind)),
                "{kind} is listed twice"
            );
            assert_eq!(mark_of(&kind.to_uppercase()), *mark);
        }
        assert_eq!(mark_of("Contoso.New/things"), Mark::ReservedId);
        assert_eq!(
            mark_of("Microsoft.ContainerService/managedClusters/agentPools"),
            Mark::Tags("/properties/tags")
        );
    }
}
