# Images, previews, node systems and processors.
package test.guardrails.image

import data.slipway.guardrails.image
import data.test.testing

# What a rule denies, by its messages' paths.
denied(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := image.deny with input as facts
}

# What a rule warns of.
warned(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := image.warn with input as facts
}

silent(id, facts) if {
	denied(id, facts) == []
	warned(id, facts) == []
}

good := with_machine(testing.machine)

with_machine(body) := testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", body)])

with_pool(body) := testing.creating([testing.pool_named("batch", body)])

# A machine, or a pool, with one property changed.
machine(path, value) := with_machine(testing.set(testing.machine, path, value))

pool(path, value) := with_pool(testing.set(testing.pool, path, value))

gone(facts) := testing.set(facts, "request.kind", "delete")

prod := testing.set(good, "request.tier", "prod")

azure_linux_4 := with_machine(testing.azure_linux_4)

# The good pool on a cluster of which these facts are known.
on_cluster(facts) := testing.set(with_pool(testing.pool), "context.clusters", {lower(testing.cluster): facts})

test_gr_009_passes if silent("GR-009", good)

test_gr_009_fails if denied("GR-009", machine("properties.storageProfile.imageReference.sku", "azure-linux-3")) == ["plan.resources[0].body.properties.storageProfile.imageReference"]

test_gr_009_leaves_deletions_alone if silent("GR-009", gone(machine("properties.storageProfile.imageReference.sku", "azure-linux-3")))

test_gr_009_leaves_unknown_deletions_alone if silent("GR-009", gone(machine("properties.storageProfile.imageReference.sku", testing.unknown)))

test_gr_009_speaks_of_the_machine_that_has_it if {
	vm := testing.resource("Microsoft.Compute/virtualMachines", "vm-other", testing.without(testing.machine, "properties.storageProfile.imageReference"))
	facts := testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", testing.machine), vm])
	denied("GR-009", facts) == ["plan.resources[1].body.properties.storageProfile.imageReference"]
}

test_gr_009_absent if denied("GR-009", with_machine(testing.without(testing.machine, "properties.storageProfile.imageReference"))) == ["plan.resources[0].body.properties.storageProfile.imageReference"]

test_gr_009_unknown if {
	denied("GR-009", machine("properties.storageProfile.imageReference", testing.unknown)) == []
	warned("GR-009", machine("properties.storageProfile.imageReference", testing.unknown)) == ["plan.resources[0].body.properties.storageProfile.imageReference"]
}

test_gr_010_passes if silent("GR-010", prod)

test_gr_010_passes_in_dev if silent("GR-010", testing.set(azure_linux_4, "plan.template.support", "preview"))

test_gr_010_passes_unknown_in_dev if silent("GR-010", testing.set(good, "plan.template.support", testing.unknown))

test_gr_010_fails if denied("GR-010", testing.set(prod, "plan.template.support", "preview")) == ["plan.template.support"]

test_gr_010_fails_image if denied("GR-010", testing.set(azure_linux_4, "request.tier", "prod")) == ["plan.resources[0].body.properties.storageProfile.imageReference"]

test_gr_010_leaves_deletions_alone if silent("GR-010", gone(testing.set(testing.set(azure_linux_4, "request.tier", "prod"), "plan.template.support", "preview")))

test_gr_010_leaves_unknown_deletions_alone if silent("GR-010", gone(testing.set(prod, "plan.template.support", testing.unknown)))

test_gr_010_absent if denied("GR-010", testing.without(prod, "plan.template.support")) == ["plan.template.support"]

test_gr_010_absent_tier if denied("GR-010", testing.without(azure_linux_4, "request.tier")) == ["plan.resources[0].body.properties.storageProfile.imageReference"]

test_gr_010_unknown if {
	denied("GR-010", testing.set(prod, "plan.template.support", testing.unknown)) == []
	warned("GR-010", testing.set(prod, "plan.template.support", testing.unknown)) == ["plan.template.support"]
}

test_gr_011_passes if silent("GR-011", with_pool(testing.pool))

test_gr_011_fails if denied("GR-011", pool("properties.osSKU", "Flatcar")) == ["plan.resources[0].body.properties.osSKU"]

test_gr_011_leaves_deletions_alone if silent("GR-011", gone(pool("properties.osSKU", "Flatcar")))

test_gr_011_leaves_unknown_deletions_alone if silent("GR-011", gone(pool("properties.osSKU", testing.unknown)))

test_gr_011_absent if denied("GR-011", with_pool(testing.without(testing.pool, "properties.osSKU"))) == ["plan.resources[0].body.properties.osSKU"]

test_gr_011_unknown if {
	denied("GR-011", pool("properties.osSKU", testing.unknown)) == []
	warned("GR-011", pool("properties.osSKU", testing.unknown)) == ["plan.resources[0].body.properties.osSKU"]
}

test_gr_018_passes if silent("GR-018", good)

test_gr_018_fails if denied("GR-018", machine("properties.hardwareProfile.vmSize", "Standard_D2ps_v6")) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]

test_gr_018_fails_arm64_image if denied("GR-018", machine("properties.storageProfile.imageReference.sku", "azure-linux-3-arm64")) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]

test_gr_018_leaves_deletions_alone if silent("GR-018", gone(machine("properties.hardwareProfile.vmSize", "Standard_D2ps_v6")))

test_gr_018_leaves_unknown_deletions_alone if silent("GR-018", gone(machine("properties.hardwareProfile.vmSize", testing.unknown)))

test_gr_018_absent if silent("GR-018", machine("properties.hardwareProfile.vmSize", "Standard_X1"))

test_gr_018_unknown if {
	denied("GR-018", machine("properties.hardwareProfile.vmSize", testing.unknown)) == []
	warned("GR-018", machine("properties.hardwareProfile.vmSize", testing.unknown)) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]
}

test_gr_020_passes if silent("GR-020", with_pool(testing.pool))

test_gr_020_passes_other_systems if silent("GR-020", testing.set(pool("properties.osSKU", "AzureLinux"), "context.clusters", {}))

test_gr_020_fails if denied("GR-020", on_cluster({"kubernetes_version": "1.33.9", "node_os_upgrade_channel": "NodeImage"})) == ["plan.resources[0].body.cluster.kubernetes_version"]

test_gr_020_fails_channel if denied("GR-020", on_cluster({"kubernetes_version": "1.35.1", "node_os_upgrade_channel": "SecurityPatch"})) == ["plan.resources[0].body.cluster.node_os_upgrade_channel"]

test_gr_020_leaves_deletions_alone if silent("GR-020", gone(on_cluster({})))

test_gr_020_leaves_unknown_deletions_alone if silent("GR-020", gone(on_cluster({"kubernetes_version": testing.unknown, "node_os_upgrade_channel": "None"})))

test_gr_020_absent if denied("GR-020", on_cluster({"node_os_upgrade_channel": "None"})) == ["plan.resources[0].body.cluster.kubernetes_version"]

test_gr_020_absent_says_so if {
	said := image.deny with input as on_cluster({"node_os_upgrade_channel": "None"})
	["Azure Container Linux cannot run here: cluster.kubernetes_version is not known, and 1.34 or newer is needed. Choose another cluster or change the pool."] == [finding.message | some finding in said]
}

test_gr_020_unknown if {
	denied("GR-020", on_cluster({"kubernetes_version": testing.unknown, "node_os_upgrade_channel": "None"})) == []
	warned("GR-020", on_cluster({"kubernetes_version": testing.unknown, "node_os_upgrade_channel": "None"})) == ["plan.resources[0].body.cluster.kubernetes_version"]
}
