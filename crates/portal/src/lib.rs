//! The door of the application layer: [`Portal`], one method per thing that a page or a REST client can ask for, one module per noun.
//!
//! Only here are rights, policy and state checked; pages and REST controllers find the [`types::actor::Actor`], call one method, and map the result.
//! Nothing here speaks HTTP or SQL.

use std::sync::Arc;

use types::actor::Actor;

mod access;
mod approvals;
mod audit;
pub mod azure_facts;
mod break_glass;
mod capacity;
pub mod catalogue;
pub mod checks;
mod clock;
mod costs;
mod equivalents;
mod error;
mod events;
mod forms;
mod idempotency;
mod limits;
mod operations;
mod origin;
mod ownership;
mod people;
pub mod plans;
mod policies;
mod projects;
mod quotas;
mod requests;
mod ssh_keys;
mod stacks;
mod standing;
mod tokens;
mod trail;
mod worker;

pub use approvals::JUDGED_A_PAGE;
pub use audit::{Destination, Signing, check_record, export_record};
pub use catalogue::Catalogue;
pub use clock::Clock;
pub use error::Error;
pub use forms::FormFor;
pub use idempotency::{Ground, Idempotency, KeyedCall, Made};
#[doc(hidden)]
pub use operations::CrashPoints;
pub use operations::Rehearsal;
pub use origin::{Origin, network};
pub use requests::open::OpenLimits;

/// What every method of [`Portal`] returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The application: cheap to clone, every clone is the same one.
#[derive(Clone)]
pub struct Portal(Arc<Inner>);

/// What the application is made of.
pub struct Setup {
    /// The database, migrated.
    pub store: store::Store,
    /// Azure, or the simulator.
    pub arm: azure::Arm,
    /// The installation's own id, from [`store::Store::installation`]: everything that it makes in Azure bears it.
    pub installation: types::ids::InstallationId,
    /// The templates.
    pub catalogue: Catalogue,
    /// Guardrails and baseline.
    pub policies: policy::Bundle,
    /// Where *now* comes from.
    pub clock: Clock,
    /// True when the simulator stands for Azure: pages say so.
    pub sandbox: bool,
    /// How people reach this installation; stands in the `curl` equivalents.
    pub public_url: url::Url,
    /// The key that secrets are kept under; without it, forms take Key Vault references only.
    pub secret_key: Option<Secret>,
    /// What every plan knows about the cloud.
    pub cloud: CloudFacts,
    /// How the audit record is signed.
    pub signing: Signing,
    /// How many requests may wait for people at the same time.
    pub open_limits: OpenLimits,
    /// Where a test stops the process; [`CrashPoints::default`] never does.
    #[doc(hidden)]
    pub crash_points: CrashPoints,
}

/// What the configuration says about the cloud.
#[derive(Debug, Clone)]
pub struct CloudFacts {
    /// The Microsoft Entra tenant.
    pub tenant_id: String,
}

/// A key that never shows itself in logs.
#[derive(Clone)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Takes the key over.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Shorter keys than this can be guessed.
    fn is_long_enough(&self) -> bool {
        self.0.len() >= 32
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Everything the modules share.
pub(crate) struct Inner {
    pub(crate) store: store::Store,
    pub(crate) installation: types::ids::InstallationId,
    pub(crate) arm: azure::Arm,
    pub(crate) catalogue: Catalogue,
    pub(crate) policies: policy::Bundle,
    pub(crate) clock: Clock,
    pub(crate) sandbox: bool,
    pub(crate) public_url: url::Url,
    pub(crate) cloud: CloudFacts,
    pub(crate) facts: azure_facts::AzureFacts,
    pub(crate) signing: Signing,
    pub(crate) watch: audit::Watch,
    pub(crate) crash_points: CrashPoints,
    pub(crate) reserving: tokio::sync::Semaphore,
    pub(crate) open_limits: OpenLimits,
    pub(crate) passed_over: worker::PassedOver,
    pub(crate) judged_rows: approvals::JudgedRows,
}

impl Portal {
    /// Puts the application together. Nothing runs yet: the worker starts with [`Portal::run_worker`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for a secret key of fewer than 32 bytes.
    pub fn new(setup: Setup) -> Result<Self> {
        if setup.secret_key.is_some_and(|key| !key.is_long_enough()) {
            return Err(Error::field(
                "secret_key",
                "too_short",
                "The key for secret values needs at least 32 bytes.",
            ));
        }
        Ok(Self(Arc::new(Inner {
            store: setup.store,
            installation: setup.installation,
            arm: setup.arm,
            catalogue: setup.catalogue,
            policies: setup.policies,
            clock: setup.clock,
            sandbox: setup.sandbox,
            public_url: setup.public_url,
            cloud: setup.cloud,
            facts: azure_facts::AzureFacts::default(),
            signing: setup.signing,
            watch: audit::Watch::default(),
            crash_points: setup.crash_points,
            reserving: tokio::sync::Semaphore::new(standing::TURNS),
            open_limits: setup.open_limits,
            passed_over: worker::PassedOver::default(),
            judged_rows: approvals::JudgedRows::default(),
        })))
    }

    /// True when the simulator stands for Azure.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.0.sandbox
    }

    /// Now, by the installation's clock.
    #[must_use]
    pub fn now(&self) -> types::time::Timestamp {
        self.0.clock.now()
    }

    /// Whether database and Azure answer, for `/readyz`: the database must, Azure may be away for a while.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn ready(&self) -> Result<()> {
        self.0.store.ping().await.map_err(Error::from)
    }
}

/// Slipway itself, where nobody asked: the worker, expiry.
pub(crate) fn system() -> Actor {
    Actor {
        subject: types::actor::SYSTEM.to_owned(),
        name: "Slipway".to_owned(),
        kind: types::actor::ActorKind::System,
        memberships: Vec::new(),
        installation: Vec::new(),
        groups: Vec::new(),
        break_glass: Vec::new(),
    }
}
