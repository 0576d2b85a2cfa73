# What a machine runs, and on what: image, OS disk, processor. How it is hardened stands in vm.rego.
package slipway.baseline.image

import data.slipway.offer
import data.slipway.plan

rules["VM-022"] := {
	"title": "Offered image",
	"description": "The machine runs one of the images that Slipway offers: second-generation images of Azure Linux.",
	"severity": "high",
	"docs": "House rule; Azure Linux VM images, azure-linux-vm-vmss-overview.md",
	"holds": "The image is one of those offered.",
	"fails": "The image is not one of those offered.",
	"fix": {"text": "Use a second-generation image of Azure Linux"},
}

results contains row if {
	some vm in plan.machines
	row := look.row("VM-022", vm, [look.check(
		"properties.storageProfile.imageReference",
		image_of(vm),
		offered,
		vm.image in offered,
	)])
}

offered := [image | some image, _ in offer.images]

# An image of which any part is unknown is unknown.
image_of(vm) := {"value": seen.value, "unknown": true} if {
	some part in ["publisher", "offer", "sku"]
	seen := look.at(vm.body, concat(".", ["properties.storageProfile.imageReference", part]))
	seen.unknown
} else := look.at(vm.body, "properties.storageProfile.imageReference")

rules["VM-023"] := {
	"title": "No preview system in prod",
	"description": "Azure Linux 4.0 is a preview for evaluation, without security update times that Microsoft stands by.",
	"severity": "high",
	"docs": "Azure Linux 4.0 preview, manage-cves.md",
	"holds": "The preview system stays out of prod.",
	"fails": "Azure Linux 4.0 is a preview and must not run in prod.",
	"fix": {"text": "Use Azure Linux 3.0 in prod"},
}

results contains row if {
	some vm in plan.machines
	offer.is_azure_linux_4(vm.image)
	seen := look.at(vm.body, "tags.environment")
	row := look.row("VM-023", vm, [look.check("tags.environment", seen, "dev or test", seen.value in {"dev", "test"})])
}

results contains look.not_applicable("VM-023", vm, "properties.storageProfile.imageReference.offer") if {
	some vm in plan.machines
	not offer.is_azure_linux_4(vm.image)
}

rules["VM-025"] := {
	"title": "Room on the OS disk",
	"description": "The image of Azure Linux is 5 GB: without a larger OS disk there is no room for logs and updates.",
	"severity": "low",
	"docs": "Azure Linux VM images, azure-linux-vm-vmss-overview.md",
	"holds": "The OS disk has room.",
	"fails": "The OS disk is smaller than 30 GiB.",
	"fix": {"text": "Make the OS disk 32 GiB", "field": "parameters.osDiskSizeGB", "value": 32},
}

results contains row if {
	some vm in plan.machines
	offer.images[vm.image]
	row := look.row("VM-025", vm, [look.is_at_least(vm.body, "properties.storageProfile.osDisk.diskSizeGB", 30)])
}

results contains look.not_applicable("VM-025", vm, "properties.storageProfile.imageReference") if {
	some vm in plan.machines
	not offer.images[vm.image]
}

rules["VM-026"] := {
	"title": "Image and size fit",
	"description": "An Arm64 image needs an Arm64 size, an x64 image an x64 size.",
	"severity": "critical",
	"docs": "Azure Compute SKU capability CpuArchitectureType",
	"holds": "Image and size have the same processor architecture.",
	"fails": "Image and size have different processor architectures: the machine cannot start.",
	"fix": {"text": "Choose a size of the image's architecture"},
}

results contains row if {
	some vm in plan.machines
	offer.images[vm.image]
	size := look.at(vm.body, "properties.hardwareProfile.vmSize")
	wanted := offer.images[vm.image]
	row := look.row("VM-026", vm, [look.check(
		"properties.hardwareProfile.vmSize",
		size,
		sprintf("a size with %s processors", [wanted]),
		architecture(size.value) == wanted,
	)])
}

results contains look.not_applicable("VM-026", vm, "properties.storageProfile.imageReference") if {
	some vm in plan.machines
	not offer.images[vm.image]
}

# What Azure says of the size; null for a size that it does not offer here.
architecture(size) := object.get(input.context, ["sizes", size, "architecture"], null)
