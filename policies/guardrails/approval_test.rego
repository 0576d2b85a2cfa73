# Who is asked to agree, and what a justification must be.
package test.guardrails.approval

import data.slipway.guardrails.approval
import data.test.testing

# What a rule denies, by its messages' paths.
denied(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := approval.deny with input as facts
}

# What a rule warns of.
warned(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := approval.warn with input as facts
}

# Whom a rule asks for approval.
asked(id, facts) := [finding.group | some finding in said; finding.id == id] if {
	said := approval.approve with input as facts
}

silent(id, facts) if {
	denied(id, facts) == []
	warned(id, facts) == []
	asked(id, facts) == []
}

good := testing.creating([])

prod := testing.set(testing.set(good, "request.tier", "prod"), "request.justification", "Needed for the launch.")

test_gr_014_passes if silent("GR-014", good)

test_gr_014_passes_in_test if silent("GR-014", testing.set(good, "request.tier", "test"))

test_gr_014_fails if asked("GR-014", prod) == ["platform-approvers"]

test_gr_014_fails_update if asked("GR-014", testing.set(prod, "request.kind", "update")) == ["platform-approvers"]

test_gr_014_leaves_deletions_alone if silent("GR-014", testing.set(prod, "request.kind", "delete"))

test_gr_014_passes_extension if silent("GR-014", testing.set(good, "request.kind", "extend"))

test_gr_014_fails_extension if asked("GR-014", testing.set(prod, "request.kind", "extend")) == ["platform-approvers"]

test_gr_014_says_what_it_is_about if {
	needs := approval.approve with input as prod
	[need.message | some need in needs] == ["Changes in prod need 1 approval by the platform approvers."]
	extensions := approval.approve with input as testing.set(prod, "request.kind", "extend")
	[need.message | some need in extensions] == ["Extending in prod needs 1 approval by the platform approvers."]
}

test_gr_014_asks_for_one if {
	needs := approval.approve with input as prod
	[1] == [need.count | some need in needs]
}

test_gr_014_absent if asked("GR-014", testing.without(good, "request.tier")) == ["platform-approvers"]

test_gr_014_absent_kind if asked("GR-014", testing.without(prod, "request.kind")) == ["platform-approvers"]

test_gr_014_unknown if {
	asked("GR-014", testing.set(good, "request.tier", testing.unknown)) == ["platform-approvers"]
	warned("GR-014", testing.set(good, "request.tier", testing.unknown)) == ["request.tier"]
}

test_gr_014_unknown_tier_of_an_extension if {
	extension := testing.set(testing.set(good, "request.tier", testing.unknown), "request.kind", "extend")
	asked("GR-014", extension) == ["platform-approvers"]
	warned("GR-014", extension) == ["request.tier"]
}

test_gr_014_unknown_tier_of_a_deletion if silent("GR-014", testing.set(testing.set(good, "request.tier", testing.unknown), "request.kind", "delete"))

test_gr_015_passes if silent("GR-015", testing.set(good, "request.kind", "delete"))

test_gr_015_passes_creation if silent("GR-015", prod)

test_gr_015_fails if asked("GR-015", testing.set(prod, "request.kind", "delete")) == ["platform-approvers"]

test_gr_015_absent if asked("GR-015", testing.without(testing.set(good, "request.kind", "delete"), "request.tier")) == ["platform-approvers"]

test_gr_015_unknown if {
	deletion := testing.set(testing.set(good, "request.tier", testing.unknown), "request.kind", "delete")
	asked("GR-015", deletion) == ["platform-approvers"]
	warned("GR-015", deletion) == ["request.tier"]
}

test_gr_015_unknown_tier_of_a_creation if silent("GR-015", testing.set(good, "request.tier", testing.unknown))

test_gr_016_passes if silent("GR-016", prod)

test_gr_016_passes_in_dev if silent("GR-016", good)

test_gr_016_passes_ten_characters if silent("GR-016", testing.set(prod, "request.justification", " 123456789 0"))

test_gr_016_passes_exactly_ten if silent("GR-016", testing.set(prod, "request.justification", "1234567890"))

test_gr_016_fails if denied("GR-016", testing.set(prod, "request.justification", "123456789   ")) == ["request.justification"]

test_gr_016_absent if denied("GR-016", testing.without(prod, "request.justification")) == ["request.justification"]

test_gr_016_unknown if {
	warned("GR-016", testing.set(prod, "request.justification", testing.unknown)) == ["request.justification"]
	denied("GR-016", testing.set(prod, "request.justification", testing.unknown)) == []
}
