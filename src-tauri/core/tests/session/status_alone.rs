//! What ends a session: an answer with a name at once; a status alone only the third time that
//! it is given, over half a minute, since a gateway in front of the backend says the same when
//! it has trouble.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::error::ErrorCode;
use vestibule_core::wire::SignedOutReason;

use crate::support::*;

/// Answers that have nothing but a status to say it with.
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

fn strike_always(rig: &Rig, effect: Effect) {
    rig.backend.faults().add(Fault::on("POST", REFRESH, effect));
}

/// Lets time pass bit by bit, for the schedule to see each; and waits until what was due then
/// has been sent and answered.
async fn pass(rig: &Rig, seconds: u64) {
    for _ in 0..seconds * 2 {
        rig.pass(Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    tokio::time::sleep(Duration::from_millis(60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_such_answer_ends_nothing() {
    for (name, effect) in by_status_alone() {
        let mut rig = Rig::signed_in().await;
        rig.strike(REFRESH, effect);
        let result = rig.session.refresh().await;
        assert_ne!(code(&result), Some(ErrorCode::SessionEnded), "{name}");
        assert!(is_stale(&rig.state()), "{name}: {:?}", rig.state());
        assert!(rig.item_is_there(), "{name}: nothing was deleted");
        rig.until_fresh().await;
        rig.restart();
        rig.until_fresh().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_ends_the_session_after_half_a_minute() {
    for (name, effect) in by_status_alone() {
        let mut rig = Rig::signed_in().await;
        strike_always(&rig, effect);
        let _ = rig.session.refresh().await;
        assert_eq!(rig.refreshes(), 1, "{name}");
        pass(&rig, 9).await;
        assert_eq!(rig.refreshes(), 1, "{name}: not before 10 s");
        pass(&rig, 7).await;
        rig.reached(REFRESH, 2).await;
        assert!(is_stale(&rig.state()), "{name}: twice is not enough");
        pass(&rig, 13).await;
        assert_eq!(rig.refreshes(), 2, "{name}: not before 30 s");
        pass(&rig, 12).await;
        // It was due by 40 s; no more time passes for it.
        rig.reached(REFRESH, 3).await;
        assert_eq!(
            rig.until_signed_out().await,
            SignedOutReason::Expired,
            "{name}"
        );
        pass(&rig, 60).await;
        assert_eq!(rig.refreshes(), 3, "{name}: and no more");
        rig.restart();
        assert_eq!(
            rig.until_signed_out().await,
            SignedOutReason::Expired,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_three_has_a_connection_of_its_own() {
    let rig = Rig::signed_in().await;
    rig.get("/me").await.expect("a call");
    strike_always(&rig, Effect::status(401));
    let _ = rig.session.refresh().await;
    pass(&rig, 45).await;
    rig.until_signed_out().await;
    let ports: std::collections::BTreeSet<_> = rig
        .backend
        .recent_requests("POST", REFRESH)
        .iter()
        .map(|sent| sent.peer)
        .collect();
    assert_eq!(ports.len(), 3, "three connections: {ports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_do_not_add_to_the_three() {
    let rig = Rig::signed_in().await;
    strike_always(&rig, Effect::status(401));
    for _ in 0..8 {
        let result = rig.session.refresh().await;
        assert_ne!(code(&result), Some(ErrorCode::SessionEnded), "a click");
        let call = rig.get("/me").await;
        assert_ne!(code(&call), Some(ErrorCode::SessionEnded), "a call");
        pass(&rig, 1).await;
    }
    assert!(is_stale(&rig.state()), "{:?}", rig.state());
    assert_eq!(why(&rig.state()), None);
    pass(&rig, 60).await;
    assert_eq!(rig.until_signed_out().await, SignedOutReason::Expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_in_between_takes_it_all_back() {
    let rig = Rig::signed_in().await;
    let id = rig
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, Effect::status(401)));
    let _ = rig.session.refresh().await;
    pass(&rig, 16).await;
    assert_eq!(rig.refreshes(), 2);
    rig.backend.faults().remove(id);
    pass(&rig, 26).await;
    assert!(is_fresh(&rig.state()), "{:?}", rig.state());
    // From here it takes three again.
    strike_always(&rig, Effect::status(401));
    let _ = rig.session.refresh().await;
    pass(&rig, 16).await;
    assert_eq!(why(&rig.state()), None, "two do not end it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_transient_in_between_neither_counts_nor_resets() {
    let rig = Rig::signed_in().await;
    rig.strike(REFRESH, Effect::status(401));
    rig.strike(REFRESH, Effect::status(503));
    strike_always(&rig, Effect::status(401));
    let _ = rig.session.refresh().await;
    pass(&rig, 16).await;
    assert_eq!(why(&rig.state()), None, "{:?}", rig.state());
    assert!(rig.refreshes() >= 2);
    // The three that count are the first and two more.
    pass(&rig, 300).await;
    assert_eq!(rig.until_signed_out().await, SignedOutReason::Expired);
    assert_eq!(rig.refreshes(), 4, "three of a kind, and one in between");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_end_in_between_counts_at_once() {
    let rig = Rig::signed_in().await;
    rig.strike(REFRESH, Effect::status(401));
    strike_always(&rig, refusal(401, "SESSION_REVOKED"));
    let _ = rig.session.refresh().await;
    pass(&rig, 16).await;
    assert_eq!(rig.until_signed_out().await, SignedOutReason::Revoked);
    assert_eq!(rig.refreshes(), 2);
}

/// Whoever signs in meanwhile starts at nought.
#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_one_session_is_not_the_next_ones() {
    let rig = Rig::signed_in().await;
    strike_always(&rig, Effect::status(401));
    let _ = rig.session.refresh().await;
    pass(&rig, 16).await;
    assert_eq!(rig.refreshes(), 2);
    rig.sign_in(ADMIN).await;
    let _ = rig.session.refresh().await;
    pass(&rig, 16).await;
    assert_eq!(why(&rig.state()), None, "{:?}", rig.state());
    assert_eq!(shown(&rig.state()).as_deref(), Some(ADMIN));
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
        let rig = Rig::signed_in().await;
        rig.strike(REFRESH, refusal(status, name));
        let result = rig.session.refresh().await;
        assert_eq!(code(&result), Some(ErrorCode::SessionEnded), "{name}");
        assert_eq!(why(&rig.state()), Some(wanted), "{name}");
        assert_eq!(rig.refreshes(), 1, "{name}: not argued with");
    }
}

/// A call that finds the gateway in trouble is not the end of the session either.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_meets_such_an_answer_twice_ends_nothing() {
    let rig = Rig::signed_in().await;
    rig.backend.expire_access_tokens();
    rig.strike(REFRESH, Effect::status(401));
    let reply = rig.get("/me").await;
    assert_ne!(code(&reply), Some(ErrorCode::SessionEnded), "{reply:?}");
    assert_eq!(why(&rig.state()), None);
    rig.until_fresh().await;
    assert_eq!(rig.get("/me").await.expect("a call").status, 200);
}

/// A sign-out is heard when the backend says so, not when a gateway does.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_believed_by_status_alone_only_at_the_third_time() {
    for times in [1, 2, 3] {
        let world = World::new(Config::default()).await;
        let install = world.install().await;
        install.sign_in(PLAIN).await;
        let gateway = answer(401, json!({"message": "Unauthorized"}), &[]);
        world
            .backend
            .faults()
            .add(Fault::on("POST", "/logout", gateway).before().times(times));
        install.session.logout().await;
        install
            .passing(world.backend.reached("POST", "/logout", 1))
            .await;
        if times < 3 {
            let told = || world.alive(PLAIN) == 0;
            let what = format!("the backend hears it after {times}");
            install.passing(eventually(&what, told)).await;
        } else {
            let nothing = || world.store.items().is_empty();
            install.passing(eventually("it is let go", nothing)).await;
            assert_eq!(world.backend.requests("POST", "/logout"), 3);
        }
    }
}
