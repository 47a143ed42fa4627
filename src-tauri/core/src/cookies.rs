//! The backend's cookies, of two kinds. The refresh cookies carry the session and go to the
//! keyring; the ordinary ones live in memory, in the [`Jar`] of their session. Matching, expiry
//! and deletion follow RFC 6265 as `cookie_store` implements it, but for dates, which are read by
//! [`cookie_date`]. No cookie reaches a page.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cookie_store::{Cookie, CookieDomain, CookieExpiration, CookieStore, RawCookie, StoreAction};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;
use zeroize::Zeroizing;

use crate::cookie_date;
use crate::profile::is_loopback;
use crate::secrets::Secret;

/// The most ordinary cookies of a jar, and the most bytes of each: what RFC 6265 §6.1 has a
/// browser keep of one domain.
const MAX_COOKIES: usize = 50;
const LARGEST: usize = 4096;
/// The most bytes of a jar: with these a server that reads 16 KiB of headers still answers.
const TOGETHER: usize = 12 * 1024;

/// The ordinary cookies of one session, of one sign-in under way, or of nobody.
///
/// This is how the cookies of two sessions stay apart: each has a jar of its own, and each
/// request goes out with the jar of whom it is made for. A sign-in begins a jar, which becomes
/// its session's; one that comes to nothing drops it. When a session ends its jar is closed for
/// good: a request of it that is still on its way sends no cookie from then on, and its answer
/// leaves none.
///
/// Clones share one jar.
#[derive(Clone)]
pub struct Jar(Arc<Mutex<Option<Cookies>>>);

/// The cookies of an open jar. They are bounded: the one that was set longest ago makes room.
#[derive(Clone, Default)]
struct Cookies {
    store: CookieStore,
    /// The keys of all that is in the store, in the order in which they were last set.
    order: Vec<CookieKey>,
}

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
    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Default for Jar {
    /// An open jar without a cookie.
    fn default() -> Self {
        Self::of(Some(Cookies::default()))
    }
}

impl Jar {
    /// A jar that is closed: it gives no cookie and takes none.
    pub fn closed() -> Self {
        Self::of(None)
    }

    fn of(cookies: Option<Cookies>) -> Self {
        Self(Arc::new(Mutex::new(cookies)))
    }

    /// Another jar, which begins with the cookies of this one.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::of(Some(self.lock().clone().unwrap_or_default()))
    }

    /// Drops the cookies of this jar, and takes no other from here on.
    pub fn close(&self) {
        *self.lock() = None;
    }

    /// Honours one `Set-Cookie` line: sets, replaces or deletes a cookie. A line that the standard
    /// says to ignore is ignored.
    pub fn honour(&self, line: &str, from: &Url) {
        if let Some(cookies) = &mut *self.lock() {
            cookies.honour(line, from);
        }
    }

    /// `name=value` pairs to send to `url`.
    pub fn pairs(&self, url: &Url) -> Vec<(String, Zeroizing<String>)> {
        let jar = self.lock();
        let pair = |cookie: &Cookie<'_>| {
            let value = Zeroizing::new(cookie.value().to_owned());
            (cookie.name().to_owned(), value)
        };
        let url = &as_trusted(url);
        let matching = jar.iter().flat_map(|cookies| cookies.store.matches(url));
        matching.map(pair).collect()
    }

    /// The cookies of these names, each with all that says where it goes.
    pub fn named(&self, names: &[String]) -> Vec<RefreshCookie> {
        let jar = self.lock();
        let held = jar
            .iter()
            .flat_map(|cookies| cookies.store.iter_unexpired());
        let wanted = held.filter(|cookie| names.iter().any(|name| name == cookie.name()));
        wanted.filter_map(RefreshCookie::of).collect()
    }

    /// Puts in cookies that were kept elsewhere.
    pub fn put(&self, kept: &[RefreshCookie]) {
        if let Some(cookies) = &mut *self.lock() {
            kept.iter().for_each(|cookie| cookies.put(cookie));
        }
    }

    /// The value of the cookie of this name that was set last, whatever its path: scripts of a page
    /// read it like this, and send it in a header to any address of the backend.
    pub(crate) fn value(&self, name: &str) -> Option<Secret> {
        let jar = self.lock();
        let cookies = jar.as_ref()?;
        let mut newest = cookies.order.iter().rev().filter(|key| key.name == name);
        newest.find_map(|key| {
            let cookie = cookies.store.get(&key.domain, &key.path, &key.name)?;
            Some(Secret::new(cookie.value()))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Cookies>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cookies {
    fn honour(&mut self, line: &str, from: &Url) {
        let Some(cookie) = parse(line, from) else {
            return;
        };
        let key = CookieKey {
            domain: String::from(&cookie.domain),
            path: cookie.path.as_ref().to_owned(),
            name: cookie.name().to_owned(),
        };
        if is_emptied(line) {
            // Some backends delete with an empty value and a date in the future.
            self.remove(&key);
        } else if size(&cookie) <= LARGEST {
            match self.store.insert(cookie, from) {
                Ok(StoreAction::Inserted | StoreAction::UpdatedExisting) => self.newest(key),
                Ok(StoreAction::ExpiredExisting) => self.remove(&key),
                // The cookie is for another domain, or has expired already.
                Err(_) => {}
            }
        }
    }

    fn put(&mut self, kept: &RefreshCookie) {
        let home = format!("https://{}{}", kept.host, kept.path);
        let Ok(home) = Url::parse(&home) else {
            return;
        };
        if self.store.insert_raw(&kept.raw(), &home).is_ok() {
            self.newest(kept.key());
        }
    }

    /// Notes that the cookie of `key` was set just now, and makes room for it.
    fn newest(&mut self, key: CookieKey) {
        self.order.retain(|held| *held != key);
        self.order.push(key);
        while self.order.len() > MAX_COOKIES || self.size() > TOGETHER {
            let is_expired =
                |key: &CookieKey| !self.store.contains(&key.domain, &key.path, &key.name);
            // An expired cookie goes before the oldest.
            let at = self.order.iter().position(is_expired).unwrap_or(0);
            let key = self.order[at].clone();
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &CookieKey) {
        self.order.retain(|held| held != key);
        self.store.remove(&key.domain, &key.path, &key.name);
    }

    fn size(&self) -> usize {
        self.store.iter_any().map(size).sum()
    }
}

/// One refresh cookie with all that says where it goes, as the keyring keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshCookie {
    name: String,
    value: Zeroizing<String>,
    /// The domain that the backend named; without one the cookie goes to the host alone.
    domain: Option<String>,
    host: String,
    path: String,
    /// In seconds since the epoch.
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
        let cookie = parse(line, from)?;
        if !names.iter().any(|name| name == cookie.name()) {
            return None;
        }
        let expired = match cookie.max_age() {
            Some(age) => !age.is_positive(),
            None => cookie.expires_datetime().is_some_and(|end| end <= now),
        };
        let domain = match &cookie.domain {
            CookieDomain::Suffix(domain) => Some(domain.clone()),
            CookieDomain::HostOnly(_) | CookieDomain::NotPresent | CookieDomain::Empty => None,
        };
        if is_emptied(line) || expired {
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
    fn of(cookie: &Cookie<'_>) -> Option<Self> {
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

    fn raw(&self) -> RawCookie<'static> {
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

/// Parses a `Set-Cookie` line; `None` if it is to be ignored.
fn parse(line: &str, from: &Url) -> Option<Cookie<'static>> {
    let mut raw = RawCookie::parse(line.to_owned()).ok()?;
    let attributes = |name: &'static str| {
        let all = line.split(';').skip(1).map(|attribute| {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            (name.trim(), value.trim())
        });
        all.filter(move |(held, _)| held.eq_ignore_ascii_case(name))
    };
    // An attribute that cannot be read is ignored, and of several the last counts (§5.2, §5.3).
    match attributes("expires")
        .filter_map(|(_, date)| cookie_date::parse(date))
        .last()
    {
        Some(end) => raw.set_expires(end),
        None => raw.unset_expires(),
    }
    if attributes("max-age").all(|(_, seconds)| seconds.is_empty()) {
        // The parser takes `Max-Age=` for a life without end.
        raw.set_max_age(None);
    }
    Cookie::try_from_raw_cookie(&raw, from).ok()
}

/// The address as `Secure` cookies see it: what reaches this machine alone is trustworthy without
/// TLS, `app.localhost` as much as `localhost` (Secure Contexts §3.1). `cookie_store` knows the
/// latter only.
fn as_trusted(url: &Url) -> Url {
    let mut url = url.clone();
    if url.host().is_some_and(|host| is_loopback(&host)) {
        // From one scheme of the web to another, which is always possible.
        let _ = url.set_scheme("https");
    }
    url
}

/// How many bytes of a cookie are sent.
fn size(cookie: &Cookie<'_>) -> usize {
    cookie.name().len() + cookie.value().len()
}

/// Whether a `Set-Cookie` line has an empty value (`name=;…` or `name;…`), which deletes the
/// cookie whatever its date.
fn is_emptied(line: &str) -> bool {
    let pair = line.split(';').next().unwrap_or_default();
    pair.split_once('=')
        .is_none_or(|(_, value)| value.trim().trim_matches('"').is_empty())
}

#[cfg(test)]
mod tests {
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
            jar.honour("a=1; Path=/; Secure", &here);
            jar.honour("b=2; Path=/", &here);
            let count = if is_sent { 2 } else { 1 };
            assert_eq!(jar.pairs(&here).len(), count, "{host}");
        }
    }

    #[test]
    fn ordinary_cookies_are_set_sent_and_deleted() {
        let here = url("https://api.example.com/v1/login");
        let jar = Jar::default();
        jar.honour("a=1; Path=/v1", &here);
        jar.honour("b=2; Domain=example.com; Path=/", &here);
        jar.honour("c=3; Domain=evil.example", &here);
        let names = |jar: &Jar, at: &str| {
            let mut names: Vec<_> = jar.pairs(&url(at)).into_iter().map(|(n, _)| n).collect();
            names.sort();
            names
        };
        assert_eq!(names(&jar, "https://api.example.com/v1/me"), ["a", "b"]);
        assert_eq!(names(&jar, "https://api.example.com/v2"), ["b"]);
        jar.honour("a=; Path=/v1; Max-Age=1000", &here);
        jar.honour("b=x; Domain=example.com; Path=/; Max-Age=0", &here);
        assert!(names(&jar, "https://api.example.com/v1/me").is_empty());
    }

    #[test]
    fn the_jar_holds_the_newest_and_no_more_than_its_bounds() {
        let here = url("https://api.example.com/v1");
        let held = |jar: &Jar| jar.pairs(&here);
        let has = |jar: &Jar, wanted: &str| held(jar).iter().any(|(name, _)| name == wanted);
        let jar = Jar::default();
        jar.honour("session=1; Path=/", &here);
        for count in 0..MAX_COOKIES - 1 {
            jar.honour(&format!("n{count}=1; Path=/"), &here);
        }
        assert!(has(&jar, "session"), "there is room for {MAX_COOKIES}");
        jar.honour("session=2; Path=/", &here);
        jar.honour("one-more=1; Path=/", &here);
        assert_eq!(held(&jar).len(), MAX_COOKIES);
        assert!(has(&jar, "session"), "set again, it is not the oldest");
        assert!(!has(&jar, "n0"), "which makes room");

        jar.honour("n5=x; Path=/; Max-Age=0", &here);
        jar.honour("room-again=1; Path=/", &here);
        assert!(has(&jar, "n1"), "what was deleted takes no place");

        let large = "x".repeat(LARGEST);
        jar.honour(&format!("session={large}; Path=/"), &here);
        assert!(has(&jar, "session"), "what is too large is ignored");
        let large = "x".repeat(LARGEST - 10);
        for count in 0..5 {
            jar.honour(&format!("l{count}={large}; Path=/"), &here);
        }
        let bytes: usize = held(&jar).iter().map(|(n, v)| n.len() + v.len()).sum();
        assert!(bytes <= TOGETHER, "{bytes} bytes");
        assert!(has(&jar, "l4"), "the newest is kept");
    }

    #[test]
    fn a_value_is_that_of_the_cookie_that_was_set_last() {
        let here = url("https://api.example.com/v1/login");
        let jar = Jar::default();
        let value = |name: &str| jar.value(name).map(|value| value.secret().to_owned());
        assert_eq!(value("csrf"), None);
        jar.honour("csrf=1; Path=/", &here);
        jar.honour("csrf=a%3D; Path=/v1", &here);
        jar.honour("other=3; Path=/", &here);
        assert_eq!(value("csrf").as_deref(), Some("a%3D"), "as it came");
        jar.honour("csrf=2; Path=/", &here);
        assert_eq!(value("csrf").as_deref(), Some("2"), "whatever its path");
        jar.honour("csrf=x; Path=/; Max-Age=0", &here);
        assert_eq!(value("csrf").as_deref(), Some("a%3D"), "one is left");
        jar.close();
        assert_eq!(value("csrf"), None);
    }

    #[test]
    fn a_closed_jar_gives_no_cookie_and_takes_none() {
        let here = url("https://api.example.com/v1");
        let jar = Jar::default();
        jar.honour("a=1; Path=/", &here);
        let (shared, copy) = (jar.clone(), jar.copy());
        jar.close();
        shared.honour("b=2; Path=/", &here);
        assert!(shared.pairs(&here).is_empty(), "a clone is the same jar");
        assert_eq!(copy.pairs(&here).len(), 1, "a copy is another");
        let begun = jar.copy();
        begun.honour("c=3; Path=/", &here);
        assert_eq!(
            begun.pairs(&here).len(),
            1,
            "a copy of a closed jar is open"
        );
    }
}
