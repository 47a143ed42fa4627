//! Errors as OAuth 2.0 has them (RFC 6749, section 5.2): `error` for programs, and words.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::json;

use crate::error::{Refusal, answer};

/// A request that is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OauthRefusal {
    pub status: StatusCode,
    pub error: &'static str,
    pub words: String,
}

impl OauthRefusal {
    pub fn new(error: &'static str, words: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            words: words.into(),
        }
    }

    pub fn invalid_request(words: impl Into<String>) -> Self {
        Self::new("invalid_request", words)
    }

    pub fn invalid_grant(words: impl Into<String>) -> Self {
        Self::new("invalid_grant", words)
    }

    pub fn into_response(self) -> Response<Body> {
        let body = json!({ "error": self.error, "error_description": self.words });
        answer(self.status, &body)
    }
}

/// What goes wrong elsewhere in the backend, and is the fault of no client.
impl From<Refusal> for OauthRefusal {
    fn from(refusal: Refusal) -> Self {
        let error = match refusal.status.is_server_error() {
            true => "server_error",
            false => "invalid_request",
        };
        Self {
            status: refusal.status,
            error,
            words: refusal.message,
        }
    }
}

impl axum::response::IntoResponse for OauthRefusal {
    fn into_response(self) -> Response<Body> {
        OauthRefusal::into_response(self)
    }
}
