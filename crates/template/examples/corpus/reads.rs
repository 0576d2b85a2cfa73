//! What a template's text reads of a parameter whose type says nothing of its insides: `parameters('x').origins[copyIndex()].name`.

use serde_json::{Map, Value, json};

/// The insides of a parameter, as far as they are read.
#[derive(Default)]
pub(crate) struct Reads {
    /// Members by name.
    members: Vec<(String, Reads)>,
    /// What is read of an item, where something is.
    item: Option<Box<Reads>>,
}

impl Reads {
    /// Everything that the text reads of `parameters('name')`.
    pub(crate) fn of(source: &str, name: &str) -> Self {
        let mut reads = Self::default();
        for form in [
            format!("parameters('{name}')"),
            format!("coalesce(parameters('{name}'), createArray())"),
            format!("coalesce(parameters('{name}'), createObject())"),
        ] {
            for rest in source.split(form.as_str()).skip(1) {
                reads.follow(rest);
            }
        }
        reads
    }

    fn follow(&mut self, rest: &str) {
        if let Some(rest) = rest.strip_prefix('.') {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let (word, rest) = rest.split_at(end);
            if word.is_empty() {
                return;
            }
            let position = match self.members.iter().position(|(known, _)| known == word) {
                Some(position) => position,
                None => {
                    self.members.push((word.to_owned(), Self::default()));
                    self.members.len() - 1
                }
            };
            if let Some((_, member)) = self.members.get_mut(position) {
                member.follow(rest);
            }
        } else if let Some(rest) = rest.strip_prefix('[')
            && let Some(end) = closing(rest)
        {
            self.item
                .get_or_insert_default()
                .follow(rest.get(end + 1..).unwrap_or_default());
        }
    }

    /// Whether anything is read.
    pub(crate) fn is_nothing(&self) -> bool {
        self.members.is_empty() && self.item.is_none()
    }

    /// The insides, `text` for each leaf.
    pub(crate) fn made(&self, name: &str, text: &impl Fn(&str) -> String) -> Value {
        if !self.members.is_empty() {
            let members: Map<String, Value> = self
                .members
                .iter()
                .map(|(name, reads)| (name.clone(), reads.made(name, text)))
                .collect();
            return members.into();
        }
        match &self.item {
            Some(item) => json!([item.made(name, text)]),
            None => text(name).into(),
        }
    }

    /// What is read of each item.
    pub(crate) fn item(&self) -> Option<&Self> {
        self.item.as_deref()
    }
}

/// Where the bracket closes that is open before the text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.find(|c| {
        depth += match c {
            '[' => 1,
            ']' => -1,
            _ => 0,
        };
        depth == 0
    })
}
