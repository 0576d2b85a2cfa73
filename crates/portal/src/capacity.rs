//! The machines of a planned resource, at the least and at the most: what cost and quota are judged by. Reads ARM bodies; prices and limits are elsewhere.

use serde_json::Value;
use types::plan::PlannedResource;

/// Surge of a node pool that names none: 10 % of the pool, rounded up, of new and existing pools from Kubernetes 1.32 on
/// (<https://github.com/Azure/AKS/releases/tag/2025-03-16>; so too `maxSurge` of `AgentPoolUpgradeSettings`, REST specification of agent pools, api-version
/// 2026-03-01, read 2026-11-27). One page still says one node (<https://learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling>, page of 2026-05-29, read
/// 2026-11-27): 10 % rounded up is never less. Pools of Spot machines get no surge; counting one all the same counts too much, which is safe.
const DEFAULT_SURGE_PERCENT: i64 = 10;
/// Nodes of a pool whose body has no `count` (REST reference of agent pools, read 2026-11-27).
const DEFAULT_COUNT: i64 = 1;

/// Machines of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machines<'a> {
    /// Azure's name of the size; `None` where the body does not say one.
    pub(crate) size: Option<&'a str>,
    /// How many; `None` where that cannot be told.
    pub(crate) nodes: Option<Nodes>,
    /// The pool's or the machine's properties.
    pub(crate) properties: &'a Value,
    /// Whether they are a pool's nodes.
    pub(crate) pooled: bool,
}

impl Machines<'_> {
    /// Whether they are Spot machines, or may be. Those have a quota pool of their own and cost at most what others do
    /// (<https://learn.microsoft.com/azure/virtual-machines/spot-vms>, page of 2024-08-05, read 2026-11-27).
    pub(crate) fn may_be_spot(&self) -> bool {
        let priority = if self.pooled {
            &self.properties["scaleSetPriority"]
        } else {
            &self.properties["priority"]
        };
        match priority {
            Value::Null => false,
            Value::String(priority) => !priority.eq_ignore_ascii_case("Regular"),
            _ => true,
        }
    }
}

/// How many machines there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nodes {
    /// The autoscaler goes down to these.
    pub(crate) least: i64,
    /// It goes up to these.
    pub(crate) most: i64,
    /// So many more while the pool is upgraded.
    pub(crate) surge: i64,
}

impl Nodes {
    /// All of them at the same time.
    pub(crate) fn at_most(self) -> i64 {
        self.most.saturating_add(self.surge)
    }
}

/// The machines that a resource stands for: one of a virtual machine, those of a pool, those of every pool inside a cluster's body.
pub(crate) fn machines(resource: &PlannedResource) -> Vec<Machines<'_>> {
    let properties = &resource.body["properties"];
    match resource.kind.to_ascii_lowercase().as_str() {
        "microsoft.compute/virtualmachines" => vec![Machines {
            size: properties["hardwareProfile"]["vmSize"].as_str(),
            nodes: Some(Nodes {
                least: 1,
                most: 1,
                surge: 0,
            }),
            properties,
            pooled: false,
        }],
        "microsoft.containerservice/managedclusters/agentpools" => vec![pool(properties)],
        "microsoft.containerservice/managedclusters" => match &properties["agentPoolProfiles"] {
            Value::Null => Vec::new(),
            Value::Array(pools) => pools.iter().map(pool).collect(),
            _ => vec![uncounted(properties)],
        },
        // Types we cannot count are reported as unknown, never as zero.
        "microsoft.compute/virtualmachinescalesets"
        | "microsoft.compute/hostgroups/hosts"
        | "microsoft.compute/capacityreservationgroups/capacityreservations" => {
            vec![uncounted(properties)]
        }
        _ => Vec::new(),
    }
}

fn uncounted(properties: &Value) -> Machines<'_> {
    Machines {
        size: None,
        nodes: None,
        properties,
        pooled: true,
    }
}

fn pool(properties: &Value) -> Machines<'_> {
    Machines {
        size: properties["vmSize"].as_str(),
        nodes: nodes(properties),
        properties,
        pooled: true,
    }
}

/// A number of a pool's body that is absent, or one that cannot be read: known after apply only, no whole number, negative.
enum Count {
    Absent,
    Is(i64),
}

fn count(value: &Value) -> Option<Count> {
    match value {
        Value::Null => Some(Count::Absent),
        Value::Number(number) => number.as_i64().filter(|count| *count >= 0).map(Count::Is),
        _ => None,
    }
}

/// The nodes of a pool. The most is the largest number that the body names, whatever Azure would say to the others: it is never less than what can run.
fn nodes(properties: &Value) -> Option<Nodes> {
    // Pools of single machines name sizes and numbers elsewhere.
    if !properties["virtualMachinesProfile"].is_null() {
        return None;
    }
    // A blue-green upgrade, a preview, doubles the nodes whatever the surge says; another strategy may do anything: people decide
    // (<https://learn.microsoft.com/azure/aks/blue-green-node-pool-upgrade>; `AgentPoolUpgradeStrategy`: Rolling is the default; read 2026-11-27).
    match &properties["upgradeStrategy"] {
        Value::Null => {}
        Value::String(strategy) if strategy.eq_ignore_ascii_case("Rolling") => {}
        _ => return None,
    }
    let now = count(&properties["count"])?;
    let fewest = count(&properties["minCount"])?;
    let largest = count(&properties["maxCount"])?;
    let scales = properties["enableAutoScaling"] != Value::Bool(false)
        && !properties["enableAutoScaling"].is_null();
    let named = [&now, &fewest, &largest]
        .into_iter()
        .filter_map(|count| match count {
            Count::Is(count) => Some(*count),
            Count::Absent => None,
        })
        .max();
    let most = match (scales, &largest) {
        (true, Count::Absent) => return None,
        _ => named.unwrap_or(DEFAULT_COUNT),
    };
    let least = match (scales, fewest, now) {
        (true, Count::Is(fewest), _) => fewest,
        (_, _, Count::Is(now)) => now,
        (true, Count::Absent, Count::Absent) => 0,
        (false, _, Count::Absent) => DEFAULT_COUNT,
    };
    Some(Nodes {
        least: least.min(most),
        most,
        surge: surge(&properties["upgradeSettings"]["maxSurge"], most)?,
    })
}

/// The nodes that an upgrade adds: a number, or a percentage of the pool, rounded up; of the largest pool, because the percentage is of the nodes of then.
/// Never more than there are: "if the max surge value is higher than the required number of nodes to be upgraded, the number of nodes to be upgraded is
/// used" (<https://learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling>, page of 2026-05-29, read 2026-11-27).
fn surge(value: &Value, most: i64) -> Option<i64> {
    let percent = |percent: i64| {
        let hundredths = most.saturating_mul(percent);
        hundredths / 100 + i64::from(hundredths % 100 != 0)
    };
    let surge = match value {
        Value::Null => percent(DEFAULT_SURGE_PERCENT),
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => match text.trim().strip_suffix('%') {
            Some(text) => percent(text.trim().parse().ok()?),
            None => text.trim().parse().ok()?,
        },
        _ => return None,
    };
    (surge >= 0).then_some(surge.min(most))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a case reads best with its JSON in place"
    )]
    fn counted(body: Value) -> Option<(i64, i64, i64)> {
        nodes(&body).map(|nodes| (nodes.least, nodes.most, nodes.surge))
    }

    #[test]
    fn a_pool_is_counted_at_its_most_with_its_surge() {
        let pool = |least: Value, most: Value, surge: Value| {
            counted(json!({
                "count": least, "minCount": least, "maxCount": most, "enableAutoScaling": true,
                "upgradeSettings": { "maxSurge": surge },
            }))
        };
        let cases = [
            (json!("33%"), Some((1, 100, 33))),
            (json!("100%"), Some((1, 100, 100))),
            (json!("1%"), Some((1, 100, 1))),
            (json!("50"), Some((1, 100, 50))),
            (json!(5), Some((1, 100, 5))),
            (json!("0"), Some((1, 100, 0))),
            // More than there are to upgrade is as many as there are.
            (json!("150"), Some((1, 100, 100))),
            (json!(i64::MAX), Some((1, 100, 100))),
            (json!("250%"), Some((1, 100, 100))),
            (Value::Null, Some((1, 100, 10))),
            (json!("33.5%"), None),
            (json!("-1"), None),
            (json!(""), None),
            (json!({ "$unknown": "reference('x').surge" }), None),
        ];
        for (surge, wanted) in cases {
            assert_eq!(pool(json!(1), json!(100), surge.clone()), wanted, "{surge}");
        }
        // Fractions are rounded up, of the most and not of the fewest nodes.
        assert_eq!(pool(json!(1), json!(4), json!("33%")), Some((1, 4, 2)));
        assert_eq!(pool(json!(1), json!(7), Value::Null), Some((1, 7, 1)));
        assert_eq!(pool(json!(0), json!(0), json!("5")), Some((0, 0, 0)));
    }

    #[test]
    fn neither_more_nodes_nor_more_surge_makes_a_pool_smaller() {
        let words = ["0", "1", "3", "7", "12", "0%", "1%", "33%", "100%", "300%"];
        let at_most = |most: i64, surge: &str| {
            let body = json!({ "count": most, "upgradeSettings": { "maxSurge": surge } });
            nodes(&body).unwrap().at_most()
        };
        for most in 0..40 {
            for surge in words {
                assert!(
                    at_most(most, surge) <= at_most(most + 1, surge),
                    "{most} {surge}"
                );
                assert!(at_most(most, surge) <= 2 * most, "{most} {surge}");
            }
            for pair in words[..5].windows(2).chain(words[5..].windows(2)) {
                assert!(
                    at_most(most, pair[0]) <= at_most(most, pair[1]),
                    "{most} {pair:?}"
                );
            }
        }
    }

    #[test]
    fn spot_machines_are_told_apart() {
        let spot = |pooled: bool, member: &str, priority: Value| {
            let mut properties = json!({});
            properties[member] = priority;
            let machines = Machines {
                size: None,
                nodes: None,
                properties: &properties,
                pooled,
            };
            machines.may_be_spot()
        };
        for (pooled, member) in [(true, "scaleSetPriority"), (false, "priority")] {
            assert!(!spot(pooled, member, Value::Null));
            assert!(!spot(pooled, member, json!("regular")));
            for priority in [json!("Spot"), json!("Low"), json!({ "$unknown": "x" })] {
                assert!(spot(pooled, member, priority.clone()), "{priority}");
                assert!(!spot(!pooled, member, priority));
            }
        }
    }

    #[test]
    fn machines_that_cannot_be_counted_are_unknown_and_not_none() {
        let counted = |kind: &str, body: Value| {
            let resource = PlannedResource {
                id: "/x".to_owned(),
                kind: kind.to_owned(),
                name: "x".to_owned(),
                api_version: String::new(),
                change: types::plan::Change::Create,
                depends_on: vec![],
                body,
                differences: vec![],
            };
            let machines = machines(&resource);
            machines
                .iter()
                .map(|m| m.nodes.is_some())
                .collect::<Vec<_>>()
        };
        let cluster = "Microsoft.ContainerService/managedClusters";
        let pools = |pools: Value| json!({ "properties": { "agentPoolProfiles": pools } });
        assert_eq!(counted(cluster, pools(json!([{ "count": 1 }]))), [true]);
        assert_eq!(counted(cluster, pools(Value::Null)), [false; 0]);
        assert_eq!(counted(cluster, pools(json!({ "$unknown": "x" }))), [false]);
        for kind in [
            "Microsoft.Compute/virtualMachineScaleSets",
            "Microsoft.Compute/hostGroups/hosts",
            "microsoft.compute/capacityReservationGroups/capacityReservations",
        ] {
            let body = json!({ "sku": { "name": "Standard_D2ds_v6", "capacity": 3 } });
            assert_eq!(counted(kind, body), [false], "{kind}");
        }
        assert_eq!(counted("Microsoft.Compute/disks", json!({})), [false; 0]);
    }

    #[test]
    fn what_a_body_leaves_out_is_azures_default_or_unknown() {
        assert_eq!(counted(json!({})), Some((1, 1, 1)));
        assert_eq!(counted(json!({ "count": 3 })), Some((3, 3, 1)));
        // Without a most, the autoscaler has no bound that can be judged.
        assert_eq!(
            counted(json!({ "count": 3, "enableAutoScaling": true })),
            None
        );
        assert_eq!(
            counted(json!({ "enableAutoScaling": true, "minCount": 2, "maxCount": 5 })),
            Some((2, 5, 1))
        );
        assert_eq!(
            counted(
                json!({ "enableAutoScaling": true, "count": null, "minCount": null, "maxCount": 5 })
            ),
            Some((0, 5, 1))
        );
        // A fewest above the most is refused by Azure; until then the larger one counts.
        assert_eq!(
            counted(json!({ "enableAutoScaling": true, "minCount": 9, "maxCount": 5 })),
            Some((9, 9, 1))
        );
        for number in [
            json!("3"),
            json!(-1),
            json!(1.5),
            json!({ "$unknown": "x" }),
        ] {
            assert_eq!(
                counted(json!({ "count": number.clone() })),
                None,
                "{number}"
            );
        }
        assert_eq!(
            counted(json!({ "count": 1, "virtualMachinesProfile": { "scale": {} } })),
            None
        );
        for (strategy, wanted) in [
            (Value::Null, Some((3, 3, 1))),
            (json!("rolling"), Some((3, 3, 1))),
            (json!("BlueGreen"), None),
            (json!("Canary"), None),
            (json!({ "$unknown": "x" }), None),
        ] {
            let pool = json!({ "count": 3, "upgradeStrategy": strategy });
            assert_eq!(counted(pool.clone()), wanted, "{pool}");
        }
    }
}
