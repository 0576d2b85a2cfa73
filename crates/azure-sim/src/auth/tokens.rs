//! The token endpoint: who gets a token of the application, by its secret or by the assertion of a workload.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::StatusCode;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Authority, Claims};
use crate::seed::{CLIENT_ID, CLIENT_OBJECT_ID, TENANT};

/// How long a token is good, in seconds; Entra's is about an hour.
const LIFETIME: i64 = 3599;

/// Entra's no: one of its numbers and its text.
#[derive(Debug)]
pub(super) struct Denied {
    status: StatusCode,
    /// OAuth's name for it.
    error: &'static str,
    number: u32,
    text: String,
}

impl Denied {
    /// 400.
    pub(super) fn request(error: &'static str, number: u32, text: impl Into<String>) -> Denied {
        Denied {
            status: StatusCode::BAD_REQUEST,
            error,
            number,
            text: text.into(),
        }
    }

    /// 401: not who they say they are.
    pub(super) fn client(number: u32, text: impl Into<String>) -> Denied {
        Denied {
            status: StatusCode::UNAUTHORIZED,
            error: "invalid_client",
            number,
            text: text.into(),
        }
    }

    fn told(&self, now: OffsetDateTime) -> (StatusCode, Value) {
        let [trace, correlation] = [Uuid::new_v4(), Uuid::new_v4()];
        let (number, text) = (self.number, &self.text);
        let at = format!(
            "{} {:02}:{:02}:{:02}Z",
            now.date(),
            now.hour(),
            now.minute(),
            now.second()
        );
        let body = json!({
            "error": self.error,
            "error_description": format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}"),
            "error_codes": [number],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        (self.status, body)
    }
}

impl Authority {
    /// Answers `POST /{tenant}/oauth2/v2.0/token`.
    pub(crate) fn token(
        &self,
        tenant: &str,
        form: &[u8],
        now: OffsetDateTime,
    ) -> Result<Value, (StatusCode, Value)> {
        self.grant(tenant, form, now)
            .map_err(|denied| denied.told(now))
    }

    fn grant(&self, tenant: &str, form: &[u8], now: OffsetDateTime) -> Result<Value, Denied> {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(form).into_owned().collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .map_or("", |(_, value)| value.as_str())
        };
        if !tenant.eq_ignore_ascii_case(TENANT) && tenant != "common" && tenant != "organizations" {
            return Err(Denied::request(
                "invalid_request",
                90002,
                format!(
                    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
                ),
            ));
        }
        let grant = field("grant_type");
        if grant != "client_credentials" {
            return Err(Denied::request(
                "unsupported_grant_type",
                70003,
                format!("The app requested an unsupported grant type '{grant}'."),
            ));
        }
        if !field("client_id").eq_ignore_ascii_case(CLIENT_ID) {
            return Err(Denied::request(
                "unauthorized_client",
                700_016,
                format!(
                    "Application with identifier '{}' was not found in the directory 'Slipway Simulator'.",
                    field("client_id")
                ),
            ));
        }
        let assertion = field("client_assertion");
        if assertion.is_empty() {
            let secret = field("client_secret").as_bytes();
            if !bool::from(secret.ct_eq(self.client_secret.as_bytes())) {
                return Err(Denied::client(
                    7_000_215,
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'Slipway Simulator'.",
                ));
            }
        } else {
            self.workloads
                .check(field("client_assertion_type"), assertion, now)?;
        }
        let scope = [field("scope"), field("resource")]
            .into_iter()
            .find(|scope| !scope.is_empty())
            .ok_or_else(|| {
                Denied::request(
                    "invalid_request",
                    900_144,
                    "The request body must contain the following parameter: 'scope'.",
                )
            })?;
        let audience = scope
            .split(' ')
            .next()
            .unwrap_or("")
            .trim_end_matches("/.default");
        let token = self
            .issue(audience, !assertion.is_empty(), now)
            .ok_or(Denied {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                error: "server_error",
                number: 90033,
                text: "A transient error has occurred. Please try again.".to_owned(),
            })?;
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": token,
        }))
    }

    /// A token of the application for the resource manager, without a call.
    pub(crate) fn access_token(&self, now: OffsetDateTime) -> Result<String, String> {
        self.issue(&self.origin, false, now)
            .ok_or_else(|| "the simulator's signing key cannot be used".to_owned())
    }

    /// `federated`: the application signed in by a workload's assertion instead of its secret.
    fn issue(&self, audience: &str, federated: bool, now: OffsetDateTime) -> Option<String> {
        let at = now.unix_timestamp();
        let claims = Claims {
            aud: audience.to_owned(),
            iss: format!("{}/{TENANT}/", self.origin),
            iat: at,
            nbf: at,
            exp: at + LIFETIME,
            appid: CLIENT_ID.to_owned(),
            appidacr: if federated { "2" } else { "1" }.to_owned(),
            idtyp: "app".to_owned(),
            sub: CLIENT_OBJECT_ID.to_owned(),
            oid: CLIENT_OBJECT_ID.to_owned(),
            tid: TENANT.to_owned(),
            uti: BASE64.encode(rand::random::<[u8; 16]>()),
            ver: "1.0".to_owned(),
        };
        self.key.seal(&json!(claims))
    }
}
