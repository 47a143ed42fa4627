//! Where a value is in an answer, written as one text: `/user/id`, `header:x-token`,
//! `cookie:csrftoken`, `claims:/id_token`, `text` or `kept:flow`.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::header::HeaderKey;
use super::pointer::Pointer;

const HEADER: &str = "header:";
const COOKIE: &str = "cookie:";
const CLAIMS: &str = "claims:";
const KEPT: &str = "kept:";
const TEXT: &str = "text";

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the answer's JSON.
    Json(Pointer),
    /// A header of the answer, without the `Bearer` that may stand before its value.
    Header(HeaderKey),
    /// A cookie that the answer sets, or that is in the jar of the session.
    Cookie(String),
    /// The claims of the JWT that is at this place. Its signature is not checked: the token came
    /// over TLS from its issuer itself (OpenID Connect Core §3.1.3.7, item 6).
    Claims(Box<Place>),
    /// The whole text of the answer.
    Text,
    /// What the step before has kept under this name.
    Kept(String),
}

impl Place {
    /// Reads a place; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(of) = text.strip_prefix(CLAIMS) {
            // One level: claims hold no token that has claims of its own.
            return match Self::parse_plain(of)? {
                Some(of) => Ok(Self::Claims(Box::new(of))),
                None => Err("must name the place of a token after `claims:`".into()),
            };
        }
        match Self::parse_plain(text)? {
            Some(place) => Ok(place),
            None => Err(
                "must be a JSON pointer, which begins with `/` or is empty, or one of \
                         `header:NAME`, `cookie:NAME`, `claims:PLACE`, `text`, `kept:NAME`"
                    .into(),
            ),
        }
    }

    /// The same without claims; `None` if it is of no known kind.
    fn parse_plain(text: &str) -> Result<Option<Self>, String> {
        let place = if let Some(name) = text.strip_prefix(HEADER) {
            Self::Header(HeaderKey::parse(name)?)
        } else if let Some(name) = text.strip_prefix(COOKIE) {
            check_cookie_name(name)?;
            Self::Cookie(name.to_owned())
        } else if let Some(name) = text.strip_prefix(KEPT) {
            check_kept_name(name)?;
            Self::Kept(name.to_owned())
        } else if text == TEXT {
            Self::Text
        } else if text.is_empty() || text.starts_with('/') {
            Self::Json(Pointer::parse(text)?)
        } else {
            return Ok(None);
        };
        Ok(Some(place))
    }

    /// The place itself, or that of the token whose claims it means.
    pub fn source(&self) -> &Self {
        match self {
            Self::Claims(of) => of,
            other => other,
        }
    }

    /// The pointer, if the value is in the answer's JSON.
    pub fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Json(pointer) => Some(pointer),
            _ => None,
        }
    }

    /// Whether what is there is never for people: cookies, and what a step has kept.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Cookie(_) | Self::Kept(_))
    }
}

/// As it was written.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(pointer) => f.write_str(pointer.as_str()),
            Self::Header(name) => write!(f, "{HEADER}{}", name.as_str()),
            Self::Cookie(name) => write!(f, "{COOKIE}{name}"),
            Self::Claims(of) => write!(f, "{CLAIMS}{of}"),
            Self::Text => f.write_str(TEXT),
            Self::Kept(name) => write!(f, "{KEPT}{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// In the schema a place is a text.
#[cfg(test)]
impl schemars::JsonSchema for Place {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Place".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^(claims:)?((/([^~]|~[01])*)?|header:.+|cookie:.+|kept:[a-z][a-z0-9_]*|text)$",
            "description": "Where a value is in an answer. `/user/id`: at this JSON pointer; a step \
                may find in a list, as in `/emails[primary=true]/email`. `header:x-token`: in this \
                header, with or without `Bearer` before it. `cookie:NAME`: a cookie that the answer \
                sets or the session holds. `text`: the whole answer, which is one text. `kept:NAME`: \
                what the step before has kept. `claims:/id_token`: the claims of the JWT at the \
                place that follows; for a user.",
        })
    }
}

/// Refuses what cannot be the name of a cookie.
pub(super) fn check_cookie_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?={}".contains(c);
    if name.is_empty() || !name.chars().all(fits) {
        return Err("is not a valid name of a cookie".into());
    }
    Ok(())
}

/// Refuses what cannot be the name of a kept value, which stands in templates.
pub(super) fn check_kept_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(fits) {
        return Err(
            "holds a name of a kept value that is not of small letters, digits and `_`".into(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_is_one_text() {
        for text in [
            "",
            "/user/id",
            "/a[b=c]/d",
            "header:x-token",
            "cookie:XSRF-TOKEN",
            "cookie:__Host-s",
            "text",
            "kept:flow_1",
            "claims:/id_token",
            "claims:",
            "claims:header:authorization",
            "claims:cookie:t",
            "claims:text",
            "claims:kept:t",
        ] {
            let place = Place::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
            assert_eq!(place.to_string(), text);
        }
        assert_eq!(
            Place::parse("header:X-Token").unwrap().to_string(),
            "header:x-token"
        );
    }

    #[test]
    fn nonsense_is_no_place() {
        for (text, reason) in [
            ("user/id", "JSON pointer"),
            ("heder:x", "`header:NAME`"),
            ("headers", "`header:NAME`"),
            ("text:", "`text`"),
            ("header:", "header name"),
            ("header:a b", "header name"),
            ("header:set-cookie2\n", "header name"),
            ("cookie:", "cookie"),
            ("cookie:a=b", "cookie"),
            ("kept:", "small letters"),
            ("kept:Flow", "small letters"),
            ("/a~2", "JSON pointer"),
            ("/a[0]", "brackets"),
            ("claims:claims:/t", "after `claims:`"),
            ("claims:claims:claims:text", "after `claims:`"),
            ("claims:x", "after `claims:`"),
        ] {
            let said = Place::parse(text).expect_err(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
        let nested = "claims:".repeat(100_000);
        assert!(Place::parse(&nested).is_err(), "without recursion");
    }

    proptest! {
        #[test]
        fn any_text_is_a_place_or_is_refused(
            kind in "(header:|cookie:|claims:|kept:|text|/|)", rest in ".{0,20}",
        ) {
            if let Ok(place) = Place::parse(&format!("{kind}{rest}")) {
                prop_assert_eq!(Place::parse(&place.to_string()), Ok(place));
            }
        }
    }
}
