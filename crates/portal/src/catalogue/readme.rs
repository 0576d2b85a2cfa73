//! A README as HTML that can be put on a page as it is: no raw HTML, no link or image with a scheme that could act.

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

/// Renders Markdown, headings two levels down: the page and its section have their own. Raw HTML is dropped; images are dropped with their text kept; links keep `https`, `http`, `mailto` and relative targets.
pub(super) fn to_html(markdown: &str) -> String {
    let events = Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    )
    .filter_map(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) => None,
        Event::Start(Tag::HtmlBlock | Tag::Image { .. })
        | Event::End(TagEnd::HtmlBlock | TagEnd::Image) => None,
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Some(Event::Start(Tag::Link {
            link_type: if link_type == LinkType::Email {
                LinkType::Inline
            } else {
                link_type
            },
            dest_url: if harmless(&dest_url) {
                dest_url
            } else {
                CowStr::Borrowed("#")
            },
            title,
            id,
        })),
        Event::Start(Tag::Heading {
            level,
            id,
            classes,
            attrs,
        }) => Some(Event::Start(Tag::Heading {
            level: below(level),
            id,
            classes,
            attrs,
        })),
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(below(level)))),
        other => Some(other),
    });
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut out, events);
    out
}

fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

fn harmless(target: &str) -> bool {
    // A browser ignores control characters and white space inside a scheme, so anything with them is not trusted.
    if target.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    match target.split_once(':') {
        None => true,
        Some((scheme, _)) if scheme.contains(['/', '#', '?']) => true,
        Some((scheme, _)) => {
            ["http", "https", "mailto"].contains(&scheme.to_ascii_lowercase().as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use html5ever::tendril::TendrilSink as _;
    use html5ever::{ParseOpts, parse_document};
    use markup5ever_rcdom::{Handle, NodeData, RcDom};

    use super::*;

    /// What Markdown makes, and what an HTML parser adds around it.
    const ELEMENTS: [&str; 28] = [
        "html",
        "head",
        "body",
        "p",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "a",
        "code",
        "pre",
        "em",
        "strong",
        "del",
        "blockquote",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "hr",
        "br",
        "sup",
        "div",
    ];

    fn harmless_elements(node: &Handle, said: &str) {
        match &node.data {
            NodeData::Element { name, attrs, .. } => {
                assert!(ELEMENTS.contains(&&*name.local), "{} in {said}", name.local);
                for attribute in attrs.borrow().iter() {
                    let (name, value) = (&*attribute.name.local, &*attribute.value);
                    match name {
                        "title" | "class" | "start" | "style" => {}
                        "href" => assert!(harmless(value), "{value} in {said}"),
                        _ => panic!("{name}={value} in {said}"),
                    }
                    assert!(name != "style" || value.starts_with("text-align"), "{said}");
                }
            }
            NodeData::Comment { .. } => panic!("a comment in {said}"),
            _ => {}
        }
        for child in node.children.borrow().iter() {
            harmless_elements(child, said);
        }
    }

    #[test]
    fn text_in_a_readme_stays_text() {
        let bad = r#"</textarea></title></div><!-- --><script>x</script><img src=x onerror=a()>'"`&lt;]]><svg/onload=x>"#;
        for around in [
            "# %",
            "%",
            "`%`",
            "```%\n%\n```",
            "```\n%\n```",
            "    %",
            "> %",
            "- %",
            "1. %",
            "| % | b |\n|:-:|--|\n| % | % |",
            "[%](https://e.example)",
            "[x](<%>)",
            "[x](https://e.example/% '%')",
            "[x][y]\n\n[y]: https://e.example/%20% \"%\"",
            "![%](% \"%\")",
            "<https://e.example/%>",
            "**%**",
            "~~%~~",
            "<div>\n%\n</div>",
            "<a href=\"%\">%</a>",
            "&#60;script&#62;%",
            "\\<b>%",
            "[%]: javascript:x",
            "%\n===",
        ] {
            let markdown = around.replace('%', bad);
            let html = to_html(&markdown);
            let dom = parse_document(RcDom::default(), ParseOpts::default()).one(&*html);
            harmless_elements(&dom.document, &format!("{markdown} as {html}"));
        }
    }

    #[test]
    fn a_readme_cannot_act_on_the_page() {
        let html = to_html(
            "# Hi\n\n<script>alert(1)</script>\n\na <b onclick=x>b</b> [x](javascript:alert(1)) [y](JAVASCRIPT:alert) [z](data:text/html,x) ![i](https://e.example/t.png) [ok](https://e.example)",
        );
        for bad in [
            "<script",
            "onclick",
            "javascript:",
            "JAVASCRIPT:",
            "data:",
            "<img",
        ] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("<h3>Hi</h3>") && html.contains(r#"href="https://e.example""#));
    }
}
