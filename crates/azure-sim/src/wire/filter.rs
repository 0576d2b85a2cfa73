//! The part of OData's `$filter` that Azure's clients use: equalities joined by `and`.

/// `a eq 'x' and b eq 'y'` as pairs; `None` for anything else.
pub(crate) fn equalities(filter: &str) -> Option<Vec<(String, String)>> {
    let mut rest = filter.trim();
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let (field, after) = rest.split_once(char::is_whitespace)?;
        let after = after.trim_start();
        let operator = after.get(..2).filter(|op| op.eq_ignore_ascii_case("eq"))?;
        let after = after[operator.len()..].trim_start();
        let quoted = after.strip_prefix('\'')?;
        let end = quoted.find('\'')?;
        pairs.push((field.to_owned(), quoted[..end].to_owned()));
        rest = quoted[end + 1..].trim_start();
        if rest.is_empty() {
            break;
        }
        let joined = rest
            .get(..4)
            .filter(|and| and.eq_ignore_ascii_case("and "))?;
        rest = rest[joined.len()..].trim_start();
    }
    Some(pairs)
}
