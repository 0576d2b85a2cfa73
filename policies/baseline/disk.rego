# Hardening of disks and of the encryption sets they use.
package slipway.baseline.disk

import data.slipway.plan

rules["DSK-001"] := {
	"title": "Disks cannot be exported publicly",
	"description": "A disk's content can be read through a link; without public access the link works from nowhere outside.",
	"severity": "medium",
	"docs": "Azure Policy 8405fdab-1faf-48aa-b702-999c9c172094",
	"holds": "The disk is closed to the public network.",
	"fails": "The disk can be exported over the public network.",
	"fix": {"text": "Set networkAccessPolicy to DenyAll and publicNetworkAccess to Disabled"},
}

results contains row if {
	some disk in plan.disks
	row := look.row("DSK-001", disk, [closed(disk)])
}

# Either property is enough; where neither holds, the one that may still turn out to hold speaks.
closed(disk) := policy if {
	policy := look.is_one_of(disk.body, "properties.networkAccessPolicy", ["DenyAll", "AllowPrivate"])
	policy.result == "pass"
} else := public if {
	public := look.is(disk.body, "properties.publicNetworkAccess", "Disabled")
	public.result in {"pass", "unknown"}
} else := look.is_one_of(disk.body, "properties.networkAccessPolicy", ["DenyAll", "AllowPrivate"])

rules["VM-005"] := {
	"title": "Double encryption",
	"description": "An encryption set encrypts with Azure's key and with yours, so that neither alone opens a disk.",
	"severity": "medium",
	"docs": "Azure Policy ca91455f-eace-4f96-be59-e6e2c35b4816",
	"holds": "Disks of this set are encrypted twice.",
	"fails": "Disks of this set are encrypted once only.",
	"fix": {"text": "Set encryptionType to EncryptionAtRestWithPlatformAndCustomerKeys"},
	"of": "encryption_sets",
	"checks": [{"at": "properties.encryptionType", "is": "EncryptionAtRestWithPlatformAndCustomerKeys"}],
}
