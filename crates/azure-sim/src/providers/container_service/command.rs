//! `runCommand`: a command for the cluster, which nothing here could run.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{flat, started};
use crate::engine::deployments::rfc3339;
use crate::state::model::Resource;
use crate::wire::errors::Refusal;
use crate::wire::json as at;

/// The command's result, as if it had ended well at once.
pub(crate) fn answer(
    cluster: &Resource,
    given: &Value,
    now: time::OffsetDateTime,
) -> Result<Value, Refusal> {
    started(cluster).map_err(flat)?;
    let disabled = "/properties/apiServerAccessProfile/disableRunCommand";
    if at::flag(&cluster.body, disabled) == Some(true) {
        return Err(flat(Refusal::bad(
            "RunCommandDisabled",
            "Run command is disabled on this cluster.",
        )));
    }
    if at::text(given, "/command").is_none_or(str::is_empty) {
        return Err(flat(Refusal::required("command")));
    }
    let time = rfc3339(now);
    Ok(
        json!({ "id": Uuid::new_v4().simple().to_string(), "properties": {
        "provisioningState": "Succeeded", "exitCode": 0, "startedAt": time, "finishedAt": time,
        "logs": "simulated: the command was not run\n",
    } }),
    )
}
