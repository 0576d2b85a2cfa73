# The four cases of every control on images and what they run on.
package test.baseline.image

import data.slipway.baseline.image
import data.test.testing

good := testing.machine

# What a control says of a plan with this one resource.
outcome(id, body) := [row.result | some row in rows; row.id == id] if {
	rows := image.results with input as testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", body)])
}

test_vm_022_passes if outcome("VM-022", good) == ["pass"]

test_vm_022_fails if outcome("VM-022", testing.set(good, "properties.storageProfile.imageReference", {"publisher": "Canonical", "offer": "ubuntu", "sku": "24_04"})) == ["fail"]

test_vm_022_absent if outcome("VM-022", testing.without(good, "properties.storageProfile.imageReference")) == ["fail"]

test_vm_022_unknown if outcome("VM-022", testing.set(good, "properties.storageProfile.imageReference", testing.unknown)) == ["unknown"]

test_vm_022_passes_in_any_case if outcome("VM-022", testing.set(good, "properties.storageProfile.imageReference.publisher", "MICROSOFTCBLMARINER")) == ["pass"]

test_vm_022_fails_first_generation if outcome("VM-022", testing.set(good, "properties.storageProfile.imageReference.sku", "azure-linux-3")) == ["fail"]

test_vm_022_fails_without_sku if outcome("VM-022", testing.without(good, "properties.storageProfile.imageReference.sku")) == ["fail"]

test_vm_022_unknown_offer if outcome("VM-022", testing.set(good, "properties.storageProfile.imageReference.offer", testing.unknown)) == ["unknown"]

test_vm_023_passes if outcome("VM-023", testing.azure_linux_4) == ["pass"]

test_vm_023_passes_in_test if outcome("VM-023", testing.set(testing.azure_linux_4, "tags.environment", "test")) == ["pass"]

test_vm_023_fails if outcome("VM-023", testing.set(testing.azure_linux_4, "tags.environment", "prod")) == ["fail"]

test_vm_023_absent if outcome("VM-023", testing.without(testing.azure_linux_4, "tags.environment")) == ["fail"]

test_vm_023_unknown if outcome("VM-023", testing.set(testing.azure_linux_4, "tags.environment", testing.unknown)) == ["unknown"]

test_vm_023_not_applicable_on_azure_linux_3 if outcome("VM-023", good) == ["not_applicable"]

test_vm_025_passes if outcome("VM-025", good) == ["pass"]

test_vm_025_fails if outcome("VM-025", testing.set(good, "properties.storageProfile.osDisk.diskSizeGB", 29)) == ["fail"]

test_vm_025_absent if outcome("VM-025", testing.without(good, "properties.storageProfile.osDisk.diskSizeGB")) == ["fail"]

test_vm_025_unknown if outcome("VM-025", testing.set(good, "properties.storageProfile.osDisk.diskSizeGB", testing.unknown)) == ["unknown"]

test_vm_025_passes_at_30 if outcome("VM-025", testing.set(good, "properties.storageProfile.osDisk.diskSizeGB", 30)) == ["pass"]

test_vm_025_fails_text if outcome("VM-025", testing.set(good, "properties.storageProfile.osDisk.diskSizeGB", "32")) == ["fail"]

test_vm_025_not_applicable_to_other_systems if outcome("VM-025", testing.set(good, "properties.storageProfile.imageReference.offer", "other")) == ["not_applicable"]

test_vm_026_passes if outcome("VM-026", good) == ["pass"]

test_vm_026_fails if outcome("VM-026", testing.set(good, "properties.hardwareProfile.vmSize", "Standard_D2ps_v6")) == ["fail"]

test_vm_026_absent if outcome("VM-026", testing.without(good, "properties.hardwareProfile.vmSize")) == ["fail"]

test_vm_026_unknown if outcome("VM-026", testing.set(good, "properties.hardwareProfile.vmSize", testing.unknown)) == ["unknown"]

test_vm_026_passes_arm64 if outcome("VM-026", testing.set(testing.set(good, "properties.storageProfile.imageReference.sku", "azure-linux-3-arm64"), "properties.hardwareProfile.vmSize", "Standard_D2ps_v6")) == ["pass"]

test_vm_026_fails_arm64_image if outcome("VM-026", testing.set(good, "properties.storageProfile.imageReference.sku", "azure-linux-3-arm64")) == ["fail"]

test_vm_026_fails_size_that_nobody_knows if outcome("VM-026", testing.set(good, "properties.hardwareProfile.vmSize", "Standard_X1")) == ["fail"]

test_vm_026_not_applicable_to_other_systems if outcome("VM-026", testing.set(good, "properties.storageProfile.imageReference.offer", "other")) == ["not_applicable"]
