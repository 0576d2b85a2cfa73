//! What only the cloud knows, through the runtime: `reference`, `references`, `list*`, `pickZones`, `deployer`.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{known_args, zones};
use crate::cause::Cause;
use crate::evaluate::resource::Target;
use crate::evaluate::{Deployment, Frame};
use crate::expression::{Call, Expr};
use crate::functions::{Fault, Function, refused, special, wrong};
use crate::runtime::unknown;

pub(crate) static TABLE: &[Function] = &[
    special("reference", 1, 3, reference),
    special("references", 1, 2, references),
    special("pickZones", 3, 5, pick_zones),
    special("deployer", 0, 0, |deployment, _, _| {
        let answer = deployment.world.runtime.deployer()?;
        answer.ok_or_else(|| unasked(deployment, Cause::Deployer))
    }),
];

/// Every function whose name begins with `list`.
pub(crate) static LIST: Function = special("list*", 1, 3, list);

/// The answer is not known, and this is why.
fn unasked(deployment: &Deployment<'_>, cause: Cause) -> Fault {
    deployment.world.causes.meet(cause);
    Fault::Unknown
}

fn is_full(word: Option<&str>) -> Result<bool, Fault> {
    match word {
        None => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("full") => Ok(true),
        Some(_) => wrong("the last argument can only be 'Full'"),
    }
}

fn reference(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let name = args.string()?;
    let api_version = args
        .optional_string()?
        .filter(|version| !version.is_empty());
    let full = is_full(args.optional_string()?.as_deref())?;
    let label = Expr::Call(Box::new(call.clone())).to_string();
    of(
        deployment.language(),
        &name,
        api_version.as_deref(),
        full,
        &label,
    )
}

/// What is known of the resource that `name` means.
fn of(
    deployment: &Rc<Deployment<'_>>,
    name: &str,
    api_version: Option<&str>,
    full: bool,
    label: &str,
) -> Result<Value, Fault> {
    let position = match find(deployment, name)? {
        Found::Instance(position) => position,
        Found::Id(id) => {
            deployment.world.touch(&id);
            return deployment
                .world
                .runtime
                .reference(&id, api_version, full)?
                .ok_or_else(|| unasked(deployment, Cause::Reference(id)));
        }
    };
    let instance = deployment
        .instances()?
        .get(position)
        .ok_or(Fault::Unknown)?;
    deployment.world.touch(&instance.id);
    let existing = deployment.declared(instance)?.existing;
    let cause = if existing {
        Cause::Existing(instance.id.clone())
    } else {
        Cause::Reference(instance.id.clone())
    };
    if instance.id.is_empty() {
        return Err(unasked(deployment, Cause::Reference(name.to_owned())));
    }
    let own_version = Some(instance.api_version.as_str()).filter(|version| !version.is_empty());
    let answer =
        deployment
            .world
            .runtime
            .reference(&instance.id, api_version.or(own_version), full)?;
    if let Some(value) = answer {
        return Ok(value);
    }
    let has_template = deployment.declared(instance)?.nested.is_some();
    if !has_template || instance.dropped {
        return Err(unasked(deployment, cause));
    }
    let properties = deployment.nested_properties(position, label)?;
    if !full {
        return Ok(properties);
    }
    let mut whole = Map::new();
    whole.insert("properties".into(), properties);
    for name in [
        "apiVersion",
        "location",
        "provisioningOperation",
        "resourceGroupName",
        "resourceId",
        "scope",
        "subscriptionId",
    ] {
        let text = format!("{label}.{name}");
        deployment.world.causes.record(&text, [cause.clone()]);
        whole.insert(name.into(), unknown(text));
    }
    Ok(Value::Object(whole))
}

enum Found {
    Instance(usize),
    Id(String),
}

/// The one resource that `name` means.
fn find(deployment: &Rc<Deployment<'_>>, name: &str) -> Result<Found, Fault> {
    if deployment.is_expanding() {
        // Names are being made: only what is written as an id can be asked for.
        return if name.starts_with('/') {
            Ok(Found::Id(name.to_owned()))
        } else {
            Err(unasked(deployment, Cause::Reference(name.to_owned())))
        };
    }
    match deployment.target(name)? {
        Target::Instances(found) => match found.as_slice() {
            [one] => Ok(Found::Instance(*one)),
            // An index beyond the loop, or one that is not known.
            [] => Err(unasked(deployment, Cause::Reference(name.to_owned()))),
            _ => wrong(format!(
                "`{name}` is a loop of {} resources; name one, as in '{name}[0]'",
                found.len()
            )),
        },
        Target::Id(id) => Ok(Found::Id(id)),
        Target::None => refused(format!(
            "The template reference '{name}' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details."
        )),
    }
}

/// All resources of a loop, in order.
fn references(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let name = args.string()?;
    let full = is_full(args.optional_string()?.as_deref())?;
    let language = deployment.language();
    if language.is_expanding() {
        return Err(unasked(deployment, Cause::Reference(name)));
    }
    let Target::Instances(found) = language.target(&name)? else {
        return wrong(format!("`{name}` is no loop of this template"));
    };
    let instances = language.instances()?;
    let in_doubt = found
        .iter()
        .filter_map(|i| instances.get(*i))
        .find_map(|instance| instance.uncertain.as_ref());
    if let Some(text) = in_doubt {
        deployment.world.causes.meet_text(text);
        return Err(Fault::Unknown);
    }
    let mut items = Vec::new();
    for position in found {
        let Some(instance) = instances.get(position).filter(|instance| !instance.dropped) else {
            continue;
        };
        let label = format!("reference('{name}[{}]')", instance.index);
        let single = instance
            .symbolic_name
            .clone()
            .unwrap_or_else(|| instance.id.clone());
        let causes = &deployment.world.causes;
        let (item, met) = causes.watch(|| of(language, &single, None, full, &label));
        items.push(match item {
            Err(Fault::Unknown) => {
                causes.record(&label, met);
                unknown(label)
            }
            other => other?,
        });
    }
    Ok(Value::Array(items))
}

fn list(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let name = args.string()?;
    let given_version = args
        .optional_string()?
        .filter(|version| !version.is_empty());
    let body = args.next().filter(|body| !body.is_null());
    let language = deployment.language();
    let (id, position) = match find(language, &name)? {
        Found::Id(id) => (id, None),
        Found::Instance(position) => {
            let instance = language.instances()?.get(position).ok_or(Fault::Unknown)?;
            (instance.id.clone(), Some(position))
        }
    };
    language.world.touch(&id);
    let own_version = match position {
        Some(position) => language
            .instances()?
            .get(position)
            .map(|instance| instance.api_version.clone()),
        None => None,
    };
    let api_version = given_version
        .or(own_version)
        .filter(|version| !version.is_empty());
    if call
        .name
        .eq_ignore_ascii_case("listOutputsWithSecureValues")
        && let Some(position) = position
        && let Some(outputs) = language.nested_outputs(position)?
    {
        return Ok(outputs);
    }
    let answer =
        language
            .world
            .runtime
            .list(&call.name, &id, api_version.as_deref(), body.as_ref())?;
    answer.ok_or_else(|| unasked(deployment, Cause::List(format!("{} of {id}", call.name))))
}

fn pick_zones(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let provider = args.string()?;
    let kind = format!("{provider}/{}", args.string()?);
    let location = args.string()?;
    let count = args.optional_int()?.unwrap_or(1);
    let offset = args.optional_int()?.unwrap_or(0);
    let (Ok(count @ 1..=3), Ok(offset)) = (usize::try_from(count), usize::try_from(offset)) else {
        return wrong("the number of zones is 1 to 3 and the offset at least 0");
    };
    let runtime = deployment.world.runtime;
    if let Some(zones) = runtime.zones(&kind, &location, count, offset)? {
        return Ok(zones.into_iter().map(Value::from).collect());
    }
    match zones::of(&kind, &location) {
        Some([]) => Ok(Value::Array(Vec::new())),
        Some(zones) => match zones.get(offset..offset.saturating_add(count)) {
            Some(picked) => Ok(picked.iter().copied().map(Value::from).collect()),
            None => wrong(format!(
                "the region has {} zones; offset {offset} and number {count} reach beyond them",
                zones.len()
            )),
        },
        None => Err(unasked(deployment, Cause::Zones(kind))),
    }
}
