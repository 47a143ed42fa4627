//! The cookies that carry the session.

use std::fmt;

use cookie_store::{Cookie, CookieDomain, CookieExpiration, RawCookie};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;
use zeroize::Zeroizing;

use super::CookieKey;
use super::set_cookie::{as_trusted, is_emptied, parse};
use crate::secrets::Secret;

/// One refresh cookie with all that says where it goes, as the keyring keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshCookie {
    name: String,
    value: Zeroizing<String>,
    /// The domain that the backend named; without one the cookie goes to the host alone.
    domain: Option<String>,
    host: String,
    path: String,
    /// In seconds since the epoch, by the clock of this computer.
    expires: Option<i64>,
    secure: bool,
}

impl fmt::Debug for RefreshCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshCookie")
            .field("name", &self.name)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What a `Set-Cookie` line does to the refresh cookies.
#[derive(Clone)]
pub enum RefreshChange {
    /// It sets this cookie.
    Set(RefreshCookie),
    /// It deletes the cookie of this key, and no other of the same name.
    Delete(CookieKey),
}

impl RefreshChange {
    /// The value that these changes leave to the cookie `name`, if they set it.
    pub(crate) fn newest(changes: &[Self], name: &str) -> Option<Secret> {
        changes.iter().rev().find_map(|change| match change {
            Self::Set(cookie) if cookie.name == name => Some(Secret::new(cookie.value.as_str())),
            Self::Set(_) | Self::Delete(_) => None,
        })
    }
}

impl RefreshCookie {
    /// Reads `line` if it sets or deletes a cookie named in `names`. A cookie for a domain
    /// that is not the sender's is refused (RFC 6265 §5.3). `now` is the time by the sender's
    /// clock, which decides whether an `Expires` is past: the clock of this computer may be wrong.
    pub fn from_line(
        line: &str,
        from: &Url,
        names: &[String],
        now: OffsetDateTime,
    ) -> Option<RefreshChange> {
        let cookie = parse(line, from, now)?;
        if !names.iter().any(|name| name == cookie.name()) {
            return None;
        }
        let domain = match &cookie.domain {
            CookieDomain::Suffix(domain) => Some(domain.clone()),
            CookieDomain::HostOnly(_) | CookieDomain::NotPresent | CookieDomain::Empty => None,
        };
        if is_emptied(line) || cookie.is_expired() {
            return Some(RefreshChange::Delete(CookieKey {
                domain: domain.unwrap_or(from.host_str()?.to_owned()),
                path: cookie.path.as_ref().to_owned(),
                name: cookie.name().to_owned(),
            }));
        }
        Some(RefreshChange::Set(Self {
            name: cookie.name().to_owned(),
            value: Zeroizing::new(cookie.value().to_owned()),
            domain,
            host: from.host_str()?.to_owned(),
            path: cookie.path.as_ref().to_owned(),
            expires: match cookie.expires {
                CookieExpiration::AtUtc(end) => Some(end.unix_timestamp()),
                CookieExpiration::SessionEnd => None,
            },
            secure: cookie.secure().unwrap_or(false),
        }))
    }

    /// A cookie of a jar; `None` if nothing says where it goes.
    pub(super) fn of(cookie: &Cookie<'_>) -> Option<Self> {
        let (domain, host) = match &cookie.domain {
            CookieDomain::Suffix(domain) => (Some(domain.clone()), domain.clone()),
            CookieDomain::HostOnly(host) => (None, host.clone()),
            CookieDomain::NotPresent | CookieDomain::Empty => return None,
        };
        Some(Self {
            name: cookie.name().to_owned(),
            value: Zeroizing::new(cookie.value().to_owned()),
            domain,
            host,
            path: cookie.path.as_ref().to_owned(),
            expires: match cookie.expires {
                CookieExpiration::AtUtc(end) => Some(end.unix_timestamp()),
                CookieExpiration::SessionEnd => None,
            },
            secure: cookie.secure().unwrap_or(false),
        })
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells the cookie from others.
    pub fn key(&self) -> CookieKey {
        CookieKey {
            domain: self.domain.as_ref().unwrap_or(&self.host).clone(),
            path: self.path.clone(),
            name: self.name.clone(),
        }
    }

    /// The path under which the cookie is sent.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The cookie's name and value, to be sent.
    pub fn pair(&self) -> (String, Zeroizing<String>) {
        (self.name.clone(), self.value.clone())
    }

    /// When the cookie expires, if it does.
    pub fn expires(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(self.expires?).ok()
    }

    /// Whether the cookie may go to `url`: domain, path and `Secure` count as for any cookie. Its
    /// expiry does not: the clock of this computer may be wrong, and the backend knows.
    pub fn goes_to(&self, url: &Url) -> bool {
        let mut raw = self.raw();
        raw.unset_expires();
        let url = &as_trusted(url);
        let Ok(home) = Url::parse(&format!("{}://{}{}", url.scheme(), self.host, self.path)) else {
            return false;
        };
        Cookie::try_from_raw_cookie(&raw, &home).is_ok_and(|cookie| cookie.matches(url))
    }

    /// The address that has set the cookie, as far as it is known.
    pub(super) fn home(&self) -> Option<Url> {
        Url::parse(&format!("https://{}{}", self.host, self.path)).ok()
    }

    pub(super) fn raw(&self) -> RawCookie<'static> {
        let mut raw = RawCookie::build((self.name.clone(), self.value.to_string()))
            .path(self.path.clone())
            .secure(self.secure)
            .http_only(true);
        if let Some(domain) = &self.domain {
            raw = raw.domain(domain.clone());
        }
        if let Some(end) = self.expires() {
            raw = raw.expires(end);
        }
        raw.build()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Jar;
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn names() -> Vec<String> {
        vec!["__refresh_token".into()]
    }

    fn refresh(line: &str) -> Option<RefreshChange> {
        let now = OffsetDateTime::now_utc();
        RefreshCookie::from_line(line, &url("http://127.0.0.1:9/login"), &names(), now)
    }

    #[test]
    fn a_refresh_cookie_is_kept_whole_and_untouched() {
        let Some(RefreshChange::Set(cookie)) =
            refresh("__refresh_token=a%2Bb.c=; Path=/; HttpOnly; Max-Age=60")
        else {
            panic!("it sets a token")
        };
        assert_eq!(cookie.value.as_str(), "a%2Bb.c=", "sent back untouched");
        assert!(cookie.expires().is_some());
        assert!(cookie.goes_to(&url("http://127.0.0.1:9/refresh-token")));
        assert!(!cookie.goes_to(&url("http://127.0.0.2:9/refresh-token")));
        let bytes = serde_json::to_vec(&cookie).unwrap();
        assert_eq!(
            serde_json::from_slice::<RefreshCookie>(&bytes).unwrap(),
            cookie
        );
        assert!(!format!("{cookie:?}").contains("a%2Bb"));
    }

    #[test]
    fn a_path_limits_where_it_goes() {
        let Some(RefreshChange::Set(cookie)) = refresh("__refresh_token=t; Path=/auth") else {
            panic!("it sets a token")
        };
        assert!(cookie.goes_to(&url("http://127.0.0.1:9/auth/refresh")));
        assert!(!cookie.goes_to(&url("http://127.0.0.1:9/logout")));
    }

    #[test]
    fn every_way_to_delete_deletes() {
        for line in [
            "__refresh_token=; Max-Age=604800; Path=/",
            "__refresh_token=x; Max-Age=0",
            "__refresh_token=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "__refresh_token=\"\"; Path=/",
            "__refresh_token=deleted; Expires=Thu, 1 Jan 1970 00:00:00 GMT",
            "__refresh_token=deleted; expires=Thu, 01 Jan 1970 00:00:00 UTC",
            "__refresh_token=deleted; expires=Thursday, 01-Jan-70 00:00:01 GMT; path=/",
            "__refresh_token=deleted; expires=Thu Jan  1 00:00:00 1970",
            "__refresh_token=x; Expires=Fri, 31 Dec 2100 00:00:00 GMT; Expires=Thu, 1 Jan 1970 0:0:0",
            "__refresh_token=x; Max-Age=-1",
            "__refresh_token=x; Max-Age=60; Max-Age=0; Max-Age=; Max-Age=60s",
            "__refresh_token=x; Max-Age=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ] {
            assert!(
                matches!(refresh(line), Some(RefreshChange::Delete(_))),
                "{line}"
            );
        }
        assert!(refresh("other=1").is_none());
        assert!(refresh("__refresh_token=x; Domain=evil.example").is_none());
        assert!(refresh("").is_none());
    }

    #[test]
    fn a_date_that_nobody_understands_is_ignored() {
        for date in ["0", "-1", "soon", "1970-01-01T00:00:00Z", ""] {
            let Some(RefreshChange::Set(cookie)) =
                refresh(&format!("__refresh_token=x; Path=/; Expires={date}"))
            else {
                panic!("{date}: the token is set")
            };
            assert_eq!(cookie.expires(), None, "{date}");
        }
    }

    #[test]
    fn a_date_is_of_the_senders_clock() {
        use cookie_store::RawCookie;
        let here = url("http://127.0.0.1:9/login");
        for years in [-20, 0, 20] {
            let senders = OffsetDateTime::now_utc() + time::Duration::days(365 * years);
            let line = |name: &str, seconds| {
                let end = senders + time::Duration::seconds(seconds);
                let cookie = RawCookie::build((name.to_owned(), "x"))
                    .path("/")
                    .expires(end);
                cookie.to_string()
            };
            let read = |seconds| {
                let line = line("__refresh_token", seconds);
                RefreshCookie::from_line(&line, &here, &names(), senders)
            };
            let Some(RefreshChange::Set(cookie)) = read(3600) else {
                panic!("{years}: it sets a token")
            };
            let left = cookie.expires().unwrap() - OffsetDateTime::now_utc();
            assert!(
                (3590..3610).contains(&left.whole_seconds()),
                "{years}: {left}"
            );
            assert!(
                matches!(read(-3600), Some(RefreshChange::Delete(_))),
                "{years}"
            );

            let jar = Jar::default();
            jar.honour(&line("a", 3600), &here, senders);
            jar.honour(&line("b", -3600), &here, senders);
            jar.honour(&format!("{}; Max-Age=60", line("c", -3600)), &here, senders);
            let held = jar.pairs(&here).into_iter().map(|(name, _)| name);
            assert_eq!(held.collect::<Vec<_>>(), ["a", "c"], "{years}");
        }
    }

    #[test]
    fn what_stays_on_this_machine_is_as_good_as_encrypted() {
        let names = names();
        for (host, is_sent) in [
            ("http://localhost:9", true),
            ("http://app.localhost:9", true),
            ("http://a.b.localhost", true),
            ("http://127.0.0.1:9", true),
            ("http://[::1]:9", true),
            ("https://api.example.com", true),
            ("http://api.example.com", false),
            ("http://notlocalhost", false),
        ] {
            let here = url(&format!("{host}/login"));
            let line = "__refresh_token=t; Path=/; Secure; HttpOnly";
            let now = OffsetDateTime::now_utc();
            let Some(RefreshChange::Set(cookie)) =
                RefreshCookie::from_line(line, &here, &names, now)
            else {
                panic!("{host}: it sets a token")
            };
            assert_eq!(cookie.goes_to(&here), is_sent, "{host}");
            let jar = Jar::default();
            jar.honour("a=1; Path=/; Secure", &here, now);
            jar.honour("b=2; Path=/", &here, now);
            let count = if is_sent { 2 } else { 1 };
            assert_eq!(jar.pairs(&here).len(), count, "{host}");
        }
    }
}
