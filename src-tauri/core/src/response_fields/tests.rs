//! What is found in answers, and what counts as absent.

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
