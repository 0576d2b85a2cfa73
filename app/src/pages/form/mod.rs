//! The request form: one page, everything visible. Fields on the left, what the rules, prices and quota say to them on the right.
//!
//! Without JavaScript *Check* posts the form and the same page comes back with its verdict; with it, the verdict follows what is typed.

mod choices;
mod controls;
mod dom;
mod state;
mod verdict;

use crate::api::wire::from_server;
use leptos::prelude::*;
use leptos_meta::Title;
use types::check::Check;
use types::form::RequestForm;
use types::ids::{RequestId, SubmissionId};
use types::problem::FieldError;
use types::request::{RequestDraft, RequestKind};

use self::state::State;
use crate::api::Failure;
use crate::api::catalogue::{check, request_form};
use crate::api::wire::Carried;
use crate::components::field::summary;
use crate::components::load::load;
use crate::components::page::head;
use crate::forms::{SHAPES, Submitted, shape, submitted};
use crate::pages::{param, query, some};

/// The form and what its first draft adds up to: read together, so that the page arrives whole.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Loaded {
    form: RequestForm,
    check: Result<Check, Failure>,
}

/// What the form is for.
#[derive(Clone, PartialEq)]
struct For {
    template: Option<String>,
    project: Option<String>,
    tier: Option<String>,
    editing: Option<RequestId>,
}

async fn read(wanted: For, draft: Option<RequestDraft>) -> Result<Loaded, Failure> {
    let For {
        template,
        project,
        tier,
        editing,
    } = wanted;
    let form = request_form(template, project, tier, editing, draft).await?;
    let check = check(form.draft.clone(), editing).await;
    Ok(Loaded { form, check })
}

/// `/catalogue/{name}/request`.
pub(crate) fn create() -> AnyView {
    let (name, version) = (param("name"), query("version"));
    let (project, tier, stack) = (query("project"), query("tier"), query("stack"));
    let path = format!("/catalogue/{}/request", name.get_untracked());
    let refused = submitted(&path);
    // What was posted; or, to change a stack, a draft that only names it.
    let typed = refused
        .as_ref()
        .and_then(|refused| refused.draft.clone())
        .or_else(|| {
            Some(RequestDraft {
                kind: RequestKind::Update,
                stack: Some(stack.get_untracked().parse().ok()?),
                ..RequestDraft::default()
            })
        });
    let loaded = from_server(
        move || For {
            template: Some(match some(version.get()) {
                Some(version) => format!("{}@{version}", name.get()),
                None => name.get(),
            }),
            project: some(project.get()),
            tier: some(tier.get()),
            editing: None,
        },
        move |wanted| read(wanted, typed.clone()),
    );
    load(loaded, move |loaded| {
        let title = if loaded.form.draft.kind == RequestKind::Update {
            format!("Change {}", loaded.form.draft.name)
        } else {
            format!("Request {}", loaded.form.template.title)
        };
        let crumbs = vec![
            ("Catalogue".to_owned(), "/catalogue".to_owned()),
            (
                loaded.form.template.title.clone(),
                format!("/catalogue/{}", loaded.form.template.template.name),
            ),
        ];
        show(loaded, &title, crumbs, refused.as_ref())
    })
}

/// `/requests/{id}/edit`.
pub(crate) fn edit() -> AnyView {
    let id = param("id");
    let path = format!("/requests/{}/edit", id.get_untracked());
    let refused = submitted(&path);
    let typed = refused.as_ref().and_then(|refused| refused.draft.clone());
    let loaded = from_server(
        move || id.get(),
        move |id| {
            let typed = typed.clone();
            async move {
                let Ok(id) = id.parse() else {
                    return Err(Failure::not_found("request"));
                };
                read(
                    For {
                        template: None,
                        project: None,
                        tier: None,
                        editing: Some(id),
                    },
                    typed,
                )
                .await
            }
        },
    );
    load(loaded, move |loaded| {
        let title = format!("Edit the request for {}", loaded.form.draft.name);
        let crumbs = vec![
            ("Requests".to_owned(), "/requests".to_owned()),
            (
                loaded.form.draft.name.clone(),
                format!("/requests/{}", id.get_untracked()),
            ),
        ];
        show(loaded, &title, crumbs, refused.as_ref())
    })
}

fn show(
    loaded: Loaded,
    title: &str,
    crumbs: Vec<(String, String)>,
    refused: Option<&Submitted>,
) -> AnyView {
    let template = &loaded.form.template;
    view! {
        {head(
            title,
            crumbs,
            ().into_any(),
            format!(
                "{} {} · {} {}",
                template.template.name,
                template.template.version,
                template.os.name,
                template.os.version,
            ),
            ().into_any(),
        )}
        {refused
            .and_then(|refused| outcome(refused, &loaded.check))
            .map(|outcome| view! { <Title text=format!("{outcome}: {title}")/> })}
        {refused.map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        <Filling
            loaded=Carried(loaded)
            submission=refused.and_then(|refused| refused.submission)
            refused=refused.map(|refused| refused.errors.clone())
        />
    }
    .into_any()
}

/// How the last press of a button ended, as far as it went wrong: the first thing that a page read aloud says.
fn outcome(refused: &Submitted, check: &Result<Check, Failure>) -> Option<&'static str> {
    if refused.problem.is_some() {
        return Some("Not sent");
    }
    let wrong =
        !refused.errors.is_empty() || check.as_ref().is_ok_and(|check| !check.errors.is_empty());
    wrong.then_some("Not ready")
}

/// The form itself, with the verdict beside it. `refused` is what was wrong with the last POST, `submission` the number that came with it.
#[island]
fn Filling(
    loaded: Carried<Loaded>,
    submission: Option<SubmissionId>,
    refused: Option<Vec<FieldError>>,
) -> impl IntoView {
    let Carried(Loaded { form, check }) = loaded;
    let submission = submission.unwrap_or(form.submission);
    let editing = form.editing.clone();
    let state = State::new(form, check, refused);
    state.follow();
    view! {
        <form
            method="post"
            id="request-form"
            novalidate
            autocomplete="off"
            on:input=move |event| state.typed(&event)
            on:change=move |event| state.changed(&event)
            on:submit=move |event| state.submitted(&event)
        >
            // The form's default button: Enter in a field checks, it never sends and never presses a remedy.
            <button type="submit" name="action" value="check" tabindex="-1" aria-hidden="true" class="sr-only">
                "Check"
            </button>
            <input type="hidden" name="submission" value=submission.to_string()/>
            {editing
                .map(|editing| view! { <input type="hidden" name="version" value=editing.version.to_string()/> })}
            {hidden(state)}
            <div class="grid grid-cols-1 items-start gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_22rem] xl:grid-cols-[minmax(0,1fr)_23.5rem]">
                <div class="min-w-0 max-lg:order-3">{controls::sections(state)}</div>
                // With room for one column only, verdict, fields and button are put in the order in which they are read.
                <aside
                    class="grid min-w-0 grid-cols-1 gap-3.5 max-lg:contents lg:sticky lg:top-[70px] lg:col-start-2 lg:row-span-2 lg:row-start-1"
                    aria-label="Verdict"
                >
                    {verdict::column(state)}
                </aside>
                {verdict::equivalents(state)}
            </div>
        </form>
    }
}

/// What the draft holds without being asked: kind, template, stack, and what shape the parameters have.
fn hidden(state: State) -> AnyView {
    let draft = state.draft.get_untracked();
    let fixed = [
        ("kind", draft.kind.as_str().to_owned()),
        ("template", draft.template.clone()),
        (
            "stack",
            draft.stack.map(|id| id.to_string()).unwrap_or_default(),
        ),
    ]
    .map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    let shapes = move || {
        state.form.with(|form| {
            form.sections
                .iter()
                .flat_map(|section| &section.fields)
                .filter_map(|field| {
                    let parameter = field.name.strip_prefix("parameters.")?;
                    let shape = shape(field);
                    (shape != "text").then(|| format!("{parameter}={shape}"))
                })
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    view! {
        {fixed.into_iter().collect::<Vec<_>>()}
        <input type="hidden" name=SHAPES value=shapes/>
    }
    .into_any()
}
