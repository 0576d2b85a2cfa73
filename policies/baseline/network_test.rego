# The four cases of every control on interfaces, subnets and security groups.
package test.baseline.network

import data.slipway.baseline.network
import data.test.testing

good := testing.interface

# What a control says of a plan with this one resource.
outcome(id, body) := [row.result | some row in rows; row.id == id] if {
	rows := network.results with input as testing.creating([testing.resource(kind[id], "x", body)])
}

# Which kind of resource a control is about here.
kind := {
	"NET-001": "Microsoft.Network/networkInterfaces",
	"NET-002": "Microsoft.Network/networkInterfaces",
	"NET-003": "Microsoft.Network/networkInterfaces",
	"NET-004": "Microsoft.Network/virtualNetworks/subnets",
	"NET-005": "Microsoft.Network/virtualNetworks/subnets",
	"NET-006": "Microsoft.Network/networkSecurityGroups",
	"VM-021": "Microsoft.Network/networkInterfaces",
}

subnet := {"properties": {"networkSecurityGroup": {"id": "/nsg"}, "defaultOutboundAccess": false}}

addressed(properties) := testing.set(good, "properties.ipConfigurations", [{"properties": properties}])

# What a control says of a subnet that something in the plan joins, of which these facts are known.
joined(id, user, facts) := [row.result | some row in rows; row.id == id] if {
	plan := testing.creating([user])
	context := {"context": {"subnets": {lower(testing.subnet): facts}}}
	rows := network.results with input as object.union(json.remove(plan, ["context"]), context)
}

nic := testing.resource("Microsoft.Network/networkInterfaces", "x", good)

nodes := testing.pool_named("batch", testing.pool)

made(subnets) := testing.resource("Microsoft.Network/virtualNetworks", "v", {"properties": {"subnets": subnets}})

network_made(subnets) := [row.result | some row in rows; row.id == "NET-005"] if {
	rows := network.results with input as testing.creating([made(subnets)])
}

# A security group with one rule: inbound from the Internet to SSH, with these properties changed.
opens(changes) := {"properties": {"securityRules": [{"properties": object.union(ssh, changes)}]}}

ssh := {
	"direction": "Inbound",
	"access": "Allow",
	"sourceAddressPrefix": "*",
	"destinationPortRange": "22",
}

shut(changes) := outcome("NET-006", opens(changes)) == ["pass"]

open(changes) := outcome("NET-006", opens(changes)) == ["fail"]

judged(changes) := outcome("NET-006", opens(changes))

test_net_001_passes if outcome("NET-001", good) == ["pass"]

test_net_001_fails if outcome("NET-001", addressed({"publicIPAddress": {"id": "/pip"}})) == ["fail"]

test_net_001_absent if outcome("NET-001", testing.without(good, "properties.ipConfigurations")) == ["fail"]

test_net_001_absent_list if outcome("NET-001", testing.set(good, "properties.ipConfigurations", [])) == ["fail"]

test_net_001_unknown if outcome("NET-001", addressed({"publicIPAddress": testing.unknown})) == ["unknown"]

test_net_001_unknown_list if outcome("NET-001", testing.set(good, "properties.ipConfigurations", testing.unknown)) == ["unknown"]

test_net_002_passes if outcome("NET-002", good) == ["pass"]

test_net_002_fails if outcome("NET-002", testing.set(good, "properties.enableIPForwarding", true)) == ["fail"]

test_net_002_absent if outcome("NET-002", testing.without(good, "properties.enableIPForwarding")) == ["pass"]

test_net_002_unknown if outcome("NET-002", testing.set(good, "properties.enableIPForwarding", testing.unknown)) == ["unknown"]

test_net_003_passes if outcome("NET-003", good) == ["pass"]

test_net_003_passes_in_any_case if outcome("NET-003", addressed({"subnet": {"id": upper(testing.subnet)}})) == ["pass"]

test_net_003_fails if outcome("NET-003", addressed({"subnet": {"id": "/other"}})) == ["fail"]

test_net_003_absent if outcome("NET-003", addressed({})) == ["fail"]

test_net_003_absent_list if outcome("NET-003", testing.without(good, "properties.ipConfigurations")) == ["fail"]

test_net_003_unknown if outcome("NET-003", addressed({"subnet": {"id": testing.unknown}})) == ["unknown"]

test_net_004_passes if outcome("NET-004", subnet) == ["pass"]

test_net_004_fails if outcome("NET-004", testing.set(subnet, "properties.networkSecurityGroup.id", "")) == ["fail"]

test_net_004_absent if outcome("NET-004", testing.without(subnet, "properties.networkSecurityGroup.id")) == ["fail"]

test_net_004_unknown if outcome("NET-004", testing.set(subnet, "properties.networkSecurityGroup.id", testing.unknown)) == ["unknown"]

test_net_004_passes_joined if joined("NET-004", nic, {"network_security_group": true}) == ["pass"]

test_net_004_fails_joined if joined("NET-004", nic, {"network_security_group": false}) == ["fail"]

test_net_004_fails_joined_by_nodes if joined("NET-004", nodes, {"network_security_group": false}) == ["fail"]

test_net_004_absent_joined if joined("NET-004", nic, {}) == ["fail"]

test_net_004_unknown_joined if joined("NET-004", nic, {"network_security_group": testing.unknown}) == ["unknown"]

test_net_005_passes if outcome("NET-005", subnet) == ["pass"]

test_net_005_fails if outcome("NET-005", testing.set(subnet, "properties.defaultOutboundAccess", true)) == ["fail"]

test_net_005_absent if outcome("NET-005", testing.without(subnet, "properties.defaultOutboundAccess")) == ["fail"]

test_net_005_unknown if outcome("NET-005", testing.set(subnet, "properties.defaultOutboundAccess", testing.unknown)) == ["unknown"]

test_net_005_passes_joined if joined("NET-005", nic, {"default_outbound_access": false}) == ["pass"]

test_net_005_fails_joined if joined("NET-005", nic, {"default_outbound_access": true}) == ["fail"]

test_net_005_absent_joined if joined("NET-005", nic, {"default_outbound_access": null}) == ["fail"]

test_net_005_fails_in_a_network if network_made([{"name": "a", "properties": {}}]) == ["fail"]

test_net_005_unknown_in_a_network if network_made(testing.unknown) == ["unknown"]

test_net_006_passes if shut({"sourceAddressPrefix": "VirtualNetwork"})

test_net_006_passes_outbound if shut({"direction": "Outbound"})

test_net_006_passes_deny if shut({"access": "Deny"})

test_net_006_passes_other_port if shut({"destinationPortRange": "443"})

test_net_006_passes_beside_a_range if shut({"destinationPortRange": "23-3388"})

test_net_006_fails if open({})

test_net_006_fails_rdp if open({"destinationPortRange": "3389"})

test_net_006_fails_any_port if open({"destinationPortRange": "*"})

test_net_006_fails_range_that_ends_there if open({"destinationPortRange": "20-22"})

test_net_006_fails_range_that_begins_there if open({"destinationPortRange": "22-23"})

test_net_006_fails_among_others if open({"sourceAddressPrefix": "10.0.0.0/8", "sourceAddressPrefixes": ["Internet"], "destinationPortRange": "443", "destinationPortRanges": ["80", "22"]})

test_net_006_absent if outcome("NET-006", {"properties": {}}) == ["fail"]

test_net_006_unknown if judged({"sourceAddressPrefix": testing.unknown}) == ["unknown"]

test_net_006_unknown_rules if outcome("NET-006", {"properties": {"securityRules": testing.unknown}}) == ["unknown"]

test_vm_021_passes if outcome("VM-021", good) == ["pass"]

test_vm_021_fails if outcome("VM-021", testing.set(good, "properties.enableAcceleratedNetworking", false)) == ["fail"]

test_vm_021_absent if outcome("VM-021", testing.without(good, "properties.enableAcceleratedNetworking")) == ["fail"]

test_vm_021_unknown if outcome("VM-021", testing.set(good, "properties.enableAcceleratedNetworking", testing.unknown)) == ["unknown"]

test_net_002_says_what_is_wanted if {
	rows := network.results with input as testing.creating([nic])
	[false] == [row.wanted | some row in rows; row.id == "NET-002"]
}

# A subnet that the plan makes is judged as it is made, not as Azure has it.
test_net_004_judges_a_subnet_once if {
	own := object.union(testing.resource("Microsoft.Network/virtualNetworks/subnets", "x", subnet), {"id": upper(testing.subnet)})
	rows := network.results with input as testing.creating([nic, own])
	[upper(testing.subnet)] == [row.resource | some row in rows; row.id == "NET-004"]
}

test_net_004_unknown_subnet if outcome_joined("NET-004", addressed({"subnet": {"id": testing.unknown}})) == ["unknown"]

test_net_004_absent_from_what_is_known if outcome_joined("NET-004", addressed({"subnet": {"id": "/other"}})) == ["fail"]

outcome_joined(id, body) := [row.result | some row in rows; row.id == id] if {
	rows := network.results with input as testing.creating([testing.resource("Microsoft.Network/networkInterfaces", "x", body)])
}
