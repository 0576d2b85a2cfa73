//! Entra's part: tokens by client credentials, signed here and checked by the resource manager (facts: azure.md 4.2). Which routes need one is decided in `wire`.

mod keys;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::seed::{CLIENT_ID, CLIENT_OBJECT_ID, TENANT};
use crate::wire::errors::Refusal;
pub(crate) use keys::SigningKey;

/// How long a token is good, in seconds; Entra's is about an hour.
const LIFETIME: i64 = 3599;

pub(crate) struct Authority {
    pub(crate) key: SigningKey,
    pub(crate) client_secret: String,
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

    /// The token endpoint: client secret, or an assertion that has the shape of a workload's token.
    pub(crate) fn token(
        &self,
        tenant: &str,
        form: &[u8],
        now: OffsetDateTime,
    ) -> Result<Value, (StatusCode, Value)> {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(form).into_owned().collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .map_or("", |(_, value)| value.as_str())
        };
        let refuse = |status: StatusCode, error: &str, number: u32, text: String| {
            Err((
                status,
                json!({
                    "error": error,
                    "error_description": format!("AADSTS{number}: {text} Trace ID: {} Correlation ID: {}", Uuid::new_v4(), Uuid::new_v4()),
                    "error_codes": [number],
                    "timestamp": now.to_string(),
                    "trace_id": Uuid::new_v4(),
                    "correlation_id": Uuid::new_v4(),
                }),
            ))
        };
        if !tenant.eq_ignore_ascii_case(TENANT) && tenant != "common" && tenant != "organizations" {
            return refuse(
                StatusCode::BAD_REQUEST,
                "invalid_tenant",
                90002,
                format!(
                    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
                ),
            );
        }
        let grant = field("grant_type");
        if grant != "client_credentials" {
            return refuse(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                70003,
                format!("The app requested an unsupported grant type '{grant}'."),
            );
        }
        if !field("client_id").eq_ignore_ascii_case(CLIENT_ID) {
            return refuse(
                StatusCode::BAD_REQUEST,
                "unauthorized_client",
                700_016,
                format!(
                    "Application with identifier '{}' was not found in the directory 'Slipway Simulator'.",
                    field("client_id")
                ),
            );
        }
        let secret = field("client_secret");
        let assertion = field("client_assertion");
        let known = if assertion.is_empty() {
            bool::from(secret.as_bytes().ct_eq(self.client_secret.as_bytes()))
        } else {
            assertion.split('.').count() == 3
                && field("client_assertion_type")
                    == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        };
        if !known {
            return refuse(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.".to_owned());
        }
        let scope = [field("scope"), field("resource")]
            .into_iter()
            .find(|scope| !scope.is_empty())
            .unwrap_or("");
        if scope.is_empty() {
            return refuse(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                900_144,
                "The request body must contain the following parameter: 'scope'.".to_owned(),
            );
        }
        let audience = scope
            .split(' ')
            .next()
            .unwrap_or("")
            .trim_end_matches("/.default");
        let at = now.unix_timestamp();
        let claims = Claims {
            aud: audience.to_owned(),
            iss: format!("{}/{TENANT}/", self.origin),
            iat: at,
            nbf: at,
            exp: at + LIFETIME,
            appid: CLIENT_ID.to_owned(),
            appidacr: if assertion.is_empty() { "1" } else { "2" }.to_owned(),
            idtyp: "app".to_owned(),
            sub: CLIENT_OBJECT_ID.to_owned(),
            oid: CLIENT_OBJECT_ID.to_owned(),
            tid: TENANT.to_owned(),
            uti: BASE64.encode(rand::random::<[u8; 16]>()),
            ver: "1.0".to_owned(),
        };
        let header = BASE64.encode(
            json!({ "typ": "JWT", "alg": "RS256", "kid": self.key.id, "x5t": self.key.id })
                .to_string(),
        );
        let payload = BASE64.encode(json!(claims).to_string());
        let signed = format!("{header}.{payload}");
        let Some(signature) = self.key.sign(&signed) else {
            return refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                90033,
                "A transient error has occurred. Please try again.".to_owned(),
            );
        };
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": format!("{signed}.{signature}"),
        }))
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
            .and_then(|token| self.claims(token))
            .ok_or_else(invalid)?;
        if !claims.tid.eq_ignore_ascii_case(TENANT) || !claims.iss.starts_with(&self.origin_free())
        {
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

    /// The issuer up to the tenant. The port may change between runs of one data directory; the signature is what counts.
    fn origin_free(&self) -> String {
        self.origin
            .split_once("://")
            .map_or_else(String::new, |(scheme, _)| format!("{scheme}://"))
    }

    fn claims(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        if !self.key.verify(signed, signature) {
            return None;
        }
        let (header, payload) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
        // The algorithm is ours to choose, never the token's.
        if header.get("alg")?.as_str()? != "RS256" {
            return None;
        }
        serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()
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
