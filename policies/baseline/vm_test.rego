# The four cases of every control on machines, and what is special about some.
package test.baseline.vm

import data.slipway.baseline.vm
import data.test.testing

good := testing.machine

# What a control says of a plan with this one resource.
outcome(id, body) := [row.result | some row in rows; row.id == id] if {
	rows := vm.results with input as testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", body)])
}

test_vm_001_passes if outcome("VM-001", good) == ["pass"]

test_vm_001_fails if outcome("VM-001", testing.set(good, "properties.securityProfile.securityType", "Standard")) == ["fail"]

test_vm_001_absent if outcome("VM-001", testing.without(good, "properties.securityProfile.securityType")) == ["fail"]

test_vm_001_unknown if outcome("VM-001", testing.set(good, "properties.securityProfile.securityType", testing.unknown)) == ["unknown"]

test_vm_001_passes_confidential if outcome("VM-001", testing.set(good, "properties.securityProfile.securityType", "ConfidentialVM")) == ["pass"]

test_vm_001_fails_without_secure_boot if outcome("VM-001", testing.set(good, "properties.securityProfile.uefiSettings.secureBootEnabled", false)) == ["fail"]

test_vm_001_fails_without_vtpm if outcome("VM-001", testing.set(good, "properties.securityProfile.uefiSettings.vTpmEnabled", false)) == ["fail"]

test_vm_001_passes_azure_linux_4_without_secure_boot if outcome("VM-001", testing.azure_linux_4) == ["pass"]

test_vm_001_fails_azure_linux_4_without_vtpm if outcome("VM-001", testing.set(testing.azure_linux_4, "properties.securityProfile.uefiSettings.vTpmEnabled", false)) == ["fail"]

test_vm_001_unknown_profile if outcome("VM-001", testing.set(good, "properties.securityProfile", testing.unknown)) == ["unknown"]

test_vm_002_passes if outcome("VM-002", good) == ["pass"]

test_vm_002_fails if outcome("VM-002", testing.set(good, "properties.securityProfile.uefiSettings.vTpmEnabled", false)) == ["fail"]

test_vm_002_absent if outcome("VM-002", testing.without(good, "properties.securityProfile.uefiSettings.vTpmEnabled")) == ["fail"]

test_vm_002_unknown if outcome("VM-002", testing.set(good, "properties.securityProfile.uefiSettings.vTpmEnabled", testing.unknown)) == ["unknown"]

test_vm_002_not_applicable_without_trusted_launch if outcome("VM-002", testing.set(good, "properties.securityProfile.securityType", "Standard")) == ["not_applicable"]

test_vm_002_applies_where_the_type_is_unknown if outcome("VM-002", testing.set(good, "properties.securityProfile.securityType", testing.unknown)) == ["pass"]

test_vm_003_passes if outcome("VM-003", good) == ["pass"]

test_vm_003_fails if outcome("VM-003", testing.set(good, "properties.securityProfile.encryptionAtHost", false)) == ["fail"]

test_vm_003_absent if outcome("VM-003", testing.without(good, "properties.securityProfile.encryptionAtHost")) == ["fail"]

test_vm_003_unknown if outcome("VM-003", testing.set(good, "properties.securityProfile.encryptionAtHost", testing.unknown)) == ["unknown"]

test_vm_004_passes if outcome("VM-004", good) == ["pass"]

test_vm_004_fails if outcome("VM-004", testing.set(good, "properties.storageProfile.osDisk.managedDisk.diskEncryptionSet.id", "")) == ["fail"]

test_vm_004_absent if outcome("VM-004", testing.without(good, "properties.storageProfile.osDisk.managedDisk.diskEncryptionSet.id")) == ["fail"]

test_vm_004_unknown if outcome("VM-004", testing.set(good, "properties.storageProfile.osDisk.managedDisk.diskEncryptionSet.id", testing.unknown)) == ["unknown"]

test_vm_004_fails_data_disk if outcome("VM-004", testing.set(good, "properties.storageProfile.dataDisks", [{"createOption": "Empty", "managedDisk": {}}])) == ["fail"]

test_vm_004_passes_attached_disk if outcome("VM-004", testing.set(good, "properties.storageProfile.dataDisks", [{"createOption": "Attach", "managedDisk": {"id": "/d"}}])) == ["pass"]

test_vm_004_unknown_data_disks if outcome("VM-004", testing.set(good, "properties.storageProfile.dataDisks", testing.unknown)) == ["unknown"]

test_vm_006_passes if outcome("VM-006", good) == ["pass"]

test_vm_006_fails if outcome("VM-006", testing.set(good, "properties.storageProfile.osDisk.vhd.uri", "https://a.blob.core.windows.net/v/os.vhd")) == ["fail"]

test_vm_006_absent if outcome("VM-006", testing.without(good, "properties.storageProfile.osDisk.vhd.uri")) == ["pass"]

test_vm_006_unknown if outcome("VM-006", testing.set(good, "properties.storageProfile.osDisk.vhd.uri", testing.unknown)) == ["unknown"]

test_vm_007_passes if outcome("VM-007", good) == ["pass"]

test_vm_007_fails if outcome("VM-007", testing.set(good, "properties.osProfile.linuxConfiguration.disablePasswordAuthentication", false)) == ["fail"]

test_vm_007_absent if outcome("VM-007", testing.without(good, "properties.osProfile.linuxConfiguration.disablePasswordAuthentication")) == ["fail"]

test_vm_007_unknown if outcome("VM-007", testing.set(good, "properties.osProfile.linuxConfiguration.disablePasswordAuthentication", testing.unknown)) == ["unknown"]

test_vm_007_fails_with_password if outcome("VM-007", testing.set(good, "properties.osProfile.adminPassword", "set")) == ["fail"]

test_vm_007_unknown_password if outcome("VM-007", testing.set(good, "properties.osProfile.adminPassword", testing.unknown)) == ["unknown"]

test_vm_009_passes if outcome("VM-009", good) == ["pass"]

test_vm_009_fails if outcome("VM-009", testing.set(good, "location", "eastus")) == ["fail"]

test_vm_009_absent if outcome("VM-009", testing.without(good, "location")) == ["fail"]

test_vm_009_unknown if outcome("VM-009", testing.set(good, "location", testing.unknown)) == ["unknown"]

test_vm_010_passes if outcome("VM-010", good) == ["pass"]

test_vm_010_fails if outcome("VM-010", testing.set(good, "properties.osProfile.linuxConfiguration.patchSettings.assessmentMode", "ImageDefault")) == ["fail"]

test_vm_010_absent if outcome("VM-010", testing.without(good, "properties.osProfile.linuxConfiguration.patchSettings.assessmentMode")) == ["fail"]

test_vm_010_unknown if outcome("VM-010", testing.set(good, "properties.osProfile.linuxConfiguration.patchSettings.assessmentMode", testing.unknown)) == ["unknown"]

test_vm_011_passes if outcome("VM-011", good) == ["pass"]

test_vm_011_fails if outcome("VM-011", testing.set(good, "properties.osProfile.linuxConfiguration.patchSettings.patchMode", "ImageDefault")) == ["fail"]

test_vm_011_absent if outcome("VM-011", testing.without(good, "properties.osProfile.linuxConfiguration.patchSettings.patchMode")) == ["fail"]

test_vm_011_unknown if outcome("VM-011", testing.set(good, "properties.osProfile.linuxConfiguration.patchSettings.patchMode", testing.unknown)) == ["unknown"]

test_vm_014_passes if outcome("VM-014", good) == ["pass"]

test_vm_014_fails if outcome("VM-014", testing.set(good, "properties.osProfile.linuxConfiguration.provisionVMAgent", false)) == ["fail"]

test_vm_014_absent if outcome("VM-014", testing.without(good, "properties.osProfile.linuxConfiguration.provisionVMAgent")) == ["pass"]

test_vm_014_unknown if outcome("VM-014", testing.set(good, "properties.osProfile.linuxConfiguration.provisionVMAgent", testing.unknown)) == ["unknown"]

test_vm_015_passes if outcome("VM-015", good) == ["pass"]

test_vm_015_fails if outcome("VM-015", testing.set(good, "identity.type", "None")) == ["fail"]

test_vm_015_absent if outcome("VM-015", testing.without(good, "identity.type")) == ["fail"]

test_vm_015_unknown if outcome("VM-015", testing.set(good, "identity.type", testing.unknown)) == ["unknown"]

test_vm_015_fails_empty if outcome("VM-015", testing.set(good, "identity.type", "")) == ["fail"]

test_vm_017_passes if outcome("VM-017", good) == ["pass"]

test_vm_017_fails if outcome("VM-017", testing.set(good, "properties.diagnosticsProfile.bootDiagnostics.enabled", false)) == ["fail"]

test_vm_017_absent if outcome("VM-017", testing.without(good, "properties.diagnosticsProfile.bootDiagnostics.enabled")) == ["fail"]

test_vm_017_unknown if outcome("VM-017", testing.set(good, "properties.diagnosticsProfile.bootDiagnostics.enabled", testing.unknown)) == ["unknown"]

test_vm_017_fails_with_storage_account if outcome("VM-017", testing.set(good, "properties.diagnosticsProfile.bootDiagnostics.storageUri", "https://a.blob.core.windows.net")) == ["fail"]

test_vm_018_passes if outcome("VM-018", good) == ["pass"]

test_vm_018_fails if outcome("VM-018", testing.set(good, "zones", [])) == ["fail"]

test_vm_018_absent if outcome("VM-018", testing.without(good, "zones")) == ["fail"]

test_vm_018_unknown if outcome("VM-018", testing.set(good, "zones", testing.unknown)) == ["unknown"]

test_vm_018_absent_null if outcome("VM-018", testing.set(good, "zones", null)) == ["fail"]

test_vm_020_passes if outcome("VM-020", good) == ["pass"]

test_vm_020_fails if outcome("VM-020", testing.set(good, "tags.costCenter", "")) == ["fail"]

test_vm_020_absent if outcome("VM-020", testing.without(good, "tags.costCenter")) == ["fail"]

test_vm_020_unknown if outcome("VM-020", testing.set(good, "tags.costCenter", testing.unknown)) == ["unknown"]

test_vm_020_fails_without_owner if outcome("VM-020", testing.without(good, "tags.owner")) == ["fail"]

test_vm_020_fails_without_environment if outcome("VM-020", testing.without(good, "tags.environment")) == ["fail"]

test_vm_020_unknown_tags if outcome("VM-020", testing.set(good, "tags", testing.unknown)) == ["unknown"]

test_vm_024_passes if outcome("VM-024", testing.azure_linux_4) == ["pass"]

test_vm_024_fails if outcome("VM-024", testing.set(testing.azure_linux_4, "properties.securityProfile.uefiSettings.secureBootEnabled", true)) == ["fail"]

test_vm_024_absent if outcome("VM-024", testing.without(testing.azure_linux_4, "properties.securityProfile.uefiSettings.secureBootEnabled")) == ["fail"]

test_vm_024_unknown if outcome("VM-024", testing.set(testing.azure_linux_4, "properties.securityProfile.uefiSettings.secureBootEnabled", testing.unknown)) == ["unknown"]

test_vm_024_not_applicable_on_azure_linux_3 if outcome("VM-024", good) == ["not_applicable"]

test_vm_014_says_what_is_wanted if {
	rows := vm.results with input as testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", good)])
	[true] == [row.wanted | some row in rows; row.id == "VM-014"]
}
