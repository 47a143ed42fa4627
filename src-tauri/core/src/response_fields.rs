//! Reads the JSON of a backend's answers into our types, at the places that the profile names.
//! Total: no JSON makes it panic, and a value that is missing or of the wrong kind counts as
//! absent.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::moment;
use crate::profile::{Fields, HeaderKey, Pointer, Profile, UserFields, ValueOrFalse, first};
use crate::secrets::Secret;
use crate::token::BodyToken;
use crate::token_expiry::token_lifetime;
use crate::wire::User;

/// An access token and how long it is valid.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Sent with API calls, and kept in memory only. `None` if cookies alone carry the session.
    pub token: Option<Secret>,
    /// How long it is valid, counted from its receipt, if the backend says so.
    pub lifetime: Option<Duration>,
    /// What the backend calls the session, if the answer says it.
    pub session_id: Option<Secret>,
}

/// Tokens that came in the headers of an answer, in those that the profile names.
#[derive(Clone, Default)]
pub struct HeaderTokens(Vec<(HeaderKey, Secret)>);

impl HeaderTokens {
    /// Finds them in `headers`, with or without `Bearer` before them.
    pub fn of(headers: &HeaderMap, profile: &Profile) -> Self {
        let answer = &profile.answer;
        let fields = [&answer.login, &answer.refresh, &answer.me];
        let names = fields.into_iter().flat_map(|fields| {
            let (access, refresh) = (&fields.access_token_header, &fields.refresh_token_header);
            access.get().into_iter().chain(refresh.get())
        });
        let mut header_tokens = Vec::new();
        for name in names {
            let value = headers
                .get(name.as_str())
                .and_then(|value| value.to_str().ok());
            let token = value.map(|value| without_scheme(value).trim());
            if let Some(token) = token.filter(|token| !token.is_empty()) {
                header_tokens.push((name.clone(), Secret::new(token)));
            }
        }
        Self(header_tokens)
    }

    /// Whether the header `name` had one.
    pub fn holds(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.as_str() == name)
    }

    fn get(&self, name: &ValueOrFalse<HeaderKey>) -> Option<Secret> {
        let name = name.get()?;
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, token)| token.clone())
    }
}

fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        _ => value,
    }
}

/// An answer and how to read it.
pub struct ResponseFields<'a> {
    /// `None` if the answer has no body.
    body: Option<&'a Value>,
    header_tokens: Option<&'a HeaderTokens>,
    profile: &'a Profile,
    fields: &'a Fields,
}

impl<'a> ResponseFields<'a> {
    /// Reads `body` at the places in `fields`, one of the profile's answers.
    pub fn new(body: &'a Value, profile: &'a Profile, fields: &'a Fields) -> Self {
        Self {
            body: Some(body),
            header_tokens: None,
            profile,
            fields,
        }
    }

    /// Reads an answer without a body.
    pub fn of_nothing(profile: &'a Profile, fields: &'a Fields) -> Self {
        Self {
            body: None,
            header_tokens: None,
            profile,
            fields,
        }
    }

    /// The same with tokens that came in headers.
    #[must_use]
    pub fn with(self, header_tokens: &'a HeaderTokens) -> Self {
        Self {
            header_tokens: Some(header_tokens),
            ..self
        }
    }

    /// The user, if there is an object with an id.
    pub fn user(&self) -> Option<User> {
        let user = first(&self.fields.user, self.body?)?;
        user.as_object()?;
        let fields = &self.profile.user;
        let text = |pointers: &[Pointer]| first(pointers, user).and_then(text_of);
        let id = text(&fields.id).filter(|id| !id.is_empty())?;
        let email = text(&fields.email).unwrap_or_default();
        let is_some = |name: &String| !name.trim().is_empty();
        let name = text(&fields.name)
            .filter(is_some)
            .or_else(|| Some(put_together(&fields.name_parts, user)).filter(is_some))
            .unwrap_or_else(|| email.clone());
        let roles = match first(&fields.roles, user) {
            Some(Value::Array(roles)) => roles
                .iter()
                .flat_map(|role| roles_of(role, fields))
                .collect(),
            Some(role) => roles_of(role, fields),
            None => Vec::new(),
        };
        Some(User {
            id,
            name,
            email,
            email_verified: first(&fields.email_verified, user).is_some_and(is_verified),
            image: text(&fields.image),
            roles,
        })
    }

    /// The access token, if the answer holds one. `now` is when the backend sent the answer, by the
    /// backend's clock.
    pub fn access_token(&self, now: SystemTime) -> Option<AccessToken> {
        let token = self.secret(&self.fields.access_token);
        let token = token.or_else(|| self.header_tokens?.get(&self.fields.access_token_header));
        if token.is_none() && self.fields.has_access_token() {
            return None;
        }
        let text = token.as_ref().map(Secret::secret);
        let lifetime = token_lifetime(&self.fields.expires, self.content(), text, now);
        Some(AccessToken {
            token,
            lifetime,
            session_id: self.session_id(),
        })
    }

    /// What the backend calls the session.
    pub fn session_id(&self) -> Option<Secret> {
        self.secret(&self.fields.session_id)
    }

    /// The refresh token, if it came in the body or in a header.
    pub fn refresh_token(&self, now: SystemTime) -> Option<BodyToken> {
        let token = self.secret(&self.fields.refresh_token);
        let token = token.or_else(|| self.header_tokens?.get(&self.fields.refresh_token_header))?;
        let text = Some(token.secret());
        let lifetime = token_lifetime(&self.fields.refresh_expires, self.content(), text, now);
        let end = lifetime.and_then(|lifetime| now.checked_add(lifetime));
        let end = end.and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
        Some(BodyToken {
            token,
            expires: end.and_then(|end| i64::try_from(end.as_secs()).ok()),
        })
    }

    /// Where the one-time code was sent.
    pub fn otp_email(&self) -> Option<String> {
        self.text(&self.profile.otp.email)
    }

    /// The backend's own id of the challenge.
    pub fn challenge(&self) -> Option<Secret> {
        self.secret(&self.profile.otp.challenge)
    }

    /// The names of the methods by which a code may be given; `None` if the answer names none.
    pub fn methods(&self) -> Option<Vec<String>> {
        let otp = &self.profile.otp;
        let found = first(&otp.methods, self.body?)?;
        let separator = otp.methods_separator.as_deref();
        let names_of = |item| names_in(item, separator, &otp.method_name);
        Some(match found {
            Value::Array(items) => items.iter().flat_map(names_of).collect(),
            one => names_of(one),
        })
    }

    /// The backend's error message for people, cut to a length that fits a screen.
    pub fn message(&self) -> Option<String> {
        let text = self.text(&self.profile.answer.message)?;
        let clean = shown(&text, 300);
        (!clean.trim().is_empty()).then_some(clean)
    }

    /// The backend's error code for programs.
    pub fn code(&self) -> Option<String> {
        self.text(&self.profile.answer.code)
    }

    fn text(&self, pointers: &[Pointer]) -> Option<String> {
        first(pointers, self.body?).and_then(text_of)
    }

    /// The body, or null if there is none.
    fn content(&self) -> &Value {
        self.body.unwrap_or(&Value::Null)
    }

    fn secret(&self, pointers: &[Pointer]) -> Option<Secret> {
        let text = self.text(pointers).filter(|text| !text.is_empty());
        text.map(Secret::new)
    }
}

/// Numbers are converted to text, because some backends number their users.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text of the backend as a person may see it: without control characters, and cut to `length`.
pub(crate) fn shown(text: &str, length: usize) -> String {
    let visible = text.chars().filter(|c| !c.is_control());
    visible.take(length).collect()
}

/// The role names in one value.
fn roles_of(role: &Value, fields: &UserFields) -> Vec<String> {
    names_in(role, fields.roles_separator.as_deref(), &fields.role_name)
}

/// The names in one value: a text may have several, and a table has one at a place of its own.
fn names_in(value: &Value, separator: Option<&str>, name: &[Pointer]) -> Vec<String> {
    let named = match value {
        Value::Object(_) => first(name, value),
        other => Some(other),
    };
    let text = named.and_then(text_of);
    match (text, separator) {
        (Some(text), Some(separator)) => {
            let names = text.split(separator).map(str::trim);
            names
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        }
        (text, _) => text.into_iter().collect(),
    }
}

fn put_together(parts: &[Pointer], user: &Value) -> String {
    let found = parts.iter().filter_map(|part| text_of(part.find(user)?));
    let found: Vec<_> = found.filter(|part| !part.trim().is_empty()).collect();
    found.join(" ")
}

/// Whether the value is true, or the time of the verification.
fn is_verified(value: &Value) -> bool {
    is_true(value) || value.as_str().and_then(moment::parse).is_some()
}

/// Whether the value is true, in a form that some backend or database has.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::String(text) => {
            let word = text.trim().to_ascii_lowercase();
            matches!(word.as_str(), "true" | "1" | "yes" | "t" | "y")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::profile::Facts;

    #[test]
    fn reads_the_contracts_success() {
        let profile = Profile::default();
        let body = json!({
            "user": {"id": 7, "name": "", "email": "a@b.c", "role": "admin", "password": "no"},
            "tokens": {"token": "t", "expires": "2000-01-01T00:00:00Z", "expiresIn": 900},
        });
        let reply = ResponseFields::new(&body, &profile, &profile.answer.login);
        let user = reply.user().unwrap();
        assert_eq!((user.id.as_str(), user.name.as_str()), ("7", "a@b.c"));
        assert_eq!(user.roles, ["admin"]);
        let access = reply.access_token(SystemTime::now()).unwrap();
        assert_eq!(
            access.lifetime,
            Some(Duration::from_secs(900)),
            "expiresIn counts"
        );
        assert_eq!(reply.refresh_token(SystemTime::now()), None, "a cookie");
    }

    #[test]
    fn a_token_may_come_in_a_header() {
        let profile = Profile::from_json(json!({
            "cookies": {"refresh": []},
            "endpoints": {"refresh": {"body": {"token": "$refresh_token"}}},
            "answer": {"login": {
                "access_token": [], "access_token_header": "Authorization",
                "refresh_token_header": "x-refresh",
            }},
        }))
        .unwrap();
        let header_tokens = |lines: &[(&'static str, &'static str)]| {
            let pairs = lines.iter().map(|(name, value)| {
                let value = reqwest::header::HeaderValue::from_static(value);
                (reqwest::header::HeaderName::from_static(name), value)
            });
            HeaderTokens::of(&pairs.collect(), &profile)
        };
        let read = |header_tokens: &HeaderTokens| {
            let reply =
                ResponseFields::of_nothing(&profile, &profile.answer.login).with(header_tokens);
            let now = SystemTime::now();
            let access = reply.access_token(now).and_then(|access| access.token);
            let refresh = reply.refresh_token(now).map(|refresh| refresh.token);
            [access, refresh].map(|token| token.map(|token| token.secret().to_owned()))
        };
        for value in ["Bearer a.b", "bearer  a.b", "a.b"] {
            let header_tokens = header_tokens(&[("authorization", value), ("x-refresh", "r")]);
            assert_eq!(
                read(&header_tokens),
                [Some("a.b".into()), Some("r".into())],
                "{value}"
            );
            assert!(header_tokens.holds("authorization") && !header_tokens.holds("x-other"));
        }
        assert_eq!(
            read(&header_tokens(&[("authorization", "Bearer ")])),
            [None, None]
        );
        let body = json!({"user": {"id": 1}});
        let reply = ResponseFields::new(&body, &profile, &profile.answer.login);
        assert!(
            reply.access_token(SystemTime::now()).is_none(),
            "it should be there"
        );
    }

    #[test]
    fn an_absolute_end_is_the_fallback() {
        let profile = Profile::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let lifetime = |body: Value| {
            let reply = ResponseFields::new(&body, &profile, &profile.answer.refresh);
            reply.access_token(now).unwrap().lifetime
        };
        let body = json!({"tokens": {"token": "t", "expires": "2001-09-09T01:47:40.000Z"}});
        assert_eq!(lifetime(body), Some(Duration::from_secs(60)));
        let past = json!({"tokens": {"token": "t", "expires": "1999-01-01T00:00:00Z"}});
        assert_eq!(lifetime(past), None);
    }

    #[test]
    fn a_name_is_put_together_and_a_verification_may_be_a_date() {
        let profile = Profile::from_json(json!({
            "answer": {"login": {"user": [""]}},
            "user": {
                "name": ["/name"],
                "name_parts": ["/first", "/middle", "/last"],
                "email_verified": ["/confirmed_at"],
            },
        }))
        .unwrap();
        let user = |body: Value| ResponseFields::new(&body, &profile, &profile.answer.login).user();
        let both = user(json!({"id": "u", "first": "Ada", "middle": null, "last": "L."})).unwrap();
        assert_eq!(both.name, "Ada L.");
        assert!(!both.email_verified);
        let named = user(json!({
            "id": "u", "name": "Countess", "first": "Ada", "confirmed_at": "2026-11-23T05:37:20Z",
        }))
        .unwrap();
        assert_eq!(named.name, "Countess");
        assert!(named.email_verified);
        for (confirmed, is_verified) in [
            (json!(1), true),
            (json!("true"), true),
            (json!("2026-11-23 05:37:20"), true),
            (json!(1_795_411_840), true),
            (json!(0), false),
            (json!("false"), false),
            (json!(""), false),
            (json!({}), false),
        ] {
            let shown = user(json!({"id": "u", "confirmed_at": confirmed})).unwrap();
            assert_eq!(shown.email_verified, is_verified, "{confirmed}");
        }
        assert_eq!(user(json!({"first": "Ada"})), None, "no id, no user");
        assert_eq!(user(json!(null)), None);
    }

    #[test]
    fn methods_are_found_in_lists_texts_and_tables() {
        let methods = |more: Value, body: Value| {
            let mut otp = json!({"methods": ["/mfa/methods", "/methods"]});
            otp.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let profile = Profile::from_json(json!({"otp": otp})).unwrap();
            ResponseFields::new(&body, &profile, &profile.answer.login).methods()
        };
        let found = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let plain = || json!({});
        assert_eq!(
            methods(plain(), json!({"methods": ["totp", "otp"]})),
            found(&["totp", "otp"])
        );
        assert_eq!(
            methods(plain(), json!({"mfa": {"methods": "totp"}})),
            found(&["totp"])
        );
        assert_eq!(
            methods(
                json!({"methods_separator": " "}),
                json!({"methods": "totp  sms"})
            ),
            found(&["totp", "sms"])
        );
        let tables = json!({"methods": [{"id": 1, "type": "totp"}, {"kind": "sms"}, {"id": 2}]});
        assert_eq!(
            methods(json!({"method_name": ["/type", "/kind"]}), tables),
            found(&["totp", "sms"])
        );
        assert_eq!(methods(plain(), json!({"methods": []})), found(&[]));
        for silent in [json!({}), json!({"methods": null}), json!([])] {
            assert_eq!(methods(plain(), silent), None, "it names none");
        }
    }

    #[test]
    fn roles_are_found_in_texts_and_in_tables() {
        let roles = |user: Value, more: Value| {
            let mut fields = json!({"roles": ["/roles", "/role"]});
            fields
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let profile = Profile::from_json(json!({
                "answer": {"login": {"user": [""]}}, "user": fields,
            }))
            .unwrap();
            let body = json!({"id": 1, "roles": user});
            let reply = ResponseFields::new(&body, &profile, &profile.answer.login);
            reply.user().unwrap().roles
        };
        let comma = || json!({"roles_separator": ","});
        assert_eq!(roles(json!("user, admin,"), comma()), ["user", "admin"]);
        assert_eq!(
            roles(json!(["user,admin", "clerk"]), comma()),
            ["user", "admin", "clerk"]
        );
        assert_eq!(
            roles(json!("admin  user"), json!({"roles_separator": " "})),
            ["admin", "user"]
        );
        assert_eq!(roles(json!("user,admin"), json!({})), ["user,admin"]);
        let names = || json!({"role_name": ["/slug", "/name"]});
        let tables =
            json!([{"id": 1, "name": "admin"}, {"slug": "clerk", "name": "Clerk"}, {}, "user"]);
        assert_eq!(roles(tables, names()), ["admin", "clerk", "user"]);
        assert_eq!(
            roles(json!({"name": "admin"}), names()),
            ["admin"],
            "one table"
        );
        assert!(roles(json!([{"name": "admin"}]), json!({})).is_empty());
        assert_eq!(roles(json!([7, null, true]), json!({})), ["7"]);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>().prop_map(|n| json!(n)),
            any::<i64>().prop_map(|n| json!(n)),
            ".*".prop_map(Value::String),
        ];
        let key = prop::sample::select(
            &[
                "user",
                "tokens",
                "token",
                "access",
                "refresh",
                "access_token",
                "refresh_token",
                "expiresIn",
                "expires",
                "session",
                "expiresAt",
                "data",
                "id",
                "roles",
                "message",
                "code",
                "errors",
                "extensions",
                "otpRequired",
                "twoFactorRedirect",
                "0",
                "",
            ][..],
        )
        .prop_map(str::to_owned);
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_any_shipped_profile_panic(body in any_json(), status in 100..600_u16) {
            for shipped in crate::profile::SHIPPED {
                let extends = json!({
                    "extends": shipped.name, "backend": "https://a.example",
                });
                let profile = Profile::from_json(extends).unwrap();
                for fields in [&profile.answer.login, &profile.answer.refresh, &profile.answer.me] {
                    let reply = ResponseFields::new(&body, &profile, fields);
                    let now = SystemTime::now();
                    let _ = (reply.user(), reply.access_token(now), reply.refresh_token(now));
                    let _ = (reply.otp_email(), reply.challenge(), reply.message());
                    let _ = profile.offered_methods(reply.methods().as_deref());
                    let code = reply.code();
                    let facts = Facts {
                        status,
                        code: code.as_deref(),
                        body: Some(&body),
                        empty: false,
                        text: None,
                        headers: None,
                    };
                    let _ = profile.ends.iter().any(|rule| rule.holds(&facts));
                    let _ = profile.otp.wanted.iter().any(|rule| rule.holds(&facts));
                }
            }
        }
    }
}
