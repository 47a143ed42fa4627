//! Backend JSON, read into our types by the profile's pointers. Total: no JSON makes it
//! panic, and what is missing or of the wrong kind is simply not there.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::profile::Answer;
use crate::secrets::Secret;
use crate::wire::User;

/// An access token and how long it lives from now.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Goes out as the bearer of API calls; memory only.
    pub token: Secret,
    /// Its life, counted from receipt, where the backend says.
    pub life: Option<Duration>,
}

/// A JSON body and how to read it.
pub struct Reply<'a> {
    body: &'a Value,
    answer: &'a Answer,
}

impl<'a> Reply<'a> {
    /// Reads `body` by `answer`.
    pub fn new(body: &'a Value, answer: &'a Answer) -> Self {
        Self { body, answer }
    }

    /// The user, if there is an object with an id.
    pub fn user(&self) -> Option<User> {
        let user = self.find(&self.answer.user)?.as_object()?;
        let text = |key: &str| user.get(key).and_then(text_of);
        let id = ["id", "_id", "uid"].into_iter().find_map(text)?;
        let email = text("email").unwrap_or_default();
        let name = ["name", "displayName", "username"]
            .into_iter()
            .find_map(text)
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| email.clone());
        let roles = match user.get("roles").or_else(|| user.get("role")) {
            Some(Value::Array(roles)) => roles.iter().filter_map(text_of).collect(),
            Some(Value::String(role)) => vec![role.clone()],
            _ => Vec::new(),
        };
        Some(User {
            id,
            name,
            email,
            email_verified: user
                .get("emailVerified")
                .or_else(|| user.get("isEmailVerified"))
                .and_then(Value::as_bool)
                .unwrap_or(false),
            image: text("image").or_else(|| text("avatar")),
            roles,
        })
    }

    /// The access token. `expiresIn` counts before `expires`: clocks are wrong.
    pub fn access_token(&self, now: SystemTime) -> Option<AccessToken> {
        let token = self.text(&self.answer.access_token)?;
        if token.is_empty() {
            return None;
        }
        let life = self
            .find(&self.answer.expires_in)
            .and_then(seconds)
            .or_else(|| self.remaining(now));
        Some(AccessToken {
            token: Secret::new(token),
            life,
        })
    }

    fn remaining(&self, now: SystemTime) -> Option<Duration> {
        let text = self.text(&self.answer.expires)?;
        let end = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
        // An end in the past may be a wrong clock on either side: no life is known then.
        Duration::try_from(end - OffsetDateTime::from(now)).ok()
    }

    /// Whether a code is wanted.
    pub fn otp_required(&self) -> bool {
        self.find(&self.answer.otp_required) == Some(&Value::Bool(true))
    }

    /// Where the code went.
    pub fn otp_email(&self) -> Option<String> {
        self.text(&self.answer.otp_email)
    }

    /// The backend's error for people, cut to a length that fits a screen.
    pub fn message(&self) -> Option<String> {
        let text = self.text(&self.answer.message)?;
        let clean: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
        (!clean.trim().is_empty()).then_some(clean)
    }

    /// The backend's error for programs.
    pub fn code(&self) -> Option<String> {
        self.text(&self.answer.code)
    }

    fn find(&self, pointers: &[String]) -> Option<&'a Value> {
        pointers
            .iter()
            .find_map(|pointer| self.body.pointer(pointer))
            .filter(|value| !value.is_null())
    }

    fn text(&self, pointers: &[String]) -> Option<String> {
        self.find(pointers).and_then(text_of)
    }
}

/// Numbers pass as text: some backends count their users.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_the_contracts_success() {
        let answer = Answer::default();
        let body = json!({
            "user": {"id": 7, "name": "", "email": "a@b.c", "role": "admin", "password": "no"},
            "tokens": {"token": "t", "expires": "2000-01-01T00:00:00Z", "expiresIn": 900},
        });
        let reply = Reply::new(&body, &answer);
        let user = reply.user().unwrap();
        assert_eq!((user.id.as_str(), user.name.as_str()), ("7", "a@b.c"));
        assert_eq!(user.roles, ["admin"]);
        let access = reply.access_token(SystemTime::now()).unwrap();
        assert_eq!(
            access.life,
            Some(Duration::from_secs(900)),
            "expiresIn counts"
        );
        assert!(!reply.otp_required());
    }

    #[test]
    fn an_absolute_end_is_the_fallback() {
        let answer = Answer::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let body = json!({"tokens": {"token": "t", "expires": "2001-09-09T01:47:40.000Z"}});
        let access = Reply::new(&body, &answer).access_token(now).unwrap();
        assert_eq!(access.life, Some(Duration::from_secs(60)));
        let past = json!({"tokens": {"token": "t", "expires": "1999-01-01T00:00:00Z"}});
        assert_eq!(
            Reply::new(&past, &answer).access_token(now).unwrap().life,
            None
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>().prop_map(|n| json!(n)),
            any::<i64>().prop_map(|n| json!(n)),
            ".*".prop_map(Value::String),
        ];
        let key = prop_oneof![
            Just("user".to_owned()),
            Just("tokens".into()),
            Just("token".into()),
            Just("expiresIn".into()),
            Just("expires".into()),
            Just("id".into()),
            Just("roles".into()),
            Just("message".into()),
            ".{0,4}",
        ];
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
        fn no_json_makes_it_panic(body in any_json()) {
            let answer = Answer::default();
            let reply = Reply::new(&body, &answer);
            let _ = (reply.user(), reply.access_token(SystemTime::now()), reply.otp_required());
            let _ = (reply.otp_email(), reply.message(), reply.code());
        }
    }
}
