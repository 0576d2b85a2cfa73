//! What a template is evaluated against: where it is deployed, and every value that would otherwise differ from run to run.

use indexmap::IndexMap;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

/// Where a deployment goes, when, and in which cloud. Nothing else about the world enters an evaluation but the
/// [`Runtime`](crate::Runtime), so the same context gives the same result.
///
/// The scope follows from what is there: a resource group, else a subscription, else a management group, else the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// `tenant().tenantId`.
    pub tenant_id: String,
    /// `subscription().subscriptionId`; empty for deployments to a management group or a tenant.
    pub subscription_id: String,
    /// The target group; `None` for deployments to a subscription and above.
    pub resource_group: Option<ResourceGroup>,
    /// The target management group's name, for deployments to one.
    pub management_group: Option<String>,
    /// `deployment().name`.
    pub deployment_name: String,
    /// `deployment().location`; a deployment to a resource group has none.
    pub deployment_location: Option<String>,
    /// What `utcNow()` answers, the same at every call.
    pub utc_now: OffsetDateTime,
    /// Pins `newGuid()`: its n-th call in an evaluation, from 0, answers the version 5 UUID of n in decimal under this namespace.
    pub guid_seed: Uuid,
    /// What `environment()` answers; see [`Context::public_cloud`].
    pub environment: Value,
}

/// The resource group that a deployment goes to, as `resourceGroup()` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceGroup {
    /// The group's name.
    pub name: String,
    /// Its region, such as `westeurope`.
    pub location: String,
    /// Its tags.
    pub tags: IndexMap<String, String>,
}

impl Context {
    /// What `environment()` answers in the public cloud, as Microsoft's reference of the function shows it
    /// (<https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#environment>).
    #[must_use]
    pub fn public_cloud() -> Value {
        json!({
            "name": "AzureCloud",
            "gallery": "https://gallery.azure.com/",
            "graph": "https://graph.windows.net/",
            "portal": "https://portal.azure.com",
            "graphAudience": "https://graph.windows.net/",
            "activeDirectoryDataLake": "https://datalake.azure.net/",
            "batch": "https://batch.core.windows.net/",
            "media": "https://rest.media.azure.net",
            "sqlManagement": "https://management.core.windows.net:8443/",
            "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
            "resourceManager": "https://management.azure.com/",
            "authentication": {
                "loginEndpoint": "https://login.microsoftonline.com/",
                "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
                "tenant": "common",
                "identityProvider": "AAD"
            },
            "suffixes": {
                "acrLoginServer": ".azurecr.io",
                "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
                "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
                "azureFrontDoorEndpointSuffix": "azurefd.net",
                "keyvaultDns": ".vault.azure.net",
                "sqlServerHostname": ".database.windows.net",
                "storage": "core.windows.net"
            }
        })
    }
}
