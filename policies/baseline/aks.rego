# Hardening of AKS node pools, whether they are resources of their own or written inside a cluster's body.
package slipway.baseline.aks

import data.slipway.nodes
import data.slipway.offer
import data.slipway.plan

rules["AKS-015"] := {
	"title": "Nodes encrypt at host",
	"description": "Temporary disks and caches of the nodes are encrypted on the host.",
	"severity": "high",
	"docs": "Azure Policy 41425d9f-d1a5-499a-9932-f8ed8453932c",
	"holds": "Encryption at host is on.",
	"fails": "Encryption at host is off.",
	"fix": {"text": "Set enableEncryptionAtHost to true"},
	"of": "pools",
	"checks": [{"at": "properties.enableEncryptionAtHost", "is": true}],
}

rules["AKS-016"] := {
	"title": "No SSH with local users",
	"description": "Nodes are cattle: nobody signs in to them with a key that was left there.",
	"severity": "medium",
	"docs": "Azure Policy 28257686-e9db-403e-b9e2-a5eecbe03da9",
	"holds": "Local users cannot sign in by SSH.",
	"fails": "Local users can sign in by SSH.",
	"fix": {"text": "Set securityProfile.sshAccess to Disabled"},
	"of": "pools",
	"checks": [{"at": "properties.securityProfile.sshAccess", "is_one_of": ["Disabled", "EntraId"]}],
}

rules["AKS-023"] := {
	"title": "Nodes in several zones",
	"description": "The nodes stand in at least two zones, so that one may fail.",
	"severity": "medium",
	"docs": "PSRule Azure.AKS.AvailabilityZone",
	"holds": "The nodes are spread over zones.",
	"fails": "The nodes stand in fewer than two zones.",
	"fix": {"text": "Choose any zone, so that the nodes are spread", "field": "zone", "value": ""},
}

results contains row if {
	some pool in plan.pools
	zones := look.at(pool.body, "properties.availabilityZones")
	row := look.row("AKS-023", pool, [look.check("properties.availabilityZones", zones, "two zones or more", many(zones.value))])
}

many(zones) := false if {
	not is_array(zones)
} else := count(zones) >= 2

rules["AKS-025"] := {
	"title": "Room for a node to fail",
	"description": "A system pool has three nodes or more; every pool grows by itself when work waits.",
	"severity": "medium",
	"docs": "PSRule Azure.AKS.MinNodeCount, Azure.AKS.AutoScaling",
	"holds": "The pool grows by itself, and a system pool has three nodes.",
	"fails": "The pool does not grow by itself, or is a system pool of fewer than three nodes.",
	"fix": {"text": "Set enableAutoScaling to true, and count to 3 in a system pool"},
}

results contains row if {
	some pool in plan.pools
	row := look.row("AKS-025", pool, array.concat(
		[look.is(pool.body, "properties.enableAutoScaling", true)],
		[look.is_at_least(pool.body, "properties.count", 3) | look.at(pool.body, "properties.mode").value == "System"],
	))
}

rules["AKS-026"] := {
	"title": "Upgrades bring spare nodes",
	"description": "An upgrade adds nodes before it empties others; how many is said, not left to a default.",
	"severity": "low",
	"docs": "azqr aks-016",
	"holds": "The surge is set.",
	"fails": "The surge of an upgrade is not set.",
	"fix": {"text": "Set upgradeSettings.maxSurge to 33%"},
	"of": "pools",
	"checks": [{"at": "properties.upgradeSettings.maxSurge", "is_present": "such as 33%"}],
}

rules["AKS-027"] := {
	"title": "Ephemeral OS disk",
	"description": "The OS disk is the host's: nothing stays behind after a node, and it starts faster.",
	"severity": "low",
	"docs": "PSRule Azure.AKS.EphemeralOSDisk",
	"holds": "The OS disk is ephemeral.",
	"fails": "The OS disk outlives the node.",
	"fix": {"text": "Set osDiskType to Ephemeral and choose a size with a local disk"},
	"of": "pools",
	"checks": [{"at": "properties.osDiskType", "is": "Ephemeral"}],
}

rules["AKS-030"] := {
	"title": "Nodes have no public address",
	"description": "Nodes are reached through the cluster's network only.",
	"severity": "high",
	"docs": "House rule",
	"holds": "The nodes have no public address.",
	"fails": "Every node has a public address.",
	"fix": {"text": "Set enableNodePublicIP to false"},
	"of": "pools",
	"checks": [{"at": "properties.enableNodePublicIP", "is_not": true, "wanted": false}],
}

rules["AKS-032"] := {
	"title": "Azure Container Linux as it must be",
	"description": "Azure Container Linux needs Secure Boot and a virtual TPM, Kubernetes 1.34 or newer, whole-image updates of the nodes, and no Pod Sandboxing.",
	"severity": "critical",
	"docs": "AKS, azure-container-linux-limitations.md",
	"holds": "The pool has what Azure Container Linux needs.",
	"fails": "The pool lacks something that Azure Container Linux needs.",
	"fix": {"text": "Set what is missing, or choose a cluster on Kubernetes 1.34 or newer whose node OS channel is NodeImage or None"},
}

results contains row if {
	some pool in plan.pools
	may_be_container_linux(pool)
	row := look.row("AKS-032", pool, nodes.container_linux_checks(pool))
}

results contains look.not_applicable("AKS-032", pool, "properties.osSKU") if {
	some pool in plan.pools
	not may_be_container_linux(pool)
}

# Where the node system is known only after apply, it may be this one.
may_be_container_linux(pool) if {
	look.is(pool.body, "properties.osSKU", "AzureContainerLinux").result in {"pass", "unknown"}
}

rules["AKS-033"] := {
	"title": "Azure Container Linux on Arm64",
	"description": "On Arm64, Azure Container Linux runs on the Cobalt sizes of version 6 only.",
	"severity": "critical",
	"docs": "AKS, azure-container-linux-limitations.md",
	"holds": "The size can run Azure Container Linux.",
	"fails": "Azure Container Linux does not run on this Arm64 size.",
	"fix": {"text": "Choose an Arm64 size of version 6, such as Standard_D4ps_v6"},
}

results contains row if {
	some pool in plan.pools
	may_be_container_linux(pool)
	size := look.at(pool.body, "properties.vmSize")
	row := look.row("AKS-033", pool, [look.check("properties.vmSize", size, "an x64 size, or an Arm64 size of version 6", runs_container_linux(size.value))])
}

results contains look.not_applicable("AKS-033", pool, "properties.osSKU") if {
	some pool in plan.pools
	not may_be_container_linux(pool)
}

runs_container_linux(size) := true if {
	architecture(size) == "x64"
} else := true if {
	architecture(size) == "Arm64"
	endswith(lower(size), "_v6")
} else := false

# What Azure says of the size; null for a size that it does not offer here.
architecture(size) := object.get(input.context, ["sizes", size, "architecture"], null)

rules["AKS-034"] := {
	"title": "SELinux is not weakened",
	"description": "A tag on the pool can make SELinux permissive: it then reports what it should stop.",
	"severity": "high",
	"docs": "AKS, azure-container-linux-overview.md",
	"holds": "SELinux enforces.",
	"fails": "A tag makes SELinux permissive.",
	"fix": {"text": "Remove the tag acl-node-security-profile", "field": "tags"},
}

results contains row if {
	some pool in plan.pools
	profile := look.at(pool.body, "properties.tags.acl-node-security-profile")
	row := look.row("AKS-034", pool, [look.check("properties.tags.acl-node-security-profile", profile, "no selinux=permissive", enforces(profile.value))])
}

enforces(profile) := false if {
	is_string(profile)
	contains(lower(profile), "selinux=permissive")
} else := true

rules["AKS-035"] := {
	"title": "Node system that is supported",
	"description": "Flatcar and CBLMariner are retired; Azure Linux OS Guard takes no new pools from 10 December 2026.",
	"severity": "high",
	"docs": "AKS release notes 2026-09-04",
	"holds": "The node system is supported.",
	"fails": "The node system is retired, or about to be.",
	"fix": {"text": "Use AzureContainerLinux"},
}

results contains row if {
	some pool in plan.pools
	system := look.at(pool.body, "properties.osSKU")
	row := look.row("AKS-035", pool, [look.check("properties.osSKU", system, "a supported system", nodes.supported(system.value))])
}

rules["AKS-036"] := {
	"title": "Supported Kubernetes version",
	"description": "The version is not past its end of support and not a preview: vulnerabilities are mended in supported versions only.",
	"severity": "high",
	"docs": "AKS, supported-kubernetes-versions.md",
	"holds": "The Kubernetes version is supported.",
	"fails": "The Kubernetes version is not supported: it is past its end, a preview, or not known.",
	"fix": {"text": "Choose a cluster on a supported version, or upgrade this one"},
}

results contains row if {
	some pool in plan.pools
	version := look.at(pool.cluster, "kubernetes_version")
	row := look.row("AKS-036", pool, [look.within(
		{"path": "cluster"},
		look.check("kubernetes_version", version, "a supported version", supported_version(version.value)),
	)])
}

supported_version(version) := false if {
	offer.is_at_least_minor(version, 34) == false
} else := false if {
	input.context.kubernetes[offer.minor(version)].is_preview == true
} else := false if {
	substring(input.now, 0, 10) >= offer.kubernetes_unsupported_from[offer.minor(version)]
} else := true
