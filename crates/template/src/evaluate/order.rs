//! What waits for what within one deployment: finds circles.

use crate::Error;

/// How far the search has come with a resource.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    No,
    /// On the way that is being followed; where on it.
    Open(usize),
    Done,
}

/// The resource of a circle that stands first in the template. `needs` holds, by position, the positions that each resource waits
/// for. Without recursion: a chain may be as long as the template.
pub(super) fn circle(needs: &[Vec<usize>]) -> Option<usize> {
    let mut seen = vec![Seen::No; needs.len()];
    for start in 0..needs.len() {
        // The way: each resource with the number of its dependencies that were followed.
        let mut way: Vec<(usize, usize)> = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(position) = next.take() {
                match seen.get(position) {
                    Some(Seen::Open(from)) => {
                        return way.get(*from..)?.iter().map(|(on, _)| *on).min();
                    }
                    Some(Seen::No) => {
                        if let Some(state) = seen.get_mut(position) {
                            *state = Seen::Open(way.len());
                        }
                        way.push((position, 0));
                    }
                    _ => {}
                }
            }
            let Some((position, followed)) = way.last_mut() else {
                break;
            };
            let needed = needs.get(*position).and_then(|needs| needs.get(*followed));
            if let Some(needed) = needed {
                *followed += 1;
                next = Some(*needed);
            } else {
                if let Some(state) = seen.get_mut(*position) {
                    *state = Seen::Done;
                }
                way.pop();
            }
        }
    }
    None
}

/// What ARM says of a circle. Source: <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-template>.
pub(super) fn circular(place: String, id: &str) -> Error {
    Error::refused(
        place,
        format!(
            "Circular dependency detected on resource: '{id}'. Please see https://aka.ms/arm-syntax-resources for usage details."
        ),
    )
}
