//! Text that people type: characters that show it as something else than it is.

/// Control characters, line breaks and tabs among them, and marks that cannot be seen or that turn the direction of writing.
#[must_use]
pub fn deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}
