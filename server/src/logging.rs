//! Logs: JSON lines on standard error, or plain lines on a terminal; what could carry a token is switched off in code.

use std::io::IsTerminal as _;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// What is logged when nothing is said.
const DEFAULT: &str = "info,sqlx=warn,apalis=warn";

/// Crates, besides Azure's, whose finer lines hold what must not be in a log, and the finest level that does not.
const CAPS: [(&str, LevelFilter); 5] = [
    // A client's bytes, headers and cookies.
    ("h2", LevelFilter::INFO),
    ("hyper", LevelFilter::INFO),
    ("hyper_util", LevelFilter::INFO),
    // What a body holds where it cannot be read.
    ("axum", LevelFilter::INFO),
    // A warning for every unknown cookie, as often as anybody likes to send one; refused calls have lines of their own.
    ("tower_sessions", LevelFilter::ERROR),
];

/// Starts logging; `filter` as on the command line, [`DEFAULT`] when absent.
pub(crate) fn start(filter: Option<&str>) {
    let filter = EnvFilter::builder().parse_lossy(filter.unwrap_or(DEFAULT));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.compact().boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    // Beside the filter, not within it: there, a more specific directive of a person would win.
    registry()
        .with(FilterFn::new(is_harmless))
        .with(filter)
        .with(lines)
        .init();
}

/// False for lines that could hold a token or a secret, whatever the filter says.
fn is_harmless(line: &Metadata<'_>) -> bool {
    cap(line.target()).is_none_or(|cap| *line.level() <= cap)
}

/// The finest level of a module's lines, where there is one.
fn cap(target: &str) -> Option<LevelFilter> {
    let azures = azure::TRACING_DIRECTIVES
        .iter()
        .filter_map(|directive| directive.split_once('='))
        .map(|(name, level)| (name, level.parse().unwrap_or(LevelFilter::OFF)));
    let krate = target.split("::").next().unwrap_or(target);
    CAPS.into_iter()
        .chain(azures)
        // `tower_sessions_core` too.
        .filter(|(name, _)| krate == *name || krate.starts_with(&format!("{name}_")))
        .map(|(_, level)| level)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_capped_with_their_crate() {
        for (target, level) in [
            ("azure_core::policies::transport", Some(LevelFilter::INFO)),
            ("azure_identity", Some(LevelFilter::INFO)),
            ("hyper_util::client::legacy", Some(LevelFilter::INFO)),
            ("tower_sessions_core::session", Some(LevelFilter::ERROR)),
            ("slipway::http", None),
            ("portal::requests", None),
            ("azure::transport", None),
        ] {
            assert_eq!(cap(target), level, "{target}");
        }
    }
}
