//! Open files: raises this process's limit and divides it between clients and everything else.

use std::num::NonZeroU32;

use anyhow::{Result, bail};

/// The most connections by default: more than the browsers of a large company hold, and little memory even if each has its buffers full.
const MOST: usize = 4096;
/// Descriptors for the database, Azure, the simulator and files: at least, and at most.
const KEPT: (usize, usize) = (128, 512);
/// Connections below which serving makes no sense.
const LEAST: usize = 32;

/// Raises the soft limit of open files to the hard one; answers how many connections that leaves, or the number `wanted` where it fits.
pub(super) fn room(wanted: Option<NonZeroU32>) -> Result<usize> {
    let (room, limit) = divide(raise());
    if room < LEAST {
        bail!(
            "the limit of open files is {limit}, and Slipway needs at least {}: raise it, for example with `ulimit -n 1024`",
            KEPT.0 + LEAST
        );
    }
    match wanted.map(|wanted| wanted.get() as usize) {
        None => Ok(room.min(MOST)),
        Some(wanted) if wanted <= room => Ok(wanted),
        Some(wanted) => bail!(
            "--connections {wanted} does not fit: the limit of open files is {limit}, which leaves {room} for connections"
        ),
    }
}

/// The connections that a limit of open files leaves: a quarter is kept, within bounds.
fn divide(limit: Option<u64>) -> (usize, usize) {
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    (
        limit.saturating_sub((limit / 4).clamp(KEPT.0, KEPT.1)),
        limit,
    )
}

/// The limit of open files after raising it; `None` where there is none.
#[cfg(unix)]
fn raise() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::info!(%error, limit = limit.current, "the limit of open files stays as it is");
            limit.current
        }
    }
}

#[cfg(not(unix))]
fn raise() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::divide;

    #[test]
    fn something_is_always_kept_for_the_worker() {
        for (limit, room) in [
            (100, 0),
            (256, 128),
            (1024, 768),
            (20_000, 19_488),
            (1 << 20, (1 << 20) - 512),
        ] {
            assert_eq!(divide(Some(limit)).0, room, "{limit}");
        }
    }
}
