//! The sandbox: starts the simulator, writes an ordinary Azure settings file for it, and knows the personas and projects to begin with.
//!
//! The only place that names `azure-sim`; everything else sees an endpoint.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use app::session::Persona;
use azure_sim::seed;
use portal::Portal;
use types::actor::{InstallationRole, Role};
use types::cost::Usd;
use types::names::{GroupName, ProjectName};
use types::project::{
    ClusterRef, Member, ProjectSettings, SubnetRef, SubscriptionRef, Tier, TierSettings,
};

use crate::cli::Options;
use crate::settings::{AzureSettings, CredentialSettings};

/// The simulator's folder in a data directory.
const FOLDER: &str = "azure-sim";

/// A simulator in this process, and the settings file that leads to it.
pub(crate) struct Simulator {
    running: azure_sim::Running,
    /// The settings file.
    pub(crate) settings: PathBuf,
}

impl Simulator {
    /// Starts it on loopback; its port, certificate authority and state are those it had before in this data directory.
    pub(crate) async fn start(
        data: &Path,
        listen: Option<SocketAddr>,
        speed: f64,
        transport: azure_sim::Transport,
    ) -> Result<Self> {
        let folder = data.join(FOLDER);
        let running = azure_sim::start(azure_sim::Config {
            listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            data: Some(folder.clone()),
            speed,
            transport,
            ..azure_sim::Config::default()
        })
        .await
        .context("the Azure simulator cannot start")?;
        let settings = folder.join("azure.json");
        AzureSettings {
            resource_manager: running.endpoint.clone(),
            authority: running.endpoint.clone(),
            audience: "https://management.azure.com".to_owned(),
            prices: running.endpoint.clone(),
            tenant_id: running.tenant_id.clone(),
            credential: CredentialSettings::ClientSecret {
                client_id: running.client_id.clone(),
                client_secret: running.client_secret.clone(),
            },
            extra_roots_pem: Some(running.ca_pem.clone()),
        }
        .write(&settings)?;
        Ok(Self { running, settings })
    }

    /// Stops it after what it was writing is written.
    pub(crate) async fn shutdown(self) {
        self.running.shutdown().await;
    }
}

/// `slipway sim`: the simulator alone, until a signal ends it.
///
/// `http`: plain http is served beside https.
pub(crate) async fn run_alone(options: &Options, http: bool) -> Result<()> {
    let data = options.data()?;
    let transport = match http {
        true => azure_sim::Transport::HttpsAndHttp,
        false => azure_sim::Transport::Https,
    };
    let simulator = Simulator::start(&data, options.listen, options.sim_speed, transport).await?;
    let asked_to_end = crate::serve::signal();
    println!("Simulated Azure on {}", simulator.running.endpoint);
    println!(
        "Azure settings in {}: slipway serve --sandbox --azure FILE",
        simulator.settings.display()
    );
    asked_to_end.await;
    simulator.shutdown().await;
    Ok(())
}

/// One person per role, and a developer of a project that the others do not see; `admin` and `auditor` hold their roles in the whole installation.
struct Cast {
    subject: &'static str,
    title: &'static str,
    what: &'static str,
    roles: &'static [(&'static str, Role)],
    installation: &'static [InstallationRole],
    groups: &'static [&'static str],
}

const CAST: [Cast; 7] = [
    Cast {
        subject: "developer",
        title: "Developer",
        what: "Requests stacks in Payments and Search.",
        roles: &[("payments", Role::Developer), ("search", Role::Developer)],
        installation: &[],
        groups: &[],
    },
    Cast {
        subject: "ledger-developer",
        title: "Ledger developer",
        what: "Requests stacks in Ledger and sees no other project.",
        roles: &[("ledger", Role::Developer)],
        installation: &[],
        groups: &[],
    },
    Cast {
        subject: "approver",
        title: "Approver",
        what: "Decides requests of all three projects, for platform-approvers and cost-approvers.",
        roles: &[
            ("payments", Role::Approver),
            ("search", Role::Approver),
            ("ledger", Role::Approver),
        ],
        installation: &[],
        groups: &["platform-approvers", "cost-approvers"],
    },
    Cast {
        subject: "owner",
        title: "Owner",
        what: "Owns Payments: requests, decides what others sent, sees members.",
        roles: &[("payments", Role::Owner)],
        installation: &[],
        groups: &["platform-approvers"],
    },
    Cast {
        subject: "reader",
        title: "Reader",
        what: "Sees Payments and changes nothing.",
        roles: &[("payments", Role::Reader)],
        installation: &[],
        groups: &[],
    },
    Cast {
        subject: "admin",
        title: "Admin",
        what: "Administers the installation and resolves operations that need attention. Requests and approves only by breaking glass.",
        roles: &[],
        installation: &[InstallationRole::Admin],
        groups: &["platform-approvers", "cost-approvers"],
    },
    Cast {
        subject: "auditor",
        title: "Auditor",
        what: "Reads everything, who did what included.",
        roles: &[],
        installation: &[InstallationRole::Auditor],
        groups: &[],
    },
];

/// Whom the sign-in page offers.
pub(crate) fn personas() -> Vec<Persona> {
    CAST.iter()
        .map(|cast| Persona {
            subject: cast.subject.to_owned(),
            title: cast.title.to_owned(),
            what: cast.what.to_owned(),
        })
        .collect()
}

/// Signs a persona in; `None` when there is none of that name.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn sign_in(portal: &Portal, subject: &str) -> portal::Result<Option<String>> {
    let Some(cast) = CAST.iter().find(|cast| cast.subject == subject) else {
        return Ok(None);
    };
    portal
        .sign_in(
            cast.subject,
            cast.subject,
            groups(cast),
            cast.installation.to_vec(),
        )
        .await?;
    Ok(Some(cast.subject.to_owned()))
}

fn groups(cast: &Cast) -> Vec<GroupName> {
    cast.groups
        .iter()
        .filter_map(|group| group.parse().ok())
        .collect()
}

/// Plants the three projects; what is there already stays.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn plant(portal: &Portal) -> Result<()> {
    for (name, title, cost_centre, budgets) in [
        ("payments", "Payments", "4410", [800, 800, 4_000]),
        ("search", "Search", "4420", [1_500, 1_500, 6_000]),
        ("ledger", "Ledger", "4430", [500, 500, 2_500]),
    ] {
        let name: ProjectName = name.parse()?;
        let members = CAST
            .iter()
            .flat_map(|cast| {
                cast.roles
                    .iter()
                    .map(move |(project, role)| (cast, *project, *role))
            })
            .filter(|(_, project, _)| *project == name.as_str())
            .map(|(cast, _, role)| Member {
                subject: cast.subject.to_owned(),
                name: cast.subject.to_owned(),
                role,
            })
            .collect();
        let settings = ProjectSettings {
            name: name.clone(),
            title: title.to_owned(),
            cost_centre: cost_centre.to_owned(),
            default_tags: [("owner".to_owned(), name.to_string())]
                .into_iter()
                .collect(),
            tiers: Tier::ALL
                .into_iter()
                .zip(budgets)
                .map(|(tier, budget)| (tier, tier_settings(tier, budget)))
                .collect(),
        };
        portal.seed_project(settings, members).await?;
    }
    Ok(())
}

fn tier_settings(tier: Tier, budget: i64) -> TierSettings {
    let prod = tier == Tier::Prod;
    let subnet = |id: &str, network: &str, region: &str| SubnetRef {
        id: id.to_owned(),
        title: format!("{network} / {}", seed::SUBNET_NAME),
        region: region.to_owned(),
    };
    let (subscription, subnets, cluster) = if prod {
        (
            SubscriptionRef {
                id: seed::SUBSCRIPTION_PROD.to_owned(),
                name: seed::SUBSCRIPTION_PROD_NAME.to_owned(),
            },
            vec![
                subnet(
                    seed::SUBNET_PROD_WESTEUROPE,
                    "vnet-prod-westeurope",
                    "westeurope",
                ),
                subnet(
                    seed::SUBNET_PROD_NORTHEUROPE,
                    "vnet-prod-northeurope",
                    "northeurope",
                ),
            ],
            ClusterRef {
                id: seed::CLUSTER_PROD.to_owned(),
                title: "aks-prod-westeurope".to_owned(),
                region: "westeurope".to_owned(),
            },
        )
    } else {
        (
            SubscriptionRef {
                id: seed::SUBSCRIPTION_DEV.to_owned(),
                name: seed::SUBSCRIPTION_DEV_NAME.to_owned(),
            },
            vec![
                subnet(
                    seed::SUBNET_DEV_WESTEUROPE,
                    "vnet-dev-westeurope",
                    "westeurope",
                ),
                subnet(
                    seed::SUBNET_DEV_NORTHEUROPE,
                    "vnet-dev-northeurope",
                    "northeurope",
                ),
            ],
            ClusterRef {
                id: seed::CLUSTER_DEV.to_owned(),
                title: "aks-dev-westeurope".to_owned(),
                region: "westeurope".to_owned(),
            },
        )
    };
    TierSettings {
        subscription,
        regions: vec!["westeurope".to_owned(), "northeurope".to_owned()],
        subnets,
        clusters: vec![cluster],
        budget: Some(Usd(budget * 100)),
        max_stacks: 20,
    }
}
