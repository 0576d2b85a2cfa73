//! Fills the snapshot: from the database at start, from Azure in the background and before an execution.

use std::collections::BTreeSet;
use std::time::Duration;

use types::plan::Target;
use types::project::ProjectSettings;
use types::time::Timestamp;

use super::Fact;
use crate::ownership::{Look, Subject};
use crate::worker::{Trouble, readable};
use crate::{Error, Portal, Result};

/// Kinds of rows, each with its own facts.
const KINDS: [&str; 8] = [
    "sizes",
    "usages",
    "prices",
    "image",
    "kubernetes",
    "cluster",
    "pools",
    "subnet",
];
/// Before an execution, usages may not be older than this.
const FRESH: Duration = Duration::from_secs(60);
/// How long an execution waits for facts: what is known holds when Azure is slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long somebody who sends a form waits for a cluster's pools.
const PATIENCE_FOR_POOLS: Duration = Duration::from_secs(3);

impl Portal {
    /// Reads what earlier runs learned, so that plans can be made before Azure answers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn load_facts(&self) -> Result<()> {
        let mut facts = Vec::new();
        for kind in KINDS {
            for key in self.0.store.azure_fact_keys(kind).await? {
                let row = match self.0.store.azure_fact(kind, &key).await {
                    Ok(Some(row)) => row,
                    Ok(None) => continue,
                    Err(cause @ store::Error::Corrupt(_)) => {
                        tracing::warn!(kind, key, %cause, "a stored fact is not used");
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                // A row of an older shape is asked for again; it is not worth a failure.
                match serde_json::from_value::<Fact>(row.body) {
                    Ok(fact) => facts.push((fact, row.fetched_at)),
                    Err(cause) => {
                        tracing::warn!(kind, key, %cause, "a stored fact is not used");
                    }
                }
            }
        }
        self.0.facts.learn(facts);
        Ok(())
    }

    /// Makes sure that plans can be priced and judged before the first of them is asked for: loads what is known and, at the very first start, asks Azure.
    /// Azure being away or slow is no failure: plans then say what they do not know.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn warm_facts(&self) -> Result<()> {
        self.load_facts().await?;
        if self.0.facts.snapshot().has_prices() {
            return Ok(());
        }
        match tokio::time::timeout(PATIENCE, self.refresh_facts()).await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => {
                tracing::warn!(%cause, "Azure did not answer everything; plans say what they do not know")
            }
            Err(_) => {
                tracing::warn!("Azure was too slow with facts; plans say what they do not know")
            }
        }
        Ok(())
    }

    /// Asks Azure for everything that plans of all projects need. What Azure does not answer keeps its last value; the first failure is returned.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Azure or the database does not answer.
    pub async fn refresh_facts(&self) -> Result<()> {
        let mut wanted = Wanted::default();
        for name in self.0.store.project_names().await? {
            self.each("project", &name, async || {
                let project = name
                    .parse()
                    .map_err(|_| Trouble::Unreadable("project.name".to_owned()))?;
                if let Some(project) = readable(self.0.store.project(&project).await)? {
                    wanted.project(&project);
                }
                Ok(())
            })
            .await?;
        }
        for entry in self.0.catalogue.entries() {
            wanted.images.extend(entry.images());
        }
        self.ask(&wanted).await
    }

    /// Before an execution: usages of its place are asked for again unless they are new. Azure being away or slow is no failure.
    pub(crate) async fn ensure_fresh(&self, target: &Target) {
        let asked = self
            .0
            .facts
            .snapshot()
            .usages_of(&target.subscription, &target.region);
        let now = self.now();
        let fresh = time::Duration::try_from(FRESH).unwrap_or(time::Duration::MINUTE);
        if asked.is_some_and(|asked| now.since(asked) < fresh) {
            return;
        }
        let mut wanted = Wanted {
            only_usages: true,
            ..Wanted::default()
        };
        wanted.place(&target.subscription, &target.region);
        match tokio::time::timeout(PATIENCE, self.ask(&wanted)).await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => {
                tracing::warn!(%cause, "facts could not be asked for again; the last known ones hold");
            }
            Err(_) => tracing::warn!("Azure was too slow with facts; the last known ones hold"),
        }
    }

    /// Asks again which node pools the clusters of these resources have, unless that was learned less than `age` ago. Azure being away or slow is no failure:
    /// the read before the write has the last word.
    pub(crate) async fn refresh_pools(&self, subjects: &[Subject], age: time::Duration) {
        let now = self.now();
        let facts = self.0.facts.snapshot();
        let clusters = Look::at(subjects).clusters;
        let wanted = Wanted {
            clusters: clusters
                .into_iter()
                .filter(|cluster| {
                    facts
                        .pools_of(cluster)
                        .is_none_or(|asked| now.since(asked) >= age)
                })
                .collect(),
            ..Wanted::default()
        };
        if wanted.clusters.is_empty() {
            return;
        }
        match tokio::time::timeout(PATIENCE_FOR_POOLS, self.ask(&wanted)).await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => {
                tracing::warn!(%cause, "node pools could not be asked for again; the last known ones hold");
            }
            Err(_) => {
                tracing::warn!("Azure was too slow with node pools; the last known ones hold")
            }
        }
    }

    async fn ask(&self, wanted: &Wanted) -> Result<()> {
        let mut failure = None;
        let mut learned: Vec<(Fact, Timestamp)> = Vec::new();
        let answers = super::fetch::all(&self.0.arm, wanted).await;
        for answer in answers {
            match answer {
                Ok(fact) => learned.push((fact, self.now())),
                Err(cause) => {
                    failure.get_or_insert(cause);
                }
            }
        }
        for (fact, fetched_at) in &learned {
            let key = fact.key();
            let kind = key.split('/').next().unwrap_or_default().to_owned();
            let body = serde_json::to_value(fact).map_err(Error::internal)?;
            self.0
                .store
                .put_azure_fact(&store::AzureFact {
                    kind,
                    key,
                    body,
                    fetched_at: *fetched_at,
                })
                .await?;
        }
        self.0.facts.learn(learned);
        match failure {
            None => Ok(()),
            Some(cause) => Err(Error::Unavailable {
                detail: format!("Azure did not answer everything that was asked: {cause}"),
                retry_after: None,
            }),
        }
    }
}

/// What to ask for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Subscription id and region.
    pub(super) places: BTreeSet<(String, String)>,
    /// Cluster ids.
    pub(super) clusters: BTreeSet<String>,
    /// Subnet ids.
    pub(super) subnets: BTreeSet<String>,
    /// `publisher:offer:sku`.
    pub(super) images: BTreeSet<String>,
    /// Of the places, only what changes from minute to minute.
    pub(super) only_usages: bool,
}

impl Wanted {
    fn project(&mut self, project: &ProjectSettings) {
        for settings in project.tiers.values() {
            for region in &settings.regions {
                self.place(&settings.subscription.id, region);
            }
            for cluster in &settings.clusters {
                self.clusters.insert(cluster.id.clone());
            }
            for subnet in &settings.subnets {
                self.subnets.insert(subnet.id.clone());
            }
        }
    }

    fn place(&mut self, subscription: &str, region: &str) {
        self.places
            .insert((subscription.to_owned(), region.to_owned()));
    }
}
