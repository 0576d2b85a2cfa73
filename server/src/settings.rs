//! The Azure settings file: endpoints, tenant and credential. The sandbox writes one for its simulator; everything else only reads one.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use url::Url;

/// What `--azure FILE` holds, as JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AzureSettings {
    /// Azure Resource Manager, such as `https://management.azure.com/`.
    pub(crate) resource_manager: Url,
    /// Microsoft Entra, such as `https://login.microsoftonline.com/`.
    pub(crate) authority: Url,
    /// The audience of ARM's tokens, such as `https://management.azure.com`.
    pub(crate) audience: String,
    /// Retail prices, such as `https://prices.azure.com/`.
    pub(crate) prices: Url,
    /// The tenant's id.
    pub(crate) tenant_id: String,
    /// How Slipway signs in to Azure.
    pub(crate) credential: CredentialSettings,
    /// Certificates trusted besides the public ones, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extra_roots_pem: Option<String>,
}

/// How Slipway signs in to Azure.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum CredentialSettings {
    /// An application with a secret.
    ClientSecret {
        /// The application's id.
        client_id: String,
        /// Its secret.
        client_secret: String,
    },
    /// A federated token in a file (AKS workload identity).
    WorkloadIdentity {
        /// The application's id.
        client_id: String,
        /// Where the token lies.
        token_file: std::path::PathBuf,
    },
    /// The machine's managed identity.
    ManagedIdentity {
        /// The user-assigned identity's client id; the system-assigned one when absent.
        #[serde(default)]
        client_id: Option<String>,
    },
    /// Whoever is signed in with the `az` command; for trying things.
    AzureCli,
}

impl AzureSettings {
    /// Reads a settings file.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("the Azure settings {} cannot be read", file.display()))?;
        // serde_json's message names the field and the place, never a value.
        serde_json::from_str(&text)
            .with_context(|| format!("the Azure settings {} do not fit", file.display()))
    }

    /// Writes a settings file that only this user can read, whole or not at all.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        use std::io::Write as _;
        let directory = file.parent().unwrap_or(Path::new("."));
        let part = directory.join(".azure.json.part");
        let mut open = std::fs::OpenOptions::new();
        open.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            open.mode(0o600);
        }
        let mut out = open
            .open(&part)
            .with_context(|| format!("{} cannot be written", part.display()))?;
        out.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        out.sync_all()?;
        std::fs::rename(&part, file)?;
        Ok(())
    }

    /// True when ARM and its authority are on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.resource_manager) && is_loopback(&self.authority)
    }
}

/// True when a URL leads to this machine and nowhere else.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
