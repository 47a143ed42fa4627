//! To which session ordinary cookies belong: an answer leaves them in the session that asked, and
//! nowhere if that session has ended, was replaced, or never began.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_core::profile::Profile;
use vestibule_core::wire::{RegisterInput, SignInOutcome};
use vestibule_core::{ErrorCode, Secret};

use crate::Desk;
use crate::host::{Arrival, Host};
use vestibule_harness::*;

async fn desk() -> (Arc<Host>, Desk) {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    (host, desk)
}

/// Waits for the next request, which must be this one.
async fn asked(host: &Host, what: &str) -> Arrival {
    let arrival = soon(what, host.arrival()).await;
    assert!(arrival.head.starts_with(what), "{}", arrival.head);
    arrival
}

async fn reply(mut arrival: Arrival, status: &str, cookies: &[&str], body: &Value) {
    let body = body.to_string();
    let set = |cookie: &&str| format!("set-cookie: {cookie}; Path=/\r\n");
    let cookies: String = cookies.iter().map(set).collect();
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\n{cookies}\
         content-length: {length}\r\n\r\n{body}"
    );
    arrival.say(&text).await;
}

async fn hear_the_sign_out(host: &Host) {
    let told = asked(host, "POST /logout").await;
    reply(told, "200 OK", &[], &json!({})).await;
}

/// Makes a call whose answer sets `cookies`; returns the cookies that the call carried.
async fn called(host: &Host, desk: &Desk, cookies: &[&str]) -> String {
    let fetching = desk.session.fetch(get("/me"));
    let answering = async {
        let arrival = asked(host, "GET /me").await;
        let head = arrival.head.to_ascii_lowercase();
        let line = head.lines().find(|line| line.starts_with("cookie:"));
        let sent = line.unwrap_or_default().to_owned();
        reply(arrival, "200 OK", cookies, &json!({})).await;
        sent
    };
    let (fetched, sent) = tokio::join!(fetching, answering);
    fetched.expect("an answer");
    sent
}

fn register() -> RegisterInput {
    RegisterInput::new("Bob", "bob@example.com", PASSWORD)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_answered_after_the_sign_out_leaves_no_cookie() {
    let (host, desk) = desk().await;
    let session = desk.session.clone();
    let refreshing = tokio::spawn(async move { session.refresh().await });
    let refresh = asked(&host, "POST /refresh-token").await;
    desk.session.logout().await;
    hear_the_sign_out(&host).await;
    let cookies = ["access_token=late", "__refresh_token=t2"];
    reply(refresh, "200 OK", &cookies, &success()).await;
    refreshing.await.expect("ends").expect_err("signed out");
    hear_the_sign_out(&host).await;
    let sent = called(&host, &desk, &[]).await;
    assert!(
        !sent.contains("access_token"),
        "nobody is signed in: {sent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_the_session_before_leaves_no_cookie() {
    let (host, desk) = desk().await;
    let session = desk.session.clone();
    let calling = tokio::spawn(async move { session.fetch(get("/plans")).await });
    let call = asked(&host, "GET /plans").await;
    desk.session.login(login(ADMIN)).await.expect("signed in");
    reply(call, "200 OK", &["access_token=late"], &json!({})).await;
    calling.await.expect("ends").expect("an answer");
    let sent = called(&host, &desk, &[]).await;
    assert!(
        !sent.contains("access_token"),
        "a cookie of another session: {sent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_leaves_its_cookies_once_it_is_taken_into_use() {
    let (host, desk) = desk().await;
    called(&host, &desk, &["cart=of-una"]).await;
    let session = desk.session.clone();
    let registering = tokio::spawn(async move { session.register(register()).await });
    let asking = asked(&host, "POST /register").await;
    assert!(!asking.head.contains("cart"), "hers: {}", asking.head);
    let cookies = ["access_token=bob", "__refresh_token=t2"];
    reply(asking, "200 OK", &cookies, &success()).await;
    let outcome = registering.await.expect("ends");
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    // The sign-out of the earlier session can arrive at any time.
    hear_the_sign_out(&host).await;
    let sent = called(&host, &desk, &[]).await;
    assert!(sent.contains("access_token=bob"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_given_up_leaves_no_cookie_to_the_session_that_is_held() {
    let (host, desk) = desk().await;
    called(&host, &desk, &["access_token=una"]).await;
    let session = desk.session.clone();
    let registering = tokio::spawn(async move { session.register(register()).await });
    let asking = asked(&host, "POST /register").await;
    let wanted = json!({"otpRequired": true, "email": "bob@example.com"});
    reply(asking, "200 OK", &["challenge=c1"], &wanted).await;
    let outcome = registering.await.expect("ends");
    assert_eq!(outcome, Ok(SignInOutcome::OtpRequired));
    let sent = called(&host, &desk, &[]).await;
    assert!(
        !sent.contains("challenge"),
        "a cookie of another session: {sent}"
    );

    let session = desk.session.clone();
    let verifying =
        tokio::spawn(
            async move { vestibule_harness::verify(&session, Secret::new("123456")).await },
        );
    let asking = asked(&host, "POST /verify-otp").await;
    assert!(asking.head.contains("challenge=c1"), "{}", asking.head);
    desk.session.cancel_otp();
    let cookies = ["access_token=bob", "__refresh_token=t2"];
    reply(asking, "200 OK", &cookies, &success()).await;
    let verified = verifying.await.expect("ends");
    assert_eq!(code(&verified), Some(ErrorCode::NoChallenge));
    hear_the_sign_out(&host).await;
    let sent = called(&host, &desk, &[]).await;
    assert!(sent.contains("access_token=una"), "still hers: {sent}");
    assert!(!sent.contains("challenge"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_told_late_knows_no_cookie_of_the_next_session() {
    let host = Host::start().await;
    let url = host.url.clone();
    let desk = Desk::at(&host.url, |profile| {
        let described = json!({"backend": url, "endpoints": {"logout": {
            "path": "/logout", "headers": {"authorization": "Bearer $access_token"},
        }}});
        *profile = Profile::from_json(described).expect("a profile");
    })
    .await;
    desk.session.logout().await;
    let telling = asked(&host, "POST /logout").await;
    desk.session.login(login(ADMIN)).await.expect("signed in");
    called(&host, &desk, &["access_token=bob"]).await;
    // A 401 may only mean that the access token has expired, so the core refreshes once.
    reply(telling, "401 Unauthorized", &[], &json!({"message": "no"})).await;
    let asking = asked(&host, "POST /refresh-token").await;
    assert!(!asking.head.contains("bob"), "{}", asking.head);
    let cookies = ["access_token=una", "__refresh_token=t2"];
    reply(asking, "200 OK", &cookies, &success()).await;
    hear_the_sign_out(&host).await;
    let sent = called(&host, &desk, &[]).await;
    assert!(sent.contains("access_token=bob"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_change_with_every_answer_do_not_grow_the_header() {
    let (host, desk) = desk().await;
    for count in 0..200 {
        let value = "x".repeat(100);
        called(&host, &desk, &[&format!("request-{count}={value}")]).await;
    }
    let sent = called(&host, &desk, &[]).await;
    assert!(sent.len() < 8_000, "{} bytes", sent.len());
    assert!(sent.contains("request-199="), "the newest are kept");
    assert!(!sent.contains("request-0="), "the oldest are dropped");
}
