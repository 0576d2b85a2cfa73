# Public addresses and subnets.
package test.guardrails.network

import data.slipway.guardrails.network
import data.test.testing

# What a rule denies, by its messages' paths.
denied(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := network.deny with input as facts
}

# What a rule warns of.
warned(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := network.warn with input as facts
}

silent(id, facts) if {
	denied(id, facts) == []
	warned(id, facts) == []
}

good := with_nic({"subnet": {"id": testing.subnet}})

# A plan with one interface whose only address has these properties.
with_nic(properties) := testing.creating([nic(testing.set(testing.interface, "properties.ipConfigurations", [{"properties": properties}]))])

nic(body) := testing.resource("Microsoft.Network/networkInterfaces", "nic-web", body)

pool(path, value) := testing.creating([testing.pool_named("batch", testing.set(testing.pool, path, value))])

address := testing.creating([testing.resource("Microsoft.Network/publicIPAddresses", "pip", {})])

gone(facts) := testing.set(facts, "request.kind", "delete")

test_gr_002_passes if silent("GR-002", good)

test_gr_002_passes_pool if silent("GR-002", pool("properties.enableNodePublicIP", false))

test_gr_002_fails if denied("GR-002", with_nic({"publicIPAddress": {"id": "/pip"}})) == ["plan.resources[0].body.properties.ipConfigurations[0].properties.publicIPAddress"]

test_gr_002_fails_address if denied("GR-002", address) == ["plan.resources[0]"]

test_gr_002_fails_nodes if denied("GR-002", pool("properties.enableNodePublicIP", true)) == ["plan.resources[0].body.properties.enableNodePublicIP"]

test_gr_002_leaves_deletions_alone if silent("GR-002", gone(address))

test_gr_002_leaves_unknown_deletions_alone if silent("GR-002", gone(with_nic({"publicIPAddress": testing.unknown})))

test_gr_002_absent if silent("GR-002", with_nic({}))

test_gr_002_unknown if {
	denied("GR-002", with_nic({"publicIPAddress": testing.unknown})) == []
	warned("GR-002", with_nic({"publicIPAddress": testing.unknown})) == ["plan.resources[0].body.properties.ipConfigurations[0].properties.publicIPAddress"]
}

test_gr_002_unknown_nodes if {
	denied("GR-002", pool("properties.enableNodePublicIP", testing.unknown)) == []
	warned("GR-002", pool("properties.enableNodePublicIP", testing.unknown)) == ["plan.resources[0].body.properties.enableNodePublicIP"]
}

test_gr_012_passes if silent("GR-012", good)

test_gr_012_passes_in_any_case if silent("GR-012", with_nic({"subnet": {"id": upper(testing.subnet)}}))

test_gr_012_passes_pool if silent("GR-012", pool("properties.vnetSubnetID", testing.subnet))

test_gr_012_passes_in_a_network_of_the_plan if {
	network := testing.resource("Microsoft.Network/virtualNetworks", "own", {})
	body := testing.set(testing.interface, "properties.ipConfigurations", [{"properties": {"subnet": {"id": concat("", [network.id, "/subnets/a"])}}}])
	silent("GR-012", testing.creating([network, nic(body)]))
}

test_gr_012_fails if denied("GR-012", with_nic({"subnet": {"id": "/other"}})) == ["plan.resources[0].body.properties.ipConfigurations[0].properties.subnet.id"]

test_gr_012_fails_pool if denied("GR-012", pool("properties.vnetSubnetID", "/other")) == ["plan.resources[0].body.properties.vnetSubnetID"]

test_gr_012_names_the_parameter if {
	facts := testing.set(with_nic({"subnet": {"id": "/other"}}), "plan.parameters", {"subnetId": "/other"})
	said := network.deny with input as facts
	["parameters.subnetId"] == [finding.field | some finding in said]
}

test_gr_012_leaves_deletions_alone if silent("GR-012", gone(with_nic({})))

test_gr_012_leaves_unknown_deletions_alone if silent("GR-012", gone(with_nic({"subnet": {"id": testing.unknown}})))

test_gr_012_absent if denied("GR-012", with_nic({})) == ["plan.resources[0].body.properties.ipConfigurations[0].properties.subnet.id"]

test_gr_012_absent_subnets if denied("GR-012", testing.without(good, "project.subnets")) == ["plan.resources[0].body.properties.ipConfigurations[0].properties.subnet.id"]

test_gr_012_unknown if {
	denied("GR-012", with_nic({"subnet": {"id": testing.unknown}})) == []
	warned("GR-012", with_nic({"subnet": {"id": testing.unknown}})) == ["plan.resources[0].body.properties.ipConfigurations[0].properties.subnet.id"]
}
