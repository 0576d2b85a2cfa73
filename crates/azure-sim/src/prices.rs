//! The Retail Prices API, `GET /api/retail/prices`: Linux on-demand virtual machines, disks and what else the templates cost (facts: azure.md 6).
//!
//! Rows without a public source bear the member `x-slipway-sample: true`, which Azure does not have, so that whoever shows them can say so.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::providers::skus::{SKUS, Sku};
use crate::wire::errors::Refusal;

/// Every tier of Premium SSD v1, Standard SSD and Standard HDD: its name, USD per month in eastus. Samples. Premium SSD v2 and Ultra have no tiers.
const DISKS: [(&str, &[(&str, f64)]); 3] = [
    (
        "Premium SSD Managed Disks",
        &[
            ("P1", 0.6),
            ("P2", 1.2),
            ("P3", 2.4),
            ("P4", 5.28),
            ("P6", 10.21),
            ("P10", 19.71),
            ("P15", 38.02),
            ("P20", 73.22),
            ("P30", 135.17),
            ("P40", 259.05),
            ("P50", 495.57),
            ("P60", 946.08),
            ("P70", 1802.24),
            ("P80", 3604.48),
        ],
    ),
    (
        "Standard SSD Managed Disks",
        &[
            ("E1", 0.3),
            ("E2", 0.6),
            ("E3", 1.2),
            ("E4", 2.4),
            ("E6", 4.8),
            ("E10", 9.6),
            ("E15", 19.2),
            ("E20", 38.4),
            ("E30", 76.8),
            ("E40", 153.6),
            ("E50", 307.2),
            ("E60", 614.4),
            ("E70", 1228.8),
            ("E80", 2457.6),
        ],
    ),
    (
        "Standard HDD Managed Disks",
        &[
            ("S4", 1.54),
            ("S6", 3.01),
            ("S10", 5.89),
            ("S15", 11.33),
            ("S20", 21.76),
            ("S30", 40.96),
            ("S40", 77.83),
            ("S50", 143.36),
            ("S60", 262.14),
            ("S70", 524.29),
            ("S80", 1048.58),
        ],
    ),
];

/// Zone-redundant disks cost half as much again, a sample like the rest; Standard HDD has none
/// (<https://learn.microsoft.com/azure/virtual-machines/disks-redundancy>, read 2026-11-27).
const ZONE_REDUNDANT: f64 = 1.5;

const REGIONS: &[(&str, &str)] = &[
    ("westeurope", "EU West"),
    ("northeurope", "EU North"),
    ("eastus", "US East"),
    ("swedencentral", "SE Central"),
];

const PAGE: usize = 1000;

/// Answers a query; the filter's comparisons are case-sensitive, as they are in this version of the API.
pub(crate) fn query(
    filter: &str,
    currency: &str,
    skip: usize,
    origin: &str,
) -> Result<Value, Refusal> {
    if !currency.is_empty() && !currency.trim_matches('\'').eq_ignore_ascii_case("USD") {
        return Err(Refusal::bad(
            "BadRequest",
            "This simulator has prices in USD only; leave currencyCode out.",
        ));
    }
    let wanted = conditions(filter)?;
    let found: Vec<Value> = rows()
        .into_iter()
        .filter(|row| {
            wanted.iter().all(|(field, value)| match field.as_str() {
                "priceType" => row["type"] == value.as_str(),
                field => row[field] == value.as_str(),
            })
        })
        .collect();
    let page: Vec<Value> = found.iter().skip(skip).take(PAGE).cloned().collect();
    let end = skip.saturating_add(PAGE);
    let next = (end < found.len()).then(|| {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("api-version", "2023-01-01-preview")
            .append_pair("$filter", filter)
            .append_pair("$skip", &end.to_string())
            .finish();
        format!("{origin}/api/retail/prices?{query}")
    });
    Ok(json!({
        "BillingCurrency": "USD",
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Count": page.len(),
        "Items": page,
        "NextPageLink": next,
    }))
}

fn conditions(filter: &str) -> Result<Vec<(String, String)>, Refusal> {
    crate::wire::filter::equalities(filter).ok_or_else(|| {
        Refusal::bad(
            "BadRequest",
            format!("Invalid OData parameters supplied: '{filter}'. This simulator understands: field eq 'value' [and …]."),
        )
    })
}

fn rows() -> Vec<Value> {
    let mut rows = Vec::new();
    for (region, location) in REGIONS {
        for sku in SKUS {
            rows.push(machine(sku, region, location, "Consumption", ""));
            rows.push(machine(sku, region, location, "Consumption", " Spot"));
        }
        // Europe is dearer than the east of the United States by about the ratio of the virtual machines.
        let factor = if *region == "eastus" { 1.0 } else { 1.2 };
        for (product, tiers) in DISKS {
            for (tier, price) in tiers {
                let mut redundancies = vec![("LRS", 1.0)];
                if product != "Standard HDD Managed Disks" {
                    redundancies.push(("ZRS", ZONE_REDUNDANT));
                }
                for (redundancy, more) in redundancies {
                    let price = (price * factor * more * 100.0).round() / 100.0;
                    let meter = format!("{tier} {redundancy}");
                    rows.push(row(
                        region,
                        location,
                        "Storage",
                        "Storage",
                        product,
                        &meter,
                        &format!("{meter} Disk"),
                        price,
                        "1/Month",
                        "",
                        true,
                    ));
                }
            }
        }
        for (service, family, product, sku, meter, price, unit) in [
            (
                "Azure Kubernetes Service",
                "Containers",
                "Azure Kubernetes Service",
                "Standard",
                "Standard Uptime SLA",
                0.10,
                "1 Hour",
            ),
            (
                "NAT Gateway",
                "Networking",
                "NAT Gateway",
                "Standard",
                "Standard Gateway",
                0.045,
                "1 Hour",
            ),
            (
                "Virtual Network",
                "Networking",
                "IP Addresses",
                "Standard",
                "Standard IPv4 Static Public IP",
                0.005,
                "1 Hour",
            ),
        ] {
            rows.push(row(
                region, location, service, family, product, sku, meter, price, unit, "", true,
            ));
        }
    }
    rows
}

fn machine(sku: &Sku, region: &str, location: &str, kind: &str, suffix: &str) -> Value {
    let spot = !suffix.is_empty();
    let sourced = match region {
        "eastus" => Some(sku.price.0),
        "westeurope" => Some(sku.price.1),
        _ => None,
    };
    // Spot at a fifth, other regions as western Europe: samples both.
    let price = sourced.unwrap_or(sku.price.1) * if spot { 0.2 } else { 1.0 };
    let short = sku.name.trim_start_matches("Standard_").replace('_', " ");
    let series = sku
        .family
        .trim_start_matches("standard")
        .trim_start_matches("Standard")
        .trim_end_matches("Family");
    let mut shown = row(
        region,
        location,
        "Virtual Machines",
        "Compute",
        &format!("Virtual Machines {series} Series"),
        &format!("{short}{suffix}"),
        &format!("{short}{suffix}"),
        (price * 100_000.0).round() / 100_000.0,
        "1 Hour",
        sku.name,
        sourced.is_none() || spot,
    );
    shown["type"] = kind.into();
    shown
}

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
fn row(
    region: &str,
    location: &str,
    service: &str,
    family: &str,
    product: &str,
    sku: &str,
    meter: &str,
    price: f64,
    unit: &str,
    arm_sku: &str,
    sample: bool,
) -> Value {
    let id = Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        format!("{region}/{product}/{sku}/{meter}").as_bytes(),
    );
    let simple = id.simple().to_string().to_uppercase();
    let mut row = json!({
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": region,
        "location": location,
        "effectiveStartDate": "2026-06-01T00:00:00Z",
        "meterId": id,
        "meterName": meter,
        "productId": format!("DZH318Z0{}", &simple[..4]),
        "skuId": format!("DZH318Z0{}/{}", &simple[..4], &simple[4..8]),
        "productName": product,
        "skuName": sku,
        "serviceName": service,
        "serviceId": format!("DZH3{}", &simple[8..16]),
        "serviceFamily": family,
        "unitOfMeasure": unit,
        "type": "Consumption",
        "isPrimaryMeterRegion": true,
        "armSkuName": arm_sku,
    });
    if sample {
        row["x-slipway-sample"] = true.into();
    }
    row
}
