//! Address ranges: reading them, whether they hold or meet each other, and the first address that is free.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::wire::errors::Refusal;

/// An IPv4 prefix.
pub(super) struct Range {
    first: u32,
    length: u32,
}

impl Range {
    pub(super) fn read(text: &str) -> Result<Range, Refusal> {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            let address: Ipv4Addr = address.parse().ok()?;
            let length: u32 = length.parse().ok().filter(|length| *length <= 32)?;
            let first = u32::from(address);
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            (first & mask == first).then_some(Range { first, length })
        });
        parsed.ok_or_else(|| {
            Refusal::bad(
                "InvalidCIDRNotation",
                format!("The address prefix {text} has an invalid CIDR notation."),
            )
        })
    }

    pub(super) fn last(&self) -> u32 {
        self.first | u32::MAX.checked_shr(self.length).unwrap_or(0)
    }

    pub(super) fn holds(&self, other: &Range) -> bool {
        self.first <= other.first && other.last() <= self.last()
    }

    pub(super) fn meets(&self, other: &Range) -> bool {
        self.first <= other.last() && other.first <= self.last()
    }

    pub(super) fn has(&self, address: Ipv4Addr) -> bool {
        (self.first + 4..self.last()).contains(&u32::from(address))
    }

    /// Azure keeps the first four addresses of a subnet and the last.
    pub(super) fn first_free(&self, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        (self.first.saturating_add(4)..self.last())
            .map(Ipv4Addr::from)
            .find(|address| !taken.contains(address))
    }
}
