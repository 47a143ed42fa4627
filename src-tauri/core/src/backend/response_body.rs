//! An answer that was read whole: its body, which is JSON, empty or not understood, and what its
//! headers say about it.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::json_text;
use crate::profile::{Facts, Fields, Profile};
use crate::response_fields::{HeaderTokens, ResponseFields};

/// The most values of a body that is parsed. A mebibyte of `0,` holds half a million values and
/// needs thirty times its size in memory; no answer to a sign-in or a refresh comes near this.
const VALUES_LIMIT: usize = 20_000;

/// The longest text that the rules of a profile look at.
const TEXT_LIMIT: usize = 4096;

/// An answer that was read whole.
pub struct ResponseBody {
    content: Content,
    /// The tokens in the answer's headers.
    header_tokens: HeaderTokens,
    /// Its headers, for the rules of the profile.
    headers: HeaderMap,
    /// Whether somebody else has answered in the backend's place.
    anothers: bool,
}

enum Content {
    Json(Value),
    /// The body has no byte, or a byte order mark alone.
    Nothing,
    /// The body is a short text for people, and no web page.
    Text(Zeroizing<String>),
    Other,
}

impl ResponseBody {
    /// An answer with these bytes, and with these tokens in its headers.
    pub(super) fn of(bytes: &[u8], header_tokens: HeaderTokens) -> Self {
        let content = if json_text::is_empty(bytes) {
            Content::Nothing
        } else if is_dense(bytes) {
            tracing::warn!(
                limit = VALUES_LIMIT,
                "the backend's answer has more values than are parsed: it is not understood"
            );
            Content::Other
        } else {
            json_text::parse(bytes).map_or_else(|| text_of(bytes), Content::Json)
        };
        Self {
            content,
            header_tokens,
            headers: HeaderMap::new(),
            anothers: false,
        }
    }

    /// An answer whose body could not be read.
    pub(super) fn unread() -> Self {
        Self {
            content: Content::Other,
            header_tokens: HeaderTokens::default(),
            headers: HeaderMap::new(),
            anothers: false,
        }
    }

    /// The same answer, given by somebody else in the backend's place if `anothers`.
    pub(super) fn with_anothers(self, anothers: bool) -> Self {
        Self { anothers, ..self }
    }

    /// Whether somebody else has answered in the backend's place: see [`BackendError::Portal`].
    ///
    /// [`BackendError::Portal`]: super::BackendError::Portal
    pub fn is_anothers(&self) -> bool {
        self.anothers
    }

    /// The same answer with these headers.
    pub(super) fn with_headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }

    /// Whether this refusal has `WWW-Authenticate: Bearer error="invalid_token"` (RFC 6750 §3.1).
    pub(super) fn says_invalid_token(&self, status: StatusCode) -> bool {
        let lines = self.headers.get_all(WWW_AUTHENTICATE).iter();
        let mut texts = lines.filter_map(|line| line.to_str().ok());
        status.is_client_error() && texts.any(|text| text.contains("invalid_token"))
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<&Value> {
        match &self.content {
            Content::Json(body) => Some(body),
            Content::Nothing | Content::Text(_) | Content::Other => None,
        }
    }

    /// Whether the body is what an answer to a program holds, whatever media type it names.
    pub(super) fn is_json_or_empty(&self) -> bool {
        matches!(self.content, Content::Json(_) | Content::Nothing)
    }

    /// Reads the fields of a JSON body, or those that come without a body; `None` if the body is
    /// neither JSON nor empty.
    pub fn reply<'a>(
        &'a self,
        profile: &'a Profile,
        fields: &'a Fields,
    ) -> Option<ResponseFields<'a>> {
        let reply = match &self.content {
            Content::Json(body) => ResponseFields::new(body, profile, fields),
            Content::Nothing => ResponseFields::of_nothing(profile, fields),
            Content::Text(_) | Content::Other => return None,
        };
        Some(reply.with(&self.header_tokens))
    }

    /// What the profile's rules look at.
    pub fn facts<'a>(&'a self, status: u16, code: Option<&'a str>) -> Facts<'a> {
        Facts {
            status,
            code,
            body: self.json(),
            empty: matches!(self.content, Content::Nothing),
            text: match &self.content {
                Content::Text(text) => Some(text),
                Content::Json(_) | Content::Nothing | Content::Other => None,
            },
            headers: Some(&self.headers),
        }
    }
}

/// A body that is not JSON, for the rules of the profile.
fn text_of(bytes: &[u8]) -> Content {
    if json_text::is_markup(bytes) || bytes.len() > TEXT_LIMIT {
        return Content::Other;
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    Content::Text(Zeroizing::new(text))
}

/// Whether a body may have too many values to parse. Each value but the first comes after one of
/// these bytes. Those within texts are counted too, so the count is never too low.
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
        ResponseBody::of(text.as_bytes(), HeaderTokens::default())
            .json()
            .is_some()
    }

    #[test]
    fn nothing_is_not_a_page() {
        let facts = |text: &str| {
            let body = ResponseBody::of(text.as_bytes(), HeaderTokens::default());
            let facts = body.facts(401, None);
            (facts.body.is_some(), facts.empty)
        };
        assert_eq!(facts(""), (false, true));
        assert_eq!(facts("\u{feff}"), (false, true), "nor is a mark alone");
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
