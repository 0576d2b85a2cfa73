//! The digest: what exactly an approver approves, computed when a plan is made and again wherever a stored plan is read (`plans::proof`).

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Number, Value};
use types::Object;
use types::ids::StackId;
use types::names::TemplateRef;
use types::plan::{Plan, PlannedDeletion, PlannedResource, Target};
use types::request::{RequestDraft, RequestKind};

use super::Planned;

/// Which formula. A plan stored by a Slipway that knew only the one before is still recognised: see [`names`].
const FORMULA: u8 = 2;

/// Why a plan has no digest.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoDigest {
    /// Canonical JSON writes this number as it writes another one, or it does not survive being stored.
    #[error("the number at {0} is not told apart from others")]
    Number(String),
    /// No JSON.
    #[error("no canonical JSON: {0}")]
    Json(String),
}

/// SHA-256 in hexadecimal over the canonical JSON (RFC 8785) of what the request itself says (kind, expiry, justification, zone, cost centre, tags), its
/// stack, the template and its content hash, parameters, resources, deletions and target. Prices, quota and verdicts are outside.
///
/// # Errors
/// [`NoDigest::Number`]: two plans that differ would have one digest.
pub(super) fn of(
    draft: &RequestDraft,
    stack: StackId,
    template: &TemplateRef,
    template_hash: &str,
    planned: &Planned,
) -> Result<String, NoDigest> {
    Covered::of(Parts {
        template: template.to_string(),
        template_hash,
        parameters: &planned.parameters,
        resources: &planned.resources,
        deletions: &planned.deletions,
        target: &planned.target,
    })
    .digest(draft, stack)
}

/// Whether a stored plan's digest names exactly this plan for this draft and stack.
pub(super) fn names(draft: &RequestDraft, stack: StackId, plan: &Plan) -> bool {
    Covered::from(plan).bears(&plan.digest, draft, stack)
}

/// Whether two stored plans are one: the same digest, and the same of all that it covers.
pub(super) fn same(one: &Plan, other: &Plan) -> bool {
    one.digest == other.digest && Covered::from(one) == Covered::from(other)
}

/// What a digest covers of a plan, borrowed from where it is.
#[derive(PartialEq, Serialize)]
struct Covered<'a> {
    template: String,
    template_hash: &'a str,
    parameters: &'a Object,
    resources: Vec<CoveredResource<'a>>,
    deletions: Vec<CoveredDeletion<'a>>,
    target: CoveredTarget<'a>,
}

struct Parts<'a> {
    template: String,
    template_hash: &'a str,
    parameters: &'a Object,
    resources: &'a [PlannedResource],
    deletions: &'a [PlannedDeletion],
    target: &'a Target,
}

#[derive(PartialEq, Serialize)]
struct CoveredResource<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    api_version: &'a str,
    depends_on: &'a [String],
    body: &'a Value,
}

#[derive(PartialEq, Serialize)]
struct CoveredDeletion<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    api_version: &'a str,
}

#[derive(PartialEq, Serialize)]
struct CoveredTarget<'a> {
    subscription: &'a str,
    resource_group: &'a str,
    owns_group: bool,
    region: &'a str,
}

/// What the request says beside its plan. Zone, cost centre and tags may reach Azure without a template's parameter: a group's tags do.
#[derive(Serialize)]
struct Wish<'a> {
    kind: RequestKind,
    expiry: &'a str,
    justification: &'a str,
    zone: &'a str,
    cost_centre: &'a str,
    tags: &'a IndexMap<String, String>,
}

#[derive(Serialize)]
struct Whole<'a> {
    formula: u8,
    stack: StackId,
    request: Wish<'a>,
    plan: &'a Covered<'a>,
}

/// The first formula: it did not cover the justification.
#[derive(Serialize)]
struct First<'a> {
    #[serde(flatten)]
    plan: &'a Covered<'a>,
    kind: &'a str,
    expiry: &'a str,
}

impl<'a> Covered<'a> {
    fn of(parts: Parts<'a>) -> Self {
        let target = parts.target;
        Self {
            template: parts.template,
            template_hash: parts.template_hash,
            parameters: parts.parameters,
            resources: parts
                .resources
                .iter()
                .map(|resource| CoveredResource {
                    id: &resource.id,
                    kind: &resource.kind,
                    api_version: &resource.api_version,
                    depends_on: &resource.depends_on,
                    body: &resource.body,
                })
                .collect(),
            deletions: parts
                .deletions
                .iter()
                .map(|gone| CoveredDeletion {
                    id: &gone.id,
                    kind: &gone.kind,
                    api_version: &gone.api_version,
                })
                .collect(),
            target: CoveredTarget {
                subscription: &target.subscription,
                resource_group: &target.resource_group,
                owns_group: target.owns_group,
                region: &target.region,
            },
        }
    }

    fn digest(&self, draft: &RequestDraft, stack: StackId) -> Result<String, NoDigest> {
        self.numbers()?;
        let whole = Whole {
            formula: FORMULA,
            stack,
            request: Wish {
                kind: draft.kind,
                expiry: draft.expiry.trim(),
                justification: draft.justification.trim(),
                zone: draft.zone.trim(),
                cost_centre: draft.cost_centre.trim(),
                tags: &draft.tags,
            },
            plan: self,
        };
        sha256_of(&whole).map_err(|cause| NoDigest::Json(cause.to_string()))
    }

    fn first_digest(&self, draft: &RequestDraft) -> Option<String> {
        sha256_of(&First {
            plan: self,
            kind: draft.kind.as_str(),
            expiry: draft.expiry.trim(),
        })
        .ok()
    }

    /// Whether `digest` is this plan's, by the formula of now or the first one.
    fn bears(&self, digest: &str, draft: &RequestDraft, stack: StackId) -> bool {
        self.digest(draft, stack).is_ok_and(|now| now == digest)
            || self
                .first_digest(draft)
                .is_some_and(|first| first == digest)
    }

    /// Every number is one that canonical JSON writes as no other.
    fn numbers(&self) -> Result<(), NoDigest> {
        for (name, value) in self.parameters {
            if let Some(at) = ambiguous(value) {
                return Err(NoDigest::Number(format!("parameters.{name}{at}")));
            }
        }
        for resource in &self.resources {
            if let Some(at) = ambiguous(resource.body) {
                return Err(NoDigest::Number(format!("{}{at}", resource.id)));
            }
        }
        Ok(())
    }
}

impl<'a> From<&'a Plan> for Covered<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self::of(Parts {
            template: plan.template.to_string(),
            template_hash: &plan.template_hash,
            parameters: &plan.parameters,
            resources: &plan.resources,
            deletions: &plan.deletions,
            target: &plan.target,
        })
    }
}

/// Where the first number stands that RFC 8785 writes as it writes another one, as a path from the value; `None` when there is none.
pub(crate) fn ambiguous(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => (!is_distinct(number)).then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| Some(format!("[{index}]{}", ambiguous(item)?))),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, member)| Some(format!(".{name}{}", ambiguous(member)?))),
        _ => None,
    }
}

/// RFC 8785 knows doubles only: whole numbers beyond 2^53 − 1 fall together, 1.0 is 1 and -0.0 is 0. A number with a fraction is distinct if it is read
/// again as it was written: a plan is stored as text.
fn is_distinct(number: &Number) -> bool {
    if number.is_i64() || number.is_u64() {
        return is_whole(number);
    }
    let Some(float) = number.as_f64() else {
        return false;
    };
    float.is_finite()
        && float.fract() != 0.0
        && serde_json::from_str::<f64>(&number.to_string())
            .is_ok_and(|again| again.to_bits() == float.to_bits())
}

/// A whole number that every JSON reader takes for the same one: without a fraction or exponent, and within ±(2^53 − 1).
pub(crate) fn is_whole(number: &Number) -> bool {
    const MOST: u64 = (1 << 53) - 1;
    number.as_u64().is_some_and(|n| n <= MOST)
        || number.as_i64().is_some_and(|n| n.unsigned_abs() <= MOST)
}

/// SHA-256 in hexadecimal over a value's canonical JSON.
pub(crate) fn sha256_of(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let canonical = serde_json_canonicalizer::to_vec(value)?;
    Ok(record::sha256(&canonical))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const STACK: StackId = StackId(uuid::Uuid::nil());

    /// A plan of one resource with this body.
    fn with_plan<T>(body: Value, look: impl FnOnce(&Covered<'_>) -> T) -> T {
        let resource = PlannedResource {
            id: "/a".to_owned(),
            kind: "b/c".to_owned(),
            name: "a".to_owned(),
            api_version: "1".to_owned(),
            change: types::plan::Change::Create,
            depends_on: vec![],
            body,
            differences: vec![],
        };
        let target = Target {
            subscription: "s".to_owned(),
            subscription_name: "S".to_owned(),
            resource_group: "g".to_owned(),
            owns_group: true,
            region: "r".to_owned(),
        };
        look(&Covered::of(Parts {
            template: "azure-linux-vm@1.0.0".to_owned(),
            template_hash: "00",
            parameters: &Object::new(),
            resources: &[resource],
            deletions: &[],
            target: &target,
        }))
    }

    fn digest(body: Value) -> Result<String, NoDigest> {
        with_plan(body, |plan| plan.digest(&RequestDraft::default(), STACK))
    }

    /// Any JSON, numbers of every kind and near the edges among them.
    fn body() -> impl Strategy<Value = Value> {
        let edge = 1_i64 << 53;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            (edge - 3..edge + 3).prop_map(Value::from),
            (-edge - 3..-edge + 3).prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            (-3_i32..3).prop_map(|n| Value::from(f64::from(n))),
            prop::sample::select(vec![
                0.5,
                -0.0,
                0.1 + 0.2,
                1e300,
                1e-300,
                9_007_199_254_740_993.0
            ])
            .prop_map(Value::from),
            prop::sample::select(vec![
                "", "1", "1.0", "\u{e9}", "e\u{301}", "$unknown", "\u{2028}"
            ])
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let names = prop::sample::select(vec!["a", "A", "\u{e9}", "e\u{301}", "$unknown", ""]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((names, inner), 0..4).prop_map(|members| {
                    members
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect::<Object>()
                        .into()
                }),
            ]
        })
    }

    /// The text of a body as Azure would read it, whatever order its members are in.
    fn text(value: &Value) -> String {
        let mut sorted = value.clone();
        sorted.sort_all_objects();
        sorted.to_string()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn bodies_of_different_text_have_different_digests(one in body(), other in body()) {
            if let (Ok(first), Ok(second)) = (digest(one.clone()), digest(other.clone())) {
                prop_assert_eq!(first == second, text(&one) == text(&other));
            }
        }

        #[test]
        fn numbers_that_have_a_digest_have_one_of_their_own(one in any::<f64>(), step in -2_i64..3) {
            for (a, b) in [
                (json!(one), json!(f64::from_bits(one.to_bits().wrapping_add_signed(step)))),
                (json!(one), serde_json::from_str(&format!("{}", one.trunc())).unwrap_or(Value::Null)),
                (json!((1_i64 << 53) + step), json!((1_i64 << 53) + step + 1)),
            ] {
                if let (Ok(first), Ok(second)) = (digest(a.clone()), digest(b.clone())) {
                    prop_assert_eq!(first == second, text(&a) == text(&b));
                }
            }
        }
    }

    #[test]
    fn a_number_that_stands_for_two_has_no_digest_wherever_it_stands() {
        for text in [
            "9007199254740992",
            "9007199254740993",
            "-9007199254740992",
            "18446744073709551615",
            "1.0",
            "1e0",
            "-0",
            "-0.0",
            "1e300",
        ] {
            let number: Value = serde_json::from_str(text).unwrap();
            for body in [
                number.clone(),
                json!([0, [number]]),
                json!({"a": [{"b": number}]}),
            ] {
                assert!(
                    matches!(digest(body), Err(NoDigest::Number(_))),
                    "{text} has a digest"
                );
            }
        }
        assert_eq!(
            digest(json!({"a": [{"b": 1.0}]})),
            Err(NoDigest::Number("/a.a[0].b".to_owned()))
        );
        for fine in [
            json!(9_007_199_254_740_991_i64),
            json!(-9_007_199_254_740_991_i64),
            json!(0.5),
        ] {
            assert!(digest(fine.clone()).is_ok(), "{fine}");
        }
    }

    #[test]
    fn a_plan_stored_under_the_first_formula_is_still_recognised_and_only_so_as_it_was() {
        let draft = RequestDraft {
            expiry: "30d".to_owned(),
            ..RequestDraft::default()
        };
        // As that Slipway computed it: SHA-256 of the canonical JSON of exactly these members.
        let stored = sha256_of(&json!({
            "template": "azure-linux-vm@1.0.0",
            "template_hash": "00",
            "parameters": {},
            "resources": [{"id": "/a", "type": "b/c", "api_version": "1", "depends_on": [], "body": {"a": 1}}],
            "deletions": [],
            "target": {"subscription": "s", "resource_group": "g", "owns_group": true, "region": "r"},
            "kind": "create",
            "expiry": "30d",
        }))
        .unwrap();
        let bears = |body: Value| with_plan(body, |plan| plan.bears(&stored, &draft, STACK));
        assert!(bears(json!({"a": 1})));
        assert!(!bears(json!({"a": 2})));
        let now = with_plan(json!({"a": 1}), |plan| plan.digest(&draft, STACK));
        assert_ne!(now.unwrap(), stored);
    }
}
