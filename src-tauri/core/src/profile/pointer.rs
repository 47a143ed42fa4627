//! JSON pointers (RFC 6901), checked when they are read.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Where to look in an answer: `/user/id`, or the empty text for the whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transparent))]
pub struct Pointer(#[cfg_attr(test, schemars(regex(pattern = r"^(/([^~]|~[01])*)?$")))] String);

impl Pointer {
    /// Reads a pointer; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err("must be a JSON pointer, which begins with `/` or is empty".into());
        }
        let mut after = text.split('~').skip(1);
        if !after.all(|rest| rest.starts_with(['0', '1'])) {
            return Err("must be a JSON pointer, in which `~` is followed by 0 or 1".into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The value at this place; `None` if there is none or it is null.
    pub fn find<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        body.pointer(&self.0).filter(|value| !value.is_null())
    }

    /// The pointer as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// The first of `pointers` that finds something.
pub(crate) fn first<'a>(pointers: &[Pointer], body: &'a Value) -> Option<&'a Value> {
    pointers.iter().find_map(|pointer| pointer.find(body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_pointers_are_pointers() {
        for good in ["", "/", "/a/0/b", "/a~1b~0c", "//", "/ü"] {
            assert!(Pointer::parse(good).is_ok(), "{good}");
        }
        for bad in ["a", "user/id", "$.user", "#/user", "/a~", "/a~2", "~1"] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn null_is_nothing_and_the_first_that_finds_counts() {
        let body = json!({"a": null, "b": 1, "c": 2});
        let pointers = ["/a", "/x/y", "/b", "/c"].map(|text| Pointer::parse(text).unwrap());
        assert_eq!(first(&pointers, &body), Some(&json!(1)));
        assert_eq!(first(&pointers[..2], &body), None);
        assert_eq!(Pointer::default().find(&body), Some(&body));
        assert_eq!(Pointer::default().find(&Value::Null), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_pointer_or_is_refused_and_finds_its_own_key(
            text in "[/~01a$ü ]{0,12}", key in ".{0,8}",
        ) {
            let body = json!({"a": [{"": 1}, {"~": {"/": 2}}], "01": 3});
            if let Ok(pointer) = Pointer::parse(&text) {
                let found = body.pointer(&text).filter(|found| !found.is_null());
                prop_assert_eq!(pointer.find(&body), found);
            }
            let escaped = key.replace('~', "~0").replace('/', "~1");
            let pointer = Pointer::parse(&format!("/x/{escaped}")).unwrap();
            let body = json!({"x": {key: true}});
            prop_assert_eq!(pointer.find(&body), Some(&json!(true)));
        }
    }
}
