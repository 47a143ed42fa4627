//! Calls to the adopter's API: what is sent, what is returned, and what is refused.

use serde_json::json;
use vestibule_backend::{Cut, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::FetchRequest;
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_carries_the_session_and_never_the_refresh_cookie() {
    let harness = Harness::signed_in().await;
    let reply = harness.get("/me?x=1").await.expect("a call");
    assert_eq!(reply.status, 200);
    assert!(
        reply.body.contains(DEMO),
        "the backend recognises the user: {}",
        reply.body
    );
    let sent = harness.backend.last_request("GET", "/me").expect("one");
    let bearer = sent.header("authorization").expect("a bearer");
    assert!(
        bearer.starts_with("Bearer ey"),
        "the call carries the access token"
    );
    assert_eq!(sent.query.as_deref(), Some("x=1"), "the query is sent");
    assert!(
        sent.cookie("device_fingerprint").is_some(),
        "the device cookie is sent"
    );
    assert!(
        sent.cookie("vestibule_locale").is_some(),
        "ordinary cookies are sent"
    );
    assert_eq!(
        sent.cookie(COOKIE),
        None,
        "the refresh cookie is sent to refresh and logout only"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_shows_the_window_a_cookie() {
    let harness = Harness::signed_in().await;
    let headers = [
        ("set-cookie", "flavour=oat; Path=/"),
        ("location", "https://evil.example/"),
        ("x-total", "3"),
    ];
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/me", answer(200, json!({}), &headers)).times(1));
    let reply = harness.get("/me").await.expect("a call");
    let names: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(
        names.contains(&"x-total"),
        "the caller sees ordinary headers: {names:?}"
    );
    assert!(
        !names.contains(&"set-cookie") && !names.contains(&"location"),
        "{names:?}"
    );
    harness.get("/me").await.expect("a call");
    let sent = harness.backend.last_request("GET", "/me").expect("one");
    assert_eq!(
        sent.cookie("flavour"),
        Some("oat"),
        "the core keeps the cookie and sends it back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_one_refresh_and_one_replay() {
    let harness = Harness::signed_in().await;
    harness.backend.expire_access_tokens();
    let purchase = FetchRequest {
        path: "/plans/team/purchase".into(),
        method: "POST".into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: Some("{}".into()),
    };
    let reply = harness.session.fetch(purchase).await.expect("a call");
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(harness.refreshes(), 1, "one refresh");
    let sent = harness
        .backend
        .recent_requests("POST", "/plans/team/purchase");
    assert_eq!(sent.len(), 2, "one replay");
    assert_eq!(sent[0].body, sent[1].body, "the same body");
    assert_ne!(
        sent[0].header("authorization"),
        sent[1].header("authorization"),
        "another bearer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_always_says_401_is_asked_twice_and_no_more() {
    let harness = Harness::signed_in().await;
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/me", refusal(401, "ACCESS_EXPIRED")));
    let reply = harness.get("/me").await.expect("the backend's own answer");
    assert_eq!(reply.status, 401);
    assert_eq!(harness.backend.requests("GET", "/me"), 2, "one replay");
    assert_eq!(harness.refreshes(), 1, "one refresh");
    assert!(is_fresh(&harness.state()), "a refused call ends no session");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_status_is_the_callers_business() {
    let harness = Harness::signed_in().await;
    for status in [204, 302, 400, 403, 404, 409, 418, 429, 500, 503] {
        harness
            .backend
            .faults()
            .add(Fault::on("GET", "/me", Effect::status(status)).times(1));
        let reply = harness.get("/me").await.expect("an answer");
        assert_eq!(reply.status, status);
        assert!(
            is_fresh(&harness.state()),
            "{status} says nothing about the session"
        );
    }
    assert_eq!(harness.refreshes(), 0, "these statuses cause no refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_on_the_way_says_so() {
    let harness = Harness::signed_in().await;
    let rows = [
        (
            "dropped",
            Effect::Drop { cut: Cut::Close },
            ErrorCode::Unreachable,
        ),
        (
            "truncated",
            Effect::Truncate { cut: Cut::Close },
            ErrorCode::Unreachable,
        ),
        (
            "8 MiB",
            Effect::Huge { bytes: 8 << 20 },
            ErrorCode::TooLarge,
        ),
    ];
    for (name, effect, wanted) in rows {
        // The first failure may be the end of a kept connection, so a read is sent again on a new
        // one.
        let faults = harness.backend.faults();
        faults.clear();
        faults.add(Fault::on("GET", "/me", effect));
        let result = harness.get("/me").await;
        assert_eq!(code(&result), Some(wanted), "{name}");
        assert!(
            is_fresh(&harness.state()),
            "{name}: a call says nothing about the session"
        );
    }
    let mut large = get("/me");
    large.body = Some("x".repeat(1024 * 1024 + 1));
    let sent = harness.backend.requests("GET", "/me");
    let result = harness.session.fetch(large).await;
    assert_eq!(
        code(&result),
        Some(ErrorCode::TooLarge),
        "the size of a request body is limited too"
    );
    assert_eq!(
        harness.backend.requests("GET", "/me"),
        sent,
        "a body that is too large is not sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signed_in_means_no_bearer() {
    let harness = Harness::new().await;
    let reply = harness.get("/plans/team").await.expect("public");
    assert_eq!(reply.status, 200);
    let sent = harness
        .backend
        .last_request("GET", "/plans/team")
        .expect("one");
    assert_eq!(sent.header("authorization"), None);
    let reply = harness.get("/me").await.expect("an answer");
    assert_eq!(reply.status, 401, "the backend's own answer");
    assert_eq!(harness.backend.requests("GET", "/me"), 1, "no replay");
    assert_eq!(harness.refreshes(), 0, "no refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_carries_credentials_is_ours_to_send() {
    let harness = Harness::signed_in().await;
    let mut forged = get("/me");
    for (name, value) in [
        ("Authorization", "Bearer forged"),
        (
            "Cookie",
            "__refresh_token=forged; device_fingerprint=forged",
        ),
        ("Host", "evil.example"),
        ("Origin", "https://evil.example"),
        ("Accept-Encoding", "gzip"),
        ("X-Mine", "kept"),
        ("Bad\nName", "x"),
        ("X-Bad", "a\r\nX-Injected: 1"),
    ] {
        forged.headers.push((name.into(), value.into()));
    }
    let reply = harness.session.fetch(forged).await.expect("a call");
    assert_eq!(reply.status, 200, "the call carries the true access token");
    let sent = harness.backend.last_request("GET", "/me").expect("one");
    let bearers = sent
        .headers
        .iter()
        .filter(|(name, _)| name == "authorization");
    assert_eq!(bearers.count(), 1, "one bearer");
    assert_eq!(sent.cookie(COOKIE), None);
    assert_ne!(sent.cookie("device_fingerprint"), Some("forged"));
    assert_ne!(sent.header("host"), Some("evil.example"));
    assert_eq!(sent.header("origin"), None);
    assert_eq!(
        sent.header("accept-encoding"),
        Some("gzip, deflate, br"),
        "what is undone here"
    );
    assert_eq!(sent.header("x-mine"), Some("kept"));
    assert_eq!(sent.header("x-injected"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_off_the_list_is_refused_and_not_sent() {
    let harness = Harness::signed_in().await;
    let logins = harness.backend.requests("POST", "/login");
    for (method, path) in [
        ("POST", "/login"),
        ("POST", "/refresh-token"),
        ("POST", "/logout"),
        ("GET", "/admin"),
        ("GET", "/plans/../login"),
        ("GET", "/plans/%2e%2e/login"),
        ("GET", "//evil.example/me"),
        ("GET", "http://evil.example/me"),
        ("GET", "/me/"),
        ("GET", "me"),
        ("TRACE", "/me"),
        ("CONNECT", "/me"),
        ("get", "/me"),
    ] {
        let mut request = get(path);
        request.method = method.into();
        let result = harness.session.fetch(request).await;
        assert_eq!(
            code(&result),
            Some(ErrorCode::PathRefused),
            "{method} {path}"
        );
    }
    assert_eq!(
        harness.backend.requests("POST", "/login"),
        logins,
        "nothing was sent"
    );
    assert_eq!(harness.refreshes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_an_outage_fails_without_asking_for_a_refresh_each_time() {
    let harness = Harness::signed_in().await;
    harness.backend.expire_access_tokens();
    harness.backend.faults().add(Fault::on(
        "POST",
        REFRESH,
        answer(503, json!({}), &[("retry-after", "600")]),
    ));
    for _ in 0..5 {
        let reply = harness.get("/me").await.expect("the backend's own 401");
        assert_eq!(reply.status, 401);
    }
    assert_eq!(
        harness.refreshes(),
        1,
        "no refresh before the end of Retry-After"
    );
}
