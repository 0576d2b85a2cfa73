# What the baseline's results mean for a plan as a whole.
package slipway.guardrails.posture

import data.slipway.controls
import data.slipway.facts
import data.slipway.plan

rules["GR-023"] := {
	"title": "Critical controls hold",
	"description": "A plan in which a critical control of the baseline fails does not go ahead. What other guardrails say in more detail is left to them.",
	"severity": "critical",
	"docs": "House rule",
}

# GR-002 speaks for public addresses, GR-018 for processors, GR-020 for Azure Container Linux.
said_elsewhere := {"NET-001", "VM-026", "AKS-032"}

critical := [{"row": row, "rule": facts[row.id]} |
	some row in controls.open
	facts[row.id].severity == "critical"
	not row.id in said_elsewhere
]

deny contains {
	"id": "GR-023",
	"message": sprintf("%s %s", [failed.row.id, failed.rule.fails]),
	"path": sprintf("%s: %s", [name_of(failed.row.resource), failed.row.path]),
	"found": failed.row.found,
	"wanted": failed.row.wanted,
	"fix": failed.rule.fix,
} if {
	plan.changes
	some failed in critical
	failed.row.result == "fail"
}

warn contains {
	"id": "GR-023",
	"message": sprintf("%s is known only after apply: %s.", [open.row.id, open.rule.title]),
	"path": sprintf("%s: %s", [name_of(open.row.resource), open.row.path]),
} if {
	plan.changes
	some open in critical
	open.row.result == "unknown"
}

name_of(id) := split(id, "/")[count(split(id, "/")) - 1]
