//! JSON whose objects name a member twice: two readers take two different values of it, so none of ours takes either.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The first member that an object of this JSON names twice. Text that is no JSON has none: whoever reads it says what is wrong with it.
pub(super) fn doubled(json: &[u8]) -> Option<String> {
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(json);
    // The outcome does not matter: a doubled member ends the reading, and is in `found`.
    let _ = Distinct(&found).deserialize(&mut reader);
    found.into_inner()
}

#[derive(Clone, Copy)]
struct Distinct<'a>(&'a RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Distinct<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Distinct<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            members.next_value_seed(self)?;
            if let Some(twice) = names.replace(name) {
                *self.0.borrow_mut() = Some(twice);
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_named_twice_is_found_at_any_depth_and_in_any_spelling() {
        for (json, twice) in [
            (r#"{"a": 1, "b": 2, "a": 1}"#, "a"),
            (r#"{"a": {"b": [0, {"c": 1, "c": 2}]}}"#, "c"),
            (r#"{"a": 1, "\u0061": 2}"#, "a"),
            (r#"[{"": null, "": null}]"#, ""),
        ] {
            assert_eq!(doubled(json.as_bytes()).as_deref(), Some(twice), "{json}");
        }
        for json in [
            r#"{"a": {"a": {"a": 1}}, "A": 1}"#,
            r#"[{"a": 1}, {"a": 1}]"#,
            "{\"\u{e9}\": 1, \"e\u{301}\": 2}",
            "1e400",
            "{",
            "",
        ] {
            assert_eq!(doubled(json.as_bytes()), None, "{json}");
        }
    }
}
