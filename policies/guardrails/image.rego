# What may run: images, previews, node systems, processors. How it is hardened is the baseline's.
package slipway.guardrails.image

import data.slipway.controls
import data.slipway.nodes
import data.slipway.offer
import data.slipway.plan

rules["GR-009"] := {
	"title": "Offered image",
	"description": "Machines run the images that Slipway offers: second-generation images of Azure Linux.",
	"severity": "high",
	"docs": "House rule; Azure Linux VM images, azure-linux-vm-vmss-overview.md",
}

# One entry for each machine whose image the baseline does not pass.
imaged := [{"path": concat(".", [vm.at, row.path]), "result": row.result, "found": row.found, "wanted": row.wanted} |
	some vm in plan.machines
	some row in controls.open
	row.id == "VM-022"
	row.resource == vm.id
]

deny contains {
	"id": "GR-009",
	"message": "The image is not one of those offered. Use a second-generation image of Azure Linux.",
	"path": image.path,
	"found": image.found,
	"wanted": image.wanted,
} if {
	plan.changes
	some image in imaged
	image.result == "fail"
}

warn contains {
	"id": "GR-009",
	"message": "The image is known only after apply, so nobody can say whether it is one of those offered.",
	"path": image.path,
	"found": image.found,
} if {
	plan.changes
	some image in imaged
	image.result == "unknown"
}

rules["GR-010"] := {
	"title": "No preview in prod",
	"description": "A preview comes without Microsoft's word on security updates: it is for evaluation, in dev and test.",
	"severity": "high",
	"docs": "Azure Linux 4.0 preview, manage-cves.md",
}

may_be_prod if not input.request.tier in {"dev", "test"}

deny contains {
	"id": "GR-010",
	"message": sprintf("%v is a preview and must not run in prod. Use dev or test, or a template that is generally available.", [object.get(input.plan.template, "title", "This template")]),
	"path": "plan.template.support",
	"field": "tier",
	"found": support,
	"wanted": "ga",
} if {
	plan.changes
	may_be_prod
	support := object.get(input.plan, ["template", "support"], "not said")
	not look.unknown(support)
	support != "ga"
}

deny contains {
	"id": "GR-010",
	"message": sprintf("%s would run the preview of Azure Linux 4.0, which must not run in prod. Use Azure Linux 3.0.", [vm.name]),
	"path": concat(".", [vm.at, "properties.storageProfile.imageReference"]),
	"field": "tier",
	"found": vm.image,
} if {
	plan.changes
	may_be_prod
	some vm in plan.machines
	offer.is_azure_linux_4(vm.image)
}

warn contains {
	"id": "GR-010",
	"message": "Whether the template is a preview is known only after apply.",
	"path": "plan.template.support",
	"found": input.plan.template.support,
} if {
	plan.changes
	may_be_prod
	look.unknown(input.plan.template.support)
}

rules["GR-011"] := {
	"title": "No retired node system",
	"description": "Flatcar and CBLMariner are retired, Azure Linux OS Guard takes no new pools from 10 December 2026: nodes run Azure Container Linux or another supported system.",
	"severity": "high",
	"docs": "AKS release notes 2026-09-04",
}

deny contains {
	"id": "GR-011",
	"message": sprintf("Node system %v is retired, about to be, or not given. Use AzureContainerLinux.", [system.value]),
	"path": concat(".", [pool.at, "properties.osSKU"]),
	"found": system.value,
	"wanted": "AzureContainerLinux",
} if {
	plan.changes
	some pool in plan.pools
	system := look.at(pool.body, "properties.osSKU")
	system.unknown == false
	nodes.supported(system.value) == false
}

warn contains {
	"id": "GR-011",
	"message": "The node system is known only after apply, so nobody can say whether it is retired.",
	"path": concat(".", [pool.at, "properties.osSKU"]),
	"found": system.value,
} if {
	plan.changes
	some pool in plan.pools
	system := look.at(pool.body, "properties.osSKU")
	system.unknown == true
}

rules["GR-018"] := {
	"title": "Image and size fit",
	"description": "An Arm64 image needs an Arm64 size, an x64 image an x64 size; otherwise the machine cannot start.",
	"severity": "critical",
	"docs": "Azure Compute SKU capability CpuArchitectureType",
}

# A size of which Azure says nothing here is GR-004's matter.
deny contains object.union(plan.field(size), {
	"id": "GR-018",
	"message": sprintf("Size %v has %v processors, the image needs %v. Choose a size with %v processors.", [size, has, needs, needs]),
	"path": concat(".", [vm.at, "properties.hardwareProfile.vmSize"]),
	"found": has,
	"wanted": needs,
}) if {
	plan.changes
	some vm in plan.machines
	size := look.at(vm.body, "properties.hardwareProfile.vmSize").value
	has := input.context.sizes[size].architecture
	needs := offer.images[vm.image]
	has != needs
}

warn contains {
	"id": "GR-018",
	"message": "The size is known only after apply, so nobody can say whether the image runs on it.",
	"path": concat(".", [vm.at, "properties.hardwareProfile.vmSize"]),
	"found": size.value,
} if {
	plan.changes
	some vm in plan.machines
	size := look.at(vm.body, "properties.hardwareProfile.vmSize")
	size.unknown == true
}

rules["GR-020"] := {
	"title": "The cluster can run Azure Container Linux",
	"description": "Azure Container Linux needs Kubernetes 1.34 or newer, the node OS channel NodeImage or None, Secure Boot, a virtual TPM and no Pod Sandboxing.",
	"severity": "critical",
	"docs": "AKS, azure-container-linux-limitations.md",
}

# Each thing that Azure Container Linux needs and that a pool of it lacks or leaves open.
needs_of_container_linux := [object.union(check, {"pool": pool}) |
	some pool in plan.pools
	look.at(pool.body, "properties.osSKU").value == "AzureContainerLinux"
	some check in nodes.container_linux_checks(pool)
]

deny contains {
	"id": "GR-020",
	"message": sprintf("Azure Container Linux cannot run here: %s is %v, and %v is needed. Choose another cluster or change the pool.", [
		check.path,
		shown(check.found),
		check.wanted,
	]),
	"path": concat(".", [check.pool.at, check.path]),
	"field": "parameters.clusterId",
	"found": check.found,
	"wanted": check.wanted,
} if {
	plan.changes
	some check in needs_of_container_linux
	check.result == "fail"
}

warn contains {
	"id": "GR-020",
	"message": sprintf("%s is known only after apply, so nobody can say whether Azure Container Linux can run.", [check.path]),
	"path": concat(".", [check.pool.at, check.path]),
	"found": check.found,
} if {
	plan.changes
	some check in needs_of_container_linux
	check.result == "unknown"
}

shown(found) := "not known" if {
	found == null
} else := found
