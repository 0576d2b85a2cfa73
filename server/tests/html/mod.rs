//! A page as an HTML parser reads it: its tree without text, its text, and its forms.

#![allow(dead_code, reason = "each file of stories uses another part")]

use std::fmt::Write as _;

use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// One page.
#[derive(Debug, Default, Clone)]
pub(crate) struct Page {
    /// Elements with the names of their attributes, and comments, each with its depth: nothing that text may change.
    pub(crate) tree: Vec<String>,
    /// Texts, each with whether it stands in an element that keeps its direction to itself.
    pub(crate) texts: Vec<(String, bool)>,
    /// Values of attributes that people see or send.
    pub(crate) values: Vec<String>,
    /// Forms.
    pub(crate) forms: Vec<Form>,
}

/// One form.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form {
    /// Where it goes; `None` for the page's own address.
    pub(crate) action: Option<String>,
    /// `get` or `post`.
    pub(crate) method: String,
    /// Its fields.
    pub(crate) fields: Vec<Field>,
    /// Name and value of each button that has a name.
    pub(crate) buttons: Vec<(String, String)>,
}

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Name.
    pub(crate) name: String,
    /// Type of an input, or the element's name.
    pub(crate) kind: String,
    /// What it holds; for a list or a radio group what is chosen.
    pub(crate) value: String,
}

impl Field {
    /// Whether text is typed into it.
    pub(crate) fn is_typed(&self) -> bool {
        !self.is_chosen() && self.kind != "hidden"
    }

    /// Whether it offers choices.
    pub(crate) fn is_chosen(&self) -> bool {
        matches!(self.kind.as_str(), "select" | "radio" | "checkbox")
    }
}

impl Page {
    /// Parses.
    pub(crate) fn parse(html: &str) -> Self {
        let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
        let mut page = Self::default();
        page.walk(&dom.document, 0, false, None);
        page
    }

    /// How often a text is shown, in the page's text or in an attribute that people see. What is shown as JSON or as a command has its quotes escaped.
    pub(crate) fn count(&self, text: &str) -> usize {
        let plain = |text: &str| text.replace(['\'', '"', '\\'], "");
        let wanted = plain(text);
        let shown = self.shown();
        shown
            .map(|found| plain(found).matches(&wanted).count())
            .sum()
    }

    /// Whether a text is shown as it is.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.shown().any(|found| found.contains(text))
    }

    fn shown(&self) -> impl Iterator<Item = &String> {
        self.texts.iter().map(|(text, _)| text).chain(&self.values)
    }

    fn walk(&mut self, node: &Handle, depth: usize, isolated: bool, form: Option<usize>) {
        let (mut isolated, mut form) = (isolated, form);
        match &node.data {
            NodeData::Element { name, attrs, .. } => {
                let name = name.local.to_string();
                let attributes: Vec<(String, String)> = attrs
                    .borrow()
                    .iter()
                    .map(|attribute| {
                        (
                            attribute.name.local.to_string(),
                            attribute.value.to_string(),
                        )
                    })
                    .collect();
                let mut names: Vec<&str> = attributes.iter().map(|(name, _)| &**name).collect();
                names.sort_unstable();
                let mut line = format!("{depth} {name}");
                for name in names {
                    let _ = write!(line, " {name}");
                }
                self.tree.push(line);
                isolated |= matches!(name.as_str(), "bdi" | "textarea" | "title" | "option");
                form = self.element(node, &name, &attributes, form);
            }
            NodeData::Text { contents } => {
                let text = contents.borrow().to_string();
                if !text.trim().is_empty() {
                    self.texts.push((text, isolated));
                }
            }
            NodeData::Comment { contents } => self.tree.push(format!("{depth} <!--{contents}-->")),
            _ => {}
        }
        for child in node.children.borrow().iter() {
            self.walk(child, depth + 1, isolated, form);
        }
    }

    /// What an element says beside its place; answers the form that its children belong to.
    fn element(
        &mut self,
        node: &Handle,
        name: &str,
        attributes: &[(String, String)],
        form: Option<usize>,
    ) -> Option<usize> {
        let get = |wanted: &str| {
            attributes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
        };
        for shown in ["value", "placeholder", "title", "aria-label", "alt"] {
            self.values.extend(get(shown));
        }
        if name == "form" {
            self.forms.push(Form {
                action: get("action"),
                method: get("method").unwrap_or_else(|| "get".to_owned()),
                ..Form::default()
            });
            return Some(self.forms.len() - 1);
        }
        let form = form?;
        let Some(field_name) = get("name") else {
            return Some(form);
        };
        let value = get("value").unwrap_or_default();
        let form_of = &mut self.forms[form];
        match name {
            "button" => form_of.buttons.push((field_name, value)),
            "textarea" => form_of.fields.push(Field {
                name: field_name,
                kind: name.to_owned(),
                value: text_of(node),
            }),
            "select" => form_of.fields.push(Field {
                name: field_name,
                kind: name.to_owned(),
                value: chosen(node).unwrap_or_default(),
            }),
            "input" => {
                let kind = get("type").unwrap_or_else(|| "text".to_owned());
                let off = matches!(kind.as_str(), "radio" | "checkbox") && get("checked").is_none();
                if !off {
                    form_of.fields.push(Field {
                        name: field_name,
                        kind,
                        value,
                    });
                }
            }
            _ => {}
        }
        Some(form)
    }
}

fn text_of(node: &Handle) -> String {
    let mut text = String::new();
    for child in node.children.borrow().iter() {
        if let NodeData::Text { contents } = &child.data {
            text.push_str(&contents.borrow());
        }
    }
    text
}

/// The value of the chosen option.
fn chosen(select: &Handle) -> Option<String> {
    let children = select.children.borrow();
    let options: Vec<(bool, String)> = children
        .iter()
        .filter_map(|child| {
            let NodeData::Element { attrs, .. } = &child.data else {
                return None;
            };
            let attrs = attrs.borrow();
            let get = |wanted: &str| {
                attrs
                    .iter()
                    .find(|attribute| &*attribute.name.local == wanted)
                    .map(|attribute| attribute.value.to_string())
            };
            Some((get("selected").is_some(), get("value").unwrap_or_default()))
        })
        .collect();
    options
        .iter()
        .find(|(selected, _)| *selected)
        .or(options.first())
        .map(|(_, value)| value.clone())
}
