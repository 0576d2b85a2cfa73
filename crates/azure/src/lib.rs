//! The door of the ARM client: [`Arm`] and its groups of calls. Everything that speaks to Azure is behind it, and no SDK type leaves it.
//!
//! Three promises hold for every call: a write never waits for Azure to finish (it returns [`Started`], whose [`LongRunning`] is stored and polled
//! by anybody); a token is sent to the configured ARM endpoint and nowhere else; no token or secret reaches a log, a `Debug` or an error.
//! Outside facts: the Azure Resource Manager RPC contract v1.0 and the REST references named at each module.

use std::sync::Arc;

mod aks;
mod compute;
mod config;
mod credential;
mod deployments;
mod error;
mod explain;
mod groups;
mod id;
mod locks;
mod long_running;
mod network;
mod prices;
mod resources;
mod throttle;
mod transport;
mod wire;

pub use aks::{AgentPool, Aks, Cluster, KubernetesVersion};
pub use compute::{
    Compute, Image, ImageVersion, InstanceStatus, InstanceView, Restriction, Sku, Usage,
};
pub use config::{Config, Credential, Endpoints, Secret, Timeouts};
pub use deployments::{
    ChangeKind, Deployment, DeploymentBody, DeploymentOperation, Deployments, Validation, WhatIf,
    WhatIfChange,
};
pub use error::{Detail, Error, ErrorKind, PolicyExpression, PolicyViolation, Result};
pub use explain::explain;
pub use groups::{GenericResource, Group, Groups};
pub use id::{DeploymentId, GroupId, ResourceId, SubscriptionId};
pub use locks::{Lock, LockLevel, Locks};
pub use long_running::{LongRunning, Poll, PollKind, PollUrl, Started, Verb};
pub use network::{Network, Subnet, VirtualNetwork};
pub use prices::{Price, PriceKind, Prices};
pub use resources::{Resources, api_version, etag};
pub use throttle::Budget;
pub use wire::{Carried, Carrier};

/// What whoever sets up `tracing` must add to its filter, after everything a person configured.
///
/// Below `info` the SDK crates print whole requests; the `Debug` of `azure_core` 0.21's headers shows the Authorization value. Slipway hands that
/// SDK a placeholder instead of a token, so this is the second of two locks.
pub const TRACING_DIRECTIVES: &[&str] = &[
    "azure_core=info",
    "azure_identity=info",
    "azure_mgmt_compute=info",
    "typespec_client_core=info",
];

/// The ARM client. Cheap to clone; clones share tokens, connections and throttling state.
#[derive(Clone)]
pub struct Arm {
    inner: Arc<Inner>,
}

struct Inner {
    transport: transport::Transport,
    compute: compute::Sdk,
    provider_versions: resources::VersionCache,
}

impl Arm {
    /// Makes a client. Nothing is sent yet: a wrong secret or an unreachable endpoint shows with the first call, or with [`Arm::check`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when an endpoint is not https, a certificate cannot be read, or the credential lacks something.
    pub fn new(config: Config) -> Result<Self> {
        let transport = transport::Transport::new(config)?;
        let compute = compute::Sdk::new(&transport);
        Ok(Self {
            inner: Arc::new(Inner {
                transport,
                compute,
                provider_versions: resources::VersionCache::default(),
            }),
        })
    }

    /// Asks for a token and throws it away: tells at start-up whether the credential works.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] with the text of the authority (`AADSTS…`), or [`ErrorKind::Unavailable`].
    pub async fn check(&self) -> Result<()> {
        self.transport().check_token().await
    }

    /// Resource groups.
    #[must_use]
    pub fn groups(&self) -> Groups<'_> {
        Groups { arm: self }
    }

    /// Deployments at resource group scope.
    #[must_use]
    pub fn deployments(&self) -> Deployments<'_> {
        Deployments { arm: self }
    }

    /// Any resource, by its id.
    #[must_use]
    pub fn resources(&self) -> Resources<'_> {
        Resources { arm: self }
    }

    /// Management locks.
    #[must_use]
    pub fn locks(&self) -> Locks<'_> {
        Locks { arm: self }
    }

    /// Sizes, quotas, images, virtual machines.
    #[must_use]
    pub fn compute(&self) -> Compute<'_> {
        Compute { arm: self }
    }

    /// Kubernetes clusters and their node pools.
    #[must_use]
    pub fn aks(&self) -> Aks<'_> {
        Aks { arm: self }
    }

    /// Virtual networks and subnets.
    #[must_use]
    pub fn network(&self) -> Network<'_> {
        Network { arm: self }
    }

    /// Retail prices.
    #[must_use]
    pub fn prices(&self) -> Prices<'_> {
        Prices { arm: self }
    }

    /// What the client believes is left of Azure's rate limits, per subscription and kind of call; for a metrics page.
    #[must_use]
    pub fn budgets(&self) -> Vec<Budget> {
        self.transport().budgets()
    }

    pub(crate) fn transport(&self) -> &transport::Transport {
        &self.inner.transport
    }
}

impl std::fmt::Debug for Arm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arm")
            .field(
                "resource_manager",
                &self.transport().endpoints().resource_manager.as_str(),
            )
            .finish_non_exhaustive()
    }
}
