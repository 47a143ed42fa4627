//! JSON pointers (RFC 6901), checked when they are read. A step may also find in a list: by
//! `/UserAttributes[Name=email]/Value`, the first item of `UserAttributes` whose `Name` is `email`.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Where to look in JSON: `/user/id`, `/emails[primary=true]/email`, or the empty text for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transparent))]
pub struct Pointer(#[cfg_attr(test, schemars(regex(pattern = r"^(/([^~]|~[01])*)?$")))] String);

/// One step of a pointer.
enum Step<'a> {
    /// To a member of a table, or by its number to an item of a list.
    To(&'a str),
    /// To the first item of a list whose member has this value.
    Find { member: &'a str, value: &'a str },
}

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
        let pointer = Self(text.to_owned());
        if pointer
            .segments()
            .any(|segment| steps_of(segment).is_none())
        {
            return Err(
                "must be a JSON pointer, in which brackets find in a list, as in \
                        `/emails[primary=true]/email`; the first item is `/emails/0`"
                    .into(),
            );
        }
        Ok(pointer)
    }

    /// Pointers that stand in this program.
    pub(super) fn all(texts: &[&str]) -> Vec<Self> {
        texts.iter().map(|text| Self((*text).to_owned())).collect()
    }

    /// The value at this place; `None` if there is none or it is null.
    pub fn find<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        let mut steps = self.segments().filter_map(steps_of).flatten().flatten();
        let found = steps.try_fold(body, |value, step| step.take(value));
        found.filter(|value| !value.is_null())
    }

    /// The pointer as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

/// The steps of what stands between two slashes: `Attributes[Name=email]` has two, and
/// `[Name=email]` finds in the list itself. `None` if brackets in it make no sense.
fn steps_of(segment: &str) -> Option<[Option<Step<'_>>; 2]> {
    if !segment.contains(['[', ']']) {
        return Some([Some(Step::To(segment)), None]);
    }
    let (name, test) = segment.strip_suffix(']')?.split_once('[')?;
    let (member, value) = test.split_once('=')?;
    if member.is_empty() || name.contains(']') || test.contains(['[', ']']) {
        return None;
    }
    let to = (!name.is_empty()).then_some(Step::To(name));
    Some([to, Some(Step::Find { member, value })])
}

impl Step<'_> {
    fn take<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match (self, value) {
            (Self::To(name), Value::Object(members)) => members.get(&plain(name)),
            (Self::To(number), Value::Array(items)) => items.get(index(number)?),
            (Self::Find { member, value }, Value::Array(items)) => {
                let (member, value) = (plain(member), plain(value));
                items.iter().find(|item| is_text(item.get(&member), &value))
            }
            _ => None,
        }
    }
}

/// Undoes the escapes of a name.
fn plain(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// RFC 6901 §4: digits without a zero or a sign before them.
fn index(number: &str) -> Option<usize> {
    let is_padded = number.len() > 1 && number.starts_with('0');
    let is_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    (is_digits && !is_padded).then(|| number.parse().ok())?
}

fn is_text(found: Option<&Value>, wanted: &str) -> bool {
    match found {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Number(number)) => number.to_string() == wanted,
        Some(Value::Bool(value)) => value.to_string() == wanted,
        _ => false,
    }
}

/// As it was written.
impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
        for good in [
            "", "/", "/a/0/b", "/a~1b~0c", "//", "/ü", "/a[b=c]", "/[b=]/0",
        ] {
            assert!(Pointer::parse(good).is_ok(), "{good}");
        }
        for bad in ["a", "user/id", "$.user", "#/user", "/a~", "/a~2", "~1"] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
        for bad in [
            "/a[0]",
            "/a[]",
            "/a[=b]",
            "/a[b=c]d",
            "/a[b=c][d=e]",
            "/a]",
            "/a[b",
            "/[a=b",
        ] {
            let reason = Pointer::parse(bad).expect_err(bad);
            assert!(reason.contains("`/emails/0`"), "{reason}");
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

    #[test]
    fn a_member_finds_in_a_list() {
        let body = json!({
            "UserAttributes": [
                {"Name": "sub", "Value": "u-1"},
                "stray", null, {"Value": "nameless"}, {"Name": null},
                {"Name": "email", "Value": "ann@example.com"},
                {"Name": "email", "Value": "second@example.com"},
            ],
            "emails": [{"email": "a", "primary": false}, {"email": "b", "primary": true, "n": 7}],
            "by/url": [{"~type": "urn:a/b", "v": 1}, {"~type": "", "v": 2}],
            "table": {"primary": true},
        });
        let find = |text: &str| Pointer::parse(text).unwrap().find(&body).cloned();
        for (text, found) in [
            (
                "/UserAttributes[Name=email]/Value",
                json!("ann@example.com"),
            ),
            ("/UserAttributes[Name=sub]/Value", json!("u-1")),
            ("/emails[primary=true]/email", json!("b")),
            ("/emails[n=7]/email", json!("b")),
            ("/by~1url[~0type=urn:a~1b]/v", json!(1)),
            ("/by~1url[~0type=]/v", json!(2)),
        ] {
            assert_eq!(find(text), Some(found), "{text}");
        }
        for nothing in [
            "/UserAttributes[Name=x]",
            "/table[primary=true]",
            "/x[a=b]",
            "/emails/01",
        ] {
            assert_eq!(find(nothing), None, "{nothing}");
        }
        let list = json!([{"k": "a"}, {"k": "b", "v": 3}]);
        let pointer = Pointer::parse("/[k=b]/v").unwrap();
        assert_eq!(pointer.find(&list), Some(&json!(3)), "in the list itself");
    }

    proptest! {
        #[test]
        fn any_text_is_a_pointer_or_is_refused_and_finds_its_own_key(
            text in "[/~01a$ü ]{0,12}", key in "[^\\[\\]]{0,8}",
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

        #[test]
        fn any_value_is_found_by_its_text(value in "[^\\[\\]]{0,8}", text in "[/\\[\\]=~a]{0,16}") {
            let escaped = value.replace('~', "~0").replace('/', "~1");
            let pointer = Pointer::parse(&format!("/x[k={escaped}]/v")).unwrap();
            let body = json!({"x": [{"k": {}}, {"k": value, "v": true}]});
            prop_assert_eq!(pointer.find(&body), Some(&json!(true)));
            if let Ok(pointer) = Pointer::parse(&text) {
                let _ = pointer.find(&body);
            }
        }
    }
}
