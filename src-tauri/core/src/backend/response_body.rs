//! An answer that was read whole: its body, which is JSON, empty or not understood, and what its
//! headers say about it.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::beside_body::BesideBody;
use crate::header_text;
use crate::json_text;
use crate::profile::{Endpoint, Facts, Fields, NamedValues, Profile};
use crate::response_fields::{ResponseContent, ResponseFields};

/// How large a body may be that is read whole.
#[derive(Clone, Copy)]
pub(super) struct BodyLimits {
    pub bytes: usize,
    /// The most values of a body that is parsed. A mebibyte of `0,` holds half a million values and
    /// needs thirty times its size in memory.
    pub values: usize,
}

/// No answer to a sign-in or a refresh comes near this.
pub(super) const SMALL: BodyLimits = BodyLimits {
    bytes: 1024 * 1024,
    values: 20_000,
};

/// For the list of a person's sessions: some backends never forget one, and list those of years.
/// Parsed, this many values need about 30 MB for a moment.
pub(super) const LIST: BodyLimits = BodyLimits {
    bytes: 4 * 1024 * 1024,
    values: 400_000,
};

/// The longest text that the rules of a profile look at.
const TEXT_LIMIT: usize = 4096;

/// An answer that was read whole.
pub struct ResponseBody {
    content: Content,
    /// What the answer has beside it.
    beside: BesideBody,
    /// Its headers, for the rules of the profile.
    headers: HeaderMap,
    /// Whether somebody else has answered in the backend's place.
    anothers: bool,
}

enum Content {
    Json(Value),
    /// The body has no byte, or nothing but white space and a byte order mark.
    Nothing,
    /// The body is a short text for people, and no web page.
    Text(Zeroizing<String>),
    Other,
}

impl ResponseBody {
    /// An answer with these bytes, and with this beside them.
    pub(super) fn of(bytes: &[u8], beside: BesideBody, limits: BodyLimits) -> Self {
        let content = if json_text::is_empty(bytes) {
            Content::Nothing
        } else if is_dense(bytes, limits) {
            tracing::warn!(
                limit = limits.values,
                "the backend's answer has more values than are parsed: it is not understood"
            );
            Content::Other
        } else {
            json_text::parse(bytes).map_or_else(|| text_of(bytes), Content::Json)
        };
        Self {
            content,
            beside,
            headers: HeaderMap::new(),
            anothers: false,
        }
    }

    /// An answer whose body could not be read.
    pub(super) fn unread() -> Self {
        Self {
            content: Content::Other,
            beside: BesideBody::default(),
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
        let mut texts = lines.map(header_text::text);
        status.is_client_error() && texts.any(|text| text.contains("invalid_token"))
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<&Value> {
        match &self.content {
            Content::Json(body) => Some(body),
            Content::Nothing | Content::Text(_) | Content::Other => None,
        }
    }

    /// Whether the body was read and is no web page, whatever media type the answer names: JSON, nothing, or
    /// a few words such as `OK`.
    pub(super) fn is_no_page(&self) -> bool {
        !matches!(self.content, Content::Other)
    }

    /// Reads the fields of the answer; `None` if the body is neither JSON nor empty, and not such a
    /// text as `fields` look for.
    pub fn reply<'a>(
        &'a self,
        profile: &'a Profile,
        fields: &'a Fields,
    ) -> Option<ResponseFields<'a>> {
        let content = match &self.content {
            Content::Json(body) => ResponseContent::Json(body),
            Content::Nothing => ResponseContent::Nothing,
            Content::Text(text) if fields.read_text() => ResponseContent::Text(text),
            Content::Text(_) | Content::Other => return None,
        };
        Some(ResponseFields::of(content, profile, fields).with(&self.beside))
    }

    /// What `step` keeps of its answer; the name of the first that is not there, otherwise.
    pub(super) fn keep<'k>(
        &self,
        profile: &Profile,
        step: &'k Endpoint,
    ) -> Result<NamedValues, &'k str> {
        let content = match &self.content {
            Content::Json(body) => ResponseContent::Json(body),
            Content::Text(text) => ResponseContent::Text(text),
            Content::Nothing | Content::Other => ResponseContent::Nothing,
        };
        let reply = ResponseFields::of(content, profile, &profile.answer.login);
        reply.with(&self.beside).keep(&step.keep)
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
    Content::Text(json_text::text(bytes))
}

/// Whether a body may have too many values to parse. Each value but the first comes after one of
/// these bytes. Those within texts are counted too, so the count is never too low.
fn is_dense(bytes: &[u8], limits: BodyLimits) -> bool {
    let before = bytes
        .iter()
        .filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{'));
    before.count() > limits.values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_very_many_values_is_not_taken_apart() {
        for unit in ["0,", "[],", "\"\",", "{},"] {
            let body = format!("[{}0]", unit.repeat(SMALL.values + 1));
            assert!(
                serde_json::from_str::<Value>(&body).is_ok(),
                "{unit} makes JSON"
            );
            assert!(!is_json(&body), "{unit}");
        }
        assert!(!is_json(&"[".repeat(1 << 20)));
    }

    fn is_json(text: &str) -> bool {
        ResponseBody::of(text.as_bytes(), BesideBody::default(), SMALL)
            .json()
            .is_some()
    }

    #[test]
    fn nothing_is_not_a_page() {
        let facts = |text: &str| {
            let body = ResponseBody::of(text.as_bytes(), BesideBody::default(), SMALL);
            let facts = body.facts(401, None);
            (facts.body.is_some(), facts.empty)
        };
        assert_eq!(facts(""), (false, true));
        assert_eq!(facts("\u{feff}"), (false, true), "nor is a mark alone");
        assert_eq!(facts("<html>"), (false, false));
        assert_eq!(facts(" \r\n"), (false, true), "nor is white space");
        assert_eq!(facts("null"), (true, false));
    }

    #[test]
    fn a_text_has_no_byte_order_mark() {
        let of = |bytes: &[u8]| {
            let body = ResponseBody::of(bytes, BesideBody::default(), SMALL);
            let text = body.facts(200, None).text.map(str::to_owned);
            text.expect("a text")
        };
        assert_eq!(of("\u{feff}7|token".as_bytes()), "7|token");
        assert_eq!(of(b"\xff\xfe7\0|\0t\0"), "7|t");
    }

    #[test]
    fn a_token_is_invalid_whatever_else_the_header_says() {
        for value in [
            &b"Bearer realm=\"f\xfcr alle\", error=\"invalid_token\""[..],
            "Bearer realm=\"für alle\", error=\"invalid_token\"".as_bytes(),
        ] {
            let mut headers = HeaderMap::new();
            let value = reqwest::header::HeaderValue::from_bytes(value).expect("a value");
            headers.insert(WWW_AUTHENTICATE, value);
            let body = ResponseBody::of(b"", BesideBody::default(), SMALL).with_headers(headers);
            assert!(body.says_invalid_token(StatusCode::UNAUTHORIZED));
        }
    }

    #[test]
    fn a_long_text_is_no_matter() {
        let body = format!(r#"{{"user":{{"image":"{}"}}}}"#, "A+/=".repeat(200_000));
        assert!(is_json(&body));
    }
}
