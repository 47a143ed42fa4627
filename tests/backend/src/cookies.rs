//! Reads and writes the two cookies: the refresh token (`HttpOnly`) and the language of the
//! account, which is no secret.

use axum::http::{HeaderMap, header};

/// The cookie that carries the refresh token.
pub(crate) const REFRESH: &str = "__refresh_token";
/// The cookie with the language in which mails for this device are written.
pub(crate) const LOCALE: &str = "vestibule_locale";

/// A `Set-Cookie` value that stores the refresh token for this many seconds.
pub(crate) fn refresh(token: &str, seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{REFRESH}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

/// A `Set-Cookie` value that deletes the refresh token.
pub(crate) fn no_refresh() -> String {
    format!("{REFRESH}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// A `Set-Cookie` value that stores the language for a year.
pub(crate) fn locale(tag: &str) -> String {
    format!("{LOCALE}={tag}; Path=/; SameSite=Lax; Max-Age=31536000")
}

/// The value of a cookie in the request; an empty value counts as no cookie.
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
