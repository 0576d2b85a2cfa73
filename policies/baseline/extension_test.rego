# The four cases of every control on extensions, seen from the extension and from the machine.
package test.baseline.extension

import data.slipway.baseline.extension
import data.test.testing

# What a control says of a plan with one machine and these extensions.
outcome(id, machine, types) := [row.result | some row in rows; row.id == id] if {
	resources := [extension_of(type, {}) | some type in types]
	rows := extension.results with input as testing.creating(array.concat([vm(machine)], resources))
}

# What a control says of one extension.
judged(id, body) := [row.result | some row in rows; row.id == id] if {
	rows := extension.results with input as testing.creating([testing.resource("Microsoft.Compute/virtualMachines/extensions", "x", body)])
}

vm(machine) := testing.resource("Microsoft.Compute/virtualMachines", "vm-web", machine)

extension_of(type, settings) := object.union(
	testing.resource("Microsoft.Compute/virtualMachines/extensions", "x", {"properties": {"type": type, "settings": settings}}),
	{"id": concat("/", [upper(vm(testing.machine).id), "extensions", "x"])},
)

script(settings) := {"properties": {"type": "CustomScript", "settings": settings}}

test_vm_012_passes if judged("VM-012", {"properties": {"type": "AADSSHLoginForLinux"}}) == ["pass"]

test_vm_012_fails if judged("VM-012", {"properties": {"type": "DockerExtension"}}) == ["fail"]

test_vm_012_absent if judged("VM-012", {"properties": {}}) == ["fail"]

test_vm_012_unknown if judged("VM-012", {"properties": {"type": testing.unknown}}) == ["unknown"]

test_vm_013_passes if judged("VM-013", script({"timestamp": 1})) == ["pass"]

test_vm_013_fails if judged("VM-013", script({"commandToExecute": "curl -u user:secret"})) == ["fail"]

test_vm_013_fails_script if judged("VM-013", script({"script": "ZWNobw=="})) == ["fail"]

test_vm_013_absent if judged("VM-013", {"properties": {"type": "CustomScript"}}) == ["pass"]

test_vm_013_unknown if judged("VM-013", script(testing.unknown)) == ["unknown"]

test_vm_013_not_applicable_to_others if judged("VM-013", {"properties": {"type": "GuestAttestation"}}) == ["not_applicable"]

test_vm_016_passes if outcome("VM-016", testing.machine, ["GuestAttestation"]) == ["pass"]

test_vm_016_passes_beside_an_unknown_one if outcome("VM-016", testing.machine, [testing.unknown, "GuestAttestation"]) == ["pass"]

test_vm_016_fails if outcome("VM-016", testing.machine, ["AADSSHLoginForLinux"]) == ["fail"]

test_vm_016_absent if outcome("VM-016", testing.machine, []) == ["fail"]

test_vm_016_unknown if outcome("VM-016", testing.machine, [testing.unknown]) == ["unknown"]

test_vm_016_not_applicable_without_trusted_launch if {
	outcome("VM-016", testing.set(testing.machine, "properties.securityProfile.securityType", "Standard"), []) == ["not_applicable"]
}

test_vm_016_applies_where_the_type_is_unknown if {
	outcome("VM-016", testing.set(testing.machine, "properties.securityProfile.securityType", testing.unknown), []) == ["fail"]
}

test_vm_016_counts_the_machines_own_only if {
	other := testing.resource("Microsoft.Compute/virtualMachines/extensions", "other", {"properties": {"type": "GuestAttestation"}})
	rows := extension.results with input as testing.creating([vm(testing.machine), other])
	["fail"] == [row.result | some row in rows; row.id == "VM-016"]
}

test_vm_019_passes if outcome("VM-019", testing.machine, ["AzureMonitorLinuxAgent"]) == ["pass"]

test_vm_019_fails if outcome("VM-019", testing.machine, ["GuestAttestation"]) == ["fail"]

test_vm_019_absent if outcome("VM-019", testing.machine, []) == ["fail"]

test_vm_019_unknown if outcome("VM-019", testing.machine, [testing.unknown]) == ["unknown"]
