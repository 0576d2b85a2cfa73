//! Logs: JSON lines on standard error, or plain lines on a terminal; what could carry a token is switched off in code.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging; `filter` as on the command line, `info` when absent.
pub(crate) fn start(filter: Option<&str>) {
    let mut filter =
        EnvFilter::builder().parse_lossy(filter.unwrap_or("info,sqlx=warn,apalis=warn"));
    // Last, so that no filter given by a person can turn on logs that print the Authorization header.
    for directive in azure::TRACING_DIRECTIVES {
        if let Ok(directive) = directive.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.compact().init();
    } else {
        builder.json().flatten_event(true).init();
    }
}
