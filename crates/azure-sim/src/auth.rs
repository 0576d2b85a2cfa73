//! Entra's part: its documents, and the check of a token by the resource manager (facts: azure.md 4.2). Tokens are given in `tokens`; which routes need one is decided in `wire`.

mod keys;
mod tokens;
mod workloads;

use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;

use crate::seed::TENANT;
use crate::wire::errors::Refusal;
pub(crate) use keys::SigningKey;
pub(crate) use workloads::{Projection, Workloads};

pub(crate) struct Authority {
    pub(crate) key: SigningKey,
    pub(crate) client_secret: String,
    /// The cluster whose workloads may sign in as the application.
    pub(crate) workloads: Workloads,
    /// Of the simulator, without a slash at the end.
    pub(crate) origin: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    appid: String,
    #[serde(default)]
    appidacr: String,
    #[serde(default)]
    idtyp: String,
    #[serde(default)]
    sub: String,
    oid: String,
    tid: String,
    uti: String,
    ver: String,
}

impl Authority {
    pub(crate) fn keys(&self, tenant: &str) -> Value {
        self.key
            .published(&format!("{}/{tenant}/v2.0", self.origin))
    }

    pub(crate) fn openid_configuration(&self, tenant: &str) -> Value {
        let origin = &self.origin;
        json!({
            "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": format!("{origin}/{tenant}/v2.0"),
            "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/devicecode"),
            "end_session_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/logout"),
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        })
    }

    /// `/metadata/endpoints`: the simulator as a cloud of its own. Until 2019-05-01 and without a version it is a list of clouds, from 2022-09-01 on this one alone: `az cloud register` reads that.
    pub(crate) fn metadata(&self, api_version: &str) -> Value {
        let origin = &self.origin;
        let cloud = json!({
            "name": "SlipwaySimulator",
            "portal": format!("{origin}/"),
            "authentication": {
                "loginEndpoint": origin,
                "audiences": ["https://management.azure.com/", "https://management.core.windows.net/"],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "graph": format!("{origin}/"),
            "graphAudience": format!("{origin}/"),
            "microsoftGraphResourceId": format!("{origin}/"),
            "resourceManager": format!("{origin}/"),
            "gallery": format!("{origin}/"),
            "batch": "https://batch.core.windows.net/",
            "sqlManagement": "https://management.core.windows.net:8443/",
            "vmImageAliasDoc": format!("{origin}/images/aliases.json"),
            "suffixes": { "storage": "core.windows.net", "keyVaultDns": "vault.azure.net", "acrLoginServer": "azurecr.io", "sqlServerHostname": "database.windows.net" },
        });
        if api_version >= "2022-09-01" {
            cloud
        } else {
            json!([cloud])
        }
    }

    /// Checks the bearer token of a request to the resource manager.
    pub(crate) fn check(&self, headers: &HeaderMap, now: OffsetDateTime) -> Result<(), Refusal> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Err(self.refuse(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            ));
        };
        let token = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let invalid = || {
            self.refuse(
                "InvalidAuthenticationToken",
                "The access token is invalid.",
                "Could not validate the access token's signature.",
            )
        };
        let claims = token
            .and_then(|token| self.key.open(token).ok())
            .and_then(|claims| serde_json::from_value::<Claims>(claims).ok())
            .ok_or_else(invalid)?;
        if !claims.tid.eq_ignore_ascii_case(TENANT) || !self.is_issuer(&claims.iss) {
            return Err(self.refuse(
                "InvalidAuthenticationTokenTenant",
                format!("The access token is from the wrong issuer '{}'.", claims.iss),
                "The access token is from the wrong issuer. It must match the tenant associated with this subscription.",
            ));
        }
        let audience = claims.aud.trim_end_matches('/');
        let known = [
            "https://management.azure.com",
            "https://management.core.windows.net",
            &self.origin,
        ];
        if !known
            .iter()
            .any(|known| known.eq_ignore_ascii_case(audience))
        {
            return Err(self.refuse(
                "InvalidAuthenticationTokenAudience",
                format!("The access token has been obtained for wrong audience or resource '{}'. It should exactly match with one of the allowed audiences.", claims.aud),
                "The access token has been obtained for wrong audience or resource.",
            ));
        }
        if now.unix_timestamp() >= claims.exp {
            return Err(self.refuse(
                "ExpiredAuthenticationToken",
                "The access token expiry UTC time is in the past.",
                "The access token has expired.",
            ));
        }
        if now.unix_timestamp() + 300 < claims.nbf {
            return Err(self.refuse(
                "InvalidAuthenticationToken",
                "The access token is not valid yet.",
                "The access token is not valid yet.",
            ));
        }
        Ok(())
    }

    /// The port may change between runs of one data directory, the rest may not.
    fn is_issuer(&self, claimed: &str) -> bool {
        let ours = Url::parse(&self.origin).ok();
        let theirs = Url::parse(claimed).ok();
        ours.zip(theirs).is_some_and(|(ours, theirs)| {
            (ours.scheme(), ours.host()) == (theirs.scheme(), theirs.host())
                && theirs.path() == format!("/{TENANT}/")
        })
    }

    fn refuse(&self, code: &str, message: impl Into<String>, description: &str) -> Refusal {
        let mut refusal = Refusal::new(StatusCode::UNAUTHORIZED, code, message).by_gateway();
        // Clients discover the tenant here, so it is there without a token too.
        refusal.authenticate = Some(format!(
            "Bearer authorization_uri=\"{}/{TENANT}\", error=\"invalid_token\", error_description=\"{description}\"",
            self.origin
        ));
        refusal
    }
}
