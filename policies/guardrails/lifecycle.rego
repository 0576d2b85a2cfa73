# How long things live, whose they are, how many there may be, and what a template's own life allows.
package slipway.guardrails.lifecycle

import data.slipway.plan

rules["GR-001"] := {
	"title": "The template is in service",
	"description": "A deprecated template still works and warns; a retired one makes and changes nothing any more.",
	"severity": "medium",
	"docs": "House rule",
}

lifecycle := object.get(input.plan, ["template", "lifecycle"], "not said")

deny contains {
	"id": "GR-001",
	"message": "This version of the template is not in service. Choose a newer version.",
	"path": "plan.template.lifecycle",
	"found": lifecycle,
	"wanted": "published",
} if {
	plan.changes
	not look.unknown(lifecycle)
	not lifecycle in {"published", "deprecated", "draft"}
}

warn contains {
	"id": "GR-001",
	"message": "This version of the template is deprecated and will be retired. Prefer a newer version.",
	"path": "plan.template.lifecycle",
	"found": lifecycle,
	"wanted": "published",
} if {
	plan.changes
	lifecycle == "deprecated"
}

warn contains {
	"id": "GR-001",
	"message": "Whether the template is in service is known only after apply.",
	"path": "plan.template.lifecycle",
	"found": lifecycle,
} if {
	plan.changes
	look.unknown(lifecycle)
}

rules["GR-007"] := {
	"title": "Dev and test expire",
	"description": "Outside prod a stack has an expiry within 90 days: what nobody extends is removed and costs no more.",
	"severity": "medium",
	"docs": "House rule",
}

outside_prod if input.request.tier in {"dev", "test"}

lifetime := object.get(input.request, "lifetime_days", null)

expiry := {
	"id": "GR-007",
	"path": "request.lifetime_days",
	"field": "expiry",
	"found": lifetime,
	"wanted": "within 90 days",
}

in_30_days := {"fix": {"text": "Let it expire in 30 days", "field": "expiry", "value": "30d"}}

deny contains object.union_n([expiry, in_30_days, {"message": sprintf("A stack in %v needs an expiry within 90 days.", [input.request.tier])}]) if {
	expires
	lifetime == null
}

deny contains object.union_n([expiry, in_30_days, {"message": sprintf("A stack in %v must expire within 90 days, not %v.", [input.request.tier, lifetime])}]) if {
	expires
	is_number(lifetime)
	lifetime > 90
}

warn contains object.union(expiry, {"message": "The expiry is known only after apply, so nobody can say whether it is within 90 days."}) if {
	expires
	look.unknown(lifetime)
}

# Extending is about nothing but the expiry, so it counts here; deleting does not.
expires if {
	outside_prod
	not input.request.kind == "delete"
}

rules["GR-019"] := {
	"title": "Same name in another tier",
	"description": "A stack of the same name exists in another tier of the project, with another version of its template: worth a look before they drift apart.",
	"severity": "low",
	"docs": "House rule",
}

warn contains {
	"id": "GR-019",
	"message": sprintf("The same name exists in %v with %v %v; this one would use %v %v.", [
		other.tier,
		other.template,
		other.version,
		input.plan.template.name,
		input.plan.template.version,
	]),
	"path": "request.name",
	"field": "name",
	"found": sprintf("%v %v", [other.template, other.version]),
} if {
	plan.changes
	some other in input.context.other_stacks
	other.name == input.request.name
	other.tier != input.request.tier
	[other.template, other.version] != [input.plan.template.name, input.plan.template.version]
}

warn contains {
	"id": "GR-019",
	"message": "The project's other stacks are not known, so nobody can say whether the name exists in another tier.",
	"path": "context.other_stacks",
} if {
	plan.changes
	not is_array(object.get(input.context, "other_stacks", null))
}

rules["GR-021"] := {
	"title": "Cost centre and tags",
	"description": "Every stack names its cost centre, and every resource that bears tags says owner, costCenter and environment.",
	"severity": "medium",
	"docs": "Azure Policy 871b6d14-10aa-478d-b590-94f262ecfa99",
}

cost_centre := object.get(input.request, "cost_centre", "")

deny contains {
	"id": "GR-021",
	"message": "Say which cost centre pays for this.",
	"path": "request.cost_centre",
	"field": "cost_centre",
	"found": cost_centre,
	"wanted": "a cost centre",
} if {
	plan.changes
	not look.unknown(cost_centre)
	blank(cost_centre)
}

blank(text) if not is_string(text)

blank(text) if {
	is_string(text)
	trim_space(text) == ""
}

warn contains {
	"id": "GR-021",
	"message": "The cost centre is known only after apply.",
	"path": "request.cost_centre",
	"field": "cost_centre",
	"found": cost_centre,
} if {
	plan.changes
	look.unknown(cost_centre)
}

# Machines, the resources that cost most and are asked about first.
tagged := [{"name": vm.name, "path": concat(".", [vm.at, check.path]), "result": check.result} |
	some vm in plan.machines
	some tag in ["owner", "costCenter", "environment"]
	check := look.is_present(vm.body, concat(".", ["tags", tag]), "a value")
]

deny contains {
	"id": "GR-021",
	"message": sprintf("%s lacks a required tag: owner, costCenter and environment are needed.", [lacking.name]),
	"path": lacking.path,
	"field": "tags",
} if {
	plan.changes
	some lacking in tagged
	lacking.result == "fail"
}

warn contains {
	"id": "GR-021",
	"message": sprintf("A required tag of %s is known only after apply.", [open.name]),
	"path": open.path,
	"field": "tags",
} if {
	plan.changes
	some open in tagged
	open.result == "unknown"
}

rules["GR-022"] := {
	"title": "Stack limit of the project",
	"description": "A project has a limit of stacks in each tier; a new stack must fit.",
	"severity": "medium",
	"docs": "House rule",
}

stacks := object.get(input.project, "stacks", null)

max_stacks := object.get(input.project, "max_stacks", null)

deny contains {
	"id": "GR-022",
	"message": sprintf("The project has %v of %v stacks in %v%s. Delete one that is not needed, or have the limit raised.", [stacks, max_stacks, input.request.tier, counted]),
	"path": "project.stacks",
	"found": stacks,
	"wanted": max_stacks,
} if {
	input.request.kind == "create"
	is_number(stacks)
	is_number(max_stacks)
	stacks >= max_stacks
}

# What counts, as the project's page says it.
counted := sprintf(": %v active, %v approved", [input.project.stacks_active, input.project.stacks_approved]) if {
	is_number(input.project.stacks_active)
	is_number(input.project.stacks_approved)
} else := ""

# A limit that nobody can count against lets nothing new in.
deny contains {
	"id": "GR-022",
	"message": "The project's number of stacks or its limit is missing. Tell an administrator.",
	"path": "project.stacks",
} if {
	input.request.kind == "create"
	null in [stacks, max_stacks]
}

warn contains {
	"id": "GR-022",
	"message": "The project's number of stacks is known only after apply.",
	"path": "project.stacks",
} if {
	input.request.kind == "create"
	some number in [stacks, max_stacks]
	look.unknown(number)
}
