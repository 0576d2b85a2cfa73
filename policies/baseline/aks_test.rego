# The four cases of every control on node pools.
package test.baseline.aks

import data.slipway.baseline.aks
import data.test.testing

good := testing.pool

# What a control says of a plan with this one resource.
outcome(id, body) := [row.result | some row in rows; row.id == id] if {
	rows := aks.results with input as testing.creating([testing.pool_named("batch", body)])
}

# What a control says of the good pool on a cluster of which these facts are known.
with_cluster(id, facts) := [row.result | some row in rows; row.id == id] if {
	context := {"clusters": {lower(testing.cluster): facts}, "kubernetes": {"1.36": {"is_preview": false}, "1.38": {"is_preview": true}}}
	rows := aks.results with input as object.union(json.remove(testing.creating([testing.pool_named("batch", good)]), ["context"]), {"context": context})
}

test_aks_015_passes if outcome("AKS-015", good) == ["pass"]

test_aks_015_fails if outcome("AKS-015", testing.set(good, "properties.enableEncryptionAtHost", false)) == ["fail"]

test_aks_015_absent if outcome("AKS-015", testing.without(good, "properties.enableEncryptionAtHost")) == ["fail"]

test_aks_015_unknown if outcome("AKS-015", testing.set(good, "properties.enableEncryptionAtHost", testing.unknown)) == ["unknown"]

test_aks_016_passes if outcome("AKS-016", good) == ["pass"]

test_aks_016_fails if outcome("AKS-016", testing.set(good, "properties.securityProfile.sshAccess", "LocalUser")) == ["fail"]

test_aks_016_absent if outcome("AKS-016", testing.without(good, "properties.securityProfile.sshAccess")) == ["fail"]

test_aks_016_unknown if outcome("AKS-016", testing.set(good, "properties.securityProfile.sshAccess", testing.unknown)) == ["unknown"]

test_aks_016_passes_entra if outcome("AKS-016", testing.set(good, "properties.securityProfile.sshAccess", "EntraId")) == ["pass"]

test_aks_023_passes if outcome("AKS-023", good) == ["pass"]

test_aks_023_fails if outcome("AKS-023", testing.set(good, "properties.availabilityZones", ["1"])) == ["fail"]

test_aks_023_absent if outcome("AKS-023", testing.without(good, "properties.availabilityZones")) == ["fail"]

test_aks_023_unknown if outcome("AKS-023", testing.set(good, "properties.availabilityZones", testing.unknown)) == ["unknown"]

test_aks_023_passes_two if outcome("AKS-023", testing.set(good, "properties.availabilityZones", ["1", "2"])) == ["pass"]

test_aks_025_passes if outcome("AKS-025", good) == ["pass"]

test_aks_025_fails if outcome("AKS-025", testing.set(good, "properties.enableAutoScaling", false)) == ["fail"]

test_aks_025_absent if outcome("AKS-025", testing.without(good, "properties.enableAutoScaling")) == ["fail"]

test_aks_025_unknown if outcome("AKS-025", testing.set(good, "properties.enableAutoScaling", testing.unknown)) == ["unknown"]

test_aks_025_passes_system_of_three if outcome("AKS-025", testing.set(good, "properties.mode", "System")) == ["pass"]

test_aks_025_fails_system_of_two if outcome("AKS-025", testing.set(testing.set(good, "properties.mode", "System"), "properties.count", 2)) == ["fail"]

test_aks_025_passes_user_of_one if outcome("AKS-025", testing.set(good, "properties.count", 1)) == ["pass"]

test_aks_026_passes if outcome("AKS-026", good) == ["pass"]

test_aks_026_fails if outcome("AKS-026", testing.set(good, "properties.upgradeSettings.maxSurge", "")) == ["fail"]

test_aks_026_absent if outcome("AKS-026", testing.without(good, "properties.upgradeSettings.maxSurge")) == ["fail"]

test_aks_026_unknown if outcome("AKS-026", testing.set(good, "properties.upgradeSettings.maxSurge", testing.unknown)) == ["unknown"]

test_aks_027_passes if outcome("AKS-027", good) == ["pass"]

test_aks_027_fails if outcome("AKS-027", testing.set(good, "properties.osDiskType", "Managed")) == ["fail"]

test_aks_027_absent if outcome("AKS-027", testing.without(good, "properties.osDiskType")) == ["fail"]

test_aks_027_unknown if outcome("AKS-027", testing.set(good, "properties.osDiskType", testing.unknown)) == ["unknown"]

test_aks_030_passes if outcome("AKS-030", good) == ["pass"]

test_aks_030_fails if outcome("AKS-030", testing.set(good, "properties.enableNodePublicIP", true)) == ["fail"]

test_aks_030_absent if outcome("AKS-030", testing.without(good, "properties.enableNodePublicIP")) == ["pass"]

test_aks_030_unknown if outcome("AKS-030", testing.set(good, "properties.enableNodePublicIP", testing.unknown)) == ["unknown"]

test_aks_032_passes if outcome("AKS-032", good) == ["pass"]

test_aks_032_fails if outcome("AKS-032", testing.set(good, "properties.securityProfile.enableSecureBoot", false)) == ["fail"]

test_aks_032_absent if outcome("AKS-032", testing.without(good, "properties.securityProfile.enableSecureBoot")) == ["fail"]

test_aks_032_unknown if outcome("AKS-032", testing.set(good, "properties.securityProfile.enableSecureBoot", testing.unknown)) == ["unknown"]

test_aks_032_fails_without_vtpm if outcome("AKS-032", testing.set(good, "properties.securityProfile.enableVTPM", false)) == ["fail"]

test_aks_032_fails_with_pod_sandboxing if outcome("AKS-032", testing.set(good, "properties.workloadRuntime", "KataVmIsolation")) == ["fail"]

test_aks_032_passes_cluster if with_cluster("AKS-032", {"kubernetes_version": "1.36.2", "node_os_upgrade_channel": "NodeImage"}) == ["pass"]

test_aks_032_passes_channel_none if with_cluster("AKS-032", {"kubernetes_version": "1.34.0", "node_os_upgrade_channel": "None"}) == ["pass"]

test_aks_032_fails_channel if with_cluster("AKS-032", {"kubernetes_version": "1.36.2", "node_os_upgrade_channel": "SecurityPatch"}) == ["fail"]

test_aks_032_fails_old_kubernetes if with_cluster("AKS-032", {"kubernetes_version": "1.33.9", "node_os_upgrade_channel": "NodeImage"}) == ["fail"]

test_aks_032_absent_cluster if with_cluster("AKS-032", {}) == ["fail"]

test_aks_032_unknown_kubernetes if with_cluster("AKS-032", {"kubernetes_version": testing.unknown, "node_os_upgrade_channel": "NodeImage"}) == ["unknown"]

test_aks_032_unknown_system if outcome("AKS-032", testing.set(good, "properties.osSKU", testing.unknown)) == ["unknown"]

test_aks_032_not_applicable_to_other_systems if outcome("AKS-032", testing.set(good, "properties.osSKU", "AzureLinux")) == ["not_applicable"]

test_aks_033_passes if outcome("AKS-033", good) == ["pass"]

test_aks_033_fails if outcome("AKS-033", testing.set(good, "properties.vmSize", "Standard_D2ps_v5")) == ["fail"]

test_aks_033_absent if outcome("AKS-033", testing.without(good, "properties.vmSize")) == ["fail"]

test_aks_033_unknown if outcome("AKS-033", testing.set(good, "properties.vmSize", testing.unknown)) == ["unknown"]

test_aks_033_passes_cobalt if outcome("AKS-033", testing.set(good, "properties.vmSize", "Standard_D2ps_v6")) == ["pass"]

test_aks_033_fails_size_that_nobody_knows if outcome("AKS-033", testing.set(good, "properties.vmSize", "Standard_X1_v6")) == ["fail"]

test_aks_033_not_applicable_to_other_systems if outcome("AKS-033", testing.set(good, "properties.osSKU", "AzureLinux")) == ["not_applicable"]

test_aks_034_passes if outcome("AKS-034", good) == ["pass"]

test_aks_034_fails if outcome("AKS-034", testing.set(good, "properties.tags.acl-node-security-profile", "SELinux=Permissive")) == ["fail"]

test_aks_034_absent if outcome("AKS-034", testing.without(good, "properties.tags.acl-node-security-profile")) == ["pass"]

test_aks_034_unknown if outcome("AKS-034", testing.set(good, "properties.tags.acl-node-security-profile", testing.unknown)) == ["unknown"]

test_aks_034_passes_other_profile if outcome("AKS-034", testing.set(good, "properties.tags.acl-node-security-profile", "selinux=enforcing")) == ["pass"]

test_aks_035_passes if outcome("AKS-035", good) == ["pass"]

test_aks_035_fails if outcome("AKS-035", testing.set(good, "properties.osSKU", "Flatcar")) == ["fail"]

test_aks_035_absent if outcome("AKS-035", testing.without(good, "properties.osSKU")) == ["fail"]

test_aks_035_unknown if outcome("AKS-035", testing.set(good, "properties.osSKU", testing.unknown)) == ["unknown"]

test_aks_035_fails_os_guard if outcome("AKS-035", testing.set(good, "properties.osSKU", "AzureLinuxOSGuard")) == ["fail"]

test_aks_035_fails_mariner if outcome("AKS-035", testing.set(good, "properties.osSKU", "CBLMariner")) == ["fail"]

test_aks_036_passes if with_cluster("AKS-036", {"kubernetes_version": "1.36.2", "node_os_upgrade_channel": "NodeImage"}) == ["pass"]

test_aks_036_passes_newer if with_cluster("AKS-036", {"kubernetes_version": "1.37"}) == ["pass"]

test_aks_036_passes_in_its_last_days if with_cluster("AKS-036", {"kubernetes_version": "1.34.9"}) == ["pass"]

test_aks_036_fails if with_cluster("AKS-036", {"kubernetes_version": "1.33.2"}) == ["fail"]

test_aks_036_fails_preview if with_cluster("AKS-036", {"kubernetes_version": "1.38.0"}) == ["fail"]

test_aks_036_fails_what_is_no_version if with_cluster("AKS-036", {"kubernetes_version": "latest"}) == ["fail"]

test_aks_036_absent if with_cluster("AKS-036", {}) == ["fail"]

test_aks_036_unknown if with_cluster("AKS-036", {"kubernetes_version": testing.unknown}) == ["unknown"]

test_aks_036_fails_past_its_end if {
	rows := aks.results with input as object.union(testing.creating([testing.pool_named("batch", good)]), {"now": "2027-04-01T00:00:00Z"})
	["fail"] == [row.result | some row in rows; row.id == "AKS-036"]
}

test_aks_030_says_what_is_wanted if wanted("AKS-030", good) == [false]

wanted(id, body) := [row.wanted | some row in rows; row.id == id] if {
	rows := aks.results with input as testing.creating([testing.pool_named("batch", body)])
}

# A plan that makes the cluster, and in it these pools.
in_new_cluster(properties, pools) := rows if {
	rows := aks.results with input as testing.creating(array.concat([cluster(properties)], pools))
}

cluster(properties) := object.union(
	testing.resource("Microsoft.ContainerService/managedClusters", "aks", {"properties": properties}),
	{"id": testing.cluster},
)

test_aks_036_fails_pool_of_an_old_cluster_that_the_plan_makes if {
	rows := in_new_cluster({"kubernetesVersion": "1.30.1"}, [testing.pool_named("batch", good)])
	["fail"] == [row.result | some row in rows; row.id == "AKS-036"]
}

test_aks_036_passes_beside_another_old_cluster_that_the_plan_makes if {
	other := object.union(cluster({"kubernetesVersion": "1.30.1"}), {"id": "/other"})
	rows := aks.results with input as testing.creating([other, testing.pool_named("batch", good)])
	["pass"] == [row.result | some row in rows; row.id == "AKS-036"]
}

test_aks_036_judges_pools_inside_a_cluster if {
	rows := in_new_cluster({"kubernetesVersion": "1.35.7", "agentPoolProfiles": [object.union(good.properties, {"name": "system"})]}, [])
	[[sprintf("%s/agentPools/system", [testing.cluster]), "pass"]] == [[row.resource, row.result] | some row in rows; row.id == "AKS-036"]
}

test_aks_015_unknown_where_the_pools_of_a_cluster_are if {
	rows := in_new_cluster({"agentPoolProfiles": testing.unknown}, [])
	["unknown"] == [row.result | some row in rows; row.id == "AKS-015"]
}
