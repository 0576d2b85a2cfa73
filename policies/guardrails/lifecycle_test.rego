# Expiry, tags, limits, names and the template's own life.
package test.guardrails.lifecycle

import data.slipway.guardrails.lifecycle
import data.test.testing

# What a rule denies, by its messages' paths.
denied(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := lifecycle.deny with input as facts
}

# What a rule warns of.
warned(id, facts) := [finding.path | some finding in said; finding.id == id] if {
	said := lifecycle.warn with input as facts
}

silent(id, facts) if {
	denied(id, facts) == []
	warned(id, facts) == []
}

good := object.union(with_machine(testing.machine), {
	"request": {"lifetime_days": 90, "cost_centre": "CC-1"},
	"project": {"stacks": 3, "stacks_active": 2, "stacks_approved": 1, "max_stacks": 5},
})

with_machine(body) := testing.creating([testing.resource("Microsoft.Compute/virtualMachines", "vm-web", body)])

# The good request with these stacks in the project.
beside(other) := testing.set(good, "context.other_stacks", [object.union({"name": "web", "tier": "test", "template": "azure-linux-vm", "version": "2.0.0"}, other)])

tagged(tag, value) := testing.set(object.union(good, with_machine(testing.set(testing.machine, concat(".", ["tags", tag]), value))), "request.cost_centre", "CC-1")

of_kind(kind, facts) := testing.set(facts, "request.kind", kind)

gone(facts) := of_kind("delete", facts)

test_gr_001_passes if silent("GR-001", good)

test_gr_001_passes_draft if silent("GR-001", testing.set(good, "plan.template.lifecycle", "draft"))

test_gr_001_fails if {
	denied("GR-001", testing.set(good, "plan.template.lifecycle", "retired")) == ["plan.template.lifecycle"]
	warned("GR-001", testing.set(good, "plan.template.lifecycle", "retired")) == []
}

test_gr_001_warns_of_deprecated if {
	denied("GR-001", testing.set(good, "plan.template.lifecycle", "deprecated")) == []
	warned("GR-001", testing.set(good, "plan.template.lifecycle", "deprecated")) == ["plan.template.lifecycle"]
}

test_gr_001_leaves_deletions_alone if {
	silent("GR-001", gone(testing.set(good, "plan.template.lifecycle", "retired")))
	silent("GR-001", gone(testing.set(good, "plan.template.lifecycle", "deprecated")))
	silent("GR-001", gone(testing.set(good, "plan.template.lifecycle", testing.unknown)))
}

test_gr_001_absent if denied("GR-001", testing.without(good, "plan.template.lifecycle")) == ["plan.template.lifecycle"]

test_gr_001_unknown if {
	denied("GR-001", testing.set(good, "plan.template.lifecycle", testing.unknown)) == []
	warned("GR-001", testing.set(good, "plan.template.lifecycle", testing.unknown)) == ["plan.template.lifecycle"]
}

test_gr_007_passes if silent("GR-007", good)

test_gr_007_passes_in_prod if {
	silent("GR-007", testing.set(testing.set(good, "request.tier", "prod"), "request.lifetime_days", null))
	silent("GR-007", testing.set(testing.set(good, "request.tier", "prod"), "request.lifetime_days", 120))
	silent("GR-007", testing.set(testing.set(good, "request.tier", "prod"), "request.lifetime_days", testing.unknown))
}

test_gr_007_fails if denied("GR-007", testing.set(good, "request.lifetime_days", 91)) == ["request.lifetime_days"]

test_gr_007_fails_in_test if denied("GR-007", testing.set(testing.set(good, "request.tier", "test"), "request.lifetime_days", null)) == ["request.lifetime_days"]

test_gr_007_fails_extension if denied("GR-007", of_kind("extend", testing.set(good, "request.lifetime_days", 91))) == ["request.lifetime_days"]

test_gr_007_offers_30_days if {
	said := lifecycle.deny with input as testing.set(good, "request.lifetime_days", 91)
	["30d"] == [finding.fix.value | some finding in said]
}

test_gr_007_leaves_deletions_alone if {
	silent("GR-007", gone(testing.set(good, "request.lifetime_days", 91)))
	silent("GR-007", gone(testing.set(good, "request.lifetime_days", null)))
	silent("GR-007", gone(testing.set(good, "request.lifetime_days", testing.unknown)))
}

test_gr_007_absent if {
	denied("GR-007", testing.without(good, "request.lifetime_days")) == ["request.lifetime_days"]
	denied("GR-007", testing.set(good, "request.lifetime_days", null)) == ["request.lifetime_days"]
}

test_gr_007_unknown if {
	denied("GR-007", testing.set(good, "request.lifetime_days", testing.unknown)) == []
	warned("GR-007", testing.set(good, "request.lifetime_days", testing.unknown)) == ["request.lifetime_days"]
}

test_gr_019_passes if silent("GR-019", good)

test_gr_019_passes_same_version if silent("GR-019", beside({"version": "1.0.0"}))

test_gr_019_passes_other_name if silent("GR-019", beside({"name": "api"}))

test_gr_019_passes_same_tier if silent("GR-019", beside({"tier": "dev"}))

test_gr_019_fails if warned("GR-019", beside({})) == ["request.name"]

test_gr_019_fails_other_template if warned("GR-019", beside({"template": "azure-linux-4-vm", "version": "1.0.0"})) == ["request.name"]

test_gr_019_leaves_deletions_alone if {
	silent("GR-019", gone(beside({})))
	silent("GR-019", gone(testing.without(good, "context.other_stacks")))
}

test_gr_019_absent if warned("GR-019", testing.without(good, "context.other_stacks")) == ["context.other_stacks"]

test_gr_019_unknown if warned("GR-019", testing.set(good, "context.other_stacks", testing.unknown)) == ["context.other_stacks"]

test_gr_021_passes if silent("GR-021", good)

test_gr_021_fails if denied("GR-021", testing.set(good, "request.cost_centre", "  ")) == ["request.cost_centre"]

test_gr_021_fails_without_a_tag if {
	denied("GR-021", tagged("owner", "")) == ["plan.resources[0].body.tags.owner"]
	denied("GR-021", tagged("costCenter", "")) == ["plan.resources[0].body.tags.costCenter"]
	denied("GR-021", tagged("environment", "")) == ["plan.resources[0].body.tags.environment"]
}

test_gr_021_leaves_deletions_alone if {
	silent("GR-021", gone(testing.set(good, "request.cost_centre", "")))
	silent("GR-021", gone(testing.set(good, "request.cost_centre", testing.unknown)))
	silent("GR-021", gone(tagged("owner", "")))
	silent("GR-021", gone(tagged("owner", testing.unknown)))
}

test_gr_021_absent if {
	denied("GR-021", testing.without(good, "request.cost_centre")) == ["request.cost_centre"]
	denied("GR-021", testing.set(good, "request.cost_centre", null)) == ["request.cost_centre"]
}

test_gr_021_unknown if {
	denied("GR-021", testing.set(good, "request.cost_centre", testing.unknown)) == []
	warned("GR-021", testing.set(good, "request.cost_centre", testing.unknown)) == ["request.cost_centre"]
}

test_gr_021_unknown_tag if {
	denied("GR-021", tagged("owner", testing.unknown)) == []
	warned("GR-021", tagged("owner", testing.unknown)) == ["plan.resources[0].body.tags.owner"]
}

test_gr_022_passes if silent("GR-022", good)

test_gr_022_passes_the_last_one if silent("GR-022", testing.set(good, "project.stacks", 4))

test_gr_022_fails if denied("GR-022", testing.set(good, "project.stacks", 5)) == ["project.stacks"]

test_gr_022_says_what_counts if {
	said := lifecycle.deny with input as testing.set(good, "project.stacks", 5)
	["The project has 5 of 5 stacks in dev: 2 active, 1 approved. Delete one that is not needed, or have the limit raised."] == [finding.message | some finding in said]
}

test_gr_022_fails_without_the_parts if {
	denied("GR-022", testing.without(testing.set(good, "project.stacks", 5), "project.stacks_active")) == ["project.stacks"]
	denied("GR-022", testing.without(testing.set(good, "project.stacks", 5), "project.stacks_approved")) == ["project.stacks"]
}

test_gr_022_passes_update_of_a_full_project if silent("GR-022", of_kind("update", testing.set(good, "project.stacks", 5)))

test_gr_022_absent if {
	denied("GR-022", testing.without(good, "project.stacks")) == ["project.stacks"]
	denied("GR-022", testing.without(good, "project.max_stacks")) == ["project.stacks"]
}

test_gr_022_absent_on_update if silent("GR-022", of_kind("update", testing.without(good, "project.stacks")))

test_gr_022_unknown if {
	denied("GR-022", testing.set(good, "project.stacks", testing.unknown)) == []
	warned("GR-022", testing.set(good, "project.stacks", testing.unknown)) == ["project.stacks"]
	warned("GR-022", testing.set(good, "project.max_stacks", testing.unknown)) == ["project.stacks"]
}

test_gr_022_unknown_on_update if silent("GR-022", of_kind("update", testing.set(good, "project.stacks", testing.unknown)))
