//! Retail prices: what Linux machines and managed disks cost in a region, in US dollars. The price list needs no token and gets none.
//!
//! Source: Azure Retail Prices API 2023-01-01-preview, whose filter values are case-sensitive. Negotiated prices are not in it.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use crate::Arm;
use crate::compute::check_region;
use crate::error::{Error, Result};
use crate::groups::typed;
use crate::transport::{Call, CallKind, Transport};

const API_VERSION: &str = "2023-01-01-preview";
/// Lists read at the same time. Each is asked for one name: only `eq` and `and` are documented for its filter.
const AT_ONCE: usize = 4;
/// The disks that Slipway's templates offer.
const DISKS: [&str; 3] = [
    "Premium SSD Managed Disks",
    "Standard SSD Managed Disks",
    "Standard HDD Managed Disks",
];
/// Pages of 100 to 1000 rows; a list that leads in circles ends here.
const PAGES: usize = 200;

/// Calls about prices; see [`Arm::prices`].
#[derive(Clone, Copy)]
pub struct Prices<'a> {
    pub(crate) arm: &'a Arm,
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceKind {
    /// A virtual machine running Linux, pay as you go, per hour.
    VirtualMachine,
    /// A managed disk, mostly per month.
    ManagedDisk,
}

/// One price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// What it is for.
    pub kind: PriceKind,
    /// The region.
    pub region: String,
    /// The size (`Standard_D2s_v5`), or the disk's performance tier and redundancy (`P10 LRS`).
    pub sku: String,
    /// Such as `Virtual Machines Dsv5 Series` or `Premium SSD Managed Disks`.
    pub product: String,
    /// Such as `D2s v5` or `P10 LRS Disk`.
    pub meter: String,
    /// What the price is for one of: `1 Hour`, `1/Month`, `1 GiB/Hour`.
    pub unit: String,
    /// In `currency` per `unit`.
    pub price: f64,
    /// Always `USD`: other currencies are for reference only.
    pub currency: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub effective: Option<OffsetDateTime>,
    /// Made up by the sandbox: label it *sample price*.
    pub sample: bool,
    /// A larger size of the same series costs less, so one of them is wrong: show it as a guess.
    pub doubtful: bool,
}

impl Prices<'_> {
    /// The pay-as-you-go Linux prices of these sizes in a region; a size without a price is absent. `sizes` are `armSkuName`s in their exact case.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unavailable`] when the list cannot be read; [`crate::ErrorKind::Invalid`] for a name that cannot be one.
    pub async fn virtual_machines(&self, region: &str, sizes: &[&str]) -> Result<Vec<Price>> {
        let region = check_region(region)?;
        let mut filters = Vec::new();
        for size in sizes {
            let size = check_size(size)?;
            filters.push(format!(
                "serviceName eq 'Virtual Machines' and armRegionName eq '{region}' and armSkuName eq '{size}' and priceType eq 'Consumption'"
            ));
        }
        let prices = self
            .all(filters)
            .await?
            .into_iter()
            .filter(Item::is_linux_on_demand)
            .map(|item| item.price(PriceKind::VirtualMachine))
            .collect();
        let mut prices = one_each(prices);
        mark_doubtful(&mut prices);
        Ok(prices)
    }

    /// The prices of the managed disks of a region: Premium SSD, Standard SSD and Standard HDD by tier.
    ///
    /// # Errors
    /// As [`Prices::virtual_machines`].
    pub async fn managed_disks(&self, region: &str) -> Result<Vec<Price>> {
        let region = check_region(region)?;
        let filters = DISKS.map(|product| {
            format!(
                "serviceName eq 'Storage' and armRegionName eq '{region}' and productName eq '{product}' and priceType eq 'Consumption'"
            )
        });
        let items = self.all(filters.to_vec()).await?;
        let disks = items
            .into_iter()
            .filter(Item::is_disk)
            .map(|item| item.price(PriceKind::ManagedDisk));
        Ok(one_each(disks.collect()))
    }

    /// Several lists, a few at a time.
    async fn all(&self, filters: Vec<String>) -> Result<Vec<Item>> {
        let lists: Vec<Vec<Item>> = stream::iter(filters)
            .map(|filter| async move { self.items(&filter).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(lists.into_iter().flatten().collect())
    }

    async fn items(&self, filter: &str) -> Result<Vec<Item>> {
        let transport = self.arm.transport();
        let mut url = transport.endpoints().prices.clone();
        url.set_path("/api/retail/prices");
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION)
            .append_pair("currencyCode", "USD")
            .append_pair("$filter", filter);
        let mut items = Vec::new();
        for _ in 0..PAGES {
            let page: Page = typed(
                transport
                    .send(Call::get(url, CallKind::Anonymous))
                    .await?
                    .body,
            )?;
            items.extend(page.items);
            match page.next {
                Some(next) if !next.is_empty() => url = own(transport, &next)?,
                _ => return Ok(items),
            }
        }
        Err(Error::bad_answer("the price list has no end"))
    }
}

/// The next page; some answers name port 443 explicitly, which is the same origin.
fn own(transport: &Transport, next: &str) -> Result<Url> {
    crate::transport::same_origin(&transport.endpoints().prices, next)
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "Items", default)]
    items: Vec<Item>,
    #[serde(rename = "NextPageLink", default)]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Item {
    currency_code: String,
    tier_minimum_units: f64,
    retail_price: f64,
    arm_region_name: String,
    effective_start_date: Option<String>,
    meter_name: String,
    product_name: String,
    sku_name: String,
    unit_of_measure: String,
    #[serde(rename = "type")]
    kind: String,
    is_primary_meter_region: Option<bool>,
    arm_sku_name: String,
    #[serde(rename = "x-slipway-sample")]
    sample: Option<serde_json::Value>,
}

impl Item {
    fn is_on_demand(&self) -> bool {
        self.kind == "Consumption"
            && self.tier_minimum_units == 0.0
            && self.is_primary_meter_region != Some(false)
            && self.retail_price.is_finite()
            && self.retail_price > 0.0
    }

    fn is_linux_on_demand(&self) -> bool {
        let cheap = |name: &str| name.contains("Spot") || name.contains("Low Priority");
        self.is_on_demand()
            && !self.product_name.ends_with(" Windows")
            && !cheap(&self.sku_name)
            && !cheap(&self.meter_name)
    }

    /// Not the operations, mounts and bursts that are metered beside a disk.
    fn is_disk(&self) -> bool {
        self.is_on_demand()
            && self.product_name.ends_with("Managed Disks")
            && (self.meter_name.ends_with(" Disk") || self.meter_name.ends_with(" Disks"))
    }

    fn price(self, kind: PriceKind) -> Price {
        let sku = match kind {
            PriceKind::VirtualMachine => self.arm_sku_name,
            PriceKind::ManagedDisk => self.sku_name,
        };
        Price {
            kind,
            region: self.arm_region_name,
            sku,
            product: self.product_name,
            meter: self.meter_name,
            unit: self.unit_of_measure,
            price: self.retail_price,
            currency: if self.currency_code.is_empty() {
                "USD".to_owned()
            } else {
                self.currency_code
            },
            effective: self.effective_start_date.as_deref().and_then(|text| {
                OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
            }),
            sample: self
                .sample
                .is_some_and(|mark| mark != serde_json::Value::Bool(false)),
            doubtful: false,
        }
    }
}

/// One price per SKU: the newest that holds already; of equals the lowest, because what contaminates the list (Windows rows) is dearer.
fn one_each(prices: Vec<Price>) -> Vec<Price> {
    let now = OffsetDateTime::now_utc();
    let rank = |price: &Price| (price.effective.filter(|start| *start <= now), price.price);
    let mut best: HashMap<String, Price> = HashMap::new();
    for price in prices {
        let better = best.get(&price.sku).is_none_or(|known| {
            let ((new_start, new_price), (old_start, old_price)) = (rank(&price), rank(known));
            new_start > old_start || (new_start == old_start && new_price < old_price)
        });
        if better {
            best.insert(price.sku.clone(), price);
        }
    }
    let mut prices: Vec<Price> = best.into_values().collect();
    prices.sort_by(|a, b| a.sku.cmp(&b.sku));
    prices
}

/// Sizes of one series (`Standard_D#as_v5`) must not get cheaper as they grow; where they do, which of the two is wrong cannot be told, so both are marked.
fn mark_doubtful(prices: &mut [Price]) {
    let keys: Vec<Option<(String, u32)>> = prices.iter().map(|price| series(&price.sku)).collect();
    for a in 0..prices.len() {
        for b in 0..prices.len() {
            let (Some((series_a, size_a)), Some((series_b, size_b))) = (&keys[a], &keys[b]) else {
                continue;
            };
            if series_a == series_b && size_a < size_b && prices[a].price > prices[b].price {
                prices[a].doubtful = true;
                prices[b].doubtful = true;
            }
        }
    }
}

/// `Standard_D16as_v5` → (`Standard_D#as_v5`, 16).
fn series(sku: &str) -> Option<(String, u32)> {
    let start = sku.find(|c: char| c.is_ascii_digit())?;
    let length = sku[start..]
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(sku.len() - start);
    let size = sku[start..start + length].parse().ok()?;
    Some((
        format!("{}#{}", &sku[..start], &sku[start + length..]),
        size,
    ))
}

/// The name stands in a filter's quotes.
fn check_size(size: &str) -> Result<&str> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if size.is_empty() || size.len() > 80 || !size.chars().all(letters) {
        return Err(Error::invalid(
            "InvalidSize",
            "a size's name consists of letters, digits, `_` and `-`, such as Standard_D2s_v5",
        ));
    }
    Ok(size)
}
