# Increases, budgets and prices: at, below and above each line.
package test.guardrails.cost

import data.slipway.guardrails.cost
import data.test.testing

# What a rule denies, by its messages' paths.
denied(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := cost.deny with input as facts
}

# What a rule warns of.
warned(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := cost.warn with input as facts
}

# Whom a rule asks for approval.
asked(id, facts) := [finding.group | some finding in said; finding.id == id] if {
	said := cost.approve with input as facts
}

silent(id, facts) if {
	denied(id, facts) == []
	warned(id, facts) == []
	asked(id, facts) == []
}

good := testing.set(testing.creating([]), "plan.cost", {
	"monthly_usd": 100,
	"monthly_before_usd": null,
	"unpriced": [],
	"budget": {"limit_usd": 1000, "committed_usd": 500, "after_usd": 600, "unpriced": 0},
})

# The good plan at another price, of a stack that costs so much today.
priced(now, before) := testing.set(testing.set(good, "plan.cost.monthly_usd", now), "plan.cost.monthly_before_usd", before)

# The good plan in a tier that will have committed so much.
after(usd) := testing.set(good, "plan.cost.budget.after_usd", usd)

extended(facts) := testing.set(facts, "request.kind", "extend")

# An update of a stack, with or without a later end.
updated(facts, longer) := testing.set(testing.set(facts, "request.kind", "update"), "request.extends", longer)

priceless(names) := testing.set(good, "plan.cost.unpriced", names)

roomy := testing.set(good, "plan.cost.budget", null)

gone(facts) := testing.set(facts, "request.kind", "delete")

test_gr_005_passes if silent("GR-005", good)

test_gr_005_passes_at_the_line if silent("GR-005", priced(500, null))

test_gr_005_passes_small_increase if silent("GR-005", priced(2000, 1500))

test_gr_005_fails if asked("GR-005", priced(500.01, null)) == ["cost-approvers"]

test_gr_005_fails_increase if asked("GR-005", priced(2000.01, 1500)) == ["cost-approvers"]

test_gr_005_asks_for_one if {
	needs := cost.approve with input as priced(501, null)
	[1] == [need.count | some need in needs; need.id == "GR-005"]
}

test_gr_005_absent_asks_for_one if {
	needs := cost.approve with input as testing.without(good, "plan.cost")
	[1] == [need.count | some need in needs; need.id == "GR-005"]
}

test_gr_005_leaves_deletions_alone if silent("GR-005", gone(priced(900, null)))

test_gr_005_leaves_unpriced_deletions_alone if silent("GR-005", gone(testing.without(good, "plan.cost")))

test_gr_005_leaves_unknown_deletions_alone if silent("GR-005", gone(testing.set(good, "plan.cost.monthly_usd", testing.unknown)))

test_gr_005_absent if asked("GR-005", testing.without(good, "plan.cost.monthly_usd")) == ["cost-approvers"]

test_gr_005_unknown if {
	asked("GR-005", testing.set(good, "plan.cost.monthly_usd", testing.unknown)) == ["cost-approvers"]
	warned("GR-005", testing.set(good, "plan.cost.monthly_usd", testing.unknown)) == ["plan.cost.monthly_usd"]
}

test_gr_005_unknown_before if asked("GR-005", priced(100, testing.unknown)) == ["cost-approvers"]

test_gr_005_passes_extension_at_the_line if silent("GR-005", extended(priced(500, 500)))

test_gr_005_fails_extension if asked("GR-005", extended(priced(500.01, 500.01))) == ["cost-approvers"]

# What a change that failed may have left is paid too.
test_gr_005_fails_extension_of_what_was_dearer if asked("GR-005", extended(priced(100, 500.01))) == ["cost-approvers"]

# An update that moves the end is an extension too; one of which nobody says whether it does counts as one.
test_gr_005_fails_update_with_a_later_end if asked("GR-005", updated(priced(600, 600), true)) == ["cost-approvers"]

test_gr_005_fails_update_of_an_unknown_end if asked("GR-005", updated(priced(600, 600), testing.unknown)) == ["cost-approvers"]

test_gr_005_absent_from_update_whether_it_is_longer if {
	asked("GR-005", testing.set(priced(600, 600), "request.kind", "update")) == ["cost-approvers"]
}

test_gr_005_passes_update_that_keeps_its_end if silent("GR-005", updated(priced(600, 600), false))

test_gr_006_asks_for_update_with_a_later_end_over_the_budget if {
	longer := updated(testing.set(after(1200), "plan.cost.monthly_before_usd", 100), true)
	asked("GR-006", longer) == ["cost-approvers"]
	denied("GR-006", longer) == []
}

test_gr_005_says_how_much_a_stack_grows if {
	needs := cost.approve with input as priced(600.25, null)
	[need.message | some need in needs] == ["The monthly cost grows by up to $600.25, more than $500: 1 approval by the cost approvers is needed."]
}

test_gr_005_says_what_extending_goes_on_costing if {
	needs := cost.approve with input as extended(priced(600.25, 600))
	[need.message | some need in needs] == ["Extending goes on costing up to $600.25 a month, more than $500: 1 approval by the cost approvers is needed."]
}

test_gr_005_absent_from_an_extension if asked("GR-005", extended(testing.without(good, "plan.cost.monthly_usd"))) == ["cost-approvers"]

test_gr_005_unknown_in_an_extension if {
	extension := extended(testing.set(good, "plan.cost.monthly_usd", testing.unknown))
	asked("GR-005", extension) == ["cost-approvers"]
	warned("GR-005", extension) == ["plan.cost.monthly_usd"]
}

test_gr_006_passes if silent("GR-006", good)

test_gr_006_passes_without_a_budget if silent("GR-006", roomy)

test_gr_006_passes_below_nine_tenths if silent("GR-006", after(899))

test_gr_006_warns_at_nine_tenths if {
	warned("GR-006", after(900)) == ["plan.cost.budget"]
	denied("GR-006", after(900)) == []
}

test_gr_006_warns_at_the_limit if {
	warned("GR-006", after(1000)) == ["plan.cost.budget"]
	denied("GR-006", after(1000)) == []
}

test_gr_006_fails if {
	denied("GR-006", after(1000.01)) == ["plan.cost.budget"]
	warned("GR-006", after(1000.01)) == []
}

# Of a stack that is changed the rest of the tier counts, and the stack as it will be.
over_with(now, before) := testing.set(priced(now, before), "plan.cost.budget.after_usd", 5000)

test_gr_006_fails_a_larger_plan if denied("GR-006", over_with(200.01, 200)) == ["plan.cost.budget"]

test_gr_006_a_smaller_plan_is_never_too_dear if denied("GR-006", over_with(100, 200)) == []

test_gr_006_an_equal_plan_is_never_too_dear if denied("GR-006", over_with(100, 100)) == []

test_gr_006_leaves_deletions_alone if silent("GR-006", gone(after(5000)))

test_gr_006_leaves_near_deletions_alone if silent("GR-006", gone(after(950)))

test_gr_006_leaves_unknown_deletions_alone if silent("GR-006", gone(testing.set(good, "plan.cost.budget", testing.unknown)))

test_gr_006_absent if warned("GR-006", testing.without(good, "plan.cost.budget")) == ["plan.cost.budget"]

test_gr_006_absent_limit if warned("GR-006", testing.without(good, "plan.cost.budget.limit_usd")) == ["plan.cost.budget"]

test_gr_006_absent_commitment if warned("GR-006", testing.without(good, "plan.cost.budget.after_usd")) == ["plan.cost.budget"]

test_gr_006_unknown if warned("GR-006", testing.set(good, "plan.cost.budget", testing.unknown)) == ["plan.cost.budget"]

test_gr_006_asks_where_the_tier_has_parts_without_a_price if {
	asked("GR-006", testing.set(good, "plan.cost.budget.unpriced", 1)) == ["cost-approvers"]
	asked("GR-006", testing.set(priced(200.01, 200), "plan.cost.budget.unpriced", 1)) == ["cost-approvers"]
}

test_gr_006_asks_for_one if {
	needs := cost.approve with input as testing.set(good, "plan.cost.budget.unpriced", 1)
	[1] == [need.count | some need in needs]
}

test_gr_006_asks_where_that_is_not_said if {
	asked("GR-006", testing.without(good, "plan.cost.budget.unpriced")) == ["cost-approvers"]
	asked("GR-006", testing.set(good, "plan.cost.budget.unpriced", testing.unknown)) == ["cost-approvers"]
}

test_gr_006_asks_nobody_for_what_is_not_dearer if {
	asked("GR-006", testing.set(priced(100, 100), "plan.cost.budget.unpriced", 1)) == []
	asked("GR-006", gone(testing.set(good, "plan.cost.budget.unpriced", 1))) == []
}

test_gr_006_passes_extension if silent("GR-006", extended(good))

test_gr_006_asks_for_an_extension_where_the_tier_has_parts_without_a_price if asked("GR-006", extended(testing.set(good, "plan.cost.budget.unpriced", 1))) == ["cost-approvers"]

test_gr_006_fails_extension if {
	denied("GR-006", extended(after(1000.01))) == []
	asked("GR-006", extended(after(1000.01))) == ["cost-approvers"]
}

test_gr_006_warns_of_an_extension_at_the_limit if {
	asked("GR-006", extended(after(1000))) == []
	warned("GR-006", extended(after(1000))) == ["plan.cost.budget"]
}

test_gr_006_an_extension_of_what_costs_nothing_is_never_too_dear if asked("GR-006", extended(over_with(0, 0))) == []

test_gr_006_unknown_in_an_extension if warned("GR-006", extended(testing.set(good, "plan.cost.budget", testing.unknown))) == ["plan.cost.budget"]

test_gr_017_passes if silent("GR-017", good)

test_gr_017_passes_extension if silent("GR-017", extended(good))

test_gr_017_fails if {
	warned("GR-017", priceless(["disk-web"])) == ["plan.cost.unpriced"]
	asked("GR-017", priceless(["disk-web"])) == ["cost-approvers"]
}

test_gr_017_fails_without_a_budget if asked("GR-017", testing.set(priceless(["disk-web"]), "plan.cost.budget", null)) == ["cost-approvers"]

test_gr_017_fails_extension if {
	warned("GR-017", extended(priceless(["disk-web"]))) == ["plan.cost.unpriced"]
	asked("GR-017", extended(priceless(["disk-web"]))) == ["cost-approvers"]
}

test_gr_017_asks_for_one if {
	needs := cost.approve with input as priceless(["disk-web", "disk-api"])
	[1] == [need.count | some need in needs]
}

test_gr_017_leaves_deletions_alone if silent("GR-017", gone(priceless(["disk-web"])))

test_gr_017_leaves_unknown_deletions_alone if silent("GR-017", gone(priceless(testing.unknown)))

test_gr_017_absent if {
	warned("GR-017", testing.without(good, "plan.cost.unpriced")) == ["plan.cost.unpriced"]
	asked("GR-017", testing.without(good, "plan.cost.unpriced")) == ["cost-approvers"]
}

test_gr_017_unknown if {
	warned("GR-017", priceless(testing.unknown)) == ["plan.cost.unpriced"]
	asked("GR-017", priceless(testing.unknown)) == ["cost-approvers"]
}
