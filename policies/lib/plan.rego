# What a plan contains, by kind, and what kind of change it is. Judges nothing.
package slipway.plan

import data.slipway.offer

# Deleting or extending a stack changes no resource: rules on resources must not stand in its way. Anything else, a kind that is missing too, is a change.
changes if not input.request.kind in {"delete", "extend"}

# Resources that will be there afterwards, each with its path in the policy input and its type in lower case: Azure compares types without regard to case.
resources := [object.union(resource, {"at": sprintf("plan.resources[%d].body", [i]), "kind": lower(resource.type)}) |
	some i, resource in input.plan.resources
	not resource.change == "delete"
]

# A type in lower case.
of_kind(kind) := [resource | some resource in resources; resource.kind == kind]

# Each with its image, as publisher:offer:sku.
machines := [object.union(machine, {"image": offer.image(machine.body)}) | some machine in of_kind("microsoft.compute/virtualmachines")]

encryption_sets := of_kind("microsoft.compute/diskencryptionsets")

disks := of_kind("microsoft.compute/disks")

extensions := of_kind("microsoft.compute/virtualmachines/extensions")

interfaces := of_kind("microsoft.network/networkinterfaces")

clusters := of_kind("microsoft.containerservice/managedclusters")

# Node pools, those written inside a cluster's body included, all in the shape of `managedClusters/agentPools`; each with what is known of its cluster.
pools := array.concat(
	[object.union(pool, {"cluster": cluster_of(pool.id)}) |
		some pool in of_kind("microsoft.containerservice/managedclusters/agentpools")
	],
	[{
		"id": sprintf("%s/agentPools/%v", [cluster.id, object.get(item.body, "name", item.path)]),
		"type": "Microsoft.ContainerService/managedClusters/agentPools",
		"at": sprintf("%s.%s", [cluster.at, item.path]),
		"body": {"properties": item.body},
		"cluster": object.union({"id": lower(cluster.id)}, made(cluster)),
	} |
		some cluster in clusters
		some item in look.items(cluster.body, "properties.agentPoolProfiles")
	],
)

# The cluster of a pool, by the pool's id: as this plan makes it, else as Azure has it; only its id where neither knows it.
cluster_of(pool_id) := object.union({"id": id}, known) if {
	id := split(lower(pool_id), "/agentpools/")[0]
	known := object.union_n(array.concat(
		[object.get(input.context, ["clusters", id], {})],
		[made(cluster) | some cluster in clusters; lower(cluster.id) == id],
	))
}

made(cluster) := {
	"kubernetes_version": look.at(cluster.body, "properties.kubernetesVersion").value,
	"node_os_upgrade_channel": look.at(cluster.body, "properties.autoUpgradeProfile.nodeOSUpgradeChannel").value,
}

# The region that a person reads.
region_in_words(region) := object.get(
	{
		"australiaeast": "Australia East",
		"brazilsouth": "Brazil South",
		"canadacentral": "Canada Central",
		"centralindia": "Central India",
		"centralus": "Central US",
		"eastasia": "East Asia",
		"eastus": "East US",
		"eastus2": "East US 2",
		"francecentral": "France Central",
		"germanywestcentral": "Germany West Central",
		"italynorth": "Italy North",
		"japaneast": "Japan East",
		"koreacentral": "Korea Central",
		"northeurope": "North Europe",
		"norwayeast": "Norway East",
		"polandcentral": "Poland Central",
		"southafricanorth": "South Africa North",
		"southcentralus": "South Central US",
		"southeastasia": "Southeast Asia",
		"spaincentral": "Spain Central",
		"swedencentral": "Sweden Central",
		"switzerlandnorth": "Switzerland North",
		"uaenorth": "UAE North",
		"uksouth": "UK South",
		"ukwest": "UK West",
		"westeurope": "West Europe",
		"westus": "West US",
		"westus2": "West US 2",
		"westus3": "West US 3",
	},
	region,
	region,
)

regions_in_words(regions) := concat(" or ", [region_in_words(region) | some region in regions])

# The form field behind a value: the first parameter that has it; {} where no parameter does.
field(value) := {"field": concat(".", ["parameters", names[0]])} if {
	names := [name | some name, given in input.plan.parameters; given == value]
	count(names) > 0
} else := {}
