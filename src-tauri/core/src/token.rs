//! What renews a session: the backend's refresh cookies, a token that came in a body, or both; or the
//! refresh token of a provider, where a person has signed in by the browser. This is what the keyring
//! keeps.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;
use zeroize::Zeroizing;

use crate::cookies::{RefreshChange, RefreshCookie};
use crate::secrets::Secret;

/// A refresh token that is sent in bodies or headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyToken {
    /// The token as it is sent.
    pub token: Secret,
    /// When it expires, in seconds since the epoch, if the backend says so.
    pub expires: Option<i64>,
}

/// The refresh token of a provider (RFC 6749 §1.5). It goes to the origin of the token endpoint that has
/// issued it, and at its end to where that provider took tokens back when it issued this one. It goes to no
/// other origin, whatever the profile or the provider's discovery says later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderToken {
    /// The token as it is sent.
    #[serde(serialize_with = "write_secret")]
    pub token: Secret,
    /// The token endpoint that has issued it.
    pub endpoint: Url,
    /// The origins beside that of the token endpoint at which it may be revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocation_origins: Vec<String>,
    /// When it expires, in seconds since the epoch, if the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

impl ProviderToken {
    /// Whether it may go to this address to be revoked.
    pub fn may_be_revoked_at(&self, address: &Url) -> bool {
        let origin = address.origin();
        let named = origin.ascii_serialization();
        origin == self.endpoint.origin() || self.revocation_origins.contains(&named)
    }
}

fn write_secret<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.secret())
}

/// What a refresh sends and what the keyring keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefreshToken {
    cookies: Vec<RefreshCookie>,
    body: Option<BodyToken>,
    provider: Option<Box<ProviderToken>>,
}

impl RefreshToken {
    /// Applies the changes that an answer's headers make to the cookies.
    pub fn apply(&mut self, changes: Vec<RefreshChange>) {
        for change in changes {
            match change {
                RefreshChange::Set(cookie) => {
                    let key = cookie.key();
                    // In its old place: a cookie that is set again keeps its creation time (RFC
                    // 6265 §5.3).
                    match self.cookies.iter_mut().find(|held| held.key() == key) {
                        Some(held) => *held = cookie,
                        None => self.cookies.push(cookie),
                    }
                }
                RefreshChange::Delete(key) => self.cookies.retain(|held| held.key() != key),
            }
        }
    }

    /// Takes over the token of an answer's body; `None` keeps the current one.
    pub fn apply_body(&mut self, token: Option<BodyToken>) {
        if let Some(token) = token {
            self.body = Some(token);
        }
    }

    /// What a provider has given out: nothing else renews the session.
    pub fn of_provider(token: ProviderToken) -> Self {
        Self {
            provider: Some(Box::new(token)),
            ..Self::default()
        }
    }

    /// The provider's token, if a provider renews the session.
    pub fn provider(&self) -> Option<&ProviderToken> {
        self.provider.as_deref()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty() && self.body.is_none() && self.provider.is_none()
    }

    /// The cookies that are sent to `url`: longer paths first, then older ones (RFC 6265 §5.4).
    pub fn pairs(&self, url: &Url) -> Vec<(String, Zeroizing<String>)> {
        let goes = |cookie: &&RefreshCookie| cookie.goes_to(url);
        let mut cookies: Vec<_> = self.cookies.iter().filter(goes).collect();
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path().len()));
        cookies.into_iter().map(RefreshCookie::pair).collect()
    }

    /// The value of the cookie of this name.
    pub(crate) fn cookie(&self, name: &str) -> Option<Secret> {
        let found = self
            .cookies
            .iter()
            .rev()
            .find(|cookie| cookie.name() == name)?;
        Some(Secret::new(found.pair().1.as_str()))
    }

    /// The token that is sent in bodies or headers.
    pub fn body(&self) -> Option<&Secret> {
        self.body.as_ref().map(|body| &body.token)
    }

    /// Each text in it that nobody else may know.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        let cookies = self.cookies.iter().map(RefreshCookie::pair);
        let cookies = cookies.map(|(_, value)| Secret::new(value.as_str()));
        let provider = self.provider.iter().map(|held| held.token.clone());
        cookies.chain(self.body().cloned()).chain(provider)
    }

    /// When the first of its parts expires, if any is known to.
    pub fn expires(&self) -> Option<OffsetDateTime> {
        let provider = self.provider.as_ref().and_then(|held| held.expires);
        let body = self.body.as_ref().and_then(|body| body.expires);
        let body = body.or(provider);
        let body = body.and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok());
        let cookies = self.cookies.iter().filter_map(RefreshCookie::expires);
        cookies.chain(body).min()
    }

    /// Whether the backend cannot tell `other` from it. Expiry times are not compared.
    pub fn is_same(&self, other: &Self) -> bool {
        self.fingerprint_bytes() == other.fingerprint_bytes()
    }

    /// Names and values, as the input of a hash.
    pub fn fingerprint_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        for cookie in &self.cookies {
            let (name, value) = cookie.pair();
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(b'=');
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(b';');
        }
        if let Some(body) = self.body() {
            bytes.extend_from_slice(body.secret().as_bytes());
        }
        if let Some(held) = &self.provider {
            bytes.extend_from_slice(held.token.secret().as_bytes());
        }
        bytes
    }
}

const COOKIES: &str = "cookies";
const BODY: &str = "body";
const EXPIRES: &str = "expires";
const PROVIDER: &str = "provider";

/// A list of cookies if there is nothing else, as before bodies could carry a token.
impl Serialize for RefreshToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.body.is_none() && self.provider.is_none() {
            return self.cookies.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        if let Some(body) = &self.body {
            map.serialize_entry(COOKIES, &self.cookies)?;
            map.serialize_entry(BODY, body.token.secret())?;
            map.serialize_entry(EXPIRES, &body.expires)?;
        }
        if let Some(held) = &self.provider {
            map.serialize_entry(PROVIDER, held)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RefreshToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not an untagged enum, because serde would buffer the secret in memory that is not wiped.
        deserializer.deserialize_any(CookiesOrWhole)
    }
}

struct CookiesOrWhole;

impl<'de> Visitor<'de> for CookiesOrWhole {
    type Value = RefreshToken;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a refresh token")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RefreshToken, A::Error> {
        let mut cookies = Vec::new();
        while let Some(cookie) = items.next_element()? {
            cookies.push(cookie);
        }
        Ok(RefreshToken {
            cookies,
            ..RefreshToken::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<RefreshToken, A::Error> {
        let (mut cookies, mut token, mut expires, mut provider) = (None, None, None, None);
        while let Some(key) = members.next_key::<String>()? {
            match key.as_str() {
                COOKIES => cookies = Some(members.next_value()?),
                BODY => token = Some(members.next_value()?),
                EXPIRES => expires = members.next_value()?,
                PROVIDER => provider = Some(members.next_value()?),
                _ => return Err(de::Error::custom("an unknown member")),
            }
        }
        let body = token.map(|token| BodyToken { token, expires });
        if body.is_none() && provider.is_none() {
            return Err(de::Error::missing_field(BODY));
        }
        Ok(RefreshToken {
            cookies: cookies.unwrap_or_default(),
            body,
            provider,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> RefreshChange {
        let here = Url::parse("https://api.example.com/login").unwrap();
        let names = ["t".to_owned()];
        RefreshCookie::from_line("t=c-1; Path=/", &here, &names, OffsetDateTime::UNIX_EPOCH)
            .unwrap()
    }

    fn body() -> BodyToken {
        BodyToken {
            token: Secret::new("b-1"),
            expires: Some(2_000_000_000),
        }
    }

    #[test]
    fn tokens_of_one_second_are_the_same_whenever_they_end() {
        let ends_at = |end| BodyToken {
            expires: Some(end),
            ..body()
        };
        let of = |body| {
            let mut token = RefreshToken::default();
            token.apply_body(Some(body));
            token
        };
        assert!(of(ends_at(1)).is_same(&of(ends_at(2))));
        let mut other = of(ends_at(1));
        other.apply(vec![cookie()]);
        assert!(!other.is_same(&of(ends_at(1))));
    }

    #[test]
    fn a_providers_token_comes_back_and_is_nothing_else() {
        let held = ProviderToken {
            token: Secret::new("p-1"),
            endpoint: Url::parse("https://identity.example/token?p=1").unwrap(),
            revocation_origins: vec!["https://revoke.example".into()],
            expires: Some(2_000_000_000),
        };
        let token = RefreshToken::of_provider(held.clone());
        assert!(!token.is_empty());
        assert_eq!(token.body(), None, "no template sends it to the backend");
        let here = Url::parse("https://identity.example/token").unwrap();
        assert!(token.pairs(&here).is_empty(), "nor a cookie");
        assert_eq!(token.secrets().collect::<Vec<_>>(), [Secret::new("p-1")]);
        assert_eq!(token.expires().unwrap().unix_timestamp(), 2_000_000_000);
        let bytes = serde_json::to_vec(&token).unwrap();
        let read: RefreshToken = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read.provider(), Some(&held));
        assert!(read.is_same(&token) && !format!("{read:?}").contains("p-1"));
        for bad in [r"{}", r#"{"provider":{}}"#, r#"{"provider":{"token":"a"}}"#] {
            assert!(serde_json::from_str::<RefreshToken>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_comes_back_from_the_keyring_whatever_it_consists_of() {
        let mut token = RefreshToken::default();
        assert!(token.is_empty());
        for step in 0..2 {
            if step == 0 {
                token.apply(vec![cookie()]);
            } else {
                token.apply_body(Some(body()));
            }
            let bytes = serde_json::to_vec(&token).unwrap();
            let read: RefreshToken = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(read, token);
            assert_eq!(read.fingerprint_bytes(), token.fingerprint_bytes());
            let is_list = bytes.starts_with(b"[");
            assert_eq!(is_list, step == 0, "cookies alone are a list, as they were");
        }
        assert_eq!(token.expires().unwrap().unix_timestamp(), 2_000_000_000);
        let here = Url::parse("https://api.example.com/login").unwrap();
        let names = ["t".to_owned()];
        let now = OffsetDateTime::UNIX_EPOCH;
        let gone = RefreshCookie::from_line("t=; Path=/auth; Max-Age=0", &here, &names, now);
        token.apply(gone.into_iter().collect());
        assert_eq!(token.pairs(&here).len(), 1, "another cookie of that name");
        let gone = RefreshCookie::from_line("t=; Path=/; Max-Age=0", &here, &names, now);
        token.apply(gone.into_iter().collect());
        assert!(token.pairs(&here).is_empty());
        token.apply_body(None);
        assert_eq!(
            token.body(),
            Some(&Secret::new("b-1")),
            "none keeps the old"
        );
        assert!(!token.is_empty());
        assert!(!format!("{token:?}").contains("b-1"));
    }
}
