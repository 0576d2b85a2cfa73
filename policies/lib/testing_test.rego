# What tests share: a plan made of given resources, and bodies with one thing changed.
package test.testing

# What is known only after apply.
unknown := {"$unknown": "reference('other').property"}

# A body with one property set, whatever stood there before. Paths are dotted and at most eight deep.
set(body, path, value) := object.union(without(body, path), nested(split(path, "."), value))

# A body without one property.
without(body, path) := json.remove(body, [split(path, ".")])

nested(steps, value) := {steps[0]: value} if {
	count(steps) == 1
} else := {steps[0]: {steps[1]: value}} if {
	count(steps) == 2
} else := {steps[0]: {steps[1]: {steps[2]: value}}} if {
	count(steps) == 3
} else := {steps[0]: {steps[1]: {steps[2]: {steps[3]: value}}}} if {
	count(steps) == 4
} else := {steps[0]: {steps[1]: {steps[2]: {steps[3]: {steps[4]: value}}}}} if {
	count(steps) == 5
} else := {steps[0]: {steps[1]: {steps[2]: {steps[3]: {steps[4]: {steps[5]: value}}}}}}

resource(kind, name, body) := {
	"id": sprintf("/subscriptions/s/resourceGroups/rg/providers/%s/%s", [kind, name]),
	"type": kind,
	"name": name,
	"change": "create",
	"body": body,
}

# A request to create these resources in dev.
creating(resources) := {
	"plan": {"resources": resources, "template": {"name": "azure-linux-vm", "version": "1.0.0", "title": "Azure Linux VM", "support": "ga", "lifecycle": "published"}, "parameters": {}, "quota_unknown": []},
	"request": {"kind": "create", "tier": "dev", "region": "westeurope", "zone": "", "name": "web"},
	"project": {"name": "payments", "tier": "dev", "regions": ["westeurope"], "subnets": [subnet], "clusters": [cluster]},
	"context": {
		"clusters": {lower(cluster): {"kubernetes_version": "1.35.7", "node_os_upgrade_channel": "NodeImage"}},
		"subnets": {lower(subnet): {"network_security_group": true, "default_outbound_access": false}},
		"sizes": {
			"Standard_D2ds_v6": {"architecture": "x64", "zones": ["1", "2", "3"], "restricted": false, "restricted_zones": []},
			"Standard_D2ps_v6": {"architecture": "Arm64", "zones": ["1", "2", "3"], "restricted": false, "restricted_zones": []},
			"Standard_D2ps_v5": {"architecture": "Arm64", "zones": ["1", "2", "3"], "restricted": false, "restricted_zones": []},
		},
		"kubernetes": {"1.35": {"is_preview": false}},
		"other_stacks": [],
	},
	"now": "2026-11-22T10:00:00Z",
}

subnet := "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/vnet/subnets/workload"

cluster := "/subscriptions/s/resourceGroups/Clusters/providers/Microsoft.ContainerService/managedClusters/aks"

# A machine that passes every control of its own.
machine := {
	"location": "westeurope",
	"zones": ["1"],
	"tags": {"owner": "payments", "costCenter": "CC-1", "environment": "dev"},
	"identity": {"type": "UserAssigned"},
	"properties": {
		"hardwareProfile": {"vmSize": "Standard_D2ds_v6"},
		"securityProfile": {
			"securityType": "TrustedLaunch",
			"uefiSettings": {"secureBootEnabled": true, "vTpmEnabled": true},
			"encryptionAtHost": true,
		},
		"storageProfile": {
			"imageReference": {"publisher": "MicrosoftCBLMariner", "offer": "azure-linux-3", "sku": "azure-linux-3-gen2"},
			"osDisk": {"diskSizeGB": 32, "managedDisk": {"diskEncryptionSet": {"id": "/des"}}},
			"dataDisks": [{"createOption": "Empty", "managedDisk": {"diskEncryptionSet": {"id": "/des"}}}],
		},
		"osProfile": {"linuxConfiguration": {
			"disablePasswordAuthentication": true,
			"provisionVMAgent": true,
			"patchSettings": {"patchMode": "AutomaticByPlatform", "assessmentMode": "AutomaticByPlatform"},
		}},
		"diagnosticsProfile": {"bootDiagnostics": {"enabled": true}},
	},
}

# The same on the preview of Azure Linux 4.0, as it must be there.
azure_linux_4 := set(
	set(machine, "properties.storageProfile.imageReference", {"publisher": "microsoftazurelinux", "offer": "azurelinux-4", "sku": "4"}),
	"properties.securityProfile.uefiSettings.secureBootEnabled", false,
)

# A node pool that passes every control of its own.
pool := {"properties": {
	"mode": "User",
	"osSKU": "AzureContainerLinux",
	"vmSize": "Standard_D2ds_v6",
	"count": 3,
	"enableAutoScaling": true,
	"availabilityZones": ["1", "2", "3"],
	"osDiskType": "Ephemeral",
	"enableEncryptionAtHost": true,
	"enableNodePublicIP": false,
	"securityProfile": {"enableSecureBoot": true, "enableVTPM": true, "sshAccess": "Disabled"},
	"upgradeSettings": {"maxSurge": "33%"},
	"vnetSubnetID": subnet,
	"tags": {"owner": "payments"},
}}

pool_named(name, body) := {
	"id": sprintf("%s/agentPools/%s", [cluster, name]),
	"type": "Microsoft.ContainerService/managedClusters/agentPools",
	"name": sprintf("aks/%s", [name]),
	"change": "create",
	"body": body,
}

# A network interface that passes every control of its own.
interface := {"location": "westeurope", "properties": {
	"enableAcceleratedNetworking": true,
	"enableIPForwarding": false,
	"ipConfigurations": [{"name": "ipconfig1", "properties": {"subnet": {"id": subnet}}}],
}}
