# The four cases of every control on disks and encryption sets.
package test.baseline.disk

import data.slipway.baseline.disk
import data.test.testing

good := {"properties": {"networkAccessPolicy": "DenyAll", "publicNetworkAccess": "Disabled"}}

# What a control says of a plan with this one resource.
outcome(id, body) := [row.result | some row in rows; row.id == id] if {
	rows := disk.results with input as testing.creating([testing.resource(kind[split(id, "-")[0]], "disk-web", body)])
}

# Which kind of resource a control is about.
kind := {"DSK": "Microsoft.Compute/disks", "VM": "Microsoft.Compute/diskEncryptionSets"}

twice := {"properties": {"encryptionType": "EncryptionAtRestWithPlatformAndCustomerKeys"}}

test_dsk_001_passes if outcome("DSK-001", good) == ["pass"]

test_dsk_001_passes_private if outcome("DSK-001", testing.set(good, "properties.networkAccessPolicy", "AllowPrivate")) == ["pass"]

test_dsk_001_passes_by_either if outcome("DSK-001", testing.set(good, "properties.networkAccessPolicy", "AllowAll")) == ["pass"]

test_dsk_001_passes_by_policy if outcome("DSK-001", testing.without(good, "properties.publicNetworkAccess")) == ["pass"]

test_dsk_001_fails if outcome("DSK-001", {"properties": {"networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}}) == ["fail"]

test_dsk_001_absent if outcome("DSK-001", {"properties": {}}) == ["fail"]

test_dsk_001_unknown if outcome("DSK-001", {"properties": {"networkAccessPolicy": testing.unknown}}) == ["unknown"]

test_dsk_001_unknown_public_access if outcome("DSK-001", {"properties": {"publicNetworkAccess": testing.unknown}}) == ["unknown"]

test_vm_005_passes if outcome("VM-005", twice) == ["pass"]

test_vm_005_fails if outcome("VM-005", testing.set(twice, "properties.encryptionType", "EncryptionAtRestWithCustomerKey")) == ["fail"]

test_vm_005_absent if outcome("VM-005", testing.without(twice, "properties.encryptionType")) == ["fail"]

test_vm_005_unknown if outcome("VM-005", testing.set(twice, "properties.encryptionType", testing.unknown)) == ["unknown"]
