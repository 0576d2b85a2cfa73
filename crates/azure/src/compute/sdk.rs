//! `azure_mgmt_compute` on our transport: the SDK builds requests, [`Transport`] sends them.
//!
//! So its calls wait their turn, carry the real token (the SDK only ever sees a placeholder, which is all that its debug output could show), go to our
//! origin only, and fail with our error. Only `.send()` and page streams are used: awaiting a create builder repeats the PUT and calls it polling.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::auth::{AccessToken, TokenCredential};
use azure_core::error::ErrorKind as SdkErrorKind;
use azure_core::headers::Headers;
use azure_core::{
    Body, BytesStream, ClientOptions, HttpClient, Request, Response, RetryOptions, StatusCode,
    TransportOptions,
};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::transport::{Answer, Call, CallKind, Repeat, Transport};

/// The version the SDK's virtual machine builders ask for.
pub(crate) const API_VERSION: &str = "2024-07-01";

/// The SDK's client.
pub(crate) struct Sdk {
    pub(crate) client: azure_mgmt_compute::package_2024_07_01::Client,
}

impl Sdk {
    pub(crate) fn new(transport: &Transport) -> Self {
        let options =
            ClientOptions::new(TransportOptions::new(Arc::new(Bridge(transport.clone()))))
                .retry(RetryOptions::none());
        let endpoints = transport.endpoints();
        Self {
            client: azure_mgmt_compute::package_2024_07_01::Client::new(
                endpoints.resource_manager.clone(),
                Arc::new(Placeholder),
                vec![endpoints.scope()],
                options,
            ),
        }
    }
}

/// Stands where the SDK wants a credential: the transport below puts the token in.
#[derive(Debug)]
struct Placeholder;

#[async_trait]
impl TokenCredential for Placeholder {
    async fn get_token(&self, _scopes: &[&str]) -> azure_core::Result<AccessToken> {
        let for_ever = time::OffsetDateTime::now_utc() + time::Duration::days(1);
        Ok(AccessToken::new("placeholder", for_ever))
    }

    async fn clear_cache(&self) -> azure_core::Result<()> {
        Ok(())
    }
}

struct Bridge(Transport);

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bridge")
    }
}

#[async_trait]
impl HttpClient for Bridge {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<Response> {
        let call = call(request).map_err(wrapped)?;
        let answer = self.0.send(call).await.map_err(wrapped)?;
        let mut headers = Headers::new();
        for (name, value) in &answer.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = StatusCode::try_from(answer.status)
            .map_err(|_| wrapped(Error::bad_answer(format!("status {}", answer.status))))?;
        let bytes = match &answer.body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        Ok(Response::new(
            status,
            headers,
            Box::pin(BytesStream::new(bytes)),
        ))
    }
}

fn call(request: &Request) -> Result<Call> {
    let method = Method::from_bytes(request.method().as_ref().as_bytes())
        .map_err(|_| Error::invalid("InvalidMethod", "a method that is none"))?;
    let (kind, repeat) = match method {
        Method::GET | Method::HEAD => (CallKind::Read, Repeat::Safe),
        Method::DELETE => (CallKind::Delete, Repeat::Safe),
        _ => (CallKind::Write, Repeat::Unsafe),
    };
    let mut call = Call::new(method, request.url().clone(), kind, repeat);
    if let Body::Bytes(bytes) = request.body()
        && !bytes.is_empty()
    {
        let mut body: Value = serde_json::from_slice(bytes)
            .map_err(|error| Error::invalid("InvalidBody", error.to_string()))?;
        // The SDK writes `"timeCreated": null` and the like, which ARM reads as a wish to clear.
        strip_nulls(&mut body);
        call.body = Some(body);
    }
    Ok(call)
}

fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

/// Our error in the SDK's clothes, for the way through its pipeline.
fn wrapped(error: Error) -> azure_core::Error {
    azure_core::Error::new(SdkErrorKind::Other, error)
}

/// Our error again, or what the SDK had to say by itself.
pub(crate) fn error(error: azure_core::Error) -> Error {
    match error.into_downcast::<Error>() {
        Ok(ours) => ours,
        Err(theirs) => Error::bad_answer(format!("Azure's answer has another shape: {theirs}")),
    }
}

/// The SDK's response as our answer.
pub(crate) async fn answer(response: Response) -> Result<Answer> {
    let (status, sdk_headers, body) = response.deconstruct();
    let mut headers = HeaderMap::new();
    for (name, value) in sdk_headers.iter() {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_str().as_bytes()),
            HeaderValue::from_str(value.as_str()),
        ) {
            headers.insert(name, value);
        }
    }
    let bytes = body.collect().await.map_err(error)?;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).map_err(|error| Error::bad_answer(error.to_string()))?
    };
    Ok(Answer::new(u16::from(status), headers, body))
}
