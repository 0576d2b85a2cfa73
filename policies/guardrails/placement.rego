# Where a plan goes and whether there is room: regions, clusters, sizes, quota. Networks stand in network.rego.
package slipway.guardrails.placement

import data.slipway.plan

rules["GR-003"] := {
	"title": "Allowed region",
	"description": "A stack goes to a region that its project may use in this tier, with everything it is made of.",
	"severity": "high",
	"docs": "Azure Policy e56962a6-4747-49cd-b67b-bf8b01975c4c",
}

regions := object.get(input.project, "regions", [])

in_project := sprintf("for %v in %v", [object.get(input.project, "name", "this project"), object.get(input.request, "tier", "this tier")])

deny contains object.union(use_region, {
	"id": "GR-003",
	"message": sprintf("Region %v is not allowed %s. Use %s.", [plan.region_in_words(region), in_project, plan.regions_in_words(regions)]),
	"path": "request.region",
	"field": "region",
	"found": region,
	"wanted": regions,
}) if {
	plan.changes
	region := object.get(input.request, "region", "(none)")
	not look.unknown(region)
	not region in regions
}

use_region := {"fix": {"text": sprintf("Use %s", [plan.region_in_words(first)]), "field": "region", "value": first}} if {
	first := regions[0]
} else := {}

# A template that writes a region of its own does not get round the list.
deny contains {
	"id": "GR-003",
	"message": sprintf("%s would stand in %v, which is not allowed %s.", [resource.name, plan.region_in_words(location), in_project]),
	"path": concat(".", [resource.at, "location"]),
	"found": location,
	"wanted": regions,
} if {
	plan.changes
	some resource in plan.resources
	location := look.at(resource.body, "location").value
	is_string(location)
	not location in array.concat(regions, ["global", object.get(input.request, "region", "(none)")])
}

warn contains {
	"id": "GR-003",
	"message": "The region is known only after apply, so nobody can say whether it is allowed.",
	"path": "request.region",
	"field": "region",
	"found": input.request.region,
} if {
	plan.changes
	look.unknown(input.request.region)
}

warn contains {
	"id": "GR-003",
	"message": sprintf("The region of %s is known only after apply, so nobody can say whether it is allowed.", [resource.name]),
	"path": concat(".", [resource.at, "location"]),
	"found": location,
} if {
	plan.changes
	some resource in plan.resources
	location := look.at(resource.body, "location").value
	look.unknown(location)
}

rules["GR-004"] := {
	"title": "Size can be had",
	"description": "Azure offers the size in the region and the zone, and does not restrict it for the subscription.",
	"severity": "high",
	"docs": "Azure Compute resource SKUs: restrictions",
}

sizes := object.get(input.context, "sizes", {})

# Everything that names a size, and where.
sized := array.concat(
	[{"at": concat(".", [vm.at, "properties.hardwareProfile.vmSize"]), "seen": look.at(vm.body, "properties.hardwareProfile.vmSize")} |
		some vm in plan.machines
	],
	[{"at": concat(".", [pool.at, "properties.vmSize"]), "seen": look.at(pool.body, "properties.vmSize")} | some pool in plan.pools],
)

deny contains object.union(plan.field(use.seen.value), {
	"id": "GR-004",
	"message": message,
	"path": use.at,
	"found": use.seen.value,
}) if {
	plan.changes
	some use in sized
	use.seen.unknown == false
	message := trouble(use.seen.value)
}

# One sentence on what is wrong with a size; undefined for one that can be had.
trouble(size) := "Choose a size: none is given." if {
	size == null
} else := sprintf("Size %v is not offered in %v. Choose another size or region.", [size, region_in_words]) if {
	count(sizes) > 0
	not sizes[size]
} else := sprintf("Azure restricts size %v for this subscription in %v. Choose another size or region.", [size, region_in_words]) if {
	sizes[size].restricted == true
} else := sprintf("Size %v is not offered in zone %v of %v. Choose another zone or size.", [size, zone, region_in_words]) if {
	zone != ""
	not zone in available(sizes[size])
}

region_in_words := plan.region_in_words(object.get(input.request, "region", "this region"))

# "" is any zone.
zone := object.get(input.request, "zone", "")

available(size) := [z | some z in size.zones; not z in object.get(size, "restricted_zones", [])]

warn contains {
	"id": "GR-004",
	"message": "The size is known only after apply, so nobody can say whether Azure offers it.",
	"path": use.at,
	"found": use.seen.value,
} if {
	plan.changes
	some use in sized
	use.seen.unknown == true
}

warn contains {
	"id": "GR-004",
	"message": "Azure's list of sizes is not known yet. Check again in a minute.",
	"path": "context.sizes",
} if {
	plan.changes
	count(sized) > 0
	count(sizes) == 0
}

rules["GR-008"] := {
	"title": "Quota fits",
	"description": "The most that the plan may add fits into Azure's quota, with what approved requests and growing node pools hold. What cannot be held against a quota needs one approval by the platform approvers.",
	"severity": "high",
	"docs": "Azure Compute usages",
}

deny contains {
	"id": "GR-008",
	"message": sprintf("The quota %v in %v has %v left and %v are needed. Choose a smaller size or fewer machines, or ask for more quota.", [
		line.family,
		plan.region_in_words(line.region),
		left(line),
		line.requested,
	]),
	"path": sprintf("plan.quota[%d]", [i]),
	"found": line.requested,
	"wanted": sprintf("%v at most", [left(line)]),
} if {
	plan.changes
	some i, line in input.plan.quota
	not look.unknown(line.fits)
	object.get(line, "fits", false) == false
}

# Undefined numbers still make a sentence.
left(line) := max([0, (line.limit - line.used) - line.reserved]) if {
	every number in [line.limit, line.used, line.reserved] {
		is_number(number)
	}
} else := "an unknown number"

warn contains {
	"id": "GR-008",
	"message": "Whether the quota is enough is known only after apply.",
	"path": sprintf("plan.quota[%d]", [i]),
} if {
	plan.changes
	some i, line in input.plan.quota
	look.unknown(line.fits)
}

unheld := object.get(input.plan, "quota_unknown", null)

approve contains {
	"id": "GR-008",
	"message": sprintf("Nobody can say whether Azure's quota is enough for %s: 1 approval by the platform approvers is needed.", [concat(", ", unheld)]),
	"path": "plan.quota_unknown",
	"group": "platform-approvers",
	"count": 1,
} if {
	plan.changes
	is_array(unheld)
	count(unheld) > 0
}

approve contains {
	"id": "GR-008",
	"message": "The plan does not say which quotas are not known: 1 approval by the platform approvers is needed.",
	"path": "plan.quota_unknown",
	"group": "platform-approvers",
	"count": 1,
} if {
	plan.changes
	not is_array(unheld)
}

rules["GR-013"] := {
	"title": "The cluster is the project's",
	"description": "A node pool joins a cluster that the project may use.",
	"severity": "critical",
	"docs": "House rule",
}

# Pools in a cluster that the same plan makes join no cluster of others.
guests := [pool |
	some pool in plan.pools
	not pool.cluster.id in {lower(cluster.id) | some cluster in plan.clusters}
]

deny contains {
	"id": "GR-013",
	"message": "The cluster is not one that the project may use in this tier. Choose one of the project's clusters.",
	"path": "project.clusters",
	"field": "parameters.clusterId",
	"found": pool.cluster.id,
	"wanted": object.get(input.project, "clusters", []),
} if {
	plan.changes
	some pool in guests
	not look.unknown(input.project.clusters)
	not pool.cluster.id in {lower(id) | some id in input.project.clusters}
}

warn contains {
	"id": "GR-013",
	"message": "The project's clusters are known only after apply, so nobody can say whether this is one.",
	"path": "project.clusters",
	"field": "parameters.clusterId",
	"found": pool.cluster.id,
} if {
	plan.changes
	some pool in guests
	look.unknown(input.project.clusters)
}
