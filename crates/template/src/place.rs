//! JSON paths as errors show them: `resources[0].properties.tags['a b']`.

/// `outer` followed by a member name, quoted where it is not a plain word.
pub(crate) fn member(outer: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '-');
    match (outer.is_empty(), plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{outer}.{name}"),
        (_, false) => format!("{outer}['{}']", name.replace('\'', "''")),
    }
}

/// `outer` followed by an index.
pub(crate) fn index(outer: &str, at: usize) -> String {
    format!("{outer}[{at}]")
}

/// A path inside another.
pub(crate) fn join(outer: &str, inner: &str) -> String {
    if outer.is_empty() || inner.is_empty() || inner.starts_with('[') {
        format!("{outer}{inner}")
    } else {
        format!("{outer}.{inner}")
    }
}
