//! Where a test stops the process, at the boundaries between what Azure did and what is stored. Production never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// Boundaries are named `<action>.taken` (announced, not yet asked), `<action>.answered` (asked, not yet stored) and `<action>.stored`.
#[derive(Clone, Default)]
pub struct CrashPoints(Option<Arc<Plan>>);

/// Gets a boundary's name and how many were crossed before; true stops there.
type Stops = dyn Fn(&str, u64) -> bool + Send + Sync;

struct Plan {
    stops: Box<Stops>,
    /// Ends the process as `kill -9` would, rather than this one call.
    aborts: bool,
    crossed: AtomicU64,
}

impl CrashPoints {
    /// Ends the call (as an unexpected failure) where `stops` says so; it gets the boundary's name and how many were crossed before.
    #[must_use]
    pub fn failing(stops: impl Fn(&str, u64) -> bool + Send + Sync + 'static) -> Self {
        Self::new(stops, false)
    }

    /// Ends the process, without any clean-up, at one boundary: a name (`put_deployment.answered`), or the number of boundaries to cross before.
    #[must_use]
    pub fn aborting(at: &str) -> Self {
        let at = at.to_owned();
        let number: Option<u64> = at.parse().ok();
        Self::new(
            move |name, crossed| number.map_or(name == at, |n| crossed == n),
            true,
        )
    }

    /// As [`CrashPoints::aborting`], at the boundary that `SLIPWAY_CRASH_AT` names; none without it. A build without debug assertions, and so every
    /// release, does not read the variable: nobody who sets the environment of a production process may stop it in the middle of a change.
    #[must_use]
    pub fn from_environment() -> Self {
        #[cfg(debug_assertions)]
        if let Ok(at) = std::env::var("SLIPWAY_CRASH_AT") {
            return Self::aborting(&at);
        }
        Self::default()
    }

    fn new(stops: impl Fn(&str, u64) -> bool + Send + Sync + 'static, aborts: bool) -> Self {
        Self(Some(Arc::new(Plan {
            stops: Box::new(stops),
            aborts,
            crossed: AtomicU64::new(0),
        })))
    }

    /// A boundary.
    pub(crate) fn cross(&self, action: &str, edge: &str) -> Result<()> {
        let Some(plan) = &self.0 else {
            return Ok(());
        };
        let crossed = plan.crossed.fetch_add(1, Ordering::SeqCst);
        if !(plan.stops)(&format!("{action}.{edge}"), crossed) {
            return Ok(());
        }
        if plan.aborts {
            std::process::abort();
        }
        Err(Error::Internal)
    }
}

impl std::fmt::Debug for CrashPoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrashPoints")
            .field("armed", &self.0.is_some())
            .finish()
    }
}
