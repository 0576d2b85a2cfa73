//! The elements into which Leptos writes text as it is: `<textarea>`, `<title>`, and HTML that is ready. They are made here and nowhere else, and so is
//! `<option>`, which shows text that people typed; a test reads the source for it.

use leptos::prelude::*;
use leptos_meta::Title;
use types::text::deceptive;

/// Several lines of text that somebody may change.
pub(crate) struct TextArea {
    pub(crate) class: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) placeholder: Option<String>,
    pub(crate) rows: u32,
    pub(crate) required: bool,
    pub(crate) spellcheck: bool,
    pub(crate) invalid: Signal<bool>,
    pub(crate) described: Signal<Option<String>>,
}

impl TextArea {
    /// The element. The server writes its text escaped. The browser sets it as the default value, which leaves alone what a browser restored or
    /// somebody typed before the page came alive.
    pub(crate) fn view(self) -> AnyView {
        view! {
            <textarea
                class=self.class
                id=self.id
                name=self.name
                rows=self.rows.to_string()
                required=self.required
                spellcheck=if self.spellcheck { "true" } else { "false" }
                placeholder=self.placeholder
                aria-invalid=move || self.invalid.get().then_some("true")
                aria-describedby=move || self.described.get()
                inner_html=written(&self.value)
                prop:defaultValue=self.value
            ></textarea>
        }
        .into_any()
    }
}

/// The content of a text area in HTML. A parser drops one line break after the tag, so there is always one to drop.
#[cfg(feature = "ssr")]
fn written(text: &str) -> Option<String> {
    let mut html = String::with_capacity(text.len() + 1);
    html.push('\n');
    html_escape::encode_text_to_string(text, &mut html);
    Some(html)
}

/// In the browser the text is a property.
#[cfg(not(feature = "ssr"))]
fn written(_text: &str) -> Option<String> {
    None
}

/// The document's title, which the server alone writes. What would turn the direction of the browser's own words is left out.
pub(crate) fn title(text: impl Into<String>) -> AnyView {
    view! { <Title text=title_text(&text.into())/> }.into_any()
}

fn title_text(text: &str) -> String {
    let text: String = text.chars().filter(|c| !deceptive(*c)).collect();
    #[cfg(feature = "ssr")]
    let text = html_escape::encode_text(&text).into_owned();
    text
}

/// One entry of a list.
pub(crate) fn option(
    value: impl Into<String>,
    label: impl Into<String>,
    selected: bool,
    disabled: bool,
) -> AnyView {
    let (value, label): (String, String) = (value.into(), label.into());
    view! {
        <option value=value selected=selected disabled=disabled>
            {label}
        </option>
    }
    .into_any()
}

/// A template's documentation, which the catalogue made harmless.
pub(crate) fn documentation(html: String) -> AnyView {
    view! { <div class="prose" inner_html=html></div> }.into_any()
}

/// The inside of an icon: `paths` is written in this crate.
pub(crate) fn drawing(class: String, stroke: bool, paths: &'static str) -> AnyView {
    view! {
        <svg
            class=class
            viewBox="0 0 24 24"
            fill=stroke.then_some("none")
            stroke=stroke.then_some("currentColor")
            stroke-width=stroke.then_some("1.9")
            stroke-linecap=stroke.then_some("round")
            stroke-linejoin=stroke.then_some("round")
            aria-hidden="true"
            inner_html=paths
        ></svg>
    }
    .into_any()
}

/// Without JavaScript the page loads itself again every three seconds.
pub(crate) fn refresh() -> AnyView {
    view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="3">"#></noscript> }
        .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn area(value: &str) -> String {
        // What signals are kept in, for as long as one is made into text.
        let owner = leptos::reactive::owner::Owner::new_root(None);
        owner.with(|| made(value))
    }

    fn made(value: &str) -> String {
        let html = TextArea {
            class: String::new(),
            id: String::new(),
            name: String::new(),
            value: value.to_owned(),
            placeholder: None,
            rows: 1,
            required: false,
            spellcheck: true,
            invalid: Signal::stored(false),
            described: Signal::stored(None),
        }
        .view()
        .to_html();
        let (_, content) = html.split_once('>').unwrap_or_default();
        content.to_owned()
    }

    #[test]
    fn a_title_turns_no_direction_and_ends_nowhere_else() {
        assert_eq!(
            title_text("a\u{202e}b\u{2066}c\u{200b} </title><b>&amp;"),
            "abc &lt;/title&gt;&lt;b&gt;&amp;amp;"
        );
    }

    #[test]
    fn a_text_area_holds_text_whatever_it_is() {
        assert_eq!(area(""), "\n</textarea>");
        assert_eq!(
            area("</textarea><b>&amp;"),
            "\n&lt;/textarea&gt;&lt;b&gt;&amp;amp;</textarea>"
        );
        // The parser eats the first line break, never the typed one.
        assert_eq!(area("\n\na"), "\n\n\na</textarea>");
    }
}
