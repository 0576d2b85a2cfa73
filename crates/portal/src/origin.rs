//! Where a call comes from, as far as HTTP knows: set once around each call by the server, and read where the record wants it.
//!
//! A task's own variable and not a parameter: every method of the portal would have to carry it for the few lines that hold it. Where nothing was set, as in
//! the worker, the record says nothing of it.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::{Value, json};

tokio::task_local! {
    static ORIGIN: Origin;
}

/// Where a call comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The address that the connection came from.
    pub address: Option<IpAddr>,
    /// Method and route, such as `POST /api/v1/requests/{id}/decisions`; never a path with what people typed.
    pub route: String,
    /// The id of the call, as in the log.
    pub request_id: String,
}

impl Origin {
    /// Runs a call that comes from here.
    pub async fn scope<F: Future>(self, call: F) -> F::Output {
        ORIGIN.scope(self, call).await
    }

    /// Where the present call comes from.
    pub(crate) fn current() -> Option<Self> {
        ORIGIN.try_with(Clone::clone).ok()
    }
}

/// What counts as one address: an IPv4 address, or the /64 network that one IPv6 host may take addresses from as it likes.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 64)).into(),
        four => four,
    }
}

/// Adds to the detail of an audit line where its call came from.
pub(crate) fn with_origin(mut detail: Value) -> Value {
    let (Some(origin), Some(members)) = (Origin::current(), detail.as_object_mut()) else {
        return detail;
    };
    if let Some(address) = origin.address {
        members.insert("address".to_owned(), json!(address));
    }
    members.insert("route".to_owned(), json!(origin.route));
    members.insert("request_id".to_owned(), json!(origin.request_id));
    detail
}
