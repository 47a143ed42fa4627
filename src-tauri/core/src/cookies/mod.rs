//! The backend's cookies, of two kinds. The refresh cookies carry the session and go to the
//! keyring; the ordinary ones live in memory, in the [`Jar`] of their session. Matching, expiry
//! and deletion follow RFC 6265 as `cookie_store` implements it, but for dates, which are read by
//! [`crate::cookie_date`]. No cookie reaches a page.

mod jar;
mod refresh_cookie;
mod set_cookie;

pub use self::jar::Jar;
pub use self::refresh_cookie::{RefreshChange, RefreshCookie};

/// What tells one cookie from another (RFC 6265 §5.3, step 11): a backend that moves its cookie
/// to another path sets it there and deletes it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieKey {
    /// The domain that the backend named, or the host that has set the cookie.
    domain: String,
    path: String,
    name: String,
}

impl CookieKey {
    /// What tells this cookie of a jar from others.
    fn of(cookie: &cookie_store::Cookie<'_>) -> Self {
        Self {
            domain: String::from(&cookie.domain),
            path: cookie.path.as_ref().to_owned(),
            name: cookie.name().to_owned(),
        }
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
