# What a failing critical control does to a plan.
package test.guardrails.posture

import data.slipway.guardrails.posture
import data.test.testing

# What a rule denies, by its messages' paths.
denied(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := posture.deny with input as facts
}

# What a rule warns of.
warned(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := posture.warn with input as facts
}

silent(id, facts) if {
	denied(id, facts) == []
	warned(id, facts) == []
}

good := with_machine(testing.machine)

with_machine(body) := testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", body)])

passwords(value) := with_machine(testing.set(testing.machine, "properties.osProfile.linuxConfiguration.disablePasswordAuthentication", value))

gone(facts) := testing.set(facts, "request.kind", "delete")

at := ["vm-web: properties.osProfile.linuxConfiguration.disablePasswordAuthentication"]

test_gr_023_passes if silent("GR-023", good)

test_gr_023_fails if {
	denied("GR-023", passwords(false)) == at
	warned("GR-023", passwords(false)) == []
}

test_gr_023_passes_azure_linux_4_without_secure_boot if silent("GR-023", with_machine(testing.azure_linux_4))

test_gr_023_passes_failing_controls_of_lower_rank if silent("GR-023", with_machine(testing.set(testing.machine, "properties.securityProfile.encryptionAtHost", false)))

test_gr_023_leaves_public_addresses_to_their_own_guardrail if {
	nic := testing.set(testing.interface, "properties.ipConfigurations", [{"properties": {"publicIPAddress": {"id": "/pip"}}}])
	silent("GR-023", testing.creating([testing.resource("Microsoft.Network/networkInterfaces", "nic", nic)]))
}

test_gr_023_leaves_deletions_alone if {
	silent("GR-023", gone(passwords(false)))
	silent("GR-023", gone(passwords(testing.unknown)))
}

test_gr_023_absent if denied("GR-023", with_machine(testing.without(testing.machine, "properties.osProfile.linuxConfiguration.disablePasswordAuthentication"))) == at

test_gr_023_unknown if {
	denied("GR-023", passwords(testing.unknown)) == []
	warned("GR-023", passwords(testing.unknown)) == at
}
