//! Virtual machines that exist: what they are doing, and their power.

use serde::{Deserialize, Serialize};

use super::{Compute, sdk};
use crate::error::{Error, Result};
use crate::groups::typed;
use crate::id::{GroupId, ResourceId};
use crate::long_running::{Started, Verb, started};

/// What a virtual machine is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceView {
    /// `running`, `deallocated`, …; `None` while it is being made.
    pub power_state: Option<String>,
    /// `succeeded`, `updating`, `failed`, ….
    pub provisioning_state: Option<String>,
    /// Its host name.
    pub computer_name: Option<String>,
    /// The operating system, as the agent reports it.
    pub os_name: Option<String>,
    /// Its version.
    pub os_version: Option<String>,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// The agent's word: `Ready`, `Not Ready`.
    pub agent_status: Option<String>,
    /// Everything Azure said about the machine itself.
    pub statuses: Vec<InstanceStatus>,
}

/// One status of an instance view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct InstanceStatus {
    /// Such as `PowerState/running`.
    pub code: String,
    /// `Info`, `Warning`, `Error`.
    #[serde(default)]
    pub level: Option<String>,
    /// For people: `VM running`.
    #[serde(default, alias = "display_status")]
    pub display_status: Option<String>,
    /// More, mostly for errors.
    #[serde(default)]
    pub message: Option<String>,
    /// When, RFC 3339 as Azure wrote it; power states carry none.
    #[serde(default)]
    pub time: Option<String>,
}

impl Compute<'_> {
    /// What a virtual machine is doing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when it does not exist.
    pub async fn instance_view(&self, vm: &ResourceId) -> Result<InstanceView> {
        let (group, name) = machine(vm)?;
        let response = self
            .sdk()
            .virtual_machines_client()
            .instance_view(group.name(), name, group.subscription().as_str())
            .send()
            .await
            .map_err(sdk::error)?;
        let wire: WireView = typed(sdk::answer(response.into_raw_response()).await?.body)?;
        Ok(wire.into())
    }

    /// Starts a virtual machine.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::Capacity`], [`crate::ErrorKind::Conflict`] while something else is done to it.
    pub async fn start(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .start(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "start", call.await.map(Into::into)).await
    }

    /// Restarts a virtual machine.
    ///
    /// # Errors
    /// As [`Compute::start`]; [`crate::ErrorKind::Conflict`] when it is not running.
    pub async fn restart(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .restart(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "restart", call.await.map(Into::into)).await
    }

    /// Shuts the guest down and keeps the allocation: the machine goes on costing.
    ///
    /// # Errors
    /// As [`Compute::start`].
    pub async fn power_off(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .power_off(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "powerOff", call.await.map(Into::into))
            .await
    }

    /// Shuts down and gives the allocation back: only disks go on costing.
    ///
    /// # Errors
    /// As [`Compute::start`].
    pub async fn deallocate(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .deallocate(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "deallocate", call.await.map(Into::into))
            .await
    }

    async fn action(
        &self,
        vm: &ResourceId,
        verb: &str,
        sent: azure_core::Result<azure_core::Response>,
    ) -> Result<Started> {
        let answer = sdk::answer(sent.map_err(sdk::error)?).await?;
        let url = self.arm.url(&format!("{vm}/{verb}"), sdk::API_VERSION, &[]);
        started(self.arm.transport(), url, Verb::Post, answer)
    }
}

fn machine(vm: &ResourceId) -> Result<(&GroupId, &str)> {
    match vm.group() {
        Some(group) if vm.is_kind("Microsoft.Compute/virtualMachines") => Ok((group, vm.name())),
        _ => Err(Error::invalid(
            "NotAVirtualMachine",
            format!("`{vm}` is not the id of a virtual machine"),
        )),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireView {
    #[serde(default)]
    computer_name: Option<String>,
    #[serde(default)]
    os_name: Option<String>,
    #[serde(default)]
    os_version: Option<String>,
    #[serde(default)]
    vm_agent: Option<WireAgent>,
    #[serde(default)]
    statuses: Option<Vec<InstanceStatus>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAgent {
    #[serde(default)]
    vm_agent_version: Option<String>,
    #[serde(default)]
    statuses: Option<Vec<InstanceStatus>>,
}

impl From<WireView> for InstanceView {
    fn from(wire: WireView) -> Self {
        let statuses = wire.statuses.unwrap_or_default();
        let state = |prefix: &str| {
            statuses.iter().find_map(|status| {
                let (kind, rest) = status.code.split_once('/')?;
                // `ProvisioningState/failed/AllocationFailed`: the state is the middle part.
                kind.eq_ignore_ascii_case(prefix)
                    .then(|| rest.split('/').next().unwrap_or(rest).to_owned())
            })
        };
        let agent = wire.vm_agent;
        Self {
            power_state: state("PowerState"),
            provisioning_state: state("ProvisioningState"),
            computer_name: wire.computer_name,
            os_name: wire.os_name,
            os_version: wire.os_version,
            agent_status: agent
                .as_ref()
                .and_then(|agent| agent.statuses.as_ref()?.first()?.display_status.clone()),
            agent_version: agent.and_then(|agent| agent.vm_agent_version),
            statuses,
        }
    }
}
