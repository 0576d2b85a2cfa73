//! Reads any text as a template and evaluates what can be read: neither may panic, exhaust the stack or go on without end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use template::{Context, ResourceGroup, Template, Unknown, check_parameters, evaluate};

fuzz_target!(|text: &str| {
    // Text that is no template is tried as the expression of one.
    let template = Template::parse(text).or_else(|_| {
        Template::from_value(json!({
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "languageVersion": "2.0",
            "resources": {},
            "outputs": {"it": {"value": format!("[{text}]"), "nullable": true}},
        }))
    });
    let Ok(template) = template else { return };
    let given: Map<String, Value> = template
        .parameters()
        .keys()
        .map(|name| (name.clone(), json!({"$unknown": name})))
        .collect();
    let _ = check_parameters(&template, &given);
    let context = Context {
        tenant_id: "t".into(),
        subscription_id: "s".into(),
        resource_group: Some(ResourceGroup::default()),
        management_group: None,
        deployment_name: "fuzz".into(),
        deployment_location: None,
        utc_now: time::OffsetDateTime::UNIX_EPOCH,
        guid_seed: uuid::Uuid::nil(),
        environment: Context::public_cloud(),
    };
    let _ = evaluate(&template, &given, &context, &Unknown);
});
