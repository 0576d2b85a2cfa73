//! What the catalogue, a template's page and the request form read.

use leptos::prelude::*;
use types::catalogue::{TemplateDetail, TemplateSummary};
use types::check::Check;
use types::form::RequestForm;
use types::ids::RequestId;
use types::request::RequestDraft;

use super::Failure;
use super::wire::Wired;

/// The cards.
#[server(name = ReadTemplates, prefix = "/ui", endpoint = "templates", input = Wired, output = Wired)]
pub async fn templates() -> Result<Vec<TemplateSummary>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.templates(&actor).await)
}

/// One template; its latest published version unless another is asked for.
#[server(name = ReadTemplate, prefix = "/ui", endpoint = "template", input = Wired, output = Wired)]
pub async fn template(name: String, version: Option<String>) -> Result<TemplateDetail, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    let name = name.parse().map_err(|_| Failure::not_found("template"))?;
    let version = version
        .map(|version| version.parse())
        .transpose()
        .map_err(|_| Failure::not_found("version"))?;
    answer(portal.template(&actor, &name, version.as_ref()).await)
}

/// The form, with choices for the project, tier and region of the draft.
#[server(name = ReadRequestForm, prefix = "/ui", endpoint = "request-form", input = Wired, output = Wired)]
pub async fn request_form(
    template: Option<String>,
    project: Option<String>,
    tier: Option<String>,
    editing: Option<RequestId>,
    draft: Option<RequestDraft>,
) -> Result<RequestForm, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(
        portal
            .request_form(
                &actor,
                portal::FormFor {
                    template,
                    project,
                    tier,
                    editing,
                    draft,
                },
            )
            .await,
    )
}

/// What the rules, the prices and the quota say to a draft.
#[server(name = ReadCheck, prefix = "/ui", endpoint = "check", input = Wired, output = Wired)]
pub async fn check(draft: RequestDraft, editing: Option<RequestId>) -> Result<Check, Failure> {
    use super::context::{aside, door};
    let (portal, actor) = door()?;
    aside(portal.check(&actor, &draft, editing).await)
}
