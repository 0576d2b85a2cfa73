//! What a project's page asks for: breaking glass, and ending that.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use types::break_glass::{BreakGlass, NewBreakGlass};
use types::names::ProjectName;

use super::{AppState, Posted, action, id, see};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/projects/{name}/break-glass", action(begin))
        .route(
            "/projects/{name}/break-glass/{id}/end",
            post(end).get(async |Path((name, _)): Path<(String, String)>| see(&page(&name))),
        )
}

/// The project's page; a name that is none leads to the list.
fn page(name: &str) -> String {
    match name.parse::<ProjectName>() {
        Ok(name) => format!("/projects/{name}"),
        Err(_) => "/projects".to_owned(),
    }
}

async fn begin(
    State(state): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Response {
    let new = NewBreakGlass {
        reason: posted.text("reason").to_owned(),
    };
    let done = async {
        let project = id(&name, "project")?;
        state.portal.break_glass(&posted.actor, &project, new).await
    };
    answer(&state, &posted, &name, done.await).await
}

async fn end(
    State(state): State<AppState>,
    Path((name, glass)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let done = async {
        let (project, glass) = (id(&name, "project")?, id(&glass, "break glass")?);
        state
            .portal
            .end_break_glass(&posted.actor, &project, glass)
            .await
    };
    answer(&state, &posted, &name, done.await).await
}

async fn answer(
    state: &AppState,
    posted: &Posted,
    name: &str,
    done: portal::Result<BreakGlass>,
) -> Response {
    match done {
        Ok(_) => see(&page(name)),
        Err(error) => posted.refuse(state, &page(name), error).await,
    }
}
