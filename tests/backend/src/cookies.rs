//! The two cookies: the refresh token, which scripts never see, and the language
//! of the account, which is no secret. Reading and writing them, nothing more.

use axum::http::{HeaderMap, header};

/// Carries the refresh token.
pub(crate) const REFRESH: &str = "__refresh_token";
/// Carries the language that mails to this device are written in.
pub(crate) const LOCALE: &str = "vestibule_locale";

/// Set the refresh token for so many seconds.
pub(crate) fn refresh(token: &str, seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{REFRESH}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

/// Delete the refresh token.
pub(crate) fn no_refresh() -> String {
    format!("{REFRESH}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// Remember the language for a year.
pub(crate) fn locale(tag: &str) -> String {
    format!("{LOCALE}={tag}; Path=/; SameSite=Lax; Max-Age=31536000")
}

/// The value of a cookie in the request; an empty one counts as none.
pub(crate) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}
