//! One source of tokens: azure_identity's credentials, our https client below them, and a cache that many calls share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core_1::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core_1::credentials::{Secret as SdkSecret, TokenCredential};
use azure_core_1::error::ErrorKind as SdkErrorKind;
use azure_core_1::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport};
use azure_identity_1 as identity;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::config::{Config, Credential, Endpoints};
use crate::error::{Error, ErrorKind, Result};
use crate::wire::{Failure, Wire};

/// A token this close to its end is replaced.
const RENEW_BEFORE: time::Duration = time::Duration::minutes(5);
/// A token this close to its end may be over before it arrives.
const NEARLY_OVER: time::Duration = time::Duration::seconds(30);
/// The longest that a caller with a living token waits for a fresh one.
const RENEWAL_LIMIT: Duration = Duration::from_secs(10);
/// After a renewal that failed, while the old token lives.
const RENEWAL_REST: Duration = Duration::from_secs(30);

/// A bearer token. Its `Debug` shows only when it ends.
#[derive(Clone)]
pub(crate) struct Token {
    value: Arc<str>,
    expires_at: OffsetDateTime,
}

impl Token {
    pub(crate) fn expose(&self) -> &str {
        &self.value
    }

    fn lives_for(&self) -> time::Duration {
        self.expires_at - OffsetDateTime::now_utc()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(*** until {})", self.expires_at)
    }
}

/// Gives everybody the same token until it is nearly over. One asks the authority; the others use the old token meanwhile, and wait only where there is none.
pub(crate) struct TokenSource {
    recipe: Recipe,
    scope: String,
    state: Mutex<State>,
    /// Held by the one that asks the authority.
    renewing: tokio::sync::Mutex<()>,
}

struct State {
    /// `None` after a refusal: it is made anew when it is next needed, because azure_identity keeps what it read of a token file for minutes, and tokens in a cache of its own.
    credential: Option<Arc<dyn TokenCredential>>,
    token: Option<Token>,
    /// When to try again after a renewal that failed.
    not_before: Option<Instant>,
}

/// What a credential is made of.
struct Recipe {
    endpoints: Endpoints,
    tenant_id: String,
    credential: Credential,
    wire: Wire,
}

impl TokenSource {
    pub(crate) fn new(config: &Config, wire: Wire) -> Result<Self> {
        let recipe = Recipe {
            endpoints: config.endpoints.clone(),
            tenant_id: config.tenant_id.clone(),
            credential: config.credential.clone(),
            wire,
        };
        Ok(Self {
            scope: config.endpoints.scope(),
            state: Mutex::new(State {
                credential: Some(recipe.make()?),
                token: None,
                not_before: None,
            }),
            renewing: tokio::sync::Mutex::default(),
            recipe,
        })
    }

    pub(crate) async fn token(&self) -> Result<Token> {
        let Some(living) = self.living() else {
            let _renewing = self.renewing.lock().await;
            // Whoever was first may have brought one.
            return match self.living() {
                Some(token) => Ok(token),
                None => self.renew().await,
            };
        };
        if living.lives_for() > RENEW_BEFORE || self.state().rests() {
            return Ok(living);
        }
        let Ok(_renewing) = self.renewing.try_lock() else {
            return Ok(living);
        };
        // azure_identity tries again for a minute or more: too long for a caller that has a token.
        let why = match tokio::time::timeout(RENEWAL_LIMIT, self.renew()).await {
            Ok(Ok(fresh)) => return Ok(fresh),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the authority did not answer in time".to_owned(),
        };
        tracing::warn!(reason = %why, "the token could not be renewed yet");
        let mut state = self.state();
        state.credential = None;
        state.not_before = Some(Instant::now() + RENEWAL_REST);
        Ok(living)
    }

    /// Throws away a token that ARM refused, unless somebody already has.
    pub(crate) fn forget(&self, token: &Token) {
        let mut state = self.state();
        let current = state
            .token
            .as_ref()
            .is_some_and(|held| held.value == token.value);
        if current {
            state.credential = None;
            state.token = None;
        }
    }

    /// The token, while it still opens doors.
    fn living(&self) -> Option<Token> {
        let token = self.state().token.clone()?;
        (token.lives_for() > NEARLY_OVER).then_some(token)
    }

    /// Asks the authority. Only under `renewing`.
    async fn renew(&self) -> Result<Token> {
        let held = self.state().credential.clone();
        let credential = match held {
            Some(credential) => credential,
            None => self.recipe.make()?,
        };
        self.state().credential = Some(credential.clone());
        let answer = credential.get_token(&[&self.scope], None).await;
        let mut state = self.state();
        match answer {
            Ok(fresh) => {
                let token = Token {
                    value: fresh.token.secret().into(),
                    expires_at: fresh.expires_on,
                };
                state.token = Some(token.clone());
                state.not_before = None;
                Ok(token)
            }
            Err(error) => {
                state.credential = None;
                Err(refused(&error))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The authority has just failed and is left alone for a while.
    fn rests(&self) -> bool {
        self.not_before.is_some_and(|then| then > Instant::now())
    }
}

impl Recipe {
    fn make(&self) -> Result<Arc<dyn TokenCredential>> {
        let made: azure_core_1::Result<Arc<dyn TokenCredential>> = match &self.credential {
            Credential::ClientSecret { client_id, secret } => {
                identity::ClientSecretCredential::new(
                    &self.tenant_id,
                    client_id.clone(),
                    SdkSecret::new(secret.expose().to_owned()),
                    Some(identity::ClientSecretCredentialOptions {
                        client_options: self.options(),
                    }),
                )
                .map(|credential| credential as _)
            }
            Credential::WorkloadIdentity {
                client_id,
                token_file,
            } => {
                let options = identity::WorkloadIdentityCredentialOptions {
                    credential_options: identity::ClientAssertionCredentialOptions {
                        client_options: self.options(),
                    },
                    client_id: client_id.clone(),
                    tenant_id: Some(self.tenant_id.clone()),
                    token_file_path: token_file.clone(),
                };
                identity::WorkloadIdentityCredential::new(Some(options))
                    .map(|credential| credential as _)
            }
            Credential::ManagedIdentity { client_id } => {
                let options = identity::ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(identity::UserAssignedId::ClientId),
                    client_options: self.metadata_options()?,
                };
                identity::ManagedIdentityCredential::new(Some(options))
                    .map(|credential| credential as _)
            }
            Credential::AzureCli => {
                let options = identity::AzureCliCredentialOptions {
                    tenant_id: Some(self.tenant_id.clone()),
                    ..Default::default()
                };
                identity::AzureCliCredential::new(Some(options)).map(|credential| credential as _)
            }
        };
        made.map_err(|error| {
            Error::config(format!("the credential cannot be used: {}", reason(&error)))
        })
    }

    /// Our authority and our https client. azure_identity asks no discovery document: the authority is taken as configured.
    fn options(&self) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = self
            .endpoints
            .authority
            .as_str()
            .trim_end_matches('/')
            .to_owned();
        ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            transport: Some(Transport::new(Arc::new(Sender(self.wire.clone())))),
            ..Default::default()
        }
    }

    /// The metadata service of a virtual machine speaks plain http at a link-local address and must not be reached through a proxy.
    fn metadata_options(&self) -> Result<ClientOptions> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::config(format!("no http client can be made: {error}")))?;
        Ok(ClientOptions {
            transport: Some(Transport::new(Arc::new(Sender(Wire::Https(client))))),
            ..Default::default()
        })
    }
}

/// Our wire below azure_core 1.x, whose own transport would bring reqwest 0.13 along. It logs nothing: a token request's body is a secret.
#[derive(Debug)]
struct Sender(Wire);

#[async_trait]
impl HttpClient for Sender {
    async fn execute_request(&self, request: &Request) -> azure_core_1::Result<AsyncRawResponse> {
        let unfit =
            |error: http::Error| azure_core_1::Error::new(SdkErrorKind::DataConversion, error);
        let mut outgoing = http::Request::builder()
            .method(request.method().as_str())
            .uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        let body = azure_core_1::Bytes::from(request.body());
        let outgoing = outgoing.body(body.to_vec()).map_err(unfit)?;
        let answer = self.0.send(outgoing).await.map_err(|failure| {
            let (kind, why) = match failure {
                Failure::Unsent(why) => (SdkErrorKind::Connection, why),
                Failure::Lost(why) => (SdkErrorKind::Io, why),
            };
            azure_core_1::Error::new(kind, std::io::Error::other(why))
        })?;
        let mut headers = azure_core_1::http::headers::Headers::new();
        for (name, value) in &answer.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        Ok(AsyncRawResponse::from_bytes(
            answer.status.into(),
            headers,
            answer.body,
        ))
    }
}

/// What the authority said. Its texts (`AADSTS7000215: Invalid client secret provided…`) name ids, never the secret.
fn refused(error: &azure_core_1::Error) -> Error {
    let kind = match http_status(error) {
        Some(429 | 500..=599) => ErrorKind::Unavailable,
        Some(_) => ErrorKind::Unauthorized,
        None if is_io(error) => ErrorKind::Unavailable,
        None => ErrorKind::Unauthorized,
    };
    let reason = reason(error);
    let code = reason
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| word.starts_with("AADSTS"))
        .unwrap_or("CredentialFailed")
        .to_owned();
    Error::new(kind, &code, format!("No token for Azure: {reason}"))
}

fn reason(error: &azure_core_1::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !inner_text.is_empty() && !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

/// azure_identity wraps what the pipeline said: the status is further in.
fn http_status(error: &azure_core_1::Error) -> Option<u16> {
    chain(error).find_map(|error| match error.kind() {
        SdkErrorKind::HttpResponse { status, .. } => Some(u16::from(*status)),
        _ => None,
    })
}

fn is_io(error: &azure_core_1::Error) -> bool {
    chain(error).any(|error| matches!(error.kind(), SdkErrorKind::Io | SdkErrorKind::Connection))
}

fn chain(error: &azure_core_1::Error) -> impl Iterator<Item = &azure_core_1::Error> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .filter_map(|error| error.downcast_ref::<azure_core_1::Error>())
}
