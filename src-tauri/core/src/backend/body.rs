//! An answer, whole: JSON, or nothing, or nothing that is understood; and the tokens that its
//! headers hold.

use serde_json::Value;

use crate::profile::{Facts, Fields, Profile};
use crate::reply::{Given, Reply};

/// The most values that are taken apart. A mebibyte of `0,` is half a million of them and
/// thirty times its size in memory; no answer to a sign-in or a refresh comes near this.
const VALUES_LIMIT: usize = 20_000;

/// An answer that was read whole.
pub struct Body {
    content: Content,
    given: Given,
    invalid_token: bool,
    anothers: bool,
}

enum Content {
    Json(Value),
    /// Not a byte.
    Nothing,
    Other,
}

impl Body {
    /// What these bytes are, and what was given along with them.
    pub(super) fn of(bytes: &[u8], given: Given) -> Self {
        let content = if bytes.is_empty() {
            Content::Nothing
        } else if is_dense(bytes) {
            tracing::warn!("an answer holds more values than are read");
            Content::Other
        } else {
            serde_json::from_slice(bytes).map_or(Content::Other, Content::Json)
        };
        Self {
            content,
            given,
            invalid_token: false,
            anothers: false,
        }
    }

    /// One that could not be read.
    pub(super) fn unread() -> Self {
        Self {
            content: Content::Other,
            given: Given::default(),
            invalid_token: false,
            anothers: false,
        }
    }

    /// The same of an answer that somebody else gave in the backend's place.
    pub(super) fn with_anothers(self, anothers: bool) -> Self {
        Self { anothers, ..self }
    }

    /// Whether somebody else gave it in the backend's place: see [`Fault::Portal`].
    ///
    /// [`Fault::Portal`]: super::Fault::Portal
    pub fn is_anothers(&self) -> bool {
        self.anothers
    }

    /// The same of an answer whose `WWW-Authenticate` says `invalid_token`.
    pub(super) fn with_invalid_token(self, invalid_token: bool) -> Self {
        Self {
            invalid_token,
            ..self
        }
    }

    /// Whether the answer says so in its header (RFC 6750 §3.1).
    pub fn says_invalid_token(&self) -> bool {
        self.invalid_token
    }

    /// The JSON, if it is any.
    pub fn json(&self) -> Option<&Value> {
        match &self.content {
            Content::Json(body) => Some(body),
            Content::Nothing | Content::Other => None,
        }
    }

    /// A reader of JSON, or of what comes without a body; `None` where the body is not
    /// understood.
    pub fn reply<'a>(&'a self, profile: &'a Profile, fields: &'a Fields) -> Option<Reply<'a>> {
        let reply = match &self.content {
            Content::Json(body) => Reply::new(body, profile, fields),
            Content::Nothing => Reply::of_nothing(profile, fields),
            Content::Other => return None,
        };
        Some(reply.with(&self.given))
    }

    /// What the profile's rules are held against.
    pub fn facts<'a>(&'a self, status: u16, code: Option<&'a str>) -> Facts<'a> {
        Facts {
            status,
            code,
            body: self.json(),
            empty: matches!(self.content, Content::Nothing),
        }
    }
}

/// Whether there may be too many values. Each but the first has one of these before it; what
/// stands within texts is counted too, which only errs towards caution.
fn is_dense(bytes: &[u8]) -> bool {
    let before = bytes
        .iter()
        .filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{'));
    before.count() > VALUES_LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_very_many_values_is_not_taken_apart() {
        for unit in ["0,", "[],", "\"\",", "{},"] {
            let body = format!("[{}0]", unit.repeat(VALUES_LIMIT + 1));
            assert!(
                serde_json::from_str::<Value>(&body).is_ok(),
                "{unit} makes JSON"
            );
            assert!(!is_json(&body), "{unit}");
        }
        assert!(!is_json(&"[".repeat(1 << 20)));
    }

    fn is_json(text: &str) -> bool {
        Body::of(text.as_bytes(), Given::default()).json().is_some()
    }

    #[test]
    fn nothing_is_not_a_page() {
        let facts = |text: &str| {
            let body = Body::of(text.as_bytes(), Given::default());
            let facts = body.facts(401, None);
            (facts.body.is_some(), facts.empty)
        };
        assert_eq!(facts(""), (false, true));
        assert_eq!(facts("<html>"), (false, false));
        assert_eq!(facts(" "), (false, false));
        assert_eq!(facts("null"), (true, false));
    }

    #[test]
    fn a_long_text_is_no_matter() {
        let body = format!(r#"{{"user":{{"image":"{}"}}}}"#, "A+/=".repeat(200_000));
        assert!(is_json(&body));
    }
}
