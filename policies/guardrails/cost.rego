# What a plan may cost: increases, budgets, and what has no price. All amounts are those of the most that the plan allows.
package slipway.guardrails.cost

import data.slipway.plan

# What costs: everything but deleting. Extending goes on paying for the whole stack, which would end without it.
pays if not input.request.kind == "delete"

extends if input.request.kind == "extend"

# An update that moves the end as well. Where nobody says whether it does, it counts as if it did.
extends if {
	input.request.kind == "update"
	not object.get(input.request, "extends", null) == false
}

# The month after minus the month before; a new stack cost nothing before.
growth := input.plan.cost.monthly_usd - before if {
	is_number(input.plan.cost.monthly_usd)
	is_number(before)
}

# What is agreed to: the growth, or where the stack lives longer the whole month.
increase := growth if not extends

# Of an extension, the whole month: of the plan, or of what a change that failed may have left, whichever is dearer.
increase := max([input.plan.cost.monthly_usd, before]) if {
	extends
	is_number(input.plan.cost.monthly_usd)
	is_number(before)
}

before := 0 if {
	object.get(input.plan, ["cost", "monthly_before_usd"], null) == null
} else := input.plan.cost.monthly_before_usd

# Absent or unknown: the cost rules cannot be held against it.
unpriceable if {
	pays
	not increase
}

rules["GR-005"] := {
	"title": "Large increases are approved",
	"description": "A monthly cost that can grow by more than $500, or that an extension keeps and can be more than $500, needs one approval by the cost approvers.",
	"severity": "medium",
	"docs": "House rule",
}

approve contains {
	"id": "GR-005",
	"message": sprintf("%s, more than $500: 1 approval by the cost approvers is needed.", [sprintf(spends, [increase])]),
	"path": "plan.cost.monthly_usd",
	"group": "cost-approvers",
	"count": 1,
} if {
	pays
	increase > 500
}

spends := "Extending goes on costing up to $%.2f a month" if {
	extends
} else := "The monthly cost grows by up to $%.2f"

approve contains {
	"id": "GR-005",
	"message": "The plan says no monthly cost: 1 approval by the cost approvers is needed.",
	"path": "plan.cost.monthly_usd",
	"group": "cost-approvers",
	"count": 1,
} if {
	unpriceable
}

warn contains {
	"id": "GR-005",
	"message": "The monthly cost is known only after apply.",
	"path": "plan.cost.monthly_usd",
	"found": cost,
} if {
	pays
	cost := input.plan.cost.monthly_usd
	look.unknown(cost)
}

rules["GR-006"] := {
	"title": "Within the budget",
	"description": "What a project has committed to in a tier, this plan included, stays within its monthly budget. From 90 percent on it warns. Where stacks of the tier have parts without a price, nobody can say so, and the cost approvers decide; so they do when a stack is to be extended in a tier that is over its budget.",
	"severity": "high",
	"docs": "House rule",
}

budget := input.plan.cost.budget

# What will be committed once this plan is carried out.
committed := budget.after_usd if {
	is_number(budget.after_usd)
	is_number(budget.limit_usd)
}

# A plan that makes nothing dearer is never too dear.
deny contains {
	"id": "GR-006",
	"message": sprintf("The budget of $%.2f a month would be exceeded by $%.2f. Choose less, delete what is not needed, or have the budget raised.", [budget.limit_usd, committed - budget.limit_usd]),
	"path": "plan.cost.budget",
	"found": committed,
	"wanted": budget.limit_usd,
} if {
	plan.changes
	growth > 0
	committed > budget.limit_usd
}

# An extension adds nothing to what is committed. To deny it would take down what runs because a budget was lowered: people decide.
approve contains {
	"id": "GR-006",
	"message": sprintf("The budget of $%.2f a month is exceeded by $%.2f, and extending goes on paying: 1 approval by the cost approvers is needed.", [budget.limit_usd, committed - budget.limit_usd]),
	"path": "plan.cost.budget",
	"group": "cost-approvers",
	"count": 1,
} if {
	extends
	increase > 0
	committed > budget.limit_usd
}

warn contains {
	"id": "GR-006",
	"message": sprintf("%d%% of the budget of $%.2f a month would be committed.", [round((100 * committed) / budget.limit_usd), budget.limit_usd]),
	"path": "plan.cost.budget",
	"found": committed,
	"wanted": budget.limit_usd,
} if {
	pays
	committed <= budget.limit_usd
	committed >= 0.9 * budget.limit_usd
}

# What the tier holds already has a price, or the sum is no sum. A count that is missing or no number is no proof of it.
approve contains {
	"id": "GR-006",
	"message": "Stacks of this tier have parts without a known price, so nobody can say whether the plan stays within the budget: 1 approval by the cost approvers is needed.",
	"path": "plan.cost.budget.unpriced",
	"group": "cost-approvers",
	"count": 1,
} if {
	pays
	is_object(budget)
	increase > 0
	object.get(budget, "unpriced", null) != 0
}

# A budget of null is no budget; one that cannot be read is not.
warn contains {
	"id": "GR-006",
	"message": "The budget or the cost is not known, so nobody can say whether the plan stays within it.",
	"path": "plan.cost.budget",
	"found": object.get(input.plan, ["cost", "budget"], null),
} if {
	pays
	not no_budget
	not committed
}

no_budget if input.plan.cost.budget == null

rules["GR-017"] := {
	"title": "Everything has a price",
	"description": "What has no known price comes on top of the estimate, and nobody can say how much: making, changing or keeping it needs one approval by the cost approvers.",
	"severity": "medium",
	"docs": "House rule",
}

warn contains {
	"id": "GR-017",
	"message": sprintf("No price is known for %s: the real cost will be higher than the estimate.", [concat(", ", priceless)]),
	"path": "plan.cost.unpriced",
	"found": priceless,
} if {
	pays
	count(priceless) > 0
}

approve contains {
	"id": "GR-017",
	"message": sprintf("No price is known for %s: 1 approval by the cost approvers is needed.", [concat(", ", priceless)]),
	"path": "plan.cost.unpriced",
	"group": "cost-approvers",
	"count": 1,
} if {
	pays
	count(priceless) > 0
}

priceless := input.plan.cost.unpriced if {
	is_array(input.plan.cost.unpriced)
} else := []

warn contains {
	"id": "GR-017",
	"message": "The plan does not say which resources have no price.",
	"path": "plan.cost.unpriced",
	"found": seen,
} if {
	pays
	seen := object.get(input.plan, ["cost", "unpriced"], null)
	not is_array(seen)
}

approve contains {
	"id": "GR-017",
	"message": "The plan does not say which resources have no price: 1 approval by the cost approvers is needed.",
	"path": "plan.cost.unpriced",
	"group": "cost-approvers",
	"count": 1,
} if {
	pays
	not is_array(object.get(input.plan, ["cost", "unpriced"], null))
}
