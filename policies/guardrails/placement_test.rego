# Regions, sizes, quota and clusters.
package test.guardrails.placement

import data.slipway.guardrails.placement
import data.test.testing

# What a rule denies, by its messages' paths.
denied(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := placement.deny with input as facts
}

# What a rule warns of.
warned(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := placement.warn with input as facts
}

# Whom a rule asks for approval.
asked(id, facts) := [finding.group | some finding in said; finding.id == id] if {
	said := placement.approve with input as facts
}

silent(id, facts) if {
	denied(id, facts) == []
	warned(id, facts) == []
	asked(id, facts) == []
}

good := with_machine(testing.machine)

with_machine(body) := testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", body)])

with_pool(body) := testing.creating([testing.pool_named("batch", body)])

# A machine, or a pool, with one property changed.
machine(path, value) := with_machine(testing.set(testing.machine, path, value))

pool(path, value) := with_pool(testing.set(testing.pool, path, value))

gone(facts) := testing.set(facts, "request.kind", "delete")

# The good plan with these facts of its size.
size(facts) := testing.set(good, "context.sizes.Standard_D2ds_v6", object.union({"zones": ["1", "2"], "restricted": false, "restricted_zones": ["2"]}, facts))

zoned(zone) := testing.set(size({}), "request.zone", zone)

quota(changes) := testing.set(good, "plan.quota", [object.union({"family": "f", "region": "westeurope", "used": 10, "reserved": 4, "requested": 8, "limit": 20, "fits": true}, changes)])

message(id, facts) := [finding.message | some finding in said; finding.id == id] if {
	said := placement.deny with input as facts
}

test_gr_003_passes if silent("GR-003", good)

test_gr_003_passes_global if silent("GR-003", machine("location", "global"))

test_gr_003_fails if denied("GR-003", testing.set(good, "request.region", "eastus")) == ["request.region"]

test_gr_003_says_what_to_do if message("GR-003", testing.set(good, "request.region", "eastus")) == ["Region East US is not allowed for payments in dev. Use West Europe."]

test_gr_003_offers_the_first_region if {
	said := placement.deny with input as testing.set(good, "request.region", "eastus")
	[{"text": "Use West Europe", "field": "region", "value": "westeurope"}] == [finding.fix | some finding in said]
}

test_gr_003_offers_nothing_without_regions if {
	said := placement.deny with input as testing.set(good, "project.regions", [])
	[] == [finding.fix | some finding in said]
	count(said) > 0
}

test_gr_003_fails_a_template_with_its_own_region if denied("GR-003", machine("location", "eastus")) == ["plan.resources[0].body.location"]

test_gr_003_leaves_deletions_alone if silent("GR-003", gone(testing.set(machine("location", "eastus2"), "request.region", "eastus")))

test_gr_003_leaves_unknown_deletions_alone if silent("GR-003", gone(testing.set(machine("location", testing.unknown), "request.region", testing.unknown)))

test_gr_003_absent if denied("GR-003", testing.without(good, "request.region")) == ["request.region"]

test_gr_003_absent_regions if denied("GR-003", testing.without(machine("location", "global"), "project.regions")) == ["request.region"]

test_gr_003_unknown if {
	denied("GR-003", testing.set(good, "request.region", testing.unknown)) == []
	warned("GR-003", testing.set(good, "request.region", testing.unknown)) == ["request.region"]
}

test_gr_003_unknown_location if {
	denied("GR-003", machine("location", testing.unknown)) == []
	warned("GR-003", machine("location", testing.unknown)) == ["plan.resources[0].body.location"]
}

test_gr_004_passes if silent("GR-004", good)

test_gr_004_passes_pool if silent("GR-004", with_pool(testing.pool))

test_gr_004_passes_in_its_zone if silent("GR-004", zoned("1"))

test_gr_004_fails if denied("GR-004", machine("properties.hardwareProfile.vmSize", "Standard_X1")) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]

test_gr_004_fails_pool if denied("GR-004", pool("properties.vmSize", "Standard_X1")) == ["plan.resources[0].body.properties.vmSize"]

test_gr_004_fails_restricted if denied("GR-004", size({"restricted": true})) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]

test_gr_004_fails_in_another_zone if denied("GR-004", zoned("3")) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]

test_gr_004_fails_in_a_restricted_zone if denied("GR-004", zoned("2")) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]

test_gr_004_names_the_parameter if {
	facts := testing.set(machine("properties.hardwareProfile.vmSize", "Standard_X1"), "plan.parameters", {"name": "web", "vmSize": "Standard_X1"})
	said := placement.deny with input as facts
	["parameters.vmSize"] == [finding.field | some finding in said]
}

test_gr_004_leaves_deletions_alone if silent("GR-004", gone(machine("properties.hardwareProfile.vmSize", "Standard_X1")))

test_gr_004_leaves_unknown_deletions_alone if silent("GR-004", gone(machine("properties.hardwareProfile.vmSize", testing.unknown)))

test_gr_004_leaves_deletions_alone_without_sizes if silent("GR-004", gone(testing.without(good, "context.sizes")))

test_gr_004_absent if denied("GR-004", with_machine(testing.without(testing.machine, "properties.hardwareProfile.vmSize"))) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]

test_gr_004_absent_list_of_sizes if {
	denied("GR-004", testing.without(good, "context.sizes")) == []
	warned("GR-004", testing.without(good, "context.sizes")) == ["context.sizes"]
}

test_gr_004_needs_no_sizes_without_machines if silent("GR-004", testing.without(testing.creating([]), "context.sizes"))

test_gr_004_unknown if {
	denied("GR-004", machine("properties.hardwareProfile.vmSize", testing.unknown)) == []
	warned("GR-004", machine("properties.hardwareProfile.vmSize", testing.unknown)) == ["plan.resources[0].body.properties.hardwareProfile.vmSize"]
}

test_gr_008_passes if silent("GR-008", quota({}))

test_gr_008_fails if denied("GR-008", quota({"fits": false})) == ["plan.quota[0]"]

test_gr_008_says_what_is_left if message("GR-008", quota({"fits": false})) == ["The quota f in West Europe has 6 left and 8 are needed. Choose a smaller size or fewer machines, or ask for more quota."]

test_gr_008_says_so_without_numbers if message("GR-008", quota({"fits": false, "used": null})) == ["The quota f in West Europe has an unknown number left and 8 are needed. Choose a smaller size or fewer machines, or ask for more quota."]

test_gr_008_leaves_deletions_alone if silent("GR-008", gone(quota({"fits": false})))

test_gr_008_leaves_unknown_deletions_alone if silent("GR-008", gone(quota({"fits": testing.unknown})))

test_gr_008_absent if denied("GR-008", testing.set(good, "plan.quota", [{"family": "f", "region": "westeurope", "requested": 1}])) == ["plan.quota[0]"]

test_gr_008_unknown if {
	denied("GR-008", quota({"fits": testing.unknown})) == []
	warned("GR-008", quota({"fits": testing.unknown})) == ["plan.quota[0]"]
}

unheld(names) := testing.set(good, "plan.quota_unknown", names)

test_gr_008_asks_for_what_has_no_quota if asked("GR-008", unheld(["the machines of pool-batch"])) == ["platform-approvers"]

test_gr_008_asks_for_one if {
	needs := placement.approve with input as unheld(["the machines of pool-batch"])
	[[1, "Nobody can say whether Azure's quota is enough for the machines of pool-batch: 1 approval by the platform approvers is needed."]] == [[need.count, need.message] | some need in needs]
}

test_gr_008_asks_where_that_is_not_said if {
	asked("GR-008", testing.without(good, "plan.quota_unknown")) == ["platform-approvers"]
	asked("GR-008", unheld(testing.unknown)) == ["platform-approvers"]
}

test_gr_008_asks_nobody_for_deletions if {
	silent("GR-008", gone(unheld(["the machines of pool-batch"])))
	silent("GR-008", gone(testing.without(good, "plan.quota_unknown")))
}

test_gr_013_passes if silent("GR-013", with_pool(testing.pool))

test_gr_013_passes_in_any_case if silent("GR-013", testing.set(with_pool(testing.pool), "project.clusters", [upper(testing.cluster)]))

test_gr_013_passes_in_a_cluster_of_the_plan if silent("GR-013", testing.set(testing.creating([object.union(testing.resource("Microsoft.ContainerService/managedClusters", "aks", {}), {"id": testing.cluster}), testing.pool_named("batch", testing.pool)]), "project.clusters", []))

test_gr_013_fails if denied("GR-013", testing.set(with_pool(testing.pool), "project.clusters", ["/other"])) == ["project.clusters"]

test_gr_013_leaves_deletions_alone if silent("GR-013", gone(testing.set(with_pool(testing.pool), "project.clusters", [])))

test_gr_013_leaves_unknown_deletions_alone if silent("GR-013", gone(testing.set(with_pool(testing.pool), "project.clusters", testing.unknown)))

test_gr_013_absent if denied("GR-013", testing.without(with_pool(testing.pool), "project.clusters")) == ["project.clusters"]

test_gr_013_unknown if {
	denied("GR-013", testing.set(with_pool(testing.pool), "project.clusters", testing.unknown)) == []
	warned("GR-013", testing.set(with_pool(testing.pool), "project.clusters", testing.unknown)) == ["project.clusters"]
}
