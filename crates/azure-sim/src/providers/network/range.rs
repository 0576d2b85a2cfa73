//! Address ranges of both families: reading them, whether they hold or meet each other, and the first address that is free.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::errors::Refusal;

/// A prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    first: u128,
    pub(super) length: u32,
    pub(super) v6: bool,
}

impl Range {
    /// Reads a prefix of a resource. Words: <https://github.com/Azure/azure-service-operator/issues/997>.
    pub(super) fn read(text: &str, resource: &str) -> Result<Range, Refusal> {
        let Some((address, length)) = parts(text) else {
            return Err(Refusal::bad(
                "InvalidAddressPrefixFormat",
                format!(
                    "Address prefix {text} of resource {resource} is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24."
                ),
            ));
        };
        let v6 = address.is_ipv6();
        let whole = Range {
            first: number(address),
            length,
            v6,
        };
        let range = Range {
            first: whole.first & !whole.rest(),
            ..whole
        };
        if range == whole {
            return Ok(range);
        }
        Err(Refusal::bad(
            "InvalidCIDRNotation",
            format!(
                "The address prefix {text} in resource {resource} has an invalid CIDR notation. For the given prefix length, the address prefix should be {}/{length}.",
                range.address(range.first)
            ),
        ))
    }

    /// The bits that the prefix leaves open.
    fn rest(&self) -> u128 {
        let bits = if self.v6 { 128 } else { 32 };
        u128::MAX
            .checked_shr(128 - (bits - self.length))
            .unwrap_or(0)
    }

    fn last(&self) -> u128 {
        self.first | self.rest()
    }

    fn address(&self, number: u128) -> IpAddr {
        if self.v6 {
            return Ipv6Addr::from(number).into();
        }
        Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into()
    }

    pub(super) fn holds(&self, other: &Range) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last() <= self.last()
    }

    pub(super) fn meets(&self, other: &Range) -> bool {
        self.v6 == other.v6 && self.first <= other.last() && other.first <= self.last()
    }

    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.v6 == address.is_ipv6() && (self.first..=self.last()).contains(&number(address))
    }

    /// Whether somebody may ask for this address: Azure keeps the first four of a subnet and the last.
    pub(super) fn gives(&self, address: IpAddr) -> bool {
        self.v6 == address.is_ipv6()
            && (self.first.saturating_add(4)..self.last()).contains(&number(address))
    }

    pub(super) fn first_free(&self, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
        (self.first.saturating_add(4)..self.last())
            .map(|number| self.address(number))
            .find(|address| !taken.contains(address))
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Address and length, whether or not the address is the first of its prefix.
pub(super) fn parts(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv6() { 128 } else { 32 };
    // A sign or an empty text is no length.
    let plain = !length.is_empty() && length.chars().all(|c| c.is_ascii_digit());
    let length: u32 = length.parse().ok().filter(|_| plain)?;
    (length <= most).then_some((address, length))
}
