# What Azure puts on a machine: extensions, in a resource of their own below the machine.
package slipway.baseline.extension

import data.slipway.plan

rules["VM-012"] := {
	"title": "Approved extensions",
	"description": "Extensions run as root: only those that Slipway knows are allowed.",
	"severity": "medium",
	"docs": "Azure Policy c0e996f8-39cf-4af9-9f45-83fbde810432",
	"holds": "The extension is one of the approved.",
	"fails": "The extension is not one of the approved.",
	"fix": {"text": "Remove the extension or have it approved"},
	"of": "extensions",
	"checks": [{"at": "properties.type", "is_one_of": [
		"AADSSHLoginForLinux",
		"AzureMonitorLinuxAgent",
		"ConfigurationforLinux",
		"CustomScript",
		"GuestAttestation",
	]}],
}

rules["VM-013"] := {
	"title": "Extension secrets are protected",
	"description": "What a script extension runs may hold secrets: it belongs in protectedSettings, which Azure encrypts and never gives back.",
	"severity": "high",
	"docs": "PSRule Azure.VM.ScriptExtensions",
	"holds": "The script stands in protected settings.",
	"fails": "The script stands in settings that everybody can read.",
	"fix": {"text": "Move commandToExecute and script to protectedSettings"},
}

results contains row if {
	some extension in plan.extensions
	look.at(extension.body, "properties.type").value == "CustomScript"
	row := look.row("VM-013", extension, [
		look.is_absent(extension.body, "properties.settings.commandToExecute"),
		look.is_absent(extension.body, "properties.settings.script"),
	])
}

results contains look.not_applicable("VM-013", extension, "properties.type") if {
	some extension in plan.extensions
	not look.at(extension.body, "properties.type").value == "CustomScript"
}

rules["VM-016"] := {
	"title": "Guest attestation",
	"description": "A machine with Trusted Launch proves to Azure how it booted.",
	"severity": "medium",
	"docs": "Azure Policy 672fe5a1-2fcd-42d7-b85d-902b6e28c6ff (preview)",
	"holds": "Guest attestation is installed.",
	"fails": "Guest attestation is not installed.",
	"fix": {"text": "Add the extension GuestAttestation"},
}

results contains row if {
	some vm in plan.machines
	look.is(vm.body, "properties.securityProfile.securityType", "TrustedLaunch").result in {"pass", "unknown"}
	row := look.row("VM-016", vm, [installed(vm, "GuestAttestation")])
}

results contains look.not_applicable("VM-016", vm, "properties.securityProfile.securityType") if {
	some vm in plan.machines
	look.is(vm.body, "properties.securityProfile.securityType", "TrustedLaunch").result == "fail"
}

rules["VM-019"] := {
	"title": "Azure Monitor agent",
	"description": "Logs and metrics of the system reach Azure Monitor.",
	"severity": "low",
	"docs": "PSRule Azure.VM.AMA",
	"holds": "The Azure Monitor agent is installed.",
	"fails": "The Azure Monitor agent is not installed.",
	"fix": {"text": "Add the extension AzureMonitorLinuxAgent"},
}

results contains row if {
	some vm in plan.machines
	row := look.row("VM-019", vm, [installed(vm, "AzureMonitorLinuxAgent")])
}

# Whether a machine has an extension: any of its own that is the one passes, else any that may turn out to be it leaves the answer open.
installed(vm, wanted) := look.check("extensions", {"value": types, "unknown": open}, wanted, wanted in types) if {
	types := [look.at(extension.body, "properties.type").value |
		some extension in plan.extensions
		startswith(lower(extension.id), concat("", [lower(vm.id), "/extensions/"]))
	]
	open := left_open(types, wanted)
}

left_open(types, wanted) := false if {
	wanted in types
} else := true if {
	some type in types
	look.unknown(type)
} else := false
