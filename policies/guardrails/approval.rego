# Who has to agree before a plan goes ahead. What a plan may not do at all stands elsewhere.
package slipway.guardrails.approval

rules["GR-001"] := {
	"title": "Prod changes are approved",
	"description": "Creating or changing a stack in prod needs one approval by the platform approvers, whoever asks.",
	"severity": "high",
	"docs": "/policies#GR-001",
}

approve contains {
	"id": "GR-001",
	"message": "Changes in prod need 1 approval by the platform approvers.",
	"path": "request.tier",
	"group": "platform-approvers",
	"count": 1,
} if {
	not input.request.tier in {"dev", "test"}
	input.request.kind != "delete"
}
