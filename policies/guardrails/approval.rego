# Who has to agree before a plan goes ahead, and what they need to be told. Money stands in cost.rego.
package slipway.guardrails.approval


rules["GR-014"] := {
	"title": "Prod changes are approved",
	"description": "Creating, changing or extending a stack in prod needs one approval by the platform approvers, whoever asks.",
	"severity": "high",
	"docs": "House rule",
}

# An extension changes no resource, and keeps in prod what would end: whoever agreed to it for a while is asked again.
approve contains need("GR-014", longer_or_other) if {
	may_be_prod
	not input.request.kind == "delete"
}

longer_or_other := "Extending in prod needs 1 approval by the platform approvers." if {
	input.request.kind == "extend"
} else := "Changes in prod need 1 approval by the platform approvers."

rules["GR-015"] := {
	"title": "Deleting in prod is approved",
	"description": "Deleting a stack of prod needs one approval by the platform approvers, whoever asks.",
	"severity": "high",
	"docs": "House rule",
}

approve contains need("GR-015", "Deleting in prod needs 1 approval by the platform approvers.") if {
	may_be_prod
	input.request.kind == "delete"
}

# Only what is known to be dev or test is spared: a tier that is missing or unknown counts as prod.
may_be_prod if not input.request.tier in {"dev", "test"}

need(id, message) := {
	"id": id,
	"message": message,
	"path": "request.tier",
	"group": "platform-approvers",
	"count": 1,
}

warn contains unsure("GR-014") if {
	look.unknown(input.request.tier)
	not input.request.kind == "delete"
}

warn contains unsure("GR-015") if {
	look.unknown(input.request.tier)
	input.request.kind == "delete"
}

unsure(id) := {
	"id": id,
	"message": "The tier is known only after apply, so this is treated as prod.",
	"path": "request.tier",
	"field": "tier",
	"found": input.request.tier,
}

rules["GR-016"] := {
	"title": "Prod needs a justification",
	"description": "A request for prod says why, in at least ten characters: approvers and auditors read it.",
	"severity": "medium",
	"docs": "House rule",
}

deny contains {
	"id": "GR-016",
	"message": "Say in a sentence why this is needed: prod requests need a justification.",
	"path": "request.justification",
	"field": "justification",
	"found": said,
	"wanted": "at least 10 characters",
} if {
	may_be_prod
	said := object.get(input.request, "justification", null)
	not look.unknown(said)
	short(said)
}

warn contains {
	"id": "GR-016",
	"message": "The justification is known only after apply.",
	"path": "request.justification",
	"field": "justification",
	"found": input.request.justification,
} if {
	may_be_prod
	look.unknown(input.request.justification)
}

short(said) if not is_string(said)

short(said) if {
	is_string(said)
	count(trim_space(said)) < 10
}
