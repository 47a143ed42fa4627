//! Rules about the status, the error code and one place of an answer: in its body, or among its
//! headers. A rule matches if all of its conditions do.

use serde::Deserialize;
use serde_json::Value;

use super::condition::{Condition, Facts, condition};
use super::header::HeaderKey;
use super::pointer::Pointer;
use crate::error::ErrorCode;
use crate::status::{Class, class};
use crate::wire::SignedOutReason;

/// A condition on an answer. At least one member must be given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// The HTTP status; absent means any.
    pub status: Option<u16>,
    /// The error code in the body, as `answer.code` finds it; absent means any.
    pub code: Option<String>,
    /// A place in the body, which must hold something other than null.
    pub pointer: Option<Pointer>,
    /// A header of the answer instead of a place in the body.
    pub header: Option<HeaderKey>,
    /// The value that must be there; absent means any value but null.
    pub equals: Option<Value>,
    /// A text that must be part of what is there. Without `pointer` and `header`: of a body that is
    /// neither JSON nor a web page.
    pub contains: Option<String>,
    /// Reverses the pointer or the header: there must be nothing, or null.
    pub absent: bool,
    /// The body must be empty.
    pub empty: bool,
}

/// An answer to a refresh that ends the session. If the rule names more than the status, also one to
/// `me` after it that does not say whose session it is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndRule {
    /// The HTTP status. An answer whose body is not JSON never ends a session, unless the rule names
    /// it: by `empty`, by a `header`, or by what a text `contains`.
    pub status: u16,
    /// The error code in the body; absent means any JSON body.
    #[serde(default)]
    pub code: Option<String>,
    /// A place in the body, which must hold something other than null.
    #[serde(default)]
    pub pointer: Option<Pointer>,
    /// A header of the answer instead of a place in the body.
    #[serde(default)]
    pub header: Option<HeaderKey>,
    /// The value that must be there; absent means any value but null.
    #[serde(default)]
    pub equals: Option<Value>,
    /// A text that must be part of what is there. Without `pointer` and `header`: of a body that is
    /// neither JSON nor a web page.
    #[serde(default)]
    pub contains: Option<String>,
    /// Reverses the pointer or the header: there must be nothing, or null.
    #[serde(default)]
    pub absent: bool,
    /// The body must be empty.
    #[serde(default)]
    pub empty: bool,
    /// Why the session has ended.
    pub why: Ending,
}

/// What a refused sign-in means. Where no rule matches, the status means what it does in the
/// contract. A rule that names a status of success turns such an answer into a refusal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The call that was refused; absent means any.
    #[serde(default)]
    pub on: Option<SignInCall>,
    /// The HTTP status; absent means any.
    #[serde(default)]
    pub status: Option<u16>,
    /// The error code in the body; absent means any.
    #[serde(default)]
    pub code: Option<String>,
    /// A place in the body, which must hold something other than null.
    #[serde(default)]
    pub pointer: Option<Pointer>,
    /// A header of the answer instead of a place in the body.
    #[serde(default)]
    pub header: Option<HeaderKey>,
    /// The value that must be there; absent means any value but null.
    #[serde(default)]
    pub equals: Option<Value>,
    /// A text that must be part of what is there. Without `pointer` and `header`: of a body that is
    /// neither JSON nor a web page.
    #[serde(default)]
    pub contains: Option<String>,
    /// Reverses the pointer or the header: there must be nothing, or null.
    #[serde(default)]
    pub absent: bool,
    /// The body must be empty.
    #[serde(default)]
    pub empty: bool,
    /// What the refusal means.
    pub is: Refusal,
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The backend no longer accepts it.
    Expired,
    /// It was ended from another device or by an administrator.
    Revoked,
    /// Its token was used twice.
    Reuse,
    /// It is bound to another device.
    DeviceMismatch,
}

/// A call of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignInCall {
    /// Sign-in with a password.
    Login,
    /// Registration of a new account.
    Register,
    /// Check of a code that was sent.
    VerifyOtp,
    /// Check of a code that an authenticator app shows.
    VerifyTotp,
    /// Check of a recovery code.
    VerifyRecovery,
    /// Request for a code, or for another one.
    SendOtp,
    /// With `better-auth`: the exchange of what the browser has brought.
    Browser,
}

/// What a refusal means to the person who signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// What was typed is not valid.
    InvalidInput,
    /// E-mail and password do not match an account.
    InvalidCredentials,
    /// The account is blocked, or not verified yet.
    AccountBlocked,
    /// The account is locked for a while.
    AccountLocked,
    /// There is already an account with this e-mail.
    EmailTaken,
    /// Too many requests.
    RateLimited,
    /// The code is wrong; another try is allowed.
    OtpInvalid,
    /// The code is too old, or was tried too often, and the challenge stands: another code can be
    /// sent. Where none can be, this is `otp_expired`.
    OtpSpent,
    /// The code, or its challenge, is too old: start over.
    OtpExpired,
    /// Too many wrong codes: start over.
    OtpTooMany,
    /// The backend refuses this app as it is configured. The person who signs in cannot change
    /// that.
    Misconfigured,
}

impl When {
    pub(super) fn test(&self) -> Condition<'_> {
        condition!(self, self.status)
    }

    /// Whether the answer matches.
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        self.test().holds(facts)
    }

    /// Whether the answer has what the rule may judge. An empty body says as little of a rule's meaning
    /// as a status does, and a page says nothing.
    pub fn may_judge(&self, facts: &Facts<'_>) -> bool {
        facts.empty || self.test().may_judge(facts)
    }

    /// Whether it tests more than the status and an empty body.
    pub fn is_named(&self) -> bool {
        self.test().is_named()
    }
}

impl EndRule {
    /// Whether it tests more than the status and an empty body.
    pub fn is_named(&self) -> bool {
        self.test().is_named()
    }

    pub(super) fn test(&self) -> Condition<'_> {
        condition!(self, Some(self.status))
    }

    /// Whether the answer matches. An answer that is not JSON ends no session, unless the rule names
    /// what it has.
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        let test = self.test();
        test.may_judge(facts) && test.holds(facts)
    }
}

impl ErrorRule {
    pub(super) fn test(&self) -> Condition<'_> {
        condition!(self, self.status)
    }

    /// Whether the answer to this step matches. An HTML page is a refusal by the backend only if the
    /// rule names a header of it, and a success is one only if the rule names its status.
    pub fn holds(&self, kind: SignInCall, facts: &Facts<'_>) -> bool {
        let test = self.test();
        let is_success = class(facts.status) == Class::Success;
        let is_meant = !is_success || self.status.is_some();
        let on = self.on.is_none_or(|on| on == kind);
        on && is_meant && test.may_judge(facts) && test.holds(facts)
    }
}

impl From<Ending> for SignedOutReason {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Expired => Self::Expired,
            Ending::Revoked => Self::Revoked,
            Ending::Reuse => Self::Reuse,
            Ending::DeviceMismatch => Self::DeviceMismatch,
        }
    }
}

impl From<Refusal> for ErrorCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InvalidInput => Self::InvalidInput,
            Refusal::InvalidCredentials => Self::InvalidCredentials,
            Refusal::AccountBlocked => Self::AccountBlocked,
            Refusal::AccountLocked => Self::AccountLocked,
            Refusal::EmailTaken => Self::EmailTaken,
            Refusal::RateLimited => Self::RateLimited,
            Refusal::OtpInvalid => Self::OtpInvalid,
            Refusal::OtpSpent => Self::OtpSpent,
            Refusal::OtpExpired => Self::OtpExpired,
            Refusal::OtpTooMany => Self::OtpTooMany,
            Refusal::Misconfigured => Self::Misconfigured,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn holds(rule: Value, status: u16, code: Option<&str>, body: Option<Value>) -> bool {
        let rule: When = serde_json::from_value(rule).unwrap();
        rule.holds(&Facts {
            status,
            code,
            empty: false,
            body: body.as_ref(),
            text: None,
            headers: None,
        })
    }

    #[test]
    fn all_that_a_rule_names_must_hold() {
        let rule = || json!({"status": 401, "code": "DEAD", "pointer": "/x", "equals": 1});
        let body = || Some(json!({"x": 1.0}));
        assert!(holds(rule(), 401, Some("DEAD"), body()));
        assert!(!holds(rule(), 403, Some("DEAD"), body()));
        assert!(!holds(rule(), 401, Some("dead"), body()));
        assert!(!holds(rule(), 401, None, body()));
        assert!(!holds(rule(), 401, Some("DEAD"), Some(json!({"x": 2}))));
        assert!(!holds(rule(), 401, Some("DEAD"), None));
    }

    #[test]
    fn a_pointer_finds_something_or_nothing() {
        let some = || json!({"pointer": "/x"});
        let none = || json!({"pointer": "", "absent": true});
        assert!(holds(some(), 200, None, Some(json!({"x": false}))));
        assert!(!holds(some(), 200, None, Some(json!({"x": null}))));
        assert!(holds(none(), 200, None, Some(Value::Null)));
        assert!(!holds(none(), 200, None, Some(json!({}))));
        assert!(!holds(none(), 200, None, None), "a page is not JSON");
    }

    #[test]
    fn a_truth_is_one_however_it_is_written() {
        let rule = |wanted: bool| json!({"pointer": "/x", "equals": wanted});
        for (value, is_true, is_false) in [
            (json!(true), true, false),
            (json!("true"), true, false),
            (json!("True"), true, false),
            (json!(1), true, false),
            (json!(0), false, true),
            (json!("false"), false, true),
            (json!("yes"), true, false),
            (json!("t"), true, false),
            (json!("f"), false, true),
            (json!("no"), false, true),
            (json!("off"), false, true),
            (json!(""), false, true),
            (json!(2), false, false),
            (json!("maybe"), false, false),
            (json!([]), false, false),
        ] {
            let body = || Some(json!({"x": value}));
            assert_eq!(holds(rule(true), 200, None, body()), is_true, "{value}");
            assert_eq!(holds(rule(false), 200, None, body()), is_false, "{value}");
        }
    }

    #[test]
    fn a_page_ends_no_session() {
        let rule = EndRule {
            status: 401,
            code: None,
            pointer: None,
            header: None,
            equals: None,
            contains: None,
            absent: false,
            empty: false,
            why: Ending::Expired,
        };
        let facts = |body, empty| Facts {
            status: 401,
            code: None,
            body,
            empty,
            text: None,
            headers: None,
        };
        assert!(!rule.holds(&facts(None, false)));
        assert!(!rule.holds(&facts(None, true)), "nor does silence");
        assert!(rule.holds(&facts(Some(&Value::Null), false)));
        let silent = EndRule {
            empty: true,
            ..rule
        };
        assert!(silent.holds(&facts(None, true)), "unless it is said");
        assert!(!silent.holds(&facts(None, false)), "a page is not silence");
        assert!(!silent.holds(&facts(Some(&Value::Null), false)));
    }

    #[test]
    fn a_text_or_a_header_may_say_it_too() {
        let mut headers = HeaderMap::new();
        let challenge = r#"Bearer realm="a", error="invalid_token""#;
        headers.append("www-authenticate", "Basic".parse().unwrap());
        headers.append("www-authenticate", challenge.parse().unwrap());
        headers.append("x-session", "over".parse().unwrap());
        let latin1 = http::HeaderValue::from_bytes(b"ung\xfcltig").unwrap();
        headers.append("x-why", latin1);
        let facts = Facts {
            status: 401,
            code: None,
            body: None,
            empty: false,
            text: Some("Unauthorized\n"),
            headers: Some(&headers),
        };
        for (rule, holds) in [
            (json!({"contains": "Unauthorized"}), true),
            (json!({"contains": "unauthorized"}), false),
            (
                json!({"header": "WWW-Authenticate", "contains": "invalid_token"}),
                true,
            ),
            (
                json!({"header": "www-authenticate", "contains": "expired"}),
                false,
            ),
            (json!({"header": "x-session", "equals": "over"}), true),
            (json!({"header": "x-session", "equals": "ove"}), false),
            (json!({"header": "x-session"}), true),
            (json!({"header": "x-why", "equals": "ungültig"}), true),
            (json!({"header": "x-other"}), false),
            (json!({"pointer": "", "contains": "Unauthorized"}), false),
        ] {
            let mut rule = rule;
            rule["status"] = json!(401);
            let when: When = serde_json::from_value(rule.clone()).unwrap();
            assert_eq!(when.holds(&facts), holds, "{rule}");
            assert!(when.is_named());
            rule["why"] = json!("expired");
            let end: EndRule = serde_json::from_value(rule.clone()).unwrap();
            assert_eq!(end.holds(&facts), holds, "{rule}");
            let other = Facts {
                status: 403,
                ..facts
            };
            assert!(!end.holds(&other), "{rule}");
        }
        let body = json!({"detail": "Token is invalid or expired"});
        let facts = Facts {
            body: Some(&body),
            text: None,
            ..facts
        };
        let rule: When =
            serde_json::from_value(json!({"pointer": "/detail", "contains": "expired"})).unwrap();
        assert!(rule.holds(&facts));
        let absent: EndRule = serde_json::from_value(
            json!({"status": 401, "header": "x-other", "absent": true, "why": "expired"}),
        )
        .unwrap();
        assert!(
            !absent.holds(&Facts {
                body: None,
                ..facts
            }),
            "that names nothing"
        );
        assert!(!absent.is_named());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-c/~]{0,3}".prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::vec(("[a-c/~01]{0,2}", inner), 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_rule_says_of_any_json_what_stands_there(
            body in any_json(), equals in any_json(), pointer in "(/[a-c01]{0,2}){0,3}",
            status in 100..600_u16, named in prop::option::of(100..600_u16),
        ) {
            let facts = Facts {
                status, code: None, body: Some(&body), empty: false, text: None, headers: None,
            };
            let pointer = Pointer::parse(&pointer).unwrap();
            let something = When { pointer: Some(pointer.clone()), ..When::default() };
            let nothing = When { absent: true, ..something.clone() };
            prop_assert_ne!(something.holds(&facts), nothing.holds(&facts), "one of them");
            let same = When { equals: Some(equals.clone()), ..something.clone() };
            prop_assert!(!same.holds(&facts) || something.holds(&facts), "what equals is there");
            if let Some(found) = pointer.find(&body) {
                let itself = When { equals: Some(found.clone()), ..something.clone() };
                prop_assert!(itself.holds(&facts), "everything is itself");
            }
            let narrow = When { status: named, ..something.clone() };
            let fits = named.is_none_or(|named| named == status);
            prop_assert_eq!(narrow.holds(&facts), fits && something.holds(&facts));
        }

        #[test]
        fn what_is_not_json_ends_nothing_whatever_the_rule(
            status in 100..600_u16, absent in any::<bool>(), pointer in "(/[a-c]{0,2}){0,2}",
            has_pointer in any::<bool>(),
        ) {
            let pointer = has_pointer.then(|| Pointer::parse(&pointer).unwrap());
            let rule = EndRule {
                status, code: None, pointer, header: None, equals: None, contains: None, absent,
                empty: false, why: Ending::Expired,
            };
            for empty in [false, true] {
                let facts = Facts {
                    status, code: None, body: None, empty, text: Some("x"), headers: None,
                };
                prop_assert!(!rule.holds(&facts));
            }
        }
    }
}
