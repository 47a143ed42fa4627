//! What is refused when a profile is loaded: the error names the file, the key, the reason and the
//! nearest valid key.

use serde_json::{Value, json};

use super::*;

/// Loads `value` as a file over the contract.
fn refused(value: Value) -> ProfileError {
    let text = value.to_string();
    let layer = Layer::text("profile.json", &text);
    match layer.and_then(|layer| load(&[layer])) {
        Ok(_) => panic!("not refused: {text}"),
        Err(error) => error,
    }
}

/// The same with `schema` set.
fn over(mut value: Value) -> ProfileError {
    value["schema"] = json!(1);
    refused(value)
}

#[track_caller]
fn check(error: &ProfileError, key: &str, reason: &str) {
    let text = error.to_string();
    assert!(text.starts_with("profile.json: "), "names the file: {text}");
    assert_eq!(error.key, key, "{text}");
    assert!(text.contains(reason), "says why: {text}");
}

#[test]
fn unknown_keys_are_refused_and_the_nearest_is_named() {
    for (value, key, nearest) in [
        (
            json!({"bakend": "https://a.example"}),
            "bakend",
            Some("backend"),
        ),
        (
            json!({"endpoints": {"login": {"pth": "/x"}}}),
            "endpoints.login.pth",
            Some("endpoints.login.path"),
        ),
        (
            json!({"endpoints": {"signin": {"path": "/x"}}}),
            "endpoints.signin",
            None,
        ),
        (
            json!({"answer": {"login": {"accessToken": ["/t"]}}}),
            "answer.login.accessToken",
            Some("answer.login.access_token"),
        ),
        (
            json!({"ends": [{"status": 401, "why": "expired"}, {"status": 401, "wy": "expired"}]}),
            "ends[1].wy",
            Some("ends[1].why"),
        ),
        (
            json!({"answer": {"login": {"expires": [{"at": "/x", "from": "ttl_s"}]}}}),
            "answer.login.expires[0].from",
            None,
        ),
    ] {
        let error = over(value);
        check(&error, key, "is not a key here");
        assert_eq!(error.nearest.as_deref(), nearest, "{error}");
        let says = nearest.map_or("there are `", |nearest| nearest);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_list_is_no_table_whose_keys_are_left_out() {
    for (value, key) in [
        (json!({"otp": []}), "otp"),
        (json!({"session": ["me", true, 60]}), "session"),
        (json!({"ends": [[401, "X"]]}), "ends[0]"),
    ] {
        check(&over(value), key, "is a list, but must be a table");
    }
}

#[test]
fn unknown_words_are_refused_and_the_nearest_is_named() {
    let error = over(json!({"session": {"user_from": "refesh"}}));
    check(
        &error,
        "session.user_from",
        "must be one of `refresh`, `me`, `login`",
    );
    assert_eq!(error.nearest.as_deref(), Some("refresh"));
    let error = over(json!({"extends": "directusv"}));
    check(&error, "extends", "must be one of");
    assert_eq!(error.nearest.as_deref(), Some("directus"));
    let error = over(json!({"answer": {"login": {"expires": [{"at": "/x", "as": "epoch"}]}}}));
    check(&error, "answer.login.expires[0].as", "`epoch_s`");
    let error = over(json!({"ends": [{"status": 401, "why": "never"}]}));
    check(&error, "ends[0].why", "`device_mismatch`");
}

#[test]
fn the_schema_version_is_asked_for() {
    check(&refused(json!({})), "schema", "write `schema = 1`");
    check(&refused(json!({"schema": 2})), "schema", "it reads 1");
    check(&refused(json!({"schema": "1"})), "schema", "is a text");
    check(&refused(json!([])), "", "must hold a table");
}

#[test]
fn pointers_begin_with_a_slash() {
    for pointer in ["user", "$.user", "#/user", "/a~"] {
        let error = over(json!({"answer": {"refresh": {"user": ["", pointer]}}}));
        check(&error, "answer.refresh.user[1]", "JSON pointer");
    }
    let error = over(json!({"otp": {"wanted": [{"pointer": "flag"}]}}));
    check(&error, "otp.wanted[0].pointer", "JSON pointer");
    let whole = json!({"answer": {"refresh": {"user": [""]}}});
    assert!(Profile::from_json(whole).is_ok(), "the empty one is one");
}

#[test]
fn plain_http_stays_on_this_machine() {
    check(
        &over(json!({"backend": "http://example.com"})),
        "backend",
        "use https",
    );
    check(
        &over(json!({"backend": "http://127.0.0.1.example.com"})),
        "backend",
        "https",
    );
    check(
        &over(json!({"backend": "ftp://127.0.0.1"})),
        "backend",
        "https://",
    );
    check(
        &over(json!({"backend": "example.com"})),
        "backend",
        "is not an address",
    );
    check(
        &over(json!({"backend": "https://a.example?x=1"})),
        "backend",
        "a query",
    );
    let error = over(json!({"backend": "https://ann:hunter2@a.example"}));
    check(&error, "backend", "a user name or a password");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    for fine in [
        "http://localhost:1",
        "http://127.0.0.2",
        "http://[::1]:9/v1",
        "https://a.example",
    ] {
        assert!(
            Profile::from_json(json!({"backend": fine})).is_ok(),
            "{fine}"
        );
        assert!(Profile::default().with_backend(fine).is_ok(), "{fine}");
    }
    assert!(Profile::default().with_backend("http://a.example").is_err());
}

#[test]
fn a_password_goes_where_it_belongs() {
    for name in ["refresh", "logout", "me", "send_otp", "resend_otp"] {
        let call = json!({"path": "/x", "body": {"deep": [{"p": "so $password"}]}});
        let error = over(json!({"endpoints": {name: call}}));
        let key = format!("endpoints.{name}.body.deep[0].p");
        check(
            &error,
            &key,
            "login, register, verify_otp, verify_totp and verify_recovery only",
        );
    }
    for headers in [
        json!({"headers": {"x": "$password"}}),
        json!({"api": {"headers": {"x": "$password"}}}),
    ] {
        assert!(over(headers).to_string().contains("$password"));
    }
    for name in ["login", "register", "verify_otp"] {
        let mut call = json!({"path": "/x", "body": {"p": "$password"}});
        if name == "verify_otp" {
            call["body"]["c"] = json!("$otp");
        }
        let fine = json!({"endpoints": {name: call}});
        assert!(Profile::from_json(fine).is_ok(), "{name}");
    }
}

#[test]
fn no_credential_stands_in_a_path() {
    for (name, path) in [
        ("refresh", "/r/$refresh_token"),
        ("refresh", "/r?t=$refresh_token"),
        ("logout", "/r?t=$access_token"),
        ("login", "/r?p=$password"),
    ] {
        let error = over(json!({"endpoints": {name: {"path": path}}}));
        let key = format!("endpoints.{name}.path");
        check(&error, &key, "log addresses");
    }
    let fine = json!({"endpoints": {"verify_otp": {"path": "/otp/$identifier?code=$otp"}}});
    assert!(Profile::from_json(fine).is_ok());
}

#[test]
fn unknown_placeholders_are_refused_and_the_nearest_is_named() {
    let login = |body: Value| json!({"endpoints": {"login": {"body": body}}});
    let error = over(login(json!({"p": "$pasword"})));
    check(
        &error,
        "endpoints.login.body.p",
        "did you mean `$password`?",
    );
    let error = over(login(json!({"client_secret": "correct$horse"})));
    check(
        &error,
        "endpoints.login.body.client_secret",
        "`$$` is a dollar sign",
    );
    assert!(!error.to_string().contains("horse"), "{error}");
    let error = over(login(json!({"p": "$otp"})));
    check(&error, "endpoints.login.body.p", "not known there");
    let error = over(json!({"headers": {"apikey": "$access_token"}}));
    check(&error, "headers.apikey", "not known there");
}

#[test]
fn paths_are_plain() {
    for path in [
        "",
        "login",
        "//login",
        "/a b",
        "/a/../b",
        "/%2e%2E/b",
        "/a#b",
        "\\a",
    ] {
        let error = over(json!({"endpoints": {"login": {"path": path}}}));
        assert_eq!(error.key, "endpoints.login.path", "{path}");
        let error = over(json!({"api": {"allow": ["/fine", path]}}));
        assert_eq!(error.key, "api.allow[1]", "{path}");
    }
}

#[test]
fn the_window_is_given_no_endpoint_of_the_session() {
    for path in [
        "/login",
        "/Login",
        "/*",
        "/refresh-token",
        "/logout",
        "/verify-otp",
    ] {
        let error = over(json!({"api": {"allow": [path]}}));
        check(&error, "api.allow[0]", "an endpoint of the session");
    }
}

#[test]
fn headers_that_frame_a_message_are_not_for_a_profile() {
    for name in [
        "Host",
        "cookie",
        "Content-Length",
        "Transfer-Encoding",
        "a b",
        "",
    ] {
        let error = over(json!({"headers": {name: "x"}}));
        assert_eq!(error.key, "headers", "{error}");
    }
    let error = over(json!({"headers": {"apikey": "sec\nret"}}));
    check(&error, "headers.apikey", "no header can");
    assert!(!error.to_string().contains("sec"), "{error}");
}

#[test]
fn what_is_read_must_be_sent_and_what_is_sent_must_be_read() {
    let body = |body: Value| json!({"path": "/r", "body": body});
    let error = over(json!({"endpoints": {"refresh": body(json!({"t": "$refresh_token"}))}}));
    check(
        &error,
        "answer.login.refresh_token",
        "nothing would ever fill it",
    );
    let error = over(json!({"cookies": {"refresh": []}}));
    check(
        &error,
        "answer.login.refresh_token",
        "nothing carries the session",
    );
    let error = over(json!({
        "cookies": {"refresh": []},
        "answer": {"login": {"refresh_token": ["/r"]}},
    }));
    check(
        &error,
        "endpoints.refresh",
        "does not send `$refresh_token`",
    );
    let error = over(json!({"cookies": {"enabled": false}}));
    check(&error, "cookies.enabled", "`cookies.refresh`");
    let error = over(json!({"endpoints": {"refresh": false}}));
    check(&error, "endpoints.me", "whether a session is alive");
    let error = over(json!({"session": {"user_from": "me"}}));
    check(&error, "endpoints.me", "`session.user_from` is `me`");
    let error = over(json!({"answer": {"refresh": {"user": []}}}));
    check(&error, "answer.refresh.user", "who is signed in");
    let none = json!({
        "verify_otp": false, "verify_totp": false, "verify_recovery": false, "resend_otp": false,
    });
    let error = over(json!({"endpoints": none}));
    check(&error, "endpoints.verify_otp", "`otp.wanted`");
    let verify = json!({"verify_otp": {"body": {"c": "$challenge"}}});
    let error = over(json!({"endpoints": verify}));
    check(
        &error,
        "otp.challenge",
        "`endpoints.verify_otp` sends `$challenge`",
    );
    let error = over(json!({"endpoints": {"login": false}}));
    check(&error, "endpoints.login", "nobody could sign in");
    let error = over(json!({"endpoints": {"me": {"method": "GET", "path": "/me", "body": {}}}}));
    check(&error, "endpoints.me.body", "cannot be sent with a GET");
}

#[test]
fn rules_end_a_session_only_by_what_a_backend_itself_says() {
    let ends = |rule: Value| over(json!({"ends": [rule]}));
    for status in [100, 302, 408, 425, 429, 500, 503] {
        let error = ends(json!({"status": status, "why": "expired"}));
        check(&error, "ends[0].status", "says nothing about the session");
        let error = over(json!({"signed_out": [{"status": status}]}));
        check(&error, "signed_out[0].status", "4xx");
    }
    check(
        &ends(json!({"status": 200, "why": "expired"})),
        "ends[0].status",
        "is a success",
    );
    let fine = json!({"ends": [{"status": 200, "pointer": "", "absent": true, "why": "expired"}]});
    assert!(Profile::from_json(fine.clone()).is_ok());
    let mut elsewhere = fine;
    elsewhere["session"] = json!({"user_from": "login"});
    check(
        &over(elsewhere),
        "ends[0].status",
        "`session.user_from` is `refresh`",
    );
    check(
        &ends(json!({"why": "expired"})),
        "ends[0].status",
        "is missing",
    );
    check(
        &ends(json!({"status": 401, "absent": true, "why": "expired"})),
        "ends[0].pointer",
        "where",
    );
    check(&over(json!({"ends": []})), "ends", "for ever");
    check(
        &over(json!({"otp": {"wanted": [{}]}})),
        "otp.wanted[0]",
        "match every answer",
    );
    let error = over(json!({"errors": [{"on": "login", "is": "invalid_credentials"}]}));
    check(&error, "errors[0]", "match every answer");
}

#[test]
fn a_success_and_silence_say_little_by_themselves() {
    let ends = |rule: Value| json!({"ends": [rule], "session": {"user_from": "login"}});
    let by_value = json!({"status": 200, "pointer": "/code", "equals": 401, "why": "expired"});
    assert!(Profile::from_json(ends(by_value)).is_ok());
    for rule in [
        json!({"status": 200, "pointer": "/code", "why": "expired"}),
        json!({"status": 204, "empty": true, "why": "expired"}),
    ] {
        check(&over(ends(rule)), "ends[0].status", "is a success");
    }
    let errors = |rule: Value| json!({"errors": [rule]});
    for (rule, key) in [
        (
            json!({"status": 200, "is": "account_blocked"}),
            "errors[0].status",
        ),
        (
            json!({"status": 200, "pointer": "/x", "is": "account_blocked"}),
            "errors[0].status",
        ),
        (
            json!({"status": 204, "empty": true, "is": "account_blocked"}),
            "errors[0].status",
        ),
        (
            json!({"status": 401, "empty": true, "code": "X", "is": "account_blocked"}),
            "errors[0].empty",
        ),
    ] {
        let error = over(errors(rule));
        assert_eq!(error.key, key, "{error}");
    }
    for rule in [
        json!({"status": 200, "code": "X", "is": "account_blocked"}),
        json!({"status": 200, "pointer": "/x", "equals": 1, "is": "account_blocked"}),
        json!({"status": 401, "empty": true, "is": "account_blocked"}),
    ] {
        assert!(Profile::from_json(errors(rule.clone())).is_ok(), "{rule}");
    }
}

#[test]
fn headers_of_an_answer_have_names() {
    let error = over(json!({"answer": {"login": {"access_token": ["header:not a name"]}}}));
    check(
        &error,
        "answer.login.access_token[0]",
        "not a valid header name",
    );
}

#[test]
fn times_have_a_place_and_bounds() {
    let error = over(json!({"answer": {"login": {"expires": [{"as": "ttl_s"}]}}}));
    check(&error, "answer.login.expires[0].at", "is missing");
    let error = over(json!({"api": {"idle_within_s": 0}}));
    check(&error, "api.idle_within_s", "1 to 3600");
    for far in [3601, u64::MAX] {
        let error = over(json!({"otp": {"resend_after_s": far}}));
        check(&error, "otp.resend_after_s", "0 to 3600 seconds");
    }
}

#[test]
fn values_of_the_wrong_kind_are_named_and_not_repeated() {
    let error = over(json!({"headers": {"apikey": ["hunter2"]}}));
    check(&error, "headers.apikey", "is a list, but must be");
    let error = over(json!({"cookies": {"refresh": "hunter2"}}));
    check(&error, "cookies.refresh", "is a text, but must be");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let error = over(json!({"endpoints": {"login": true}}));
    check(&error, "endpoints.login", "`false` for none");
    let error = over(json!({"ends": [{"status": 70000, "why": "expired"}]}));
    check(&error, "ends[0].status", "a number that does not fit");
}
