//! Puts an installation together from its options: database, Azure, catalogue, policies, portal.

use anyhow::{Context as _, Result, bail};
use portal::{Catalogue, Clock, CloudFacts, Portal, Setup};
use store::Store;

use crate::audit;
use crate::cli::Options;
use crate::sandbox::{self, Simulator};
use crate::settings::{AzureSettings, CredentialSettings};

/// The rules that the binary carries.
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../policies"]
#[include = "*.rego"]
#[exclude = "*_test.rego"]
struct Policies;

/// Everything that runs, to be shut down in order.
pub(crate) struct Installation {
    /// The application.
    pub(crate) portal: Portal,
    /// The database, for sessions.
    pub(crate) store: Store,
    /// True in the sandbox: personas may sign in, and nothing but loopback is served.
    pub(crate) sandbox: bool,
    simulator: Option<Simulator>,
}

impl Installation {
    /// Opens the database, starts the simulator where there are no Azure settings, and builds the portal.
    pub(crate) async fn open(options: &Options, public_url: url::Url) -> Result<Self> {
        let store = open_store(&options.database()?).await?;
        let (settings, simulator) = match &options.azure {
            Some(file) => (file.clone(), None),
            None => {
                let simulator = Simulator::start(
                    &options.data()?,
                    None,
                    options.sim_speed,
                    azure_sim::Transport::Https,
                )
                .await?;
                (simulator.settings.clone(), Some(simulator))
            }
        };
        let settings = AzureSettings::read(&settings)?;
        let sandbox = options.is_sandbox();
        if !sandbox {
            bail!(
                "signing in with OpenID Connect is not part of this version, so Slipway serves the sandbox only: \
                 add --sandbox if the Azure settings lead to a simulator on this machine (`slipway sim`)"
            );
        }
        if !settings.is_loopback() {
            bail!(
                "--sandbox lets anybody sign in as anybody, so its Azure settings must name a Resource Manager and an authority \
                 on this machine, such as those of `slipway sim`"
            );
        }
        let clock = Clock::system();
        let installation = store
            .installation(clock.now())
            .await
            .context("the installation's id cannot be read")?;
        let portal = Portal::new(Setup {
            store: store.clone(),
            installation,
            arm: azure::Arm::new(azure_config(&settings))
                .context("the Azure client cannot start")?,
            catalogue: Catalogue::embedded().context("the catalogue does not load")?,
            policies: policies()?,
            clock,
            sandbox,
            public_url,
            secret_key: None,
            cloud: CloudFacts {
                tenant_id: settings.tenant_id.clone(),
            },
            signing: audit::signing(options, audit::KeyFile::Make)?,
            open_limits: options.limits.open_requests(),
            crash_points: portal::CrashPoints::from_environment(),
        })?;
        sandbox::plant(&portal).await?;
        Ok(Self {
            portal,
            store,
            sandbox,
            simulator,
        })
    }

    /// Signs what the record has gained, and ends what this process started.
    pub(crate) async fn shutdown(self) {
        if let Err(error) = self.portal.close_audit().await {
            tracing::warn!(%error, "the last lines of the audit record stay unsigned until the next start");
        }
        if let Some(simulator) = self.simulator {
            simulator.shutdown().await;
        }
    }
}

/// Opens the database and brings it up to this version.
pub(crate) async fn open_store(url: &str) -> Result<Store> {
    let store = Store::open(url)
        .await
        .context("the database cannot be opened")?;
    store
        .migrate()
        .await
        .context("the database cannot be brought up to this version")?;
    Ok(store)
}

fn policies() -> Result<policy::Bundle> {
    let files = Policies::iter().filter_map(|path| {
        let text = String::from_utf8(Policies::get(&path)?.data.into_owned()).ok()?;
        Some((path.into_owned(), text))
    });
    policy::Bundle::load(files).context("the policies do not load")
}

fn azure_config(settings: &AzureSettings) -> azure::Config {
    let credential = match settings.credential.clone() {
        CredentialSettings::ClientSecret {
            client_id,
            client_secret,
        } => azure::Credential::ClientSecret {
            client_id,
            secret: azure::Secret::new(client_secret),
        },
        CredentialSettings::WorkloadIdentity {
            client_id,
            token_file,
        } => azure::Credential::WorkloadIdentity {
            client_id: Some(client_id),
            token_file: Some(token_file),
        },
        CredentialSettings::ManagedIdentity { client_id } => {
            azure::Credential::ManagedIdentity { client_id }
        }
        CredentialSettings::AzureCli => azure::Credential::AzureCli,
    };
    let endpoints = azure::Endpoints {
        resource_manager: settings.resource_manager.clone(),
        authority: settings.authority.clone(),
        audience: settings.audience.clone(),
        prices: settings.prices.clone(),
    };
    azure::Config {
        extra_roots_pem: settings.extra_roots_pem.clone(),
        ..azure::Config::new(endpoints, settings.tenant_id.clone(), credential)
    }
}
