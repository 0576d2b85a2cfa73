//! Address arithmetic: `parseCidr`, `cidrSubnet`, `cidrHost`, for IPv4 and IPv6.
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-cidr>.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{Args, Fault, Function, Unknowns, pure, wrong};

pub(super) static TABLE: &[Function] = &[
    pure("parseCidr", 1, 1, Unknowns::Deep, parse_cidr),
    pure("cidrSubnet", 3, 3, Unknowns::Deep, cidr_subnet),
    pure("cidrHost", 2, 2, Unknowns::Deep, cidr_host),
];

/// A range of addresses. Bits are right-aligned for both families.
struct Range {
    network: u128,
    prefix: u32,
    /// 32 or 128.
    width: u32,
}

impl Range {
    fn read(text: &str) -> Result<Self, Fault> {
        let Some((address, prefix)) = text.split_once('/') else {
            return wrong("a range has the form `10.0.0.0/16`");
        };
        let (Ok(address), Ok(prefix)) = (address.parse::<IpAddr>(), prefix.parse::<u32>()) else {
            return wrong("a range has the form `10.0.0.0/16` or `fd00::/48`");
        };
        let (bits, width) = match address {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
            IpAddr::V6(v6) => (u128::from(v6), 128),
        };
        if prefix > width {
            return wrong(format!(
                "the prefix length is {prefix}, the most is {width}"
            ));
        }
        let mut range = Self {
            network: bits,
            prefix,
            width,
        };
        range.network &= range.mask();
        Ok(range)
    }

    fn all(&self) -> u128 {
        if self.width == 32 {
            u128::from(u32::MAX)
        } else {
            u128::MAX
        }
    }

    /// Ones for the host part.
    fn host_mask(&self) -> u128 {
        self.all().checked_shr(self.prefix).unwrap_or(0)
    }

    fn mask(&self) -> u128 {
        self.all() & !self.host_mask()
    }

    fn write(&self, bits: u128) -> String {
        match u32::try_from(bits) {
            Ok(bits) if self.width == 32 => std::net::Ipv4Addr::from(bits).to_string(),
            _ => std::net::Ipv6Addr::from(bits).to_string(),
        }
    }

    fn last(&self) -> u128 {
        self.network | self.host_mask()
    }

    /// The first and last address that a host may have. IPv4 keeps the network's own and the broadcast address.
    fn usable(&self) -> (u128, u128) {
        if self.width == 32 && self.prefix < 31 {
            (self.network + 1, self.last() - 1)
        } else {
            (self.network, self.last())
        }
    }

    /// The address of host 0. Microsoft's examples count IPv6 hosts from `::1`, although `parseCidr` shows `::` as usable.
    fn first_host(&self) -> u128 {
        if self.width == 128 && self.prefix < 127 {
            self.network + 1
        } else {
            self.usable().0
        }
    }
}

fn parse_cidr(args: Vec<Value>) -> Result<Value, Fault> {
    let range = Range::read(&Args::new(args).string()?)?;
    let (first, last) = range.usable();
    let mut parsed = json!({
        "network": range.write(range.network),
        "netmask": range.write(range.mask()),
    });
    if let Value::Object(parsed) = &mut parsed {
        if range.width == 32 {
            parsed.insert("broadcast".into(), range.write(range.last()).into());
        }
        parsed.insert("firstUsable".into(), range.write(first).into());
        parsed.insert("lastUsable".into(), range.write(last).into());
        parsed.insert("cidr".into(), range.prefix.into());
    }
    Ok(parsed)
}

fn cidr_subnet(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let range = Range::read(&args.string()?)?;
    let (prefix, index) = (args.int()?, args.int()?);
    let prefix = match u32::try_from(prefix) {
        Ok(prefix) if (range.prefix..=range.width).contains(&prefix) => prefix,
        _ => {
            return wrong(format!(
                "the new prefix length is {prefix}; it must be {} to {}",
                range.prefix, range.width
            ));
        }
    };
    let count = 1_u128.checked_shl(prefix - range.prefix);
    let index = match u128::try_from(index) {
        Ok(index) if count.is_none_or(|count| index < count) => index,
        _ => {
            return wrong(format!(
                "subnet {index} does not exist; the range holds 2^{}",
                prefix - range.prefix
            ));
        }
    };
    let offset = index.checked_shl(range.width - prefix).unwrap_or(0);
    Ok(format!("{}/{prefix}", range.write(range.network | offset)).into())
}

fn cidr_host(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let range = Range::read(&args.string()?)?;
    let index = args.int()?;
    let (first, last) = (range.first_host(), range.usable().1);
    match u128::try_from(index)
        .ok()
        .and_then(|index| first.checked_add(index))
    {
        Some(address) if address <= last => Ok(range.write(address).into()),
        _ => wrong(format!(
            "the range has no usable host {index}; hosts count from 0"
        )),
    }
}
