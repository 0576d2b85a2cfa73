//! Actions over HTTP: POSTs that start, stop, upgrade or ask something of a machine, a cluster or a pool. What they do is decided in `providers`.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::errors::Refusal;
use super::headers::json as body;
use super::ids::Id;
use super::resources::{found, place};
use super::routes::nothing;
use super::{App, Ask, polling};
use crate::engine::{self, Begin};
use crate::providers::{self, Habit, container_service, machines};
use crate::state::model::{Change, Effect, Power, Provisioning, Resource};

/// `POST {resource}/{action}`.
pub(super) async fn action(
    app: &Arc<App>,
    ask: &Ask,
    id: &Id,
    action: &str,
) -> Result<Response, Refusal> {
    let kind = providers::known(id, &ask.api_version)?;
    let key = id.key();
    let orders = ask.around.orders.clone();
    let machine = kind.name == machines::MACHINE;
    match action {
        "start" | "poweroff" | "restart" | "deallocate" | "redeploy" | "reapply" if machine => {
            let (operation, location) = app
                .state
                .commit(|tx| {
                    let location = place(tx, id, found(tx, id)?);
                    let operation = machines::power(tx, &key, action, orders.doomed, orders.hang)?;
                    Ok((operation, location))
                })
                .await?;
            Ok(polling::accepted(
                app,
                None,
                &polling::Begun {
                    habit: kind.habit,
                    id,
                    location: &location,
                    operation,
                    api_version: &ask.api_version,
                    put: false,
                },
            ))
        }
        "runcommand" | "assesspatches" | "retrievebootdiagnosticsdata" if machine => {
            answered(app, ask, id, action).await
        }
        "simulateeviction" if machine => {
            app.state
                .commit(|tx| {
                    found(tx, id)?;
                    machines::evict(tx, id)
                })
                .await?;
            Ok(nothing(StatusCode::NO_CONTENT))
        }
        "runcommand" if kind.name == container_service::CLUSTER => {
            answered(app, ask, id, action).await
        }
        "start" | "stop" if kind.name == container_service::CLUSTER => {
            let after = if action == "start" {
                Power::Running
            } else {
                Power::Stopped
            };
            let state = if action == "start" {
                Provisioning::Starting
            } else {
                Provisioning::Stopping
            };
            changing(app, ask, id, state, Effect::Power(after), false).await
        }
        "rotateclustercertificates" if kind.name == container_service::CLUSTER => {
            let state = Provisioning::Updating;
            changing(app, ask, id, state, Effect::Put { created: false }, false).await
        }
        "upgradenodeimageversion" if kind.name == container_service::POOL => {
            changing(
                app,
                ask,
                id,
                Provisioning::UpgradingNodeImageVersion,
                Effect::NodeImage,
                true,
            )
            .await
        }
        _ if action.starts_with("list") && kind.name == container_service::CLUSTER => {
            app.state.read(|world, _| {
                container_service::credentials(found(world, id)?, action)
                    .map(|value| body(StatusCode::OK, &value))
            })
        }
        _ => Err(Refusal::missing(
            "InvalidResourceAction",
            format!(
                "The action '{action}' is not served for type '{}'.",
                kind.name
            ),
        )),
    }
}

/// An action that leaves a machine or a cluster as it is and has an answer: at once, or when its operation has ended.
async fn answered(app: &Arc<App>, ask: &Ask, id: &Id, action: &str) -> Result<Response, Refusal> {
    let orders = ask.around.orders.clone();
    let given = ask.json().unwrap_or_else(|_| json!({}));
    let (answer, operation, location, habit) = app
        .state
        .commit(|tx| {
            let resource = found(tx, id)?.clone();
            let (answer, habit) = if resource.is(machines::MACHINE) {
                let answer = machines::answer(&resource, action, &given, tx.now)?;
                (answer, Habit::Compute)
            } else {
                let answer = container_service::answer(&resource, &given, tx.now)?;
                (answer, Habit::Aks)
            };
            let operation = (action != "retrievebootdiagnosticsdata").then(|| {
                engine::begin(
                    tx,
                    Begin {
                        subject: resource.id.clone(),
                        effect: Effect::Answer(answer.clone()),
                        seconds: (!orders.hang).then_some(15.0),
                        doomed: orders.doomed,
                        deployment: None,
                    },
                )
            });
            Ok((answer, operation, place(tx, id, &resource), habit))
        })
        .await?;
    let Some(operation) = operation else {
        return Ok(body(StatusCode::OK, &answer));
    };
    Ok(polling::accepted(
        app,
        None,
        &polling::Begun {
            habit,
            id,
            location: &location,
            operation,
            api_version: &ask.api_version,
            put: false,
        },
    ))
}

/// An action of AKS: the resource shows a state of its own while it runs.
async fn changing(
    app: &Arc<App>,
    ask: &Ask,
    id: &Id,
    state: Provisioning,
    effect: Effect,
    with_body: bool,
) -> Result<Response, Refusal> {
    let orders = ask.around.orders.clone();
    let (operation, location, shown) = app
        .state
        .commit(|tx| {
            let resource = found(tx, id)?.clone();
            let owner = match id.parent() {
                Some(parent) => found(tx, &parent)?.clone(),
                None => resource.clone(),
            };
            container_service::busy(tx, &owner).map_err(container_service::flat)?;
            if state != Provisioning::Starting {
                container_service::started(&owner).map_err(container_service::flat)?;
            }
            let location = place(tx, id, &resource);
            let operation = engine::begin(
                tx,
                Begin {
                    subject: resource.id.clone(),
                    effect,
                    seconds: (!orders.hang).then_some(30.0),
                    doomed: orders.doomed,
                    deployment: None,
                },
            );
            let mut changing = Resource::clone(&resource);
            changing.state = state;
            changing.operation = Some(operation);
            let changing = Arc::new(changing);
            tx.apply(Change::Resource(id.key(), Some(changing.clone())));
            Ok((operation, location, providers::show(tx, &changing, tx.now)))
        })
        .await?;
    Ok(polling::accepted(
        app,
        with_body.then_some(&shown),
        &polling::Begun {
            habit: Habit::Aks,
            id,
            location: &location,
            operation,
            api_version: &ask.api_version,
            put: false,
        },
    ))
}
