//! Reading a JSON request body, field by field, with an answer that names every
//! field that is wrong. Unknown fields are refused: a typo must not pass.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::sessions::Device;

/// A body being read. Each reader takes its field; [`Fields::done`] refuses the body if a field
/// was wrong or is left over.
pub(crate) struct Fields {
    left: Map<String, Value>,
    problems: Vec<String>,
}

impl Fields {
    /// Parses a body, which must be a JSON object with a JSON content type.
    pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        if !is_json(headers) {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "send the body as application/json",
            ));
        }
        // The error names only the position: the text around it may hold a password.
        let bad = |what: String| Refusal::new(StatusCode::BAD_REQUEST, "INVALID_JSON", what);
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            bad(format!(
                "the body is not JSON (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        match value {
            Value::Object(left) => Ok(Self {
                left,
                problems: Vec::new(),
            }),
            _ => Err(bad("the body must be a JSON object".into())),
        }
    }

    /// The e-mail address, trimmed and in lower case.
    pub fn email(&mut self) -> String {
        let email = self.text("email", 254).trim().to_lowercase();
        if !email.is_empty() && !is_email(&email) {
            self.problem("email", "not an e-mail address");
        }
        email
    }

    /// A password as given at sign-in: any non-empty text.
    pub fn password(&mut self) -> String {
        self.text("password", 1024)
    }

    /// A new password: at least eight characters, and not one of [`COMMON`].
    pub fn new_password(&mut self, email: &str) -> String {
        let password = self.text("password", 1024);
        if password.is_empty() {
            return password;
        }
        let lower = password.to_lowercase();
        if password.chars().count() < 8 {
            self.problem("password", "at least 8 characters");
        } else if COMMON.contains(&lower.as_str()) || lower == email {
            self.problem("password", "too easy to guess");
        }
        password
    }

    /// A required line of text, such as a person's name.
    pub fn line(&mut self, field: &str, longest: usize) -> String {
        let line = self.text(field, longest).trim().to_owned();
        if line.chars().any(char::is_control) {
            self.problem(field, "must be one line of text");
        }
        line
    }

    /// A recovery code: the spaces and the case of its letters do not count.
    pub fn recovery_code(&mut self) -> String {
        let code = self.text("code", 64);
        let kept = code.chars().filter(|c| !c.is_whitespace());
        kept.flat_map(char::to_lowercase).collect()
    }

    /// Six digits; spaces between them are ignored.
    pub fn code(&mut self) -> String {
        let code: String = self
            .text("code", 32)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let six = code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
        if !code.is_empty() && !six {
            self.problem("code", "six digits");
        }
        code
    }

    /// An optional language tag such as `de` or `en-GB`.
    pub fn locale(&mut self) -> Option<String> {
        let given = self.left.remove("locale")?;
        let tag = given.as_str().filter(|tag| is_language_tag(tag));
        if tag.is_none() {
            self.problem("locale", "a language tag such as \"en\" or \"de-AT\"");
        }
        tag.map(str::to_owned)
    }

    /// The refresh token, if there is one.
    pub fn refresh_token(&mut self) -> Option<String> {
        let given = self.left.remove("refreshToken")?;
        let token = given.as_str().filter(|token| !token.is_empty());
        if token.is_none() {
            self.problem("refreshToken", "must be a text");
        }
        token.map(str::to_owned)
    }

    /// The device record, if there is one.
    pub fn device(&mut self) -> Device {
        let Some(whole) = self.left.remove("fingerprint") else {
            return Device::default();
        };
        match Device::read(whole) {
            Ok(device) => device,
            Err(problem) => {
                self.problem("fingerprint", problem);
                Device::default()
            }
        }
    }

    /// Returns a refusal that names every wrong or unknown field, if there is one.
    pub fn done(mut self) -> Result<(), Refusal> {
        for field in self.left.keys() {
            let shown: String = field.chars().take(64).collect();
            self.problems.push(format!("{shown:?}: unknown field"));
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Refusal::invalid(self.problems.join("; ")))
        }
    }

    fn text(&mut self, field: &str, longest: usize) -> String {
        match self.left.remove(field) {
            None | Some(Value::Null) => self.problem(field, "missing"),
            Some(Value::String(text)) if text.trim().is_empty() => {
                self.problem(field, "must not be empty");
            }
            Some(Value::String(text)) if text.len() > longest => self.problem(field, "too long"),
            Some(Value::String(text)) => return text,
            Some(_) => self.problem(field, "must be a string"),
        }
        String::new()
    }

    fn problem(&mut self, field: &str, what: &str) {
        self.problems.push(format!("{field}: {what}"));
    }
}

/// Is the body declared as JSON?
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// One `@`, text on both sides, a plausible domain. Whether the address exists, the mail shows.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !local.is_empty()
        && local.len() <= 64
        && !local.chars().any(|c| c.is_control() || c.is_whitespace())
        && !local.contains(['"', '(', ')', '<', '>', ',', ';', ':', '\\', '[', ']'])
        && domain.contains('.')
        && domain.split('.').all(label)
}

fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts
        .next()
        .is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    first
        && tag.len() <= 35
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Common passwords of eight characters and more.
const COMMON: &[&str] = &[
    "12345678",
    "123456789",
    "1234567890",
    "11111111",
    "00000000",
    "password",
    "password1",
    "password123",
    "passw0rd",
    "qwertyui",
    "qwertyuiop",
    "qwerty123",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "letmein1",
    "welcome1",
    "abcd1234",
    "changeme",
    "admin123",
];

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn fields(json: &str) -> Fields {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        Fields::parse(&headers, json.as_bytes()).expect("an object")
    }

    #[test]
    fn addresses() {
        for good in ["a@b.co", "ü.x+tag@sub.example.org", "o'neil@exa-mple.com"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "a",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@-b.de",
            "a@b..de",
            "a@b.de@c.de",
            "<a>@b.de",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let mut body = fields(r#"{"email": "nope", "password": 7, "surprise": 1}"#);
        body.email();
        body.password();
        body.line("name", 100);
        let refusal = body.done().expect_err("refused");
        assert_eq!(refusal.code, "INVALID_INPUT");
        for part in [
            "email: not an e-mail address",
            "password: must be a string",
            "name: missing",
            "\"surprise\": unknown field",
        ] {
            assert!(
                refusal.message.contains(part),
                "{part}: {}",
                refusal.message
            );
        }
    }

    #[test]
    fn a_parse_error_does_not_quote_the_body() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let refusal = Fields::parse(&headers, br#"{"password": "hunter2-hunter2" oops"#)
            .err()
            .expect("refused");
        assert!(!refusal.message.contains("hunter2"), "{}", refusal.message);
    }
}
