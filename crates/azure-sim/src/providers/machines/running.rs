//! A machine that exists: its instance view, its power, and the actions that only ask.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{EXTENSION, OS_DISK, STORAGE};
use crate::engine::deployments::rfc3339;
use crate::engine::{self, Begin};
use crate::state::Tx;
use crate::state::model::{Change, Effect, Power, Provisioning, Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::Id;
use crate::wire::json as at;

/// What an action says that changes nothing: `runCommand`, `assessPatches`, `retrieveBootDiagnosticsData`.
pub(crate) fn answer(
    machine: &Resource,
    action: &str,
    given: &Value,
    now: time::OffsetDateTime,
) -> Result<Value, Refusal> {
    let running = machine.power == Some(Power::Running);
    if !running && action != "retrievebootdiagnosticsdata" {
        return Err(Refusal::conflict(
            "OperationNotAllowed",
            "Cannot modify extensions in the VM when the VM is not running.",
        ));
    }
    match action {
        "runcommand" => {
            let command = at::text(given, "/commandId").unwrap_or_default();
            if !["RunShellScript", "ifconfig"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(command))
            {
                return Err(Refusal::missing(
                    "NotFound",
                    format!("The entity was not found: command '{command}'."),
                ));
            }
            // Nothing is run: there is no machine. The script's length is all that is told of it.
            let lines = at::list(given, "/script").len();
            Ok(json!({ "value": [{
                "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
                "message": format!("Enable succeeded: \n[stdout]\nsimulated: {lines} lines were not run\n\n[stderr]\n"),
            }] }))
        }
        "assesspatches" => Ok(json!({
            "status": "Succeeded", "assessmentActivityId": Uuid::new_v4(), "rebootPending": false,
            "criticalAndSecurityPatchCount": 0, "otherPatchCount": 0, "startDateTime": rfc3339(now), "availablePatches": [],
        })),
        _ => Ok(json!({
            "consoleScreenshotBlobUri": "https://simulated.blob.core.windows.net/bootdiagnostics/screenshot.bmp",
            "serialConsoleLogBlobUri": "https://simulated.blob.core.windows.net/bootdiagnostics/serialconsole.log",
        })),
    }
}

/// `…/instanceView` and `$expand=instanceView` (facts: deployments.md 3).
pub(crate) fn instance_view(world: &World, machine: &Resource) -> Value {
    let time = rfc3339(machine.changed);
    let provisioning = match (&machine.problem, machine.state) {
        (Some(problem), Provisioning::Failed) => json!({
            "code": format!("ProvisioningState/failed/{}", problem.code), "level": "Error",
            "displayStatus": "Provisioning failed", "message": problem.message, "time": time,
        }),
        (_, state) => {
            let name = state.name().to_lowercase();
            let display = match state {
                Provisioning::Succeeded => "Provisioning succeeded",
                Provisioning::Creating => "Creating",
                Provisioning::Deleting => "Deleting",
                _ => "Updating",
            };
            json!({ "code": format!("ProvisioningState/{name}"), "level": "Info", "displayStatus": display, "time": time })
        }
    };
    let disk_time = rfc3339(machine.created);
    let disks: Vec<Value> = machine
        .body
        .pointer(OS_DISK)
        .into_iter()
        .chain(at::list(&machine.body, &format!("{STORAGE}/dataDisks")))
        .map(|disk| {
            json!({
                "name": disk.get("name"),
                "statuses": [{ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": disk_time }],
            })
        })
        .collect();
    let mut statuses = vec![provisioning];
    if let Some(power) = machine.power {
        statuses.push(json!({
            "code": format!("PowerState/{}", power.name()), "level": "Info", "displayStatus": format!("VM {}", power.name()),
        }));
    }
    let mut view = json!({ "disks": disks, "statuses": statuses, "hyperVGeneration": "V2" });
    if machine.power == Some(Power::Running) && machine.state == Provisioning::Succeeded {
        view["computerName"] = machine.text("/properties/osProfile/computerName").into();
        view["osName"] = "azurelinux".into();
        view["vmAgent"] = json!({
            "vmAgentVersion": "2.11.1.12",
            "statuses": [{ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "message": "Guest Agent is running", "time": time }],
        });
        view["bootDiagnostics"] = json!({});
    }
    let extensions: Vec<Value> = world
        .under(&machine.key())
        .filter(|(_, child)| child.is(EXTENSION))
        .map(|(_, extension)| json!({ "name": extension.name(), "type": extension.text("/properties/type"), "typeHandlerVersion": extension.text("/properties/typeHandlerVersion") }))
        .collect();
    if !extensions.is_empty() {
        view["extensions"] = Value::Array(extensions);
    }
    view
}

/// start, powerOff, restart, deallocate, redeploy, reapply. Answers the operation.
pub(crate) fn power(
    tx: &mut Tx<'_>,
    key: &str,
    action: &str,
    doomed: Option<Problem>,
    hang: bool,
) -> Result<Uuid, Refusal> {
    let Some(machine) = tx.resource(key).cloned() else {
        return Err(Refusal::missing(
            "ResourceNotFound",
            "The machine was not found.",
        ));
    };
    let (during, after, seconds) = match action {
        "start" => (Power::Starting, Power::Running, 10.0),
        "poweroff" => (Power::Stopping, Power::Stopped, 10.0),
        "restart" => (Power::Starting, Power::Running, 15.0),
        "deallocate" => (Power::Deallocating, Power::Deallocated, 15.0),
        "redeploy" => (Power::Starting, Power::Running, 60.0),
        // The machine's model again, as it stands.
        "reapply" => {
            let power = machine.power.unwrap_or(Power::Running);
            (power, power, 15.0)
        }
        _ => {
            return Err(Refusal::missing(
                "NotFound",
                format!("Unknown action '{action}'."),
            ));
        }
    };
    if machine.operation.is_some() {
        return Err(Refusal::conflict(
            "Conflict",
            format!(
                "The request failed due to conflict with a concurrent request on '{}'.",
                machine.id
            ),
        ));
    }
    let deallocated = machine.power == Some(Power::Deallocated);
    if matches!(action, "restart" | "redeploy") && deallocated {
        return Err(Refusal::conflict(
            "OperationNotAllowed",
            format!(
                "Operation '{action}' is not allowed on VM '{}' since the VM is either deallocated or marked to be deallocated.",
                machine.name()
            ),
        ));
    }
    if action == "restart" && machine.power == Some(Power::Stopped) {
        return Err(Refusal::conflict(
            "OperationNotAllowed",
            "The operation requires the VM to be running (or set to run).",
        ));
    }
    // Where there is nothing to switch off, nothing is taken up again either.
    let (during, after) = if action == "poweroff" && deallocated {
        (Power::Deallocated, Power::Deallocated)
    } else {
        (during, after)
    };
    let operation = engine::begin(
        tx,
        Begin {
            subject: machine.id.clone(),
            effect: Effect::Power(after),
            seconds: (!hang).then_some(seconds),
            doomed,
            deployment: None,
        },
    );
    let mut changing = Resource::clone(&machine);
    changing.state = Provisioning::Updating;
    changing.power = Some(during);
    changing.operation = Some(operation);
    changing.changed = tx.now;
    tx.apply(Change::Resource(key.to_owned(), Some(Arc::new(changing))));
    Ok(operation)
}

/// What Azure may do to a spot machine at any time: it loses its place, or goes for good, as its policy says.
pub(crate) fn evict(tx: &mut Tx<'_>, id: &Id) -> Result<(), Refusal> {
    let key = id.key();
    let is = |pointer: &str, word: &str| {
        tx.resource(&key)
            .and_then(|machine| machine.text(pointer))
            .is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    if !is("/properties/priority", "Spot") {
        return Err(Refusal::conflict(
            "OperationNotAllowed",
            format!(
                "Operation 'simulateEviction' is not allowed on VM '{}' since its priority is not Spot.",
                id.last_name()
            ),
        ));
    }
    if is("/properties/evictionPolicy", "Delete") {
        crate::providers::delete(tx, id, None, None, false, None)?;
    } else {
        power(tx, &key, "deallocate", None, false)?;
    }
    Ok(())
}
