# What Slipway offers and what Azure has retired: images, node systems, Kubernetes versions. Facts with their sources; judges nothing.
package slipway.offer

# Gen2 images of Azure Linux, as publisher:offer:sku in lower case. Sources: Microsoft's azure-linux-vm-vmss-overview (4.0), AgentBaker's image pipeline
# (3.0). Gen1 images have no Trusted Launch; the `-acl` images are inputs of AKS's own builds, not virtual machine images.
images := {
	"microsoftazurelinux:azurelinux-4:4": "x64",
	"microsoftazurelinux:azurelinux-4:4-arm64": "Arm64",
	"microsoftcblmariner:azure-linux-3:azure-linux-3-gen2": "x64",
	"microsoftcblmariner:azure-linux-3:azure-linux-3-gen2-fips": "x64",
	"microsoftcblmariner:azure-linux-3:azure-linux-3-arm64": "Arm64",
}

# The image of a machine's body as publisher:offer:sku, lower case; "" where a part is missing or unknown.
image(body) := lower(concat(":", parts)) if {
	reference := object.get(body, ["properties", "storageProfile", "imageReference"], {})
	parts := [reference.publisher, reference.offer, reference.sku]
	every part in parts {
		is_string(part)
	}
} else := ""

# Azure Linux 4.0 is a preview for evaluation; its boot components are not signed for Secure Boot (azure-linux architecture.md).
is_azure_linux_4(image_name) if contains(image_name, ":azurelinux-4:")

# Node systems that AKS no longer makes: Flatcar and CBLMariner are retired; OS Guard takes no new pools from 2026-12-10 (AKS release 2026-09-04).
retired_node_systems := {"flatcar", "cblmariner", "azurelinuxosguard"}

# The first day without community support (supported-kubernetes-versions, 2026-08-05). Older ones have long-term support only or none; of newer ones no
# end is announced.
kubernetes_unsupported_from := {
	"1.34": "2026-12-01",
	"1.35": "2027-04-01",
	"1.36": "2027-07-01",
}

# "1.34" of "1.34.9"; "" of what is no version.
minor(version) := concat(".", array.slice(split(version, "."), 0, 2)) if {
	is_string(version)
	regex.match(`^1\.[0-9]+(\.|$)`, version)
} else := ""

# Whether a version is at least 1.<wanted>; a version that is no version is not.
is_at_least_minor(version, wanted) := to_number(split(minor(version), ".")[1]) >= wanted if {
	minor(version) != ""
} else := false
