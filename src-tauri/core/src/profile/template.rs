//! A text with placeholders: `Bearer $access_token`, `/users/$identifier`. `$$` is a dollar sign.
//! The text between placeholders may be a secret of the adopter, so `Debug` does not show it.

use std::borrow::Cow;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::mistake::nearest;
use super::named_values::NamedValues;
use super::place::{check_cookie_name, check_kept_name};
use super::placeholder::{PLACEHOLDERS, Placeholder, Variables};

/// What stands before the name of a kept value, and before that of a cookie.
const KEPT: &str = "kept.";
const COOKIE: &str = "cookie.";

/// A template for a path, a header's value or a text in a body.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Plain(Zeroizing<String>),
    Value(Placeholder),
    /// `$kept.NAME`.
    Kept(String),
    /// `$cookie.NAME`.
    Cookie(String),
}

impl Part {
    /// Its value in one call; `None` if there is none.
    fn value<'a>(&self, variables: &Variables<'a>) -> Option<Cow<'a, str>> {
        let of = |values: Option<&'a NamedValues>, name: &str| {
            values?.get(name).map(|value| Cow::Borrowed(value.secret()))
        };
        match self {
            Self::Plain(_) => None,
            Self::Value(placeholder) => variables.text(*placeholder),
            Self::Kept(name) => of(variables.kept, name),
            Self::Cookie(name) => of(variables.cookies, name),
        }
    }

    fn sign(&self) -> Cow<'static, str> {
        match self {
            Self::Plain(_) => Cow::Borrowed(""),
            Self::Value(placeholder) => Cow::Borrowed(placeholder.sign()),
            Self::Kept(name) => Cow::Owned(format!("${KEPT}{name}")),
            Self::Cookie(name) => Cow::Owned(format!("${COOKIE}{name}")),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |part: &&Part| matches!(part, Part::Plain(_));
        let signs = self.parts.iter().filter(|part| !is_plain(part));
        let signs: Vec<_> = signs.map(Part::sign).collect();
        write!(f, "Text(…{}…)", signs.join("…"))
    }
}

impl Template {
    /// A text without placeholders.
    pub(super) fn plain(text: &str) -> Self {
        Self {
            parts: vec![Part::Plain(Zeroizing::new(text.to_owned()))],
        }
    }

    /// Reads a template; the error says what is wrong with it, not what it holds.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            plain.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(beyond) = after.strip_prefix('$') {
                plain.push('$');
                rest = beyond;
                continue;
            }
            let (part, beyond) = read_placeholder(after)?;
            if !plain.is_empty() {
                let room = rest.len();
                let whole =
                    std::mem::replace(&mut plain, Zeroizing::new(String::with_capacity(room)));
                parts.push(Part::Plain(whole));
            }
            parts.push(part);
            rest = beyond;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Plain(plain));
        }
        let template = Self { parts };
        if template.parts.len() > 1 && template.placeholders().any(|p| p == Placeholder::Device) {
            return Err(
                "holds `$device` among other text, but it is a table and must be the whole text"
                    .into(),
            );
        }
        Ok(template)
    }

    /// Its placeholders.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(placeholder) => Some(*placeholder),
            Part::Plain(_) | Part::Kept(_) | Part::Cookie(_) => None,
        })
    }

    /// The names of the kept values in it.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Kept(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The names of the cookies in it.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Cookie(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether each of its values is known in this call.
    pub(super) fn is_known(&self, variables: &Variables<'_>) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Plain(_) => true,
            Part::Value(Placeholder::Device) => variables.device.is_some(),
            other => other.value(variables).is_some(),
        })
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether the text between the placeholders can be sent in a header.
    pub fn goes_into_a_header(&self) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Plain(text) => !text.chars().any(char::is_control),
            Part::Value(_) | Part::Kept(_) | Part::Cookie(_) => true,
        })
    }

    /// The placeholder, if the text consists of one and nothing more.
    pub fn lone(&self) -> Option<Placeholder> {
        match self.parts.as_slice() {
            [Part::Value(placeholder)] => Some(*placeholder),
            _ => None,
        }
    }

    /// The text with all values filled in; `None` if one of them is missing.
    pub fn fill(&self, variables: &Variables<'_>) -> Option<Zeroizing<String>> {
        self.fill_with(variables, |value, text| text.push_str(value))
    }

    /// The same as part of an address: values are encoded, so that each stays within its segment.
    pub fn fill_path(&self, variables: &Variables<'_>) -> Option<Zeroizing<String>> {
        self.fill_with(variables, encode)
    }

    fn fill_with(
        &self,
        variables: &Variables<'_>,
        put: impl Fn(&str, &mut String),
    ) -> Option<Zeroizing<String>> {
        let mut room = 0;
        for part in &self.parts {
            room += match part {
                Part::Plain(text) => text.len(),
                // Encoding makes three bytes of one.
                other => other.value(variables)?.len() * 3,
            };
        }
        // Room for the whole text, because a growing buffer would leave copies of secrets in
        // memory.
        let mut text = Zeroizing::new(String::with_capacity(room));
        for part in &self.parts {
            match part {
                Part::Plain(plain) => text.push_str(plain),
                other => put(&other.value(variables)?, &mut text),
            }
        }
        Some(text)
    }

    /// The text as it was written. Only for texts that hold no secret, such as paths.
    pub fn source(&self) -> String {
        let part = |part: &Part| match part {
            Part::Plain(text) => text.replace('$', "$$"),
            other => other.sign().into_owned(),
        };
        self.parts.iter().map(part).collect()
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// Reads what follows a dollar sign. Returns what comes after the placeholder, too.
fn read_placeholder(after: &str) -> Result<(Part, &str), String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(rest) = after.strip_prefix(KEPT) {
        let (name, beyond) = rest.split_at(end_of_name(rest, is_word));
        check_kept_name(name)?;
        return Ok((Part::Kept(name.to_owned()), beyond));
    }
    if let Some(rest) = after.strip_prefix(COOKIE) {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let (name, _) = rest.split_at(end_of_name(rest, is_name));
        // A dot at the end belongs to the text.
        let name = name.trim_end_matches('.');
        check_cookie_name(name)
            .map_err(|reason| format!("holds `$cookie.`, but what follows {reason}"))?;
        return Ok((Part::Cookie(name.to_owned()), &rest[name.len()..]));
    }
    let (name, beyond) = after.split_at(end_of_name(after, is_word));
    let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, placeholder)) => Ok((Part::Value(*placeholder), beyond)),
        None => Err(unknown(name)),
    }
}

/// Where the characters of a name end.
fn end_of_name(text: &str, is_name: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !is_name(c)).unwrap_or(text.len())
}

/// Suggests the placeholder that was probably meant. The name itself is repeated only if it is near
/// a placeholder: it may be a piece of a password with a dollar sign in it.
fn unknown(name: &str) -> String {
    match nearest(name, PLACEHOLDERS.iter().map(|(name, _)| *name)) {
        Some(meant) => format!("holds the unknown placeholder `${name}`; did you mean `${meant}`?"),
        None => {
            let known: Vec<_> = PLACEHOLDERS.iter().map(|(_, p)| p.sign()).collect();
            format!(
                "holds an unknown placeholder: there are {}, `$kept.NAME` and `$cookie.NAME`, and \
                 `$$` is a dollar sign",
                known.join(", ")
            )
        }
    }
}

/// Percent-encodes every character that has a meaning in an address.
fn encode(value: &str, text: &mut String) {
    use std::fmt::Write as _;
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secrets::Secret;

    fn fill(template: &str, variables: &Variables<'_>) -> Option<String> {
        let filled = Template::parse(template).unwrap().fill(variables);
        filled.map(|text| text.to_string())
    }

    #[test]
    fn placeholders_are_filled_in_and_dollars_stay() {
        let access = Secret::new("a.b$c");
        let variables = Variables {
            access_token: Some(&access),
            identifier: Some("ann@example.com"),
            ..Variables::default()
        };
        let filled = fill("Bearer $access_token", &variables);
        assert_eq!(filled.as_deref(), Some("Bearer a.b$c"));
        assert_eq!(fill("$$5 $$", &variables).as_deref(), Some("$5 $"));
        assert_eq!(fill("$password", &variables), None, "not known");
        let path = Template::parse("/u/$identifier?x=$identifier").unwrap();
        let path = path.fill_path(&variables).unwrap();
        assert_eq!(path.as_str(), "/u/ann%40example.com?x=ann%40example.com");
    }

    #[test]
    fn unknown_placeholders_are_refused_without_repeating_secrets() {
        let refused = |text| Template::parse(text).unwrap_err();
        assert!(refused("$passwrd").contains("`$password`"));
        assert!(refused("$refreshToken").contains("`$refresh_token`"));
        for secret in ["correct$horse", "hunter$2024", "a$", "$ b"] {
            let said = refused(secret);
            assert!(!said.contains("horse") && !said.contains("2024"), "{said}");
            assert!(said.contains("$$"), "{said}");
        }
        assert!(refused("id:$device").contains("must be the whole text"));
        assert_eq!(
            Template::parse("$device").unwrap().lone(),
            Some(Placeholder::Device)
        );
    }

    #[test]
    fn kept_values_and_cookies_have_names() {
        let value = |name: &str, text: &str| (name.to_owned(), Secret::new(text));
        let kept = [value("flow", "f 1")].into_iter().collect();
        let cookies = [value("XSRF-TOKEN", "c=="), value("a.b", "d")]
            .into_iter()
            .collect();
        let variables = Variables {
            kept: Some(&kept),
            cookies: Some(&cookies),
            ..Variables::default()
        };
        let filled = fill("$kept.flow/$cookie.XSRF-TOKEN;$cookie.a.b.", &variables);
        assert_eq!(filled.as_deref(), Some("f 1/c==;d."));
        assert_eq!(fill("$kept.other", &variables), None);
        assert_eq!(fill("$cookie.other", &variables), None);
        let path = Template::parse("/login?flow=$kept.flow").unwrap();
        let filled = path.fill_path(&variables).unwrap();
        assert_eq!(filled.as_str(), "/login?flow=f%201");
        assert_eq!(path.source(), "/login?flow=$kept.flow");
        assert!(format!("{path:?}").contains("$kept.flow"));
        for bad in [
            "$kept",
            "$kept.",
            "$kept.Flow",
            "$cookie",
            "$cookie.",
            "$cookie..x",
        ] {
            let parsed = Template::parse(bad);
            assert!(parsed.is_err() || bad == "$cookie..x", "{bad}: {parsed:?}");
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let template = Template::parse("apikey-of-the-adopter $access_token").unwrap();
        let shown = format!("{template:?}");
        assert!(!shown.contains("apikey") && shown.contains("$access_token"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(Template::parse(&template.source()), Ok(template));
            }
        }

        #[test]
        fn what_is_filled_in_is_never_read_again(value in ".{0,20}") {
            let secret = Secret::new(value.clone());
            let variables = Variables { otp: Some(&secret), ..Variables::default() };
            prop_assert_eq!(fill("[$otp]", &variables), Some(format!("[{value}]")));
        }

        #[test]
        fn what_is_filled_into_a_path_stays_in_its_segment(value in ".{0,20}") {
            let variables = Variables { identifier: Some(&value), ..Variables::default() };
            let path = Template::parse("/u/$identifier/x").unwrap().fill_path(&variables).unwrap();
            let strange = |c: char| !c.is_ascii_alphanumeric() && !"-_.~%/".contains(c);
            prop_assert!(!path.contains(strange), "{}", path.as_str());
            prop_assert_eq!(path.matches('/').count(), 3);
        }
    }
}
