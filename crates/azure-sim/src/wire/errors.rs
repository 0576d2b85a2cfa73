//! Azure's error words: what a refusal says and how it is written on the wire (facts: azure.md 4.5). Which refusal fits is decided where it is made.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One error as Azure nests them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<Problem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) additional_info: Vec<Value>,
}

impl Problem {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem {
            code: code.into(),
            message: message.into(),
            target: None,
            details: Vec::new(),
            additional_info: Vec::new(),
        }
    }
}

/// A request that is not done: status, problem, and the few headers that go with it.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) problem: Box<Problem>,
    /// Written without the `error` wrapper, as the AKS provider does.
    pub(crate) flat: bool,
    /// Answered by ARM itself, not by a provider.
    pub(crate) gateway: bool,
    pub(crate) retry_after: Option<u64>,
    pub(crate) authenticate: Option<String>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Refusal {
        Refusal {
            status,
            problem: Box::new(Problem::new(code, message)),
            flat: false,
            gateway: false,
            retry_after: None,
            authenticate: None,
        }
    }

    /// What went wrong in the simulator itself, while it answered.
    pub(crate) fn broken(error: &crate::Error) -> Refusal {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            error.to_string(),
        )
    }

    pub(crate) fn bad(code: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn conflict(code: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::CONFLICT, code, message)
    }

    pub(crate) fn missing(code: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, code, message).by_gateway()
    }

    pub(crate) fn group_not_found(group: &str) -> Refusal {
        Refusal::missing(
            "ResourceGroupNotFound",
            format!("Resource group '{group}' could not be found."),
        )
    }

    pub(crate) fn resource_not_found(kind: &str, name: &str, group: &str) -> Refusal {
        Refusal::missing(
            "ResourceNotFound",
            format!(
                "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
            ),
        )
    }

    pub(crate) fn required(path: &str) -> Refusal {
        Refusal::bad(
            "InvalidParameter",
            format!("Required parameter '{path}' is missing (null)."),
        )
        .at(path)
    }

    pub(crate) fn unchangeable(path: &str) -> Refusal {
        Refusal::conflict(
            "PropertyChangeNotAllowed",
            format!("Changing property '{path}' is not allowed."),
        )
        .at(path)
    }

    pub(crate) fn at(mut self, target: impl Into<String>) -> Refusal {
        self.problem.target = Some(target.into());
        self
    }

    pub(crate) fn by_gateway(mut self) -> Refusal {
        self.gateway = true;
        self
    }

    pub(crate) fn with_details(mut self, details: Vec<Problem>) -> Refusal {
        self.problem.details = details;
        self
    }

    pub(crate) fn body(&self) -> Value {
        if self.flat {
            json!({
                "code": self.problem.code,
                "details": null,
                "message": self.problem.message,
                "subcode": "",
                "target": self.problem.target,
            })
        } else {
            json!({ "error": self.problem })
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = crate::wire::headers::json(self.status, &self.body());
        let headers = response.headers_mut();
        if self.gateway {
            headers.insert("x-ms-failure-cause", HeaderValue::from_static("gateway"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(value) = self
            .authenticate
            .as_deref()
            .and_then(|value| HeaderValue::from_str(value).ok())
        {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}
