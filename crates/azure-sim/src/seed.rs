//! The stable names of what every new simulator contains: tenant, subscriptions, platform groups, networks and clusters. How they are made lives in `state::plant`.
//!
//! Other crates seed projects with these, so a value here never changes once released.

/// The one tenant.
pub const TENANT: &str = "51179a1e-0000-4000-8000-00000000007e";
/// Display name of [`TENANT`].
pub const TENANT_NAME: &str = "Slipway Simulator";
/// Country of [`TENANT`], ISO 3166.
pub const TENANT_COUNTRY: &str = "NL";
/// The application (client) id that the sandbox signs in with.
pub const CLIENT_ID: &str = "51179a1e-0000-4000-8000-0000000000c1";
/// The object id of that application's service principal.
pub const CLIENT_OBJECT_ID: &str = "51179a1e-0000-4000-8000-0000000000c2";

/// Whom the application's federated credential lets in: a service account of Kubernetes, by the issuer `{endpoint}/workloads`.
pub const WORKLOAD_SUBJECT: &str = "system:serviceaccount:slipway:slipway";
/// For whom a workload's token must have been made out: what Entra recommends for every federated credential.
pub const WORKLOAD_AUDIENCE: &str = "api://AzureADTokenExchange";

/// The subscription for dev and test tiers.
pub const SUBSCRIPTION_DEV: &str = "51179a1e-0000-4000-8000-0000000000d1";
/// The subscription for the prod tier.
pub const SUBSCRIPTION_PROD: &str = "51179a1e-0000-4000-8000-0000000000f1";
/// Display name of [`SUBSCRIPTION_DEV`].
pub const SUBSCRIPTION_DEV_NAME: &str = "Slipway Dev";
/// Display name of [`SUBSCRIPTION_PROD`].
pub const SUBSCRIPTION_PROD_NAME: &str = "Slipway Prod";

/// The platform resource group of the dev subscription, in westeurope.
pub const GROUP_DEV: &str = "rg-platform-dev";
/// The platform resource group of the prod subscription, in westeurope.
pub const GROUP_PROD: &str = "rg-platform-prod";

/// Regions that the simulator serves; the first is where the clusters are.
pub const REGIONS: [&str; 4] = ["westeurope", "northeurope", "eastus", "swedencentral"];

/// Name of the subnet that workloads use in every seeded network.
pub const SUBNET_NAME: &str = "workload";
/// Kubernetes version of the seeded clusters.
pub const KUBERNETES_VERSION: &str = "1.35.7";

macro_rules! dev {
    ($($rest:literal),*) => { concat!("/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg-platform-dev/providers/", $($rest),*) };
}
macro_rules! prod {
    ($($rest:literal),*) => { concat!("/subscriptions/51179a1e-0000-4000-8000-0000000000f1/resourceGroups/rg-platform-prod/providers/", $($rest),*) };
}

/// Dev network in westeurope, 10.10.0.0/16.
pub const VNET_DEV_WESTEUROPE: &str = dev!("Microsoft.Network/virtualNetworks/vnet-dev-westeurope");
/// Dev network in northeurope, 10.11.0.0/16.
pub const VNET_DEV_NORTHEUROPE: &str =
    dev!("Microsoft.Network/virtualNetworks/vnet-dev-northeurope");
/// Prod network in westeurope, 10.20.0.0/16.
pub const VNET_PROD_WESTEUROPE: &str =
    prod!("Microsoft.Network/virtualNetworks/vnet-prod-westeurope");
/// Prod network in northeurope, 10.21.0.0/16.
pub const VNET_PROD_NORTHEUROPE: &str =
    prod!("Microsoft.Network/virtualNetworks/vnet-prod-northeurope");

/// `workload` subnet of [`VNET_DEV_WESTEUROPE`], 10.10.0.0/17; private (no default outbound access), with an NSG.
pub const SUBNET_DEV_WESTEUROPE: &str =
    dev!("Microsoft.Network/virtualNetworks/vnet-dev-westeurope/subnets/workload");
/// `workload` subnet of [`VNET_DEV_NORTHEUROPE`], 10.11.0.0/17.
pub const SUBNET_DEV_NORTHEUROPE: &str =
    dev!("Microsoft.Network/virtualNetworks/vnet-dev-northeurope/subnets/workload");
/// `workload` subnet of [`VNET_PROD_WESTEUROPE`], 10.20.0.0/17.
pub const SUBNET_PROD_WESTEUROPE: &str =
    prod!("Microsoft.Network/virtualNetworks/vnet-prod-westeurope/subnets/workload");
/// `workload` subnet of [`VNET_PROD_NORTHEUROPE`], 10.21.0.0/17.
pub const SUBNET_PROD_NORTHEUROPE: &str =
    prod!("Microsoft.Network/virtualNetworks/vnet-prod-northeurope/subnets/workload");

/// The dev AKS cluster in westeurope: private, Azure Container Linux system pool, Kubernetes [`KUBERNETES_VERSION`].
pub const CLUSTER_DEV: &str = dev!("Microsoft.ContainerService/managedClusters/aks-dev-westeurope");
/// The prod AKS cluster in westeurope.
pub const CLUSTER_PROD: &str =
    prod!("Microsoft.ContainerService/managedClusters/aks-prod-westeurope");
/// The user-assigned identity of the dev cluster.
pub const IDENTITY_DEV: &str = dev!("Microsoft.ManagedIdentity/userAssignedIdentities/id-aks-dev");
/// The user-assigned identity of the prod cluster.
pub const IDENTITY_PROD: &str =
    prod!("Microsoft.ManagedIdentity/userAssignedIdentities/id-aks-prod");
