//! What of a value is secret by its declaration.

use serde_json::{Map, Value};

use super::check::Chain;
use super::{MAX_DEPTH, resolve};
use crate::parse::get;

/// The value without the parts that are declared secure: Azure answers with the rest. A value that is secure as a whole stays;
/// its type says so.
pub(crate) fn without_secrets(
    schema: &Map<String, Value>,
    definitions: &Map<String, Value>,
    value: &mut Value,
) {
    prune(schema, definitions, value, 0);
}

/// Takes the secure parts out of a value; whether it is secure itself.
fn prune(
    schema: &Map<String, Value>,
    definitions: &Map<String, Value>,
    value: &mut Value,
    depth: usize,
) -> bool {
    let Ok(chain) = resolve(schema, definitions).map(Chain) else {
        return false;
    };
    if depth > MAX_DEPTH {
        return false;
    }
    if chain.kind().is_some_and(crate::ParameterType::secure) {
        return true;
    }
    match value {
        Value::Array(items) => {
            let prefix = chain.first("prefixItems").and_then(Value::as_array);
            let rest = chain.first("items");
            for (i, item) in items.iter_mut().enumerate() {
                let own = prefix.and_then(|schemas| schemas.get(i)).or(rest);
                if let Some(Value::Object(schema)) = own
                    && prune(schema, definitions, item, depth + 1)
                {
                    item.take();
                }
            }
        }
        Value::Object(members) => {
            let variant = chain.first("discriminator").and_then(|discriminator| {
                let chosen =
                    get(members, discriminator.get("propertyName")?.as_str()?)?.as_str()?;
                let variant = discriminator.get("mapping")?.get(chosen)?.as_object()?;
                resolve(variant, definitions).ok().map(Chain)
            });
            let declared = |name: &str| {
                [Some(&chain), variant.as_ref()]
                    .into_iter()
                    .flatten()
                    .find_map(|chain| get(chain.first("properties")?.as_object()?, name))
                    .or_else(|| chain.first("additionalProperties"))
                    .and_then(Value::as_object)
            };
            members.retain(|name, value| {
                declared(name).is_none_or(|schema| !prune(schema, definitions, value, depth + 1))
            });
        }
        _ => {}
    }
    false
}
