# Hardening of network interfaces, subnets and security groups.
package slipway.baseline.network

import data.slipway.plan

rules["NET-001"] := {
	"title": "No public address",
	"description": "A machine is reached through the private network; a public address is an open door.",
	"severity": "critical",
	"docs": "Azure Policy 83a86a26-fd1f-447c-b59d-e51f44264114",
	"holds": "The interface has no public address.",
	"fails": "The interface has a public address.",
	"fix": {"text": "Remove publicIPAddress"},
	"of": "interfaces",
	"checks": [
		{"each": "properties.ipConfigurations", "at": "properties.publicIPAddress.id", "is_absent": true},
		{"at": "properties.ipConfigurations", "is_present": "an address configuration"},
	],
}

rules["NET-002"] := {
	"title": "No IP forwarding",
	"description": "The interface takes only traffic that is meant for it.",
	"severity": "medium",
	"docs": "Azure Policy 88c0b9da-ce96-4b03-9635-f29a937e2900",
	"holds": "IP forwarding is off.",
	"fails": "IP forwarding is on.",
	"fix": {"text": "Set enableIPForwarding to false"},
	"of": "interfaces",
	"checks": [{"at": "properties.enableIPForwarding", "is_not": true, "wanted": false}],
}

rules["NET-003"] := {
	"title": "Approved network",
	"description": "The interface joins a subnet that the project may use.",
	"severity": "medium",
	"docs": "Azure Policy d416745a-506c-48b6-8ab1-83cb814bcaa3",
	"holds": "The subnet is one of the project's.",
	"fails": "The subnet is not one of the project's.",
	"fix": {"text": "Choose a subnet of the project"},
}

results contains row if {
	some interface in plan.interfaces
	row := look.row("NET-003", interface, array.concat(
		[look.within(config, in_project(config.body)) |
			some config in look.items(interface.body, "properties.ipConfigurations")
		],
		[look.is_present(interface.body, "properties.ipConfigurations", "an address configuration")],
	))
}

in_project(config) := look.check("properties.subnet.id", seen, object.get(input.project, "subnets", []), allowed(seen.value)) if {
	seen := look.at(config, "properties.subnet.id")
}

# Ids compare without regard to case.
allowed(id) := true if {
	is_string(id)
	lower(id) in {lower(subnet) | some subnet in input.project.subnets}
} else := false

rules["VM-021"] := {
	"title": "Accelerated networking",
	"description": "Traffic goes past the host's software switch: less delay, less jitter, less processor time.",
	"severity": "low",
	"docs": "PSRule Azure.VM.AcceleratedNetworking",
	"holds": "Accelerated networking is on.",
	"fails": "Accelerated networking is off.",
	"fix": {"text": "Set enableAcceleratedNetworking to true"},
	"of": "interfaces",
	"checks": [{"at": "properties.enableAcceleratedNetworking", "is": true}],
}

# Subnets made by the plan, and those it only uses: of these Azure's answers stand in the context.
subnets := array.concat(
	[{"id": resource.id, "body": resource.body} | some resource in plan.of_kind("microsoft.network/virtualnetworks/subnets")],
	[{
		"id": sprintf("%s/subnets/%v", [network.id, object.get(item.body, "name", item.path)]),
		"body": item.body,
	} |
		some network in plan.of_kind("microsoft.network/virtualnetworks")
		some item in look.items(network.body, "properties.subnets")
	],
)

joined := array.concat(
	[look.at(config.body, "properties.subnet.id").value |
		some interface in plan.interfaces
		some config in look.items(interface.body, "properties.ipConfigurations")
	],
	[look.at(pool.body, "properties.vnetSubnetID").value | some pool in plan.pools],
)

used contains {"id": lower(id), "body": object.get(input.context, ["subnets", lower(id)], {})} if {
	some id in joined
	is_string(id)
	not lower(id) in {lower(subnet.id) | some subnet in subnets}
}

# Of a subnet that is known only after apply, everything is.
used contains {"id": "subnet known after apply", "body": id} if {
	some id in joined
	look.unknown(id)
}

rules["NET-004"] := {
	"title": "The subnet has a security group",
	"description": "A network security group filters what reaches the subnet.",
	"severity": "high",
	"docs": "Azure Policy e71308d3-144b-4262-b144-efdc3cc90517",
	"holds": "The subnet has a network security group.",
	"fails": "The subnet has no network security group.",
	"fix": {"text": "Put a network security group on the subnet, or choose another"},
}

results contains row if {
	some subnet in subnets
	row := look.row("NET-004", subnet, [look.is_present(subnet.body, "properties.networkSecurityGroup.id", "a network security group")])
}

results contains row if {
	some subnet in used
	row := look.row("NET-004", subnet, [look.is(subnet.body, "network_security_group", true)])
}

rules["NET-005"] := {
	"title": "Private subnet",
	"description": "The subnet has no default way out to the Internet: what leaves goes through a gateway that one can see.",
	"severity": "medium",
	"docs": "Azure Policy 7bca8353-aa3b-429b-904a-9229c4385837",
	"holds": "The subnet has no default way out.",
	"fails": "Machines in the subnet reach the Internet by Azure's default way out.",
	"fix": {"text": "Set defaultOutboundAccess to false and use a NAT gateway"},
}

results contains row if {
	some subnet in subnets
	row := look.row("NET-005", subnet, [look.is(subnet.body, "properties.defaultOutboundAccess", false)])
}

results contains row if {
	some subnet in used
	row := look.row("NET-005", subnet, [look.is(subnet.body, "default_outbound_access", false)])
}

rules["NET-006"] := {
	"title": "No management port open to the Internet",
	"description": "No rule lets the Internet reach SSH (22) or RDP (3389).",
	"severity": "critical",
	"docs": "Azure Policy 22730e10-96f6-4aac-ad84-9383d35b5917 and 9daedab3-fb2d-461e-b861-71790eead4f6",
	"holds": "No rule opens SSH or RDP to the Internet.",
	"fails": "A rule opens SSH or RDP to the Internet.",
	"fix": {"text": "Restrict the rule to the addresses of a bastion or of your network"},
}

results contains row if {
	some group in plan.of_kind("microsoft.network/networksecuritygroups")
	row := look.row("NET-006", group, array.concat(
		[look.within(rule, guarded(rule.body)) | some rule in look.items(group.body, "properties.securityRules")],
		[look.is_present(group.body, "properties.securityRules", "rules")],
	))
}

# A rule is looked at only where it lets something in from the Internet to a management port.
guarded(rule) := {"path": "properties", "result": "unknown", "found": rule, "wanted": "known rules"} if {
	left_open(rule)
} else := {
	"path": "properties.sourceAddressPrefix",
	"result": "fail",
	"found": opened,
	"wanted": "no access from the Internet",
} if {
	lower(rule.properties.direction) == "inbound"
	lower(rule.properties.access) == "allow"
	opened := {"from": sources(rule) & everywhere, "ports": ports(rule)}
	count(opened.from) > 0
	some range in opened.ports
	some port in [22, 3389]
	covers(range, port)
} else := {"path": "properties", "result": "pass", "found": null, "wanted": "no access from the Internet"}

# The rule itself or its properties may be unknown, or one that matters here.
left_open(rule) if look.at(rule, "properties.direction").unknown

left_open(rule) if {
	some part in ["access", "sourceAddressPrefix", "sourceAddressPrefixes", "destinationPortRange", "destinationPortRanges"]
	look.unknown(rule.properties[part])
}

everywhere := {"*", "0.0.0.0/0", "internet", "any", "::/0"}

sources(rule) := {lower(source) | some source in both(rule, "sourceAddressPrefix", "sourceAddressPrefixes")}

ports(rule) := {range | some range in both(rule, "destinationPortRange", "destinationPortRanges")}

# Azure has a property for one value and one for many; either may be used.
both(rule, one, many) := array.concat(
	[value | value := rule.properties[one]],
	[value | some value in rule.properties[many]],
)

# "*", "22" or "20-30".
covers(range, _) if range == "*"

covers(range, port) if {
	range != "*"
	ends := [to_number(end) | some end in split(range, "-")]
	min(ends) <= port
	max(ends) >= port
}
