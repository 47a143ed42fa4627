//! `/public/news`: the same for everyone, without a session.

use axum::http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::Answer;
use crate::error::answer;

/// Newest first.
const NEWS: [(&str, &str, &str); 2] = [
    (
        "2026-11-02",
        "Try your connection",
        "The account page measures how fast data goes between your computer and us.",
    ),
    (
        "2026-10-12",
        "Signed out means out",
        "An offline sign-out now reaches us as soon as there is a connection.",
    ),
];

pub(crate) async fn list() -> Answer {
    let news =
        NEWS.map(|(date, title, text)| json!({ "date": date, "title": title, "text": text }));
    let mut response = answer(StatusCode::OK, &json!(news));
    let kept = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}
