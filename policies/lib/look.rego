# Looking at a body and judging what stands there: known, unknown until apply, or absent. Knows no rule and no resource type.
package slipway.look

# `reference()` and its kin evaluate to {"$unknown": "<expression>"} in a plan.
unknown(value) if is_string(value["$unknown"])

# What stands at a dotted path. A null is absent, as it is to Azure; below an unknown everything is unknown.
at(body, path) := {"value": value, "unknown": false} if {
	value := object.get(body, split(path, "."), null)
	value != null
	not value["$unknown"]
} else := {"value": value, "unknown": true} if {
	steps := split(path, ".")
	some depth in numbers.range(0, count(steps))
	value := object.get(body, array.slice(steps, 0, depth), null)
	unknown(value)
} else := {"value": null, "unknown": false}

# A check says where it looked, what it found and what it wanted. Whether it holds counts only where the value is known.
check(path, seen, wanted, holds) := {"path": path, "result": "unknown", "found": seen.value, "wanted": wanted} if {
	seen.unknown
} else := {"path": path, "result": "pass", "found": seen.value, "wanted": wanted} if {
	holds
} else := {"path": path, "result": "fail", "found": seen.value, "wanted": wanted}

# The checks below answer the common case, a pass, themselves: every call of a function costs microseconds, and a plan has hundreds of checks.

# Exactly this value: what is absent is not.
is(body, path, wanted) := {"path": path, "result": "pass", "found": wanted, "wanted": wanted} if {
	object.get(body, split(path, "."), null) == wanted
} else := missed(body, path, wanted)

# One of these values.
is_one_of(body, path, wanted) := {"path": path, "result": "pass", "found": value, "wanted": wanted} if {
	value := object.get(body, split(path, "."), null)
	value in wanted
} else := missed(body, path, wanted)

# Something is there, and it is not empty.
is_present(body, path, wanted) := {"path": path, "result": "pass", "found": value, "wanted": wanted} if {
	value := object.get(body, split(path, "."), null)
	not value in {null, "", [], {}}
	not value["$unknown"]
} else := missed(body, path, wanted)

# A number of at least this much.
is_at_least(body, path, least) := {"path": path, "result": "pass", "found": value, "wanted": least} if {
	value := object.get(body, split(path, "."), null)
	is_number(value)
	value >= least
} else := missed(body, path, least)

missed(body, path, wanted) := check(path, at(body, path), wanted, false)

# Anything but this value, so an absent one is fine: for switches that Azure leaves in the safe position.
is_not(body, path, unwanted, wanted) := check(path, seen, wanted, seen.value != unwanted) if {
	seen := at(body, path)
}

# Nothing is there.
is_absent(body, path) := check(path, seen, "nothing", seen.value == null) if {
	seen := at(body, path)
}

# The members of a list, each with its path. A list that is unknown stands as one unknown member, so that no check is lost.
items(body, path) := [{"path": sprintf("%s[%d]", [path, i]), "body": item} | some i, item in seen.value] if {
	seen := at(body, path)
	is_array(seen.value)
} else := [{"path": path, "body": seen.value}] if {
	seen := at(body, path)
	seen.unknown
} else := []

# A check made on a member, told from the body.
within(item, found) := object.union(found, {"path": concat(".", [item.path, found.path])})

# A control's row on a resource: the first check that fails speaks, else the first that is unknown, else the first.
row(id, resource, checks) := object.union({"id": id, "resource": resource.id}, telling(checks))

telling(checks) := checks[0] if {
	count(checks) == 1
} else := first if {
	first := [c | some c in checks; c.result == "fail"][0]
} else := first if {
	first := [c | some c in checks; c.result == "unknown"][0]
} else := checks[0]

# A control that says nothing about this resource, though it does about its kind.
not_applicable(id, resource, path) := {"id": id, "resource": resource.id, "result": "not_applicable", "path": path}
