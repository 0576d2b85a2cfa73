# What a node system needs, and whether AKS still makes it: asked by a guardrail and by the baseline.
package slipway.nodes

import data.slipway.offer

# Everything that Azure Container Linux needs of a pool and its cluster.
container_linux_checks(pool) := [
	look.is(pool.body, "properties.osSKU", "AzureContainerLinux"),
	look.is(pool.body, "properties.securityProfile.enableSecureBoot", true),
	look.is(pool.body, "properties.securityProfile.enableVTPM", true),
	look.is_not(pool.body, "properties.workloadRuntime", "KataVmIsolation", "no Pod Sandboxing"),
	look.within({"path": "cluster"}, look.is_one_of(pool.cluster, "node_os_upgrade_channel", ["NodeImage", "None"])),
	look.within({"path": "cluster"}, look.check("kubernetes_version", version, "1.34 or newer", offer.is_at_least_minor(version.value, 34))),
] if {
	version := look.at(pool.cluster, "kubernetes_version")
}

# A retired system is not; what is no text is none.
supported(system) := false if {
	not is_string(system)
} else := not_retired if {
	not_retired := {lower(system)} & offer.retired_node_systems == set()
}
