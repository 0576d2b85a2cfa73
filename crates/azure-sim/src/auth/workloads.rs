//! A Kubernetes cluster as an issuer of tokens, and the federated credential by which its workloads sign in as the application without a secret
//! (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation>).
//!
//! There is no cluster: `POST /_sim/workload-token` gives what the kubelet would project into a pod.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::keys::{NotSigned, SigningKey};
use super::tokens::Denied;
use crate::Error;
use crate::seed::{WORKLOAD_AUDIENCE, WORKLOAD_SUBJECT};
use crate::server::files;

/// What OAuth calls an assertion that is a JSON web token (RFC 7523).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The clocks of two machines may differ by this, in seconds.
const SKEW: i64 = 300;

pub(crate) struct Workloads {
    /// Where the key is kept, if anywhere.
    path: Option<PathBuf>,
    /// Made when the first token is asked for: it takes a moment that few simulators need.
    key: OnceLock<SigningKey>,
    issuer: String,
}

/// A token to be minted.
#[derive(Debug, Clone)]
pub(crate) struct Projection {
    pub(crate) subject: Option<String>,
    pub(crate) audience: Option<String>,
    /// Seconds from now; may be negative, for a token that is over.
    pub(crate) expires_in: i64,
}

impl Workloads {
    /// A cluster whose issuer is `{origin}/workloads`.
    pub(crate) fn new(directory: Option<PathBuf>, origin: &str) -> Workloads {
        Workloads {
            path: directory.map(|directory| directory.join("workload-key")),
            key: OnceLock::new(),
            issuer: format!("{origin}/workloads"),
        }
    }

    fn key(&self) -> Result<&SigningKey, Error> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let kept = self.path.as_deref().map(files::read).transpose()?;
        let text = match kept.flatten() {
            Some(text) => text,
            None => {
                let made = SigningKey::generate()?;
                if let Some(path) = &self.path {
                    files::write(path, &made)?;
                }
                made
            }
        };
        let key = SigningKey::read(&text)?;
        Ok(self.key.get_or_init(|| key))
    }

    /// The issuer's discovery document.
    pub(crate) fn configuration(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{}/openid/v1/jwks", self.issuer),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    /// The issuer's keys.
    pub(crate) fn keys(&self) -> Result<Value, Error> {
        Ok(self.key()?.published(&self.issuer))
    }

    /// A token of a workload, as the kubelet projects it.
    pub(crate) fn mint(&self, wanted: &Projection, now: OffsetDateTime) -> Result<String, Error> {
        let subject = wanted.subject.as_deref().unwrap_or(WORKLOAD_SUBJECT);
        let audience = wanted.audience.as_deref().unwrap_or(WORKLOAD_AUDIENCE);
        let now = now.unix_timestamp();
        let claims = json!({
            "iss": self.issuer,
            "sub": subject,
            "aud": [audience],
            "iat": now.min(now + wanted.expires_in),
            "nbf": now.min(now + wanted.expires_in),
            "exp": now + wanted.expires_in,
        });
        self.key()?
            .seal(&claims)
            .ok_or_else(|| Error::Certificate("the workloads' key does not sign".to_owned()))
    }

    /// Whether the application's federated credential takes this assertion.
    pub(super) fn check(
        &self,
        kind: &str,
        assertion: &str,
        now: OffsetDateTime,
    ) -> Result<(), Denied> {
        if kind != ASSERTION_TYPE {
            return Err(Denied::request(
                "invalid_request",
                50027,
                format!(
                    "JWT token is invalid or malformed. The 'client_assertion_type' must be '{ASSERTION_TYPE}'."
                ),
            ));
        }
        let key = self.key().map_err(|error| {
            Denied::request("temporarily_unavailable", 90033, error.to_string())
        })?;
        let claims = key.open(assertion).map_err(|why| match why {
            NotSigned::NoToken => Denied::request(
                "invalid_request",
                50027,
                "JWT token is invalid or malformed.",
            ),
            NotSigned::OtherAlgorithm(name) => Denied::client(
                5_002_738,
                format!(
                    "Invalid JWT token. '{name}' is not a supported signature algorithm. Supported signing algorithms are: 'RS256,RS384,RS512'."
                ),
            ),
            NotSigned::OtherKey(id) => Denied::client(
                7_000_272,
                format!(
                    "The certificate with identifier {id} used to sign the federated credential could not be found in the metadata of identity provider {}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token.",
                    self.issuer
                ),
            ),
            NotSigned::Forged => {
                Denied::client(700_027, "Client assertion contains an invalid signature.")
            }
        })?;
        let text = |name: &str| claims[name].as_str().unwrap_or_default();
        let mismatch = |number: u32, what: &str, given: &str| {
            Denied::client(
                number,
                format!(
                    "No matching federated identity record found for presented assertion {what} '{given}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
                ),
            )
        };
        // The port may change between runs of one data directory; the key is what makes it this cluster.
        if !text("iss").ends_with("/workloads") {
            return Err(mismatch(700_211, "issuer", text("iss")));
        }
        let audiences: Vec<&str> = match &claims["aud"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if audiences != [WORKLOAD_AUDIENCE] {
            return Err(mismatch(700_212, "audience", &audiences.join(", ")));
        }
        if text("sub") != WORKLOAD_SUBJECT {
            return Err(mismatch(700_213, "subject", text("sub")));
        }
        let time = |name: &str| claims[name].as_i64().unwrap_or_default();
        let at = now.unix_timestamp();
        if at >= time("exp") + SKEW || at + SKEW < time("nbf") {
            let told = |at: i64| {
                OffsetDateTime::from_unix_timestamp(at)
                    .ok()
                    .and_then(|at| at.format(&Rfc3339).ok())
                    .unwrap_or_default()
            };
            return Err(Denied::client(
                700_024,
                format!(
                    "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
                    told(at),
                    told(time("nbf")),
                    told(time("exp"))
                ),
            ));
        }
        Ok(())
    }
}
