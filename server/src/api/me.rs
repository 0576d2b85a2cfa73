//! `GET /me` and `/me/tokens`: who asks, and with which tokens.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portal::Portal;
use types::actor::Actor;
use types::ids::TokenId;
use types::problem::Problem;
use types::token::{CreatedToken, NewToken, TokenSummary};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get))
        .routes(routes!(tokens, create))
        .routes(routes!(revoke))
}

/// Who asks, with roles and groups.
#[utoipa::path(get, path = "/me", tag = "me", operation_id = "get_me",
    responses((status = 200, body = Actor), (status = 401, body = Problem)))]
async fn get(SignedIn(actor): SignedIn) -> Json<Actor> {
    Json(actor)
}

/// Tokens of the person who asks.
#[utoipa::path(get, path = "/me/tokens", tag = "me", operation_id = "list_tokens",
    responses((status = 200, body = Vec<TokenSummary>), (status = 401, body = Problem)))]
async fn tokens(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Vec<TokenSummary>>, Failure> {
    Ok(Json(portal.tokens(&actor).await?))
}

/// Makes a token. Its value is in this answer and nowhere else, so an `Idempotency-Key` is not taken here: nobody could answer the same again.
#[utoipa::path(post, path = "/me/tokens", tag = "me", operation_id = "create_token", request_body = NewToken,
    responses((status = 201, body = CreatedToken), (status = 422, body = Problem)))]
async fn create(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Json(new): Json<NewToken>,
) -> Result<impl IntoResponse, Failure> {
    Ok((
        StatusCode::CREATED,
        Json(portal.create_token(&actor, new).await?),
    ))
}

/// Ends a token at once.
#[utoipa::path(delete, path = "/me/tokens/{id}", tag = "me", operation_id = "revoke_token", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn revoke(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(token): Path<String>,
) -> Result<StatusCode, Failure> {
    let token: TokenId = token
        .parse()
        .map_err(|_| portal::Error::NotFound { what: "token" })?;
    portal.revoke_token(&actor, token).await?;
    Ok(StatusCode::NO_CONTENT)
}
