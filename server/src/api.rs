//! REST: `/api/v1`, one file per noun, and the OpenAPI document made from the same routes. Each controller finds the actor and calls one method of the portal.

mod approvals;
mod audit;
mod break_glass;
mod conditional;
mod events;
mod idempotency;
mod limits;
mod me;
mod operations;
mod plans;
mod policies;
mod projects;
mod requests;
mod stacks;
mod templates;

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::http::{AppState, Json};

/// What the document says besides its paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Slipway",
        description = "Self-service provisioning of hardened Linux on Azure. Everything that the pages do, this does. \
            Errors are problem documents (RFC 9457). Send a bearer token that you made on your own page; \
            send `Idempotency-Key` with a POST to be able to repeat it safely.",
        license(name = "MIT", identifier = "MIT")
    ),
    servers((url = "/", description = "This installation")),
    security(("token" = [])),
    components(schemas(types::problem::Problem, types::approval::ApprovalTab)),
    modifiers(&Token),
    tags(
        (name = "templates", description = "The catalogue."),
        (name = "plans", description = "Dry runs."),
        (name = "requests", description = "Proposed changes."),
        (name = "approvals", description = "Decisions."),
        (name = "stacks", description = "The living things."),
        (name = "operations", description = "Executions, with their steps and events."),
        (name = "projects", description = "Spaces of teams."),
        (name = "policies", description = "Guardrails and baseline."),
        (name = "azure", description = "How Slipway stands with Azure."),
        (name = "audit", description = "Who did what."),
        (name = "me", description = "The person who asks, and their tokens."),
    )
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = openapi.components.as_mut() {
            components.add_security_scheme(
                "token",
                SecurityScheme::Http(
                    HttpBuilder::new()
                        .scheme(HttpAuthScheme::Bearer)
                        .bearer_format("slw_…")
                        .build(),
                ),
            );
        }
    }
}

fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi()).nest(
        "/api/v1",
        OpenApiRouter::new()
            .merge(templates::routes())
            .merge(plans::routes())
            .merge(requests::routes())
            .merge(approvals::routes())
            .merge(stacks::routes())
            .merge(operations::routes())
            .merge(events::routes())
            .merge(projects::routes())
            .merge(break_glass::routes())
            .merge(policies::routes())
            .merge(limits::routes())
            .merge(audit::routes())
            .merge(me::routes()),
    )
}

const PROBLEM: &str = "application/problem+json";

/// The routes with the finished document: problems have a type of their own, and every operation may answer with one.
fn parts() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let (router, mut document) = routes().split_for_parts();
    let any_problem = ResponseBuilder::new()
        .description("What went wrong: a problem document (RFC 9457) whose `code` and `type` say which and what to do.")
        .content(
            PROBLEM,
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        )
        .build();
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            for (status, response) in responses.iter_mut() {
                if let RefOr::T(response) = response
                    && status.starts_with(['4', '5'])
                    && let Some(content) = response.content.shift_remove("application/json")
                {
                    response.content.insert(PROBLEM.to_owned(), content);
                }
            }
            responses.insert("default".to_owned(), RefOr::T(any_problem.clone()));
        }
    }
    (router, document)
}

/// The routes, and `/api/openapi.json` that describes them.
pub(crate) fn router(_: &AppState) -> Router<AppState> {
    let (router, document) = parts();
    router.route(
        "/api/openapi.json",
        get(move || std::future::ready(Json(document.clone()))),
    )
}

/// The document as `slipway openapi` prints it.
pub(crate) fn document_json() -> Result<String> {
    let (_, document) = parts();
    Ok(document.to_pretty_json()?)
}
