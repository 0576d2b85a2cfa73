//! Virtual networks and their subnets, for the forms that offer them. Reference: Microsoft.Network 2025-05-01.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Arm;
use crate::error::{Error, Result};
use crate::id::{ResourceId, SubscriptionId};

const API_VERSION: &str = "2025-05-01";

/// Calls about networks; see [`Arm::network`].
#[derive(Clone, Copy)]
pub struct Network<'a> {
    pub(crate) arm: &'a Arm,
}

/// A virtual network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualNetwork {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its address ranges in CIDR notation.
    pub address_space: Vec<String>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address ranges in CIDR notation.
    pub prefixes: Vec<String>,
    /// The network security group on it.
    pub security_group: Option<String>,
    /// Whether machines without an address of their own reach the internet: only an explicit `false` makes a subnet private.
    pub default_outbound_access: Option<bool>,
    /// Services it is given to (`Microsoft.ContainerInstance/containerGroups`, …): nothing else can be placed there.
    pub delegations: Vec<String>,
}

impl Network<'_> {
    /// The virtual networks of a subscription, with their subnets.
    ///
    /// # Errors
    /// As any read.
    pub async fn virtual_networks(
        &self,
        subscription: &SubscriptionId,
    ) -> Result<Vec<VirtualNetwork>> {
        let path =
            format!("/subscriptions/{subscription}/providers/Microsoft.Network/virtualNetworks");
        let values: Vec<Value> = self.arm.list(&path, API_VERSION, &[]).await?;
        Ok(values.iter().filter_map(network).collect())
    }

    /// The subnets of a virtual network.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when it does not exist; [`crate::ErrorKind::Invalid`] for an id of something else.
    pub async fn subnets(&self, network: &ResourceId) -> Result<Vec<Subnet>> {
        if !network.is_kind("Microsoft.Network/virtualNetworks") {
            return Err(Error::invalid(
                "WrongResourceType",
                format!("`{network}` is not the id of a virtual network"),
            ));
        }
        let path = format!("{network}/subnets");
        let values: Vec<Value> = self.arm.list(&path, API_VERSION, &[]).await?;
        Ok(values.iter().filter_map(subnet).collect())
    }
}

fn network(value: &Value) -> Option<VirtualNetwork> {
    Some(VirtualNetwork {
        id: text(value, "/id")?,
        name: text(value, "/name")?,
        location: text(value, "/location").unwrap_or_default(),
        address_space: texts(value, "/properties/addressSpace/addressPrefixes"),
        subnets: value
            .pointer("/properties/subnets")
            .and_then(Value::as_array)
            .map(|subnets| subnets.iter().filter_map(subnet).collect())
            .unwrap_or_default(),
    })
}

fn subnet(value: &Value) -> Option<Subnet> {
    let mut prefixes = texts(value, "/properties/addressPrefixes");
    if prefixes.is_empty() {
        prefixes.extend(text(value, "/properties/addressPrefix"));
    }
    Some(Subnet {
        id: text(value, "/id")?,
        name: text(value, "/name")?,
        prefixes,
        security_group: text(value, "/properties/networkSecurityGroup/id"),
        default_outbound_access: value
            .pointer("/properties/defaultOutboundAccess")
            .and_then(Value::as_bool),
        delegations: value
            .pointer("/properties/delegations")
            .and_then(Value::as_array)
            .map(|rows| {
                rows.iter()
                    .filter_map(|row| text(row, "/properties/serviceName"))
                    .collect()
            })
            .unwrap_or_default(),
    })
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

fn texts(value: &Value, pointer: &str) -> Vec<String> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(|items| {
            items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default()
}
