//! 'Refresh, at the edges': how long a session waits before the next refresh, and that clicks wait
//! too.

use std::time::{Duration, SystemTime};

use serde_json::json;
use vestibule_core::ErrorCode;
use vestibule_harness::*;

type Headers = &'static [(&'static str, &'static str)];

/// Has a refresh answered like this; returns the seconds until the next one.
async fn wait_after(status: u16, headers: &[(&str, &str)]) -> (Harness, f64) {
    let harness = Harness::signed_in().await;
    let body = json!({"message": "slow down", "code": "RATE_LIMITED"});
    harness.strike(REFRESH, answer(status, body, headers));
    let result = harness.session.refresh().await;
    assert!(result.is_err(), "{status} is no success");
    let state = harness.state();
    assert!(is_stale(&state), "kept, marked stale: {state:?}");
    let retry_in = outage(&state).and_then(|outage| outage.retry_in_ms);
    let wait = retry_in.expect("a planned refresh");
    (harness, wait as f64 / 1000.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backends_wish_to_be_left_alone_is_obeyed_by_clicks_and_calls_too() {
    let rows: [(Headers, f64); 9] = [
        (&[("retry-after", "120")], 120.0),
        (&[("x-retry-after", "30")], 30.0),
        (&[("ratelimit-reset", "50")], 50.0),
        (&[("retry-after", "20"), ("x-retry-after", "600")], 20.0),
        (&[("retry-after", "soon"), ("x-retry-after", "40")], 40.0),
        (&[("retry-after", "0")], 1.0),
        (&[("retry-after", "45.5")], 45.5),
        (&[("retry-after", "18446744073709551615")], 3600.0),
        (&[("retry-after", "99999999999999999999999")], 3600.0),
    ];
    for (headers, asked) in rows {
        // Jitter is added to the wait and never subtracted.
        let spread = (asked / 2.0_f64).clamp(30.0, 300.0);
        let (harness, wait) = wait_after(429, headers).await;
        assert!(
            (asked..asked + spread).contains(&wait),
            "{headers:?}: waits {wait} s"
        );
        let requests = harness.refreshes();
        let click = harness.session.refresh().await.expect_err("refused");
        assert_eq!(
            click.code,
            ErrorCode::RateLimited,
            "{headers:?}: a click waits too"
        );
        let told = click.retry_after_ms.unwrap_or(0) as f64 / 1000.0;
        assert!(
            (asked.max(5.0)..=(asked + spread / 5.0).max(5.0)).contains(&told),
            "{headers:?}: a person waits {told} s, or the gap between clicks"
        );
        harness.backend.expire_access_tokens();
        let reply = harness.get("/me").await.expect("the backend's own 401");
        assert_eq!(
            reply.status, 401,
            "{headers:?}: a call does not refresh either"
        );
        assert_eq!(
            harness.refreshes(),
            requests,
            "{headers:?}: nothing was sent"
        );
        // The wait was rounded down to whole milliseconds.
        harness.pass(Duration::from_secs_f64(wait + 0.001));
        harness.reached(REFRESH, requests + 1).await;
        harness.until_fresh().await;
        assert_eq!(
            harness.refreshes(),
            requests + 1,
            "{headers:?}: one refresh at its time"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_clicks_need_not_wait_as_long_as_the_schedule() {
    let (harness, _) = wait_after(503, &[("retry-after", "600")]).await;
    let requests = harness.refreshes();
    let click = harness.session.refresh().await.expect_err("refused");
    let told = click.retry_after_ms.expect("how long");
    harness.pass(Duration::from_millis(told - 1));
    let early = harness.session.refresh().await;
    assert_eq!(code(&early), Some(ErrorCode::RateLimited));
    assert_eq!(harness.refreshes(), requests, "nothing was sent");
    // The wait was rounded down to whole milliseconds.
    harness.pass(Duration::from_millis(2));
    harness.session.refresh().await.expect("the wait is over");
    assert!(is_fresh(&harness.state()));
    assert_eq!(harness.refreshes(), requests + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_is_understood() {
    let at = SystemTime::now() + Duration::from_secs(60);
    let date = httpdate::fmt_http_date(at);
    let (_rig, wait) = wait_after(429, &[("retry-after", &date)]).await;
    assert!((58.0..91.0).contains(&wait), "{date}: waits {wait} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_means_the_ordinary_backoff() {
    let rows: [Headers; 6] = [
        &[],
        &[("retry-after", "")],
        &[("retry-after", "soon")],
        &[("retry-after", "-5")],
        &[("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")],
        &[
            ("retry-after", "Thu, 99 Foo 9999 99:99:99 GMT"),
            ("x-retry-after", "NaN"),
        ],
    ];
    for headers in rows {
        let (harness, wait) = wait_after(429, headers).await;
        assert!(
            wait <= 2.5,
            "{headers:?}: the first backoff is short: {wait} s"
        );
        harness.until_fresh().await;
        assert_eq!(
            harness.refreshes(),
            2,
            "{headers:?}: one failed, one succeeded"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_header_of_another_answer_is_no_wish_to_be_left_alone() {
    // Many backends send `RateLimit-Reset` with every answer, also with a passing error.
    let (harness, wait) = wait_after(500, &[("ratelimit-reset", "900")]).await;
    assert!(wait <= 1.5, "the ordinary backoff applies: {wait} s");
    harness.until_fresh().await;

    let (_rig, wait) = wait_after(503, &[("retry-after", "30")]).await;
    assert!(
        (30.0..60.0).contains(&wait),
        "a 503 may ask for time: {wait} s"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_in_an_outage_are_spaced() {
    let harness = Harness::signed_in().await;
    harness.backend.down().await;
    let first = harness.session.refresh().await;
    assert_eq!(
        code(&first),
        Some(ErrorCode::Unreachable),
        "the first click sends a refresh at once"
    );
    let again = harness.session.refresh().await.expect_err("too soon");
    assert_eq!(again.code, ErrorCode::Busy, "the next click has to wait");
    let told = again.retry_after_ms.unwrap_or(0);
    assert_eq!(told, 5000, "the error names the wait");
    harness.backend.up().await.expect("the same port is free");
    harness.pass(Duration::from_secs(5));
    harness.until_fresh().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timer_refreshes_ahead_of_expiry() {
    let config = vestibule_backend::Config {
        access_ttl: Duration::from_secs(600),
        ..vestibule_backend::Config::default()
    };
    for _ in 0..5 {
        let harness = Harness::signed_in_with(config.clone()).await;
        let before = harness.kept();
        harness.pass(Duration::from_secs(600 * 69 / 100));
        harness.get("/me").await.expect("a call");
        assert_eq!(
            harness.refreshes(),
            0,
            "not before 70 % of the token's life"
        );
        harness.pass(Duration::from_secs(600 * 22 / 100));
        harness.reached(REFRESH, 1).await;
        eventually("the new token in the keyring", || harness.kept() != before).await;
        assert!(is_fresh(&harness.state()), "nobody notices");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_too_short_to_believe_is_taken_as_a_minute() {
    let config = vestibule_backend::Config {
        access_ttl: Duration::from_secs(2),
        ..vestibule_backend::Config::default()
    };
    let harness = Harness::signed_in_with(config).await;
    harness.pass(Duration::from_secs(41));
    harness.get("/plans").await.expect("a call");
    assert_eq!(
        harness.refreshes(),
        0,
        "requests do not follow each other without pause"
    );
    harness.pass(Duration::from_secs(14));
    harness.reached(REFRESH, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_renews_a_spent_token_first() {
    let harness = Harness::signed_in().await;
    harness.backend.down().await;
    // As after a long sleep: the timer's refresh fails, and the token has expired.
    harness.pass(Duration::from_secs(3600));
    harness.until("an outage", is_stale).await;
    let call = harness.get("/me").await;
    assert!(
        matches!(
            code(&call),
            Some(ErrorCode::Unreachable | ErrorCode::RateLimited)
        ),
        "no call is sent with an expired token: {call:?}"
    );
    harness.backend.up().await.expect("the same port is free");
    harness.until_fresh().await;
    let reply = harness.get("/me").await.expect("a call");
    assert_eq!(reply.status, 200);
    assert_eq!(
        harness.backend.requests("GET", "/me"),
        1,
        "the call is sent once, with the new token"
    );
}
