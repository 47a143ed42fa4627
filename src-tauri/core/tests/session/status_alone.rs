//! What ends a session: an answer with an error code at once; a status alone only at the third
//! time, over half a minute, since a failing gateway in front of the backend sends the same.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::*;

/// Answers whose only statement is a status.
fn by_status_alone() -> Vec<(&'static str, Effect)> {
    let challenge = [("www-authenticate", r#"Bearer error="invalid_token""#)];
    vec![
        ("401 with JSON", Effect::status(401)),
        (
            "401 of a gateway",
            answer(401, json!({"message": "Unauthorized"}), &[]),
        ),
        ("401 with an empty object", answer(401, json!({}), &[])),
        (
            "401 with a code that no rule names",
            refusal(401, "E_NO_UPSTREAM"),
        ),
        ("401 with invalid_token", answer(401, json!({}), &challenge)),
    ]
}

fn strike_always(harness: &Harness, effect: Effect) {
    harness
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, effect));
}

/// Lets time pass in small steps, so that the schedule sees each, and waits until what became due
/// was sent and answered.
async fn pass(harness: &Harness, seconds: u64) {
    for _ in 0..seconds * 2 {
        harness.pass(Duration::from_millis(500));
        harness.clock.until_asleep().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_such_answer_ends_nothing() {
    for (name, effect) in by_status_alone() {
        let mut harness = Harness::signed_in().await;
        harness.strike(REFRESH, effect);
        let result = harness.session.refresh().await;
        assert_ne!(code(&result), Some(ErrorCode::SessionEnded), "{name}");
        assert!(is_stale(&harness.state()), "{name}: {:?}", harness.state());
        assert!(harness.item_is_there(), "{name}: nothing was deleted");
        harness.until_fresh().await;
        harness.restart();
        harness.until_fresh().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_ends_the_session_after_half_a_minute() {
    for (name, effect) in by_status_alone() {
        let mut harness = Harness::signed_in().await;
        strike_always(&harness, effect);
        let _ = harness.session.refresh().await;
        assert_eq!(harness.refreshes(), 1, "{name}");
        pass(&harness, 9).await;
        assert_eq!(
            harness.refreshes(),
            1,
            "{name}: no second refresh before 10 s"
        );
        pass(&harness, 7).await;
        harness.reached(REFRESH, 2).await;
        assert!(
            is_stale(&harness.state()),
            "{name}: two rejections do not end the session"
        );
        pass(&harness, 13).await;
        assert_eq!(
            harness.refreshes(),
            2,
            "{name}: no third refresh before 30 s"
        );
        pass(&harness, 12).await;
        // The third is due after 40 s at the latest; no more time passes for it.
        harness.reached(REFRESH, 3).await;
        assert_eq!(
            harness.until_signed_out().await,
            SignedOutReason::Expired,
            "{name}"
        );
        pass(&harness, 60).await;
        assert_eq!(harness.refreshes(), 3, "{name}: no further refresh");
        harness.restart();
        assert_eq!(
            harness.until_signed_out().await,
            SignedOutReason::Expired,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_three_has_a_connection_of_its_own() {
    let harness = Harness::signed_in().await;
    harness.get("/me").await.expect("a call");
    strike_always(&harness, Effect::status(401));
    let _ = harness.session.refresh().await;
    pass(&harness, 45).await;
    harness.until_signed_out().await;
    let ports: std::collections::BTreeSet<_> = harness
        .backend
        .recent_requests("POST", REFRESH)
        .iter()
        .map(|sent| sent.peer)
        .collect();
    assert_eq!(ports.len(), 3, "three connections: {ports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_do_not_add_to_the_three() {
    let harness = Harness::signed_in().await;
    strike_always(&harness, Effect::status(401));
    for _ in 0..8 {
        let result = harness.session.refresh().await;
        assert_ne!(code(&result), Some(ErrorCode::SessionEnded), "a click");
        let call = harness.get("/me").await;
        assert_ne!(code(&call), Some(ErrorCode::SessionEnded), "a call");
        pass(&harness, 1).await;
    }
    assert!(is_stale(&harness.state()), "{:?}", harness.state());
    assert_eq!(why(&harness.state()), None);
    pass(&harness, 60).await;
    assert_eq!(harness.until_signed_out().await, SignedOutReason::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_in_between_takes_it_all_back() {
    let harness = Harness::signed_in().await;
    let id = harness
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, Effect::status(401)));
    let _ = harness.session.refresh().await;
    pass(&harness, 16).await;
    harness.reached(REFRESH, 2).await;
    harness.backend.faults().remove(id);
    pass(&harness, 26).await;
    assert!(is_fresh(&harness.state()), "{:?}", harness.state());
    // From here on, three rejections are needed again.
    strike_always(&harness, Effect::status(401));
    let _ = harness.session.refresh().await;
    pass(&harness, 16).await;
    assert_eq!(why(&harness.state()), None, "two do not end it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_transient_in_between_neither_counts_nor_resets() {
    let harness = Harness::signed_in().await;
    harness.strike(REFRESH, Effect::status(401));
    harness.strike(REFRESH, Effect::status(503));
    strike_always(&harness, Effect::status(401));
    let _ = harness.session.refresh().await;
    pass(&harness, 16).await;
    assert_eq!(why(&harness.state()), None, "{:?}", harness.state());
    harness.reached(REFRESH, 2).await;
    // The first of these and two more make the three that count.
    pass(&harness, 300).await;
    assert_eq!(harness.until_signed_out().await, SignedOutReason::Expired);
    assert_eq!(
        harness.refreshes(),
        4,
        "three rejections, and one other answer in between"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_end_in_between_counts_at_once() {
    let harness = Harness::signed_in().await;
    harness.strike(REFRESH, Effect::status(401));
    strike_always(&harness, refusal(401, "SESSION_REVOKED"));
    let _ = harness.session.refresh().await;
    pass(&harness, 16).await;
    assert_eq!(harness.until_signed_out().await, SignedOutReason::Revoked);
    assert_eq!(harness.refreshes(), 2);
}

/// A sign-in in between resets the count.
#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_one_session_is_not_the_next_ones() {
    let harness = Harness::signed_in().await;
    strike_always(&harness, Effect::status(401));
    let _ = harness.session.refresh().await;
    pass(&harness, 16).await;
    harness.reached(REFRESH, 2).await;
    harness.sign_in(ADMIN).await;
    let _ = harness.session.refresh().await;
    pass(&harness, 16).await;
    assert_eq!(why(&harness.state()), None, "{:?}", harness.state());
    assert_eq!(shown(&harness.state()).as_deref(), Some(ADMIN));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_with_a_name_counts_at_once() {
    use SignedOutReason::{DeviceMismatch, Expired, Reuse, Revoked};
    let rows = [
        (401, "REFRESH_REUSED", Reuse),
        (401, "SESSION_REVOKED", Revoked),
        (403, "DEVICE_MISMATCH", DeviceMismatch),
        (401, "TOKEN_MISSING", Expired),
        (401, "TOKEN_INVALID", Expired),
        (401, "TOKEN_EXPIRED", Expired),
        (401, "SESSION_ENDED", Expired),
    ];
    for (status, name, wanted) in rows {
        let harness = Harness::signed_in().await;
        harness.strike(REFRESH, refusal(status, name));
        let result = harness.session.refresh().await;
        assert_eq!(code(&result), Some(ErrorCode::SessionEnded), "{name}");
        assert_eq!(why(&harness.state()), Some(wanted), "{name}");
        assert_eq!(
            harness.refreshes(),
            1,
            "{name}: the refresh is not sent again"
        );
    }
}

/// A call that meets a failing gateway does not end the session either.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_meets_such_an_answer_twice_ends_nothing() {
    let harness = Harness::signed_in().await;
    harness.backend.expire_access_tokens();
    harness.strike(REFRESH, Effect::status(401));
    let reply = harness.get("/me").await;
    assert_ne!(code(&reply), Some(ErrorCode::SessionEnded), "{reply:?}");
    assert_eq!(why(&harness.state()), None);
    harness.until_fresh().await;
    assert_eq!(harness.get("/me").await.expect("a call").status, 200);
}

/// A sign-out counts as delivered when the backend answers, not when a gateway does.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_believed_by_status_alone_only_at_the_third_time() {
    for times in [1, 2, 3] {
        let setup = Setup::new(Config::default()).await;
        let install = setup.install().await;
        install.sign_in(DEMO).await;
        let gateway = answer(401, json!({"message": "Unauthorized"}), &[]);
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/logout", gateway).before().times(times));
        install.session.logout().await;
        install
            .passing(setup.backend.reached("POST", "/logout", 1))
            .await;
        if times < 3 {
            let told = || setup.alive(DEMO) == 0;
            let what = format!("the backend receives the sign-out after {times}");
            install.passing(eventually(&what, told)).await;
        } else {
            let nothing = || setup.store.items().is_empty();
            install
                .passing(eventually("no pending sign-out", nothing))
                .await;
            assert_eq!(setup.backend.requests("POST", "/logout"), 3);
        }
    }
}
