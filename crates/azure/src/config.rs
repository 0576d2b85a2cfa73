//! What a client is made from: endpoints, credential, extra roots, time limits. Nothing here sends anything.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::error::{Error, Result};
use crate::wire::Carrier;

/// How to reach Azure and as whom.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where ARM, the authority and the price list are.
    pub endpoints: Endpoints,
    /// The Entra tenant, a UUID or a domain.
    pub tenant_id: String,
    /// As whom Slipway acts.
    pub credential: Credential,
    /// PEM certificates that are trusted besides the public ones: the simulator's, or a company proxy's.
    pub extra_roots_pem: Option<String>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Carries every call instead of https, to a simulator in this process; `None` for Azure and whatever else has an address.
    pub carrier: Option<Arc<dyn Carrier>>,
}

impl Config {
    /// A configuration with the default time limits and no extra roots.
    #[must_use]
    pub fn new(endpoints: Endpoints, tenant_id: impl Into<String>, credential: Credential) -> Self {
        Self {
            endpoints,
            tenant_id: tenant_id.into(),
            credential,
            extra_roots_pem: None,
            timeouts: Timeouts::default(),
            carrier: None,
        }
    }
}

/// Where Azure is. All https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// ARM, such as `https://management.azure.com/`.
    pub resource_manager: Url,
    /// Entra, such as `https://login.microsoftonline.com/`.
    pub authority: Url,
    /// What tokens are asked for, without `/.default`: `https://management.azure.com`.
    pub audience: String,
    /// The retail price list, such as `https://prices.azure.com/`. It is asked without a token.
    pub prices: Url,
}

impl Endpoints {
    /// The public cloud.
    #[must_use]
    pub fn public() -> Self {
        Self::of(
            "management.azure.com",
            "login.microsoftonline.com",
            "https://management.azure.com",
        )
    }

    /// Azure Government (United States).
    #[must_use]
    pub fn us_government() -> Self {
        Self::of(
            "management.usgovcloudapi.net",
            "login.microsoftonline.us",
            "https://management.usgovcloudapi.net",
        )
    }

    /// Azure operated by 21Vianet (China). The audience is the one that cloud's ARM announces in `/metadata/endpoints`.
    #[must_use]
    pub fn china() -> Self {
        Self::of(
            "management.chinacloudapi.cn",
            "login.chinacloudapi.cn",
            "https://management.core.chinacloudapi.cn",
        )
    }

    /// One host that is ARM, authority and price list at once, as the simulator is.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when the URL cannot carry a path.
    pub fn single(base: &Url) -> Result<Self> {
        if base.cannot_be_a_base() {
            return Err(Error::config(format!("`{base}` is not an https address")));
        }
        let mut root = base.clone();
        root.set_path("/");
        root.set_query(None);
        root.set_fragment(None);
        Ok(Self {
            resource_manager: root.clone(),
            authority: root.clone(),
            audience: "https://management.azure.com".to_owned(),
            prices: root,
        })
    }

    fn of(arm: &str, authority: &str, audience: &str) -> Self {
        Self {
            resource_manager: https(arm),
            authority: https(authority),
            audience: audience.to_owned(),
            // The price list of the public cloud is the only one there is; it carries the sovereign regions too.
            prices: https("prices.azure.com"),
        }
    }

    /// The scope to ask tokens for.
    pub(crate) fn scope(&self) -> String {
        format!("{}/.default", self.audience.trim_end_matches('/'))
    }

    /// Refuses what would send a token in clear text, or to a path that SDK crates overwrite.
    pub(crate) fn check(&self) -> Result<()> {
        for (what, url) in [
            ("resource manager", &self.resource_manager),
            ("authority", &self.authority),
            ("price list", &self.prices),
        ] {
            if url.scheme() != "https" {
                return Err(Error::config(format!(
                    "the {what} endpoint `{url}` must be an https address: a token would travel in clear text"
                )));
            }
            if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
                return Err(Error::config(format!(
                    "the {what} endpoint `{}` must be a bare https address, without path, query or user",
                    url.host_str().unwrap_or_default()
                )));
            }
        }
        Ok(())
    }
}

#[expect(
    clippy::expect_used,
    reason = "the hosts are constants of this file, each parsed by a test"
)]
fn https(host: &str) -> Url {
    Url::parse(&format!("https://{host}/")).expect("a constant host")
}

/// As whom Slipway acts. There is no automatic chain: what is configured is what is used.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An application with a client secret.
    ClientSecret {
        /// The application (client) id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// Entra workload identity on Kubernetes; the token file is read again when it rotates.
    WorkloadIdentity {
        /// The application (client) id; `None` takes `AZURE_CLIENT_ID`.
        client_id: Option<String>,
        /// The projected service account token; `None` takes `AZURE_FEDERATED_TOKEN_FILE`.
        token_file: Option<PathBuf>,
    },
    /// The identity of the virtual machine or app service that Slipway runs on.
    ManagedIdentity {
        /// The client id of a user-assigned identity; `None` takes the system-assigned one.
        client_id: Option<String>,
    },
    /// Whoever is signed in with `az`; for a developer's machine.
    AzureCli,
}

/// A value that never shows itself: `Debug` and `Display` print `***`. It does not serialise.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value in.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value. Call it only where it is sent.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Time limits of one attempt, and of one call with its retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// One attempt, from sending to the last byte of the answer. ARM gives up on a resource provider after 60 seconds.
    pub attempt: Duration,
    /// The whole call with waiting for its turn and all retries.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            attempt: Duration::from_secs(70),
            call: Duration::from_secs(180),
        }
    }
}
