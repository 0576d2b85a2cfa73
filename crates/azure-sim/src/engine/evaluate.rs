//! The bridge to the template evaluator: what a deployment's template is evaluated against, with the live world as its runtime. Running the result is `deployments.rs`.

use serde_json::{Map, Value};
use template::{Context, Evaluation, Runtime};
use time::OffsetDateTime;
use uuid::Uuid;

use super::deployments::{Deployment, Site, Step};
use crate::providers;
use crate::seed;
use crate::state::model::{Group, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};

/// The world as a template sees it while it is deployed.
pub(crate) struct Live<'w> {
    pub(crate) world: &'w World,
    /// What the deployment is about and how far it is; `None` before it runs, when ARM resolves no reference at all.
    pub(crate) steps: Option<&'w [Step]>,
    pub(crate) now: OffsetDateTime,
}

impl Runtime for Live<'_> {
    fn reference(
        &self,
        id: &str,
        api_version: Option<&str>,
        full: bool,
    ) -> Result<Option<Value>, template::Error> {
        let key = ids::key(id);
        let Some(steps) = self.steps else {
            return Ok(None);
        };
        let step = steps.iter().find(|step| ids::key(&step.id) == key);
        // Until its record is complete, the evaluator itself knows best what a nested deployment comes to.
        let open = |step: &Step| {
            let record = self.world.deployment(&key);
            step.is_nested() && record.is_none_or(|record| record.state.active())
        };
        if step.is_some_and(|step| step.pending() || open(step)) {
            return Ok(None);
        }
        let shown = if let Some(resource) = self.world.resource(&key) {
            providers::show(self.world, resource, self.now)
        } else if let Some(deployment) = self.world.deployment(&key) {
            deployment.show()
        } else if let Some(group) = self.world.group(&key) {
            providers::resources::show_group(group)
        } else if steps.iter().any(|step| step.is_nested() && step.pending()) {
            // It may be what one of them will make, under a name that is known only then.
            return Ok(None);
        } else {
            return Err(missing(id));
        };
        Ok(Some(if full {
            enveloped(id, shown, api_version, step)
        } else {
            shown.get("properties").cloned().unwrap_or(Value::Null)
        }))
    }

    fn list(
        &self,
        function: &str,
        id: &str,
        _api_version: Option<&str>,
        _body: Option<&Value>,
    ) -> Result<Option<Value>, template::Error> {
        let key = ids::key(id);
        let Some(steps) = self.steps else {
            return Ok(None);
        };
        let pending = |step: &Step| step.pending() && ids::key(&step.id) == key;
        if steps.iter().any(pending) {
            return Ok(None);
        }
        match self.world.resource(&key) {
            Some(resource) => providers::container_service::credentials(resource, function)
                .map(Some)
                .map_err(|refusal| {
                    template::Error::runtime(refusal.problem.code, refusal.problem.message)
                }),
            None => Err(missing(id)),
        }
    }

    fn scope(&self, id: &str) -> Result<Option<Value>, template::Error> {
        if let Some(subscription) = id.strip_prefix("/subscriptions/") {
            let mut known = self.world.settings.subscriptions.iter();
            return Ok(known
                .find(|known| known.id.eq_ignore_ascii_case(subscription))
                .map(|known| serde_json::json!({ "displayName": known.name })));
        }
        let tenant = id.strip_prefix("/tenants/");
        Ok(tenant
            .filter(|tenant| tenant.eq_ignore_ascii_case(seed::TENANT))
            .map(|_| {
                serde_json::json!({ "countryCode": seed::TENANT_COUNTRY, "displayName": seed::TENANT_NAME })
            }))
    }

    fn providers(
        &self,
        namespace: &str,
        kind: Option<&str>,
    ) -> Result<Option<Value>, template::Error> {
        let rows = providers::resources::providers("");
        let same = |row: &Value, name: &str, wanted: &str| {
            row[name]
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        let Some(found) = rows
            .into_iter()
            .find(|row| same(row, "namespace", namespace))
        else {
            return Ok(None);
        };
        let Some(kind) = kind else {
            return Ok(Some(found));
        };
        let types = found["resourceTypes"].as_array();
        Ok(types
            .into_iter()
            .flatten()
            .find(|row| same(row, "resourceType", kind))
            .cloned())
    }

    fn deployer(&self) -> Result<Option<Value>, template::Error> {
        Ok(Some(serde_json::json!({
            "objectId": seed::CLIENT_OBJECT_ID,
            "tenantId": seed::TENANT,
            "userPrincipalName": "",
        })))
    }
}

/// What `reference(…, 'Full')` gives: the resource without id, name and type, and what ARM tells of the reference itself
/// (<https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#reference>).
fn enveloped(id: &str, shown: Value, api_version: Option<&str>, step: Option<&Step>) -> Value {
    let Value::Object(mut whole) = shown else {
        return shown;
    };
    for name in ["id", "name", "type", "etag"] {
        whole.shift_remove(name);
    }
    let own = step.is_some_and(|step| !step.existing);
    let version = api_version.unwrap_or_else(|| step.map_or("", |step| &step.api_version));
    let mut parts = id.trim_start_matches('/').split('/').skip(1);
    let subscription = parts.next().unwrap_or_default();
    let group = parts
        .next()
        .filter(|word| word.eq_ignore_ascii_case("resourceGroups"))
        .and_then(|_| parts.next())
        .unwrap_or_default();
    let short = match id.rsplit_once("/providers/") {
        Some((_, short)) => short,
        None => id,
    };
    let told = serde_json::json!({
        "apiVersion": version, "referenceApiVersion": version,
        "subscriptionId": subscription, "resourceGroupName": group, "resourceId": short, "scope": "",
        "condition": own, "isConditionTrue": own, "isTemplateResource": own, "isAction": false,
        "provisioningOperation": if own { "Create" } else { "Read" },
    });
    if let Value::Object(told) = told {
        whole.extend(told);
    }
    Value::Object(whole)
}

fn missing(id: &str) -> template::Error {
    let refusal = match Id::parse(id) {
        Some(id) => Refusal::resource_not_found(&id.kind(), &id.name(), id.group_name()),
        None => Refusal::missing(
            "ResourceNotFound",
            format!("The resource '{id}' was not found."),
        ),
    };
    template::Error::runtime(refusal.problem.code, refusal.problem.message)
}

pub(crate) fn context(
    site: &Site,
    name: &str,
    utc_now: OffsetDateTime,
    guid_seed: Uuid,
) -> Context {
    let tags = |group: &Group| {
        group
            .tags
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    Context {
        tenant_id: seed::TENANT.to_owned(),
        subscription_id: site.subscription.clone(),
        resource_group: site.group.as_deref().map(|group| template::ResourceGroup {
            name: group.name.clone(),
            location: group.location.clone(),
            tags: tags(group),
        }),
        management_group: None,
        deployment_name: name.to_owned(),
        deployment_location: site.location.clone(),
        utc_now,
        guid_seed,
        environment: Context::public_cloud(),
    }
}

/// Evaluates a stored deployment against the world as it is now.
pub(crate) fn again(
    world: &World,
    deployment: &Deployment,
    now: OffsetDateTime,
) -> Result<Evaluation, template::Error> {
    let template = world.template(&deployment.template)?;
    let site = match &deployment.location {
        Some(location) => {
            let subscription = deployment.scope.rsplit('/').next().unwrap_or_default();
            Site::subscription(subscription, Some(location))
        }
        None => Site::group(world.group(&ids::key(&deployment.scope)).ok_or_else(|| {
            template::Error::runtime(
                "ResourceGroupNotFound",
                "The deployment's resource group is gone.",
            )
        })?),
    };
    let live = Live {
        world,
        steps: Some(&deployment.steps),
        now,
    };
    let context = context(
        &site,
        &deployment.name,
        deployment.started,
        deployment.guid_seed,
    );
    template::evaluate(&template, &deployment.given, &context, &live)
}

/// Parameters as ARM takes them, `{"x": {"value": 1}}`, to plain values.
pub(crate) fn plain(parameters: Option<&Value>) -> Result<Map<String, Value>, Refusal> {
    let mut plain = Map::new();
    let Some(parameters) = parameters.filter(|value| !value.is_null()) else {
        return Ok(plain);
    };
    let Some(parameters) = parameters.as_object() else {
        return Err(Refusal::bad(
            "InvalidRequestContent",
            "The request content was invalid: 'parameters' must be an object.",
        ));
    };
    for (name, entry) in parameters {
        if let Some(value) = entry.get("value") {
            plain.insert(name.clone(), value.clone());
        } else if entry.get("reference").is_some() {
            return Err(Refusal::bad(
                "KeyVaultParameterReferenceNotFound",
                format!(
                    "The key vault that parameter '{name}' refers to was not found: this simulator has no key vaults."
                ),
            ));
        } else {
            return Err(Refusal::bad(
                "InvalidTemplate",
                format!(
                    "Deployment template validation failed: 'The value for the template parameter '{name}' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.'."
                ),
            ));
        }
    }
    Ok(plain)
}
