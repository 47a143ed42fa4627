//! The ordinary cookies.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cookie_store::{Cookie, CookieStore, StoreAction};
use time::OffsetDateTime;
use url::Url;
use zeroize::Zeroizing;

use super::set_cookie::{as_trusted, is_emptied, parse, size};
use super::{CookieKey, RefreshCookie};
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
    /// All that is in the store, in the order in which it was last set.
    order: Vec<Held>,
    /// How many cookies were set: the number of the next that is created.
    created: u64,
}

/// What is known of a cookie beside the store.
#[derive(Clone)]
struct Held {
    key: CookieKey,
    /// Its number among those that were created. A cookie that is set again keeps it (RFC 6265 §5.3).
    created: u64,
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
    /// says to ignore is ignored. `now` is the time by the sender's clock.
    pub fn honour(&self, line: &str, from: &Url, now: OffsetDateTime) {
        if let Some(cookies) = &mut *self.lock() {
            cookies.honour(line, from, now);
        }
    }

    /// `name=value` pairs to send to `url`: longer paths first, then older cookies (RFC 6265 §5.4). Servers
    /// take the first of a name.
    pub fn pairs(&self, url: &Url) -> Vec<(String, Zeroizing<String>)> {
        let jar = self.lock();
        let pair = |cookie: &Cookie<'_>| {
            let value = Zeroizing::new(cookie.value().to_owned());
            (cookie.name().to_owned(), value)
        };
        let url = &as_trusted(url);
        let Some(cookies) = &*jar else {
            return Vec::new();
        };
        let mut matching = cookies.store.matches(url);
        matching.sort_by_cached_key(|cookie| {
            let length = cookie.path.as_ref().len();
            (Reverse(length), cookies.created(&CookieKey::of(cookie)))
        });
        matching.into_iter().map(pair).collect()
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

    /// The value of the cookie of this name that the backend has set last. Its path does not count:
    /// scripts of a web page send it in a header to any address of the backend.
    pub(crate) fn value(&self, name: &str) -> Option<Secret> {
        let jar = self.lock();
        let cookies = jar.as_ref()?;
        let keys = cookies.order.iter().rev().map(|held| &held.key);
        let mut newest = keys.filter(|key| key.name == name);
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
    fn honour(&mut self, line: &str, from: &Url, now: OffsetDateTime) {
        let Some(cookie) = parse(line, from, now) else {
            return;
        };
        let key = CookieKey::of(&cookie);
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
        let Some(home) = kept.home() else {
            return;
        };
        if self.store.insert_raw(&kept.raw(), &home).is_ok() {
            self.newest(kept.key());
        }
    }

    /// Notes that the cookie of `key` was set just now, and makes room for it.
    fn newest(&mut self, key: CookieKey) {
        let created = self.created(&key).unwrap_or(self.created);
        self.created += 1;
        self.order.retain(|held| held.key != key);
        self.order.push(Held { key, created });
        while self.order.len() > MAX_COOKIES || self.size() > TOGETHER {
            let is_expired =
                |Held { key, .. }: &Held| !self.store.contains(&key.domain, &key.path, &key.name);
            // An expired cookie goes before the oldest.
            let at = self.order.iter().position(is_expired).unwrap_or(0);
            let key = self.order[at].key.clone();
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &CookieKey) {
        self.order.retain(|held| held.key != *key);
        self.store.remove(&key.domain, &key.path, &key.name);
    }

    /// The number of the cookie of this key among those that were created.
    fn created(&self, key: &CookieKey) -> Option<u64> {
        let found = self.order.iter().find(|held| held.key == *key);
        found.map(|held| held.created)
    }

    fn size(&self) -> usize {
        self.store.iter_any().map(size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn honour(jar: &Jar, line: &str, from: &Url) {
        jar.honour(line, from, OffsetDateTime::now_utc());
    }

    #[test]
    fn ordinary_cookies_are_set_sent_and_deleted() {
        let here = url("https://api.example.com/v1/login");
        let jar = Jar::default();
        honour(&jar, "a=1; Path=/v1", &here);
        honour(&jar, "b=2; Domain=example.com; Path=/", &here);
        honour(&jar, "c=3; Domain=evil.example", &here);
        let names = |jar: &Jar, at: &str| {
            let mut names: Vec<_> = jar.pairs(&url(at)).into_iter().map(|(n, _)| n).collect();
            names.sort();
            names
        };
        assert_eq!(names(&jar, "https://api.example.com/v1/me"), ["a", "b"]);
        assert_eq!(names(&jar, "https://api.example.com/v2"), ["b"]);
        honour(&jar, "a=; Path=/v1; Max-Age=1000", &here);
        honour(&jar, "b=x; Domain=example.com; Path=/; Max-Age=0", &here);
        assert!(names(&jar, "https://api.example.com/v1/me").is_empty());
    }

    #[test]
    fn longer_paths_are_sent_first_then_older_cookies() {
        let here = url("https://api.example.com/v1/login");
        let jar = Jar::default();
        for line in [
            "a=1; Path=/",
            "b=1; Path=/",
            "c=1; Path=/v1",
            "b=1; Path=/v1",
            "d=1; Domain=example.com; Path=/v1",
            "e=1; Path=/",
        ] {
            honour(&jar, line, &here);
        }
        let sent = || {
            let pairs = jar.pairs(&here).into_iter();
            let pairs = pairs.map(|(name, value)| format!("{name}{}", value.as_str()));
            pairs.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(sent(), "c1 b1 d1 a1 b1 e1");
        honour(&jar, "a=2; Path=/", &here);
        honour(&jar, "c=2; Path=/v1", &here);
        assert_eq!(
            sent(),
            "c2 b1 d1 a2 b1 e1",
            "set again, each keeps its place"
        );
        honour(&jar, "a=; Path=/; Max-Age=0", &here);
        honour(&jar, "a=3; Path=/", &here);
        assert_eq!(
            sent(),
            "c2 b1 d1 b1 e1 a3",
            "created anew, it is the youngest"
        );
    }

    #[test]
    fn the_jar_holds_the_newest_and_no_more_than_its_bounds() {
        let here = url("https://api.example.com/v1");
        let held = |jar: &Jar| jar.pairs(&here);
        let has = |jar: &Jar, wanted: &str| held(jar).iter().any(|(name, _)| name == wanted);
        let jar = Jar::default();
        honour(&jar, "session=1; Path=/", &here);
        for count in 0..MAX_COOKIES - 1 {
            honour(&jar, &format!("n{count}=1; Path=/"), &here);
        }
        assert!(has(&jar, "session"), "there is room for {MAX_COOKIES}");
        honour(&jar, "session=2; Path=/", &here);
        honour(&jar, "one-more=1; Path=/", &here);
        assert_eq!(held(&jar).len(), MAX_COOKIES);
        assert!(has(&jar, "session"), "set again, it is not the oldest");
        assert!(!has(&jar, "n0"), "which makes room");

        honour(&jar, "n5=x; Path=/; Max-Age=0", &here);
        honour(&jar, "room-again=1; Path=/", &here);
        assert!(has(&jar, "n1"), "what was deleted takes no place");

        let large = "x".repeat(LARGEST);
        honour(&jar, &format!("session={large}; Path=/"), &here);
        assert!(has(&jar, "session"), "what is too large is ignored");
        let large = "x".repeat(LARGEST - 10);
        for count in 0..5 {
            honour(&jar, &format!("l{count}={large}; Path=/"), &here);
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
        honour(&jar, "csrf=1; Path=/", &here);
        honour(&jar, "csrf=a%3D; Path=/v1", &here);
        honour(&jar, "other=3; Path=/", &here);
        assert_eq!(value("csrf").as_deref(), Some("a%3D"), "as it came");
        honour(&jar, "csrf=2; Path=/", &here);
        assert_eq!(value("csrf").as_deref(), Some("2"), "whatever its path");
        honour(&jar, "csrf=x; Path=/; Max-Age=0", &here);
        assert_eq!(value("csrf").as_deref(), Some("a%3D"), "one is left");
        jar.close();
        assert_eq!(value("csrf"), None);
    }

    #[test]
    fn a_closed_jar_gives_no_cookie_and_takes_none() {
        let here = url("https://api.example.com/v1");
        let jar = Jar::default();
        honour(&jar, "a=1; Path=/", &here);
        let (shared, copy) = (jar.clone(), jar.copy());
        jar.close();
        honour(&shared, "b=2; Path=/", &here);
        assert!(shared.pairs(&here).is_empty(), "a clone is the same jar");
        assert_eq!(copy.pairs(&here).len(), 1, "a copy is another");
        let begun = jar.copy();
        honour(&begun, "c=3; Path=/", &here);
        assert_eq!(
            begun.pairs(&here).len(),
            1,
            "a copy of a closed jar is open"
        );
    }
}
