# What a plan may join and who may reach it.
package slipway.guardrails.network

import data.slipway.plan

rules["GR-002"] := {
	"title": "No public address",
	"description": "Nothing that a plan makes has a public address: machines and nodes are reached through the private network.",
	"severity": "critical",
	"docs": "Azure Policy 83a86a26-fd1f-447c-b59d-e51f44264114",
}

# Everything that could give something a public address, and where: addresses, interfaces that use one, nodes that get one each.
doors := array.concat(
	[{"name": address.name, "path": trim_suffix(address.at, ".body"), "open": true, "unknown": false} |
		some address in plan.of_kind("microsoft.network/publicipaddresses")
	],
	array.concat(
		[{
			"name": interface.name,
			"path": concat(".", [interface.at, config.path, "properties.publicIPAddress"]),
			"open": seen.value != null,
			"unknown": seen.unknown,
		} |
			some interface in plan.interfaces
			some config in look.items(interface.body, "properties.ipConfigurations")
			seen := look.at(config.body, "properties.publicIPAddress.id")
		],
		[{
			"name": pool.id,
			"path": concat(".", [pool.at, "properties.enableNodePublicIP"]),
			"open": seen.value == true,
			"unknown": seen.unknown,
		} |
			some pool in plan.pools
			seen := look.at(pool.body, "properties.enableNodePublicIP")
		],
	),
)

deny contains {
	"id": "GR-002",
	"message": sprintf("%s would have a public address. Remove it: use the private network or a bastion.", [door.name]),
	"path": door.path,
	"wanted": "no public address",
} if {
	plan.changes
	some door in doors
	door.unknown == false
	door.open == true
}

warn contains {
	"id": "GR-002",
	"message": sprintf("Whether %s will have a public address is known only after apply.", [door.name]),
	"path": door.path,
} if {
	plan.changes
	some door in doors
	door.unknown == true
}

rules["GR-012"] := {
	"title": "The subnet is the project's",
	"description": "Machines and nodes join a subnet that the project may use in this tier.",
	"severity": "critical",
	"docs": "Azure Policy d416745a-506c-48b6-8ab1-83cb814bcaa3",
}

# Everything that joins a subnet, and where it says so.
joined := array.concat(
	[{
		"path": concat(".", [interface.at, config.path, "properties.subnet.id"]),
		"seen": look.at(config.body, "properties.subnet.id"),
	} |
		some interface in plan.interfaces
		some config in look.items(interface.body, "properties.ipConfigurations")
	],
	[{
		"path": concat(".", [pool.at, "properties.vnetSubnetID"]),
		"seen": look.at(pool.body, "properties.vnetSubnetID"),
	} |
		some pool in plan.pools
	],
)

deny contains object.union(plan.field(join.seen.value), {
	"id": "GR-012",
	"message": "The subnet is not one that the project may use in this tier. Choose one of the project's subnets.",
	"path": join.path,
	"found": join.seen.value,
	"wanted": object.get(input.project, "subnets", []),
}) if {
	plan.changes
	some join in joined
	join.seen.unknown == false
	not allowed(join.seen.value)
}

# Ids compare without regard to case.
allowed(id) if {
	is_string(id)
	lower(id) in {lower(subnet) | some subnet in input.project.subnets}
}

# A network that the plan makes itself is the project's.
allowed(id) if {
	is_string(id)
	some network in plan.of_kind("microsoft.network/virtualnetworks")
	startswith(lower(id), concat("", [lower(network.id), "/subnets/"]))
}

warn contains {
	"id": "GR-012",
	"message": "The subnet is known only after apply, so nobody can say whether it is the project's.",
	"path": join.path,
	"found": join.seen.value,
} if {
	plan.changes
	some join in joined
	join.seen.unknown == true
}
