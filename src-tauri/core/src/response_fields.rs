//! Reads the JSON of a backend's answers into our types, at the places that the profile names.
//! Total: no JSON makes it panic, and a value that is missing or of the wrong kind counts as
//! absent.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::beside_body::BesideBody;
use crate::json_value::{names_in, text_of};
use crate::jwt;
use crate::profile::{ApiToken, Fields, NamedValues, Place, Profile};
use crate::published::{Unpublished, shown};
use crate::secrets::Secret;
use crate::token::BodyToken;
use crate::token_expiry::token_lifetime;
use crate::user_object;
use crate::wire::User;

/// An access token, and what came with it. In memory only.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The access token, which a sign-out goes out with, or revokes. `None` if cookies alone carry the
    /// session.
    pub token: Option<Secret>,
    /// How long API calls can be made with it, counted from its receipt, if the backend says so.
    pub lifetime: Option<Duration>,
    /// What the backend calls the session, if the answer says it.
    pub session_id: Option<Secret>,
    /// The provider's ID token, where a person has signed in by the browser.
    pub id_token: Option<Secret>,
    /// Which of the two tokens API calls carry.
    pub carried: ApiToken,
}

impl AccessToken {
    /// What goes along with API calls as `$access_token`.
    pub fn bearer(&self) -> Option<&Secret> {
        match self.carried {
            ApiToken::AccessToken => self.token.as_ref(),
            ApiToken::IdToken => self.id_token.as_ref(),
        }
    }

    /// The tokens that nobody else may know.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.token.iter().chain(&self.id_token)
    }
}

/// An answer and how to read it.
pub struct ResponseFields<'a> {
    content: ResponseContent<'a>,
    beside: Option<&'a BesideBody>,
    profile: &'a Profile,
    fields: &'a Fields,
}

/// The body of an answer.
#[derive(Clone, Copy)]
pub(crate) enum ResponseContent<'a> {
    Json(&'a Value),
    /// A short text that is not JSON.
    Text(&'a str),
    Nothing,
}

/// What is at a place.
enum Found<'a> {
    Json(&'a Value),
    Text(&'a str),
    Claims(Value),
}

impl Found<'_> {
    fn text(&self) -> Option<String> {
        match self {
            Self::Json(value) => text_of(value),
            Self::Text(text) => Some((*text).to_owned()),
            Self::Claims(_) => None,
        }
    }

    fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            Self::Claims(claims) => Some(claims),
            Self::Text(_) => None,
        }
    }
}

impl<'a> ResponseFields<'a> {
    /// Reads `body` at the places in `fields`, one of the profile's answers.
    pub fn new(body: &'a Value, profile: &'a Profile, fields: &'a Fields) -> Self {
        Self::of(ResponseContent::Json(body), profile, fields)
    }

    pub(crate) fn of(
        content: ResponseContent<'a>,
        profile: &'a Profile,
        fields: &'a Fields,
    ) -> Self {
        Self {
            content,
            beside: None,
            profile,
            fields,
        }
    }

    /// The same with what the answer has beside its body.
    #[must_use]
    pub(crate) fn with(self, beside: &'a BesideBody) -> Self {
        Self {
            beside: Some(beside),
            ..self
        }
    }

    fn find(&self, place: &Place) -> Option<Found<'a>> {
        match place {
            Place::Json(pointer) => match self.content {
                ResponseContent::Json(body) => pointer.find(body).map(Found::Json),
                ResponseContent::Text(_) | ResponseContent::Nothing => None,
            },
            Place::Text => match self.content {
                ResponseContent::Text(text) => Some(text),
                // Some frameworks write a text as JSON, in quotes.
                ResponseContent::Json(body) => body.as_str(),
                ResponseContent::Nothing => None,
            }
            .map(|text| Found::Text(text.trim())),
            Place::Header(_) | Place::Cookie(_) | Place::Kept(_) => {
                let found = self.beside.and_then(|beside| beside.get(place));
                found.map(|value| Found::Text(value.secret()))
            }
            Place::Claims(of) => {
                let token = self.find(of)?.text()?;
                let claims = jwt::claims(Secret::new(token).secret())?;
                Some(Found::Claims(claims))
            }
        }
    }

    /// What is at the first of `places` at which there is something.
    fn first(&self, places: &[Place]) -> Option<Found<'a>> {
        places.iter().find_map(|place| self.find(place))
    }

    /// The texts of what a step keeps; the name of the first that is not there, otherwise.
    pub(crate) fn keep<'k>(
        &self,
        keep: &'k BTreeMap<String, Place>,
    ) -> Result<NamedValues, &'k str> {
        let kept = keep.iter().map(|(name, place)| -> Result<_, &'k str> {
            let text = self.find(place).and_then(|found| found.text());
            let text = text.filter(|text| !text.is_empty()).ok_or(name.as_str())?;
            Ok((name.clone(), Secret::new(text)))
        });
        kept.collect()
    }

    /// The user, if there is an object with an id.
    pub fn user(&self) -> Option<User> {
        let found = self.first(&self.fields.user)?;
        let user = user_object::user(found.json()?, &self.profile.user)?;
        self.kept().user(user)
    }

    /// What the step before the call has kept, which is never published.
    fn kept(&self) -> Unpublished {
        let kept = self.beside.map(BesideBody::kept);
        Unpublished::of(kept.into_iter().flat_map(NamedValues::values))
    }

    /// The access token, if the answer holds one. `now` is when the backend sent the answer, by the
    /// backend's clock.
    pub fn access_token(&self, now: SystemTime) -> Option<AccessToken> {
        let token = self.secret(&self.fields.access_token);
        if token.is_none() && !self.fields.access_token.is_empty() {
            return None;
        }
        let text = token.as_ref().map(Secret::secret);
        let lifetime = token_lifetime(&self.fields.expires, self.content(), text, now);
        Some(AccessToken {
            token,
            lifetime,
            session_id: self.session_id(),
            id_token: None,
            carried: ApiToken::AccessToken,
        })
    }

    /// What the backend calls the session.
    pub fn session_id(&self) -> Option<Secret> {
        self.secret(&self.fields.session_id)
    }

    /// The refresh token, if it came in the answer and is no refresh cookie.
    pub fn refresh_token(&self, now: SystemTime) -> Option<BodyToken> {
        let token = self.secret(&self.fields.refresh_token)?;
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
        let text = self.text(&self.profile.otp.email)?;
        self.kept().text(text)
    }

    /// The backend's own id of the challenge.
    pub fn challenge(&self) -> Option<Secret> {
        self.secret(&self.profile.otp.challenge)
    }

    /// The names of the methods by which a code may be given; `None` if the answer names none.
    pub fn methods(&self) -> Option<Vec<String>> {
        let otp = &self.profile.otp;
        let found = self.first(&otp.methods)?;
        let separator = otp.methods_separator.as_deref();
        let names_of = |item: &Value| names_in(item, separator, &otp.method_name);
        Some(match found.json() {
            Some(Value::Array(items)) => items.iter().flat_map(names_of).collect(),
            Some(one) => names_of(one),
            None => names_of(&Value::String(found.text()?)),
        })
    }

    /// The backend's error message for people, cut to a length that fits a screen.
    pub fn message(&self) -> Option<String> {
        let text = self.text(&self.profile.answer.message)?;
        let clean = shown(&self.kept().text(text)?, 300);
        (!clean.trim().is_empty()).then_some(clean)
    }

    /// The backend's error code for programs.
    pub fn code(&self) -> Option<String> {
        self.text(&self.profile.answer.code)
    }

    fn text(&self, places: &[Place]) -> Option<String> {
        self.first(places)?.text()
    }

    /// The JSON, or null if there is none.
    fn content(&self) -> &Value {
        match self.content {
            ResponseContent::Json(body) => body,
            ResponseContent::Text(_) | ResponseContent::Nothing => &Value::Null,
        }
    }

    fn secret(&self, places: &[Place]) -> Option<Secret> {
        let text = self.text(places).filter(|text| !text.is_empty());
        text.map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderMap;
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
                "access_token": ["/tokens/token", "header:Authorization"],
                "refresh_token": ["header:x-refresh"],
            }},
        }))
        .unwrap();
        let beside = |lines: &[(&'static str, &'static str)]| {
            let pairs = lines.iter().map(|(name, value)| {
                let value = reqwest::header::HeaderValue::from_static(value);
                (reqwest::header::HeaderName::from_static(name), value)
            });
            BesideBody::of(&pairs.collect(), &profile, |_| None)
        };
        let read = |content: ResponseContent<'_>, beside: &BesideBody| {
            let reply = ResponseFields::of(content, &profile, &profile.answer.login).with(beside);
            let now = SystemTime::now();
            let access = reply.access_token(now).and_then(|access| access.token);
            let refresh = reply.refresh_token(now).map(|refresh| refresh.token);
            [access, refresh].map(|token| token.map(|token| token.secret().to_owned()))
        };
        for value in ["Bearer a.b", "bearer  a.b", "a.b"] {
            let beside = beside(&[("authorization", value), ("x-refresh", "r")]);
            assert_eq!(
                read(ResponseContent::Nothing, &beside),
                [Some("a.b".into()), Some("r".into())],
                "{value}"
            );
            assert!(beside.holds("authorization") && !beside.holds("x-other"));
            let body = json!({"tokens": {"token": "first"}});
            let [access, _] = read(ResponseContent::Json(&body), &beside);
            assert_eq!(access.as_deref(), Some("first"), "the order counts");
        }
        let nothing = beside(&[("authorization", "Bearer ")]);
        assert_eq!(read(ResponseContent::Nothing, &nothing), [None, None]);
        let body = json!({"user": {"id": 1}});
        let reply = ResponseFields::new(&body, &profile, &profile.answer.login);
        assert!(
            reply.access_token(SystemTime::now()).is_none(),
            "it should be there"
        );
    }

    #[test]
    fn a_token_may_be_the_whole_text_and_a_user_its_claims() {
        let profile = Profile::from_json(json!({
            "answer": {"login": {"user": ["claims:text"], "access_token": ["text"]}},
            "user": {"id": ["/sub"], "email": ["/emails[primary=true]/value"]},
        }))
        .unwrap();
        let read = |content: ResponseContent<'_>| {
            let reply = ResponseFields::of(content, &profile, &profile.answer.login);
            let access = reply.access_token(SystemTime::now());
            let access = access.and_then(|access| access.token);
            (access.map(|token| token.secret().to_owned()), reply.user())
        };
        // {"sub":7,"emails":[{"value":"a@b.c","primary":true}]}
        let claims = "eyJzdWIiOjcsImVtYWlscyI6W3sidmFsdWUiOiJhQGIuYyIsInByaW1hcnkiOnRydWV9XX0";
        let token = format!("e30.{claims}.c2ln");
        let quoted = json!(token);
        for content in [
            ResponseContent::Text(&format!("{token}\n")),
            ResponseContent::Json(&quoted),
        ] {
            let (access, user) = read(content);
            assert_eq!(access.as_ref(), Some(&token));
            let user = user.expect("somebody");
            assert_eq!((user.id.as_str(), user.email.as_str()), ("7", "a@b.c"));
        }
        for (text, access) in [
            ("1|abc", Some("1|abc")),
            ("a.b.c", Some("a.b.c")),
            ("", None),
        ] {
            let (found, user) = read(ResponseContent::Text(text));
            assert_eq!(found.as_deref(), access);
            assert_eq!(user, None, "{text}");
        }
        assert_eq!(
            read(ResponseContent::Json(&json!({"text": 1}))),
            (None, None)
        );
        assert_eq!(read(ResponseContent::Nothing), (None, None));
    }

    #[test]
    fn what_a_step_keeps_is_found_and_never_shown() {
        let profile = Profile::from_json(json!({
            "endpoints": {"login": {"before": {
                "path": "/flow", "keep": {"flow": "/id", "csrf": "header:x-csrf"},
            }}},
            "answer": {"login": {"user": [""]}},
        }))
        .unwrap();
        let login = profile.endpoints.login.get().unwrap();
        let keep = &login.before.get().unwrap().keep;
        let mut headers = HeaderMap::new();
        headers.insert("x-csrf", "c-1".parse().unwrap());
        let mut beside = BesideBody::of(&headers, &profile, |_| None);
        let body = json!({"id": "flow-of-this-sign-in"});
        let of = |body: &Value, beside: &BesideBody| {
            let reply = ResponseFields::new(body, &profile, &profile.answer.login).with(beside);
            reply.keep(keep).map_err(str::to_owned)
        };
        let kept = of(&body, &beside).expect("both");
        assert_eq!(
            kept.get("flow").map(Secret::secret),
            Some("flow-of-this-sign-in")
        );
        assert_eq!(kept.get("csrf").map(Secret::secret), Some("c-1"));
        assert_eq!(
            of(&json!({"id": {}}), &beside).err().as_deref(),
            Some("flow")
        );
        assert_eq!(
            of(&json!({}), &BesideBody::default()).err().as_deref(),
            Some("csrf")
        );

        beside.set_kept(kept);
        let read = |body: &Value| {
            let reply = ResponseFields::new(body, &profile, &profile.answer.login).with(&beside);
            (
                reply.user().map(|user| (user.id, user.name)),
                reply.message(),
            )
        };
        let shown = read(&json!({"id": "flow-of-this-sign-in", "message": "flow-of-this-sign-in"}));
        assert_eq!(shown, (None, None));
        let (user, message) = read(&json!({
            "id": "7", "name": "c-1", "email": "a@b.c", "message": "see flow-of-this-sign-in",
        }));
        assert_eq!(user, Some(("7".into(), "a@b.c".into())));
        assert_eq!(message, None);
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
                let profile = Profile::from_json(shipped.example()).unwrap();
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
