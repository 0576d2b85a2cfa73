# Hardening of virtual machines, one control per id. Their disks, network and nodes of AKS stand in the files of those names.
package slipway.baseline.vm

import data.slipway.offer
import data.slipway.plan

rules["VM-001"] := {
	"title": "Trusted Launch",
	"description": "Secure Boot and a virtual TPM protect the boot chain. A confidential VM has both. Azure Linux 4.0 is waived from Secure Boot, as its boot components are not signed yet (VM-024).",
	"severity": "high",
	"docs": "Azure Policy c95b54ad-0614-4633-ab29-104b01235cbf",
	"holds": "Trusted Launch is on.",
	"fails": "Trusted Launch is not fully on: it takes the security type, Secure Boot and a virtual TPM.",
	"fix": {"text": "Set securityType to TrustedLaunch, with secureBootEnabled and vTpmEnabled"},
}

results contains row if {
	some vm in plan.machines
	row := look.row("VM-001", vm, array.concat(
		[
			look.is_one_of(vm.body, "properties.securityProfile.securityType", ["TrustedLaunch", "ConfidentialVM"]),
			look.is(vm.body, "properties.securityProfile.uefiSettings.vTpmEnabled", true),
		],
		[look.is(vm.body, "properties.securityProfile.uefiSettings.secureBootEnabled", true) | not offer.is_azure_linux_4(vm.image)],
	))
}

rules["VM-002"] := {
	"title": "Virtual TPM",
	"description": "A machine with Trusted Launch has a virtual TPM, so that its boot can be attested.",
	"severity": "high",
	"docs": "Azure Policy 1c30f9cd-b84c-49cc-aa2c-9288447cc3b3 (preview)",
	"holds": "The virtual TPM is on.",
	"fails": "The virtual TPM is off.",
	"fix": {"text": "Set vTpmEnabled to true"},
}

results contains row if {
	some vm in plan.machines
	has_trusted_launch(vm)
	row := look.row("VM-002", vm, [look.is(vm.body, "properties.securityProfile.uefiSettings.vTpmEnabled", true)])
}

results contains look.not_applicable("VM-002", vm, "properties.securityProfile.securityType") if {
	some vm in plan.machines
	not has_trusted_launch(vm)
}

# Where the security type is known only after apply, it may be Trusted Launch.
has_trusted_launch(vm) if {
	look.is(vm.body, "properties.securityProfile.securityType", "TrustedLaunch").result in {"pass", "unknown"}
}

rules["VM-003"] := {
	"title": "Encryption at host",
	"description": "Temporary disks and disk caches are encrypted on the host, and data flows encrypted to storage.",
	"severity": "high",
	"docs": "Azure Policy fc4d8e41-e223-45ea-9bf5-eada37891d87",
	"holds": "Encryption at host is on.",
	"fails": "Encryption at host is off.",
	"fix": {"text": "Set securityProfile.encryptionAtHost to true"},
	"of": "machines",
	"checks": [{"at": "properties.securityProfile.encryptionAtHost", "is": true}],
}

rules["VM-004"] := {
	"title": "Disks use your own keys",
	"description": "OS and data disks that the machine makes are encrypted with a key of yours, through a disk encryption set. Attached disks carry their own encryption.",
	"severity": "medium",
	"docs": "Azure Policy 702dd420-7fcc-42c5-afe8-4026edd20fe0",
	"holds": "Disks use your own keys.",
	"fails": "Disks use platform keys, not your own.",
	"fix": {"text": "Use a disk encryption set"},
}

results contains row if {
	some vm in plan.machines
	row := look.row("VM-004", vm, array.concat(
		[look.is_present(vm.body, "properties.storageProfile.osDisk.managedDisk.diskEncryptionSet.id", "a disk encryption set")],
		[look.within(disk, look.is_present(disk.body, "managedDisk.diskEncryptionSet.id", "a disk encryption set")) |
			some disk in look.items(vm.body, "properties.storageProfile.dataDisks")
			not disk.body.createOption == "Attach"
		],
	))
}

rules["VM-006"] := {
	"title": "Managed disks only",
	"description": "The OS disk is a managed disk: a page blob in a storage account has neither encryption sets nor access policies.",
	"severity": "high",
	"docs": "Azure Policy 06a78e20-9358-41c9-923c-fb736d382a4d",
	"holds": "The OS disk is managed.",
	"fails": "The OS disk is a page blob in a storage account.",
	"fix": {"text": "Remove osDisk.vhd and use managedDisk"},
	"of": "machines",
	"checks": [{"at": "properties.storageProfile.osDisk.vhd.uri", "is_absent": true}],
}

rules["VM-007"] := {
	"title": "SSH keys only",
	"description": "Signing in with a password is off and no password is set: passwords are guessed, keys are not.",
	"severity": "critical",
	"docs": "PSRule Azure.VM.PublicKey",
	"holds": "Only SSH keys open the machine.",
	"fails": "A password can open the machine.",
	"fix": {"text": "Set disablePasswordAuthentication to true, remove adminPassword and give an SSH public key"},
	"of": "machines",
	"checks": [
		{"at": "properties.osProfile.linuxConfiguration.disablePasswordAuthentication", "is": true},
		{"at": "properties.osProfile.adminPassword", "is_absent": true},
	],
}

rules["VM-009"] := {
	"title": "Allowed region",
	"description": "The machine stands in a region that the project may use in this tier.",
	"severity": "high",
	"docs": "Azure Policy e56962a6-4747-49cd-b67b-bf8b01975c4c",
	"holds": "The region is one of the project's.",
	"fails": "The region is not one of the project's.",
	"fix": {"text": "Choose a region of the project", "field": "region"},
}

results contains row if {
	some vm in plan.machines
	row := look.row("VM-009", vm, [look.is_one_of(vm.body, "location", object.get(input.project, "regions", []))])
}

rules["VM-010"] := {
	"title": "Patches are assessed",
	"description": "Azure looks for missing patches every day.",
	"severity": "medium",
	"docs": "Azure Policy bd876905-5b84-4f73-ab2d-2e7a7c4568d9",
	"holds": "Azure assesses patches.",
	"fails": "Nobody looks for missing patches.",
	"fix": {"text": "Set patchSettings.assessmentMode to AutomaticByPlatform"},
	"of": "machines",
	"checks": [{"at": "properties.osProfile.linuxConfiguration.patchSettings.assessmentMode", "is": "AutomaticByPlatform"}],
}

rules["VM-011"] := {
	"title": "Patches are installed",
	"description": "Azure installs security patches, in waves that spare availability.",
	"severity": "medium",
	"docs": "Azure Policy 9905ca54-1471-49c6-8291-7582c04cd4d4 (prerequisite)",
	"holds": "Azure installs patches.",
	"fails": "Patches are not installed by Azure.",
	"fix": {"text": "Set patchSettings.patchMode to AutomaticByPlatform"},
	"of": "machines",
	"checks": [{"at": "properties.osProfile.linuxConfiguration.patchSettings.patchMode", "is": "AutomaticByPlatform"}],
}

rules["VM-014"] := {
	"title": "VM agent",
	"description": "The agent that extensions and patches need is installed; Azure does so unless it is told not to.",
	"severity": "medium",
	"docs": "PSRule Azure.VM.Agent",
	"holds": "The VM agent is provisioned.",
	"fails": "The VM agent is left out.",
	"fix": {"text": "Set provisionVMAgent to true"},
	"of": "machines",
	"checks": [{"at": "properties.osProfile.linuxConfiguration.provisionVMAgent", "is_not": false, "wanted": true}],
}

rules["VM-015"] := {
	"title": "Managed identity",
	"description": "The machine has an identity of its own, so that no secret has to be put on it.",
	"severity": "medium",
	"docs": "Azure Policy d26f7642-7545-4e18-9b75-8c9bbdee3a9a",
	"holds": "The machine has a managed identity.",
	"fails": "The machine has no managed identity.",
	"fix": {"text": "Give it a user-assigned identity"},
}

results contains row if {
	some vm in plan.machines
	seen := look.at(vm.body, "identity.type")
	row := look.row("VM-015", vm, [look.check("identity.type", seen, "an identity", not_none(seen.value))])
}

not_none(kind) := false if {
	kind in {null, "", "None"}
} else := true

rules["VM-017"] := {
	"title": "Managed boot diagnostics",
	"description": "The serial log is kept by Azure: it is what is left when a machine does not boot, and it needs no storage account of yours.",
	"severity": "low",
	"docs": "House rule",
	"holds": "Boot diagnostics are on, in Azure's own storage.",
	"fails": "Boot diagnostics are off, or go to a storage account.",
	"fix": {"text": "Set bootDiagnostics.enabled to true and remove storageUri"},
	"of": "machines",
	"checks": [
		{"at": "properties.diagnosticsProfile.bootDiagnostics.enabled", "is": true},
		{"at": "properties.diagnosticsProfile.bootDiagnostics.storageUri", "is_absent": true},
	],
}

rules["VM-018"] := {
	"title": "Zonal",
	"description": "The machine is pinned to a zone, so that one knows what fails with it.",
	"severity": "medium",
	"docs": "PSRule Azure.VM.Standalone",
	"holds": "The machine stands in a zone.",
	"fails": "The machine stands in no particular zone.",
	"fix": {"text": "Choose a zone", "field": "zone"},
	"of": "machines",
	"checks": [{"at": "zones", "is_present": "a zone"}],
}

rules["VM-020"] := {
	"title": "Required tags",
	"description": "The tags owner, costCenter and environment say whose machine it is, who pays and how much it matters.",
	"severity": "medium",
	"docs": "Azure Policy 871b6d14-10aa-478d-b590-94f262ecfa99",
	"holds": "The required tags are there.",
	"fails": "A required tag is missing: owner, costCenter and environment are needed.",
	"fix": {"text": "Add the missing tag", "field": "tags"},
	"of": "machines",
	"checks": [
		{"at": "tags.owner", "is_present": "a value"},
		{"at": "tags.costCenter", "is_present": "a value"},
		{"at": "tags.environment", "is_present": "a value"},
	],
}

rules["VM-024"] := {
	"title": "No Secure Boot on Azure Linux 4.0",
	"description": "The boot components of the Azure Linux 4.0 preview are not signed: a machine with Secure Boot would not boot.",
	"severity": "critical",
	"docs": "Azure Linux 4.0 preview, architecture.md: Secure Boot",
	"holds": "Secure Boot is off, as the Azure Linux 4.0 preview needs.",
	"fails": "Secure Boot must be off on Azure Linux 4.0: its boot components are not signed, the machine would not boot.",
	"fix": {"text": "Set secureBootEnabled to false"},
}

# Off must be said: where securityProfile leaves it out, Azure turns Secure Boot on.
results contains row if {
	some vm in plan.machines
	offer.is_azure_linux_4(vm.image)
	row := look.row("VM-024", vm, [look.is(vm.body, "properties.securityProfile.uefiSettings.secureBootEnabled", false)])
}

results contains look.not_applicable("VM-024", vm, "properties.storageProfile.imageReference.offer") if {
	some vm in plan.machines
	not offer.is_azure_linux_4(vm.image)
}
