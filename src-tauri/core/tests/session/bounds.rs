//! For how long a backend that does not answer can keep a refresh. The two tests wait for half
//! a minute while the others run.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_backend::{Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::profile::Profile;
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_never_answers_is_given_up_after_half_a_minute() {
    let harness = Harness::signed_in().await;
    let before = harness.kept();
    harness.strike(REFRESH, Effect::Hang {});
    let began = Instant::now();
    let result = harness.session.refresh().await;
    let took = began.elapsed().as_secs();
    assert_eq!(code(&result), Some(ErrorCode::Unreachable), "timed out");
    assert!((29..=33).contains(&took), "bounded by 30 s: {took}");
    assert!(
        is_stale(&harness.state()),
        "the session is stale and not signed out"
    );
    assert_eq!(harness.kept(), before, "the token stays");
    harness.until_fresh().await;
}

/// Where the user is read by a second request, one limit holds for both requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_asks_for_the_user_too_takes_no_longer_than_one_that_does_not() {
    let mut harness = Harness::signed_in().await;
    let mut config = harness.config();
    config.profile = Profile::from_json(json!({
        "backend": harness.backend.url(),
        "session": {"user_from": "me"},
        "endpoints": {"me": {
            "method": "GET",
            "path": "/me",
            "headers": {"authorization": "Bearer $access_token"},
        }},
        "answer": {"me": {"user": ["/user", ""]}},
    }))
    .expect("a profile");
    harness.session = harness.opened(config);
    harness.until("a fresh session", is_fresh).await;
    // The start's own refresh may still be in progress: this joins it, and it is over after that.
    harness.session.refresh().await.expect("renewed");
    let faults = harness.backend.faults();
    faults.add(Fault::on("POST", REFRESH, Effect::Delay { ms: 10_000 }));
    faults.add(Fault::on("GET", "/me", Effect::Hang {}));
    let began = Instant::now();
    let asked = harness.backend.requests("GET", "/me");
    harness
        .session
        .refresh()
        .await
        .expect("the token is new and the user is known");
    let took = began.elapsed();
    assert_eq!(harness.backend.requests("GET", "/me"), asked + 1);
    let bound = Duration::from_secs(29)..Duration::from_secs(35);
    assert!(
        bound.contains(&took),
        "one bound of 30 s for both: {took:?}"
    );
}
