//! The contract's rows for `logout`; and a sign-out is final, whatever is in progress.

use std::time::{Duration, Instant};

use vestibule_backend::{Config, Effect, Fault, Point};
use vestibule_core::wire::{Cause, SignedOutReason};
use vestibule_core::{ErrorCode, Secret, StoreError};

use crate::support::*;

/// Checks that the session is signed out now and after the next start, and gone from the keyring.
async fn check_final(rig: &mut Rig, name: &str) {
    let change = rig.session.snapshot();
    assert_eq!(
        why(&change.state),
        Some(SignedOutReason::ByUser),
        "{name}: signed out"
    );
    assert_eq!(change.cause, Cause::Logout, "{name}: by the user");
    rig.until_nothing_kept().await;
    let refreshes = rig.refreshes();
    rig.restart();
    assert_eq!(
        rig.until_signed_out().await,
        SignedOutReason::ByUser,
        "{name}: the same after the next start"
    );
    assert_eq!(
        rig.refreshes(),
        refreshes,
        "{name}: the next start sends no refresh"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_before_the_keyring_was_read_is_told_too() {
    let mut rig = Rig::signed_in().await;
    rig.store.block(Block::Hang);
    rig.restart();
    eventually("the start to wait for the keyring", || {
        rig.store.waiting() == 1
    })
    .await;
    rig.session.logout().await;
    rig.store.heal();
    eventually("the session's end at the backend", || {
        rig.backend.sessions(PLAIN)[0].ended.as_deref() == Some("signed_out")
    })
    .await;
    check_final(&mut rig, "while starting").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_without_a_keyring_is_told_once_there_is_one() {
    let mut rig = Rig::signed_in().await;
    rig.store.block(Block::Fail(StoreError::Locked));
    rig.restart();
    rig.until("the last user, stale", is_stale).await;
    rig.session.logout().await;
    rig.store.heal();
    rig.restart();
    assert_eq!(rig.until_signed_out().await, SignedOutReason::ByUser);
    eventually("the session's end at the backend", || {
        rig.backend.sessions(PLAIN)[0].ended.as_deref() == Some("signed_out")
    })
    .await;
    rig.until_nothing_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_told_to_the_backend_with_the_refresh_cookie() {
    let mut rig = Rig::signed_in().await;
    let token = rig.kept();
    let reply = rig.session.logout().await;
    assert!(reply.success);
    rig.reached("/logout", 1).await;
    eventually("the session's end at the backend", || {
        rig.backend.sessions(PLAIN)[0].ended.as_deref() == Some("signed_out")
    })
    .await;
    let told = rig.backend.last_request("POST", "/logout").expect("one");
    assert_eq!(
        told.cookie(COOKIE).map(str::to_owned),
        token,
        "which session"
    );
    assert!(told.body.is_empty(), "no body");
    let reply = rig.get("/me").await.expect("a call");
    assert_eq!(reply.status, 401, "the call has no session");
    let call = rig.backend.last_request("GET", "/me").expect("one");
    assert_eq!(
        call.header("authorization"),
        None,
        "the call carries no access token"
    );
    assert_eq!(
        call.cookie("vestibule_locale"),
        None,
        "the ordinary cookies are gone too"
    );
    check_final(&mut rig, "204").await;
}

/// The buffers of a connection hold what it sent last, such as a token.
#[tokio::test(flavor = "multi_thread")]
async fn no_connection_is_kept_once_a_session_is_over() {
    let rig = Rig::signed_in().await;
    for _ in 0..3 {
        rig.get("/me").await.expect("a call");
    }
    // A call that begins before the previous one has returned its connection opens another.
    let kept = rig.backend.connections();
    assert!(
        (1..=2).contains(&kept),
        "connections are kept for the next call: {kept}"
    );
    rig.session.logout().await;
    rig.reached("/logout", 1).await;
    eventually("the end of all connections", || {
        rig.backend.connections() == 0
    })
    .await;

    let rig = Rig::signed_in().await;
    rig.get("/me").await.expect("a call");
    assert!(rig.backend.connections() > 0, "a connection is kept");
    rig.strike(REFRESH, refusal(401, "SESSION_REVOKED"));
    rig.session
        .refresh()
        .await
        .expect_err("the session has ended");
    eventually("the end of all connections", || {
        rig.backend.connections() == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_backend_answers_the_session_is_over_here() {
    let rows = [
        (
            "200",
            answer(200, serde_json::json!({"success": true}), &[]),
        ),
        ("401", refusal(401, "TOKEN_MISSING")),
        ("404", Effect::status(404)),
        ("500", Effect::status(500)),
        ("HTML", Effect::Html { status: 200 }),
        (
            "a reset",
            Effect::Reset {
                at: Point::BeforeHeaders,
            },
        ),
        ("no answer", Effect::Hang {}),
    ];
    for (name, effect) in rows {
        let mut rig = Rig::signed_in().await;
        rig.backend
            .faults()
            .add(Fault::on("POST", "/logout", effect));
        let began = Instant::now();
        assert!(rig.session.logout().await.success, "{name}");
        let took = began.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "{name}: the sign-out does not wait for it: {took:?}"
        );
        rig.reached("/logout", 1).await;
        check_final(&mut rig, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_without_the_backend_is_final() {
    let mut rig = Rig::signed_in().await;
    rig.backend.down().await;
    assert!(rig.session.logout().await.success, "at once");
    assert_eq!(
        why(&rig.state()),
        Some(SignedOutReason::ByUser),
        "the state is signed out when the call returns"
    );
    rig.backend.up().await.expect("the same port is free");
    check_final(&mut rig, "down").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_with_a_locked_keyring_is_final() {
    let mut rig = Rig::signed_in().await;
    rig.store.block(Block::Fail(StoreError::Locked));
    assert!(rig.session.logout().await.success, "at once");
    assert!(rig.item().is_some(), "the keyring could not be emptied");
    rig.restart();
    assert_eq!(
        rig.until_signed_out().await,
        SignedOutReason::ByUser,
        "the marker on disk keeps the session signed out"
    );
    rig.store.heal();
    check_restarts_empty(&mut rig).await;
}

async fn check_restarts_empty(rig: &mut Rig) {
    rig.restart();
    assert_eq!(rig.until_signed_out().await, SignedOutReason::ByUser);
    rig.until_nothing_kept().await;
    assert_eq!(
        rig.refreshes(),
        0,
        "the token of the signed-out session was never used"
    );
}

/// Signs out with a locked keyring while the backend does not answer, ends the app and starts it
/// again.
async fn left_behind() -> Rig {
    let mut rig = Rig::signed_in().await;
    rig.backend
        .faults()
        .add(Fault::on("POST", "/logout", Effect::status(503)));
    rig.store.block(Block::Fail(StoreError::Locked));
    rig.session.logout().await;
    rig.reached("/logout", 1).await;
    let reads = rig.store.reads();
    rig.restart();
    assert_eq!(rig.until_signed_out().await, SignedOutReason::ByUser);
    eventually(
        "the start to find the session's item and the slot locked",
        || rig.store.reads() >= reads + 2,
    )
    .await;
    rig.backend.faults().clear();
    rig
}

/// Whether the first session has ended at the backend by a sign-out, and the others have not.
fn is_first_ended(rig: &Rig) -> bool {
    let sessions = rig.backend.sessions(PLAIN);
    let mut ends = sessions.iter().map(|session| session.ended.as_deref());
    ends.next() == Some(Some("signed_out")) && ends.all(|end| end.is_none())
}

async fn until_first_ended(rig: &Rig) {
    eventually("the first session's end at the backend", || {
        rig.pass(Duration::from_secs(1));
        is_first_ended(rig)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_locked_keyring_holds_is_told_once_it_opens() {
    let rig = left_behind().await;
    rig.store.heal();
    until_first_ended(&rig).await;
    eventually("nothing left", || {
        rig.pass(Duration::from_secs(1));
        rig.item().is_none() && !rig.records().join("pending-sign-outs.json").exists()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_tells_what_it_writes_over() {
    let rig = left_behind().await;
    rig.store.heal();
    rig.sign_in(PLAIN).await;
    let kept = rig.kept();
    eventually("the first session's end", || {
        rig.pass(Duration::from_millis(100));
        is_first_ended(&rig)
    })
    .await;
    assert!(kept.is_some(), "the new token is stored");
    rig.session
        .refresh()
        .await
        .expect("the new session is valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_whose_keyring_opens_later() {
    let mut rig = left_behind().await;
    rig.sign_in(PLAIN).await;
    rig.store.heal();
    until_first_ended(&rig).await;
    rig.until_fresh().await;
    eventually("the new token to be stored", || {
        rig.pass(Duration::from_secs(1));
        rig.store.writes() > 0 && rig.item().is_some_and(|item| item["generation"] != 1)
    })
    .await;
    rig.restart();
    rig.until_fresh().await;
    assert!(is_first_ended(&rig), "the second session was not ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_before_the_keyring_opens_tells_of_the_session_behind_it() {
    let mut rig = Rig::signed_in().await;
    rig.store.block(Block::Fail(StoreError::Locked));
    rig.restart();
    rig.until("the last known user", is_stale).await;
    rig.sign_in(PLAIN).await;
    rig.store.heal();
    until_first_ended(&rig).await;
    rig.until_fresh().await;
    rig.restart();
    rig.until_fresh().await;
    assert!(is_first_ended(&rig), "the second session was not ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_keyring_does_not_hold_up_a_sign_out() {
    let mut rig = Rig::signed_in().await;
    rig.store.block(Block::Hang);
    let began = Instant::now();
    assert!(rig.session.logout().await.success);
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "the sign-out is shown at once: {took:?}"
    );
    assert_eq!(why(&rig.state()), Some(SignedOutReason::ByUser));
    rig.store.heal();
    check_final(&mut rig, "hung").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_during_a_refresh_wins() {
    for when in ["before", "after"] {
        let mut rig = Rig::signed_in_with(Config {
            grace: Duration::ZERO,
            ..Config::default()
        })
        .await;
        let delay = Fault::on("POST", REFRESH, Effect::Delay { ms: 300 }).times(1);
        rig.backend.faults().add(match when {
            "before" => delay.before(),
            _ => delay.after(),
        });
        // The sign-out's own request must not end the session here, so that the late token has to.
        rig.backend
            .faults()
            .add(Fault::on("POST", "/logout", Effect::status(503)).times(1));
        let session = rig.session.clone();
        let flight = tokio::spawn(async move { session.refresh().await });
        rig.reached(REFRESH, 1).await;
        assert!(
            rig.session.logout().await.success,
            "{when}: the sign-out does not wait"
        );
        assert_eq!(why(&rig.state()), Some(SignedOutReason::ByUser), "{when}");
        let result = flight.await.expect("the refresh ends");
        assert_eq!(
            code(&result),
            Some(ErrorCode::NotSignedIn),
            "{when}: its answer is not used"
        );
        rig.reached("/logout", 2).await;
        eventually("the late token's revocation", || {
            rig.backend.sessions(PLAIN)[0].ended.as_deref() == Some("signed_out")
        })
        .await;
        let reply = rig.get("/me").await.expect("a call");
        assert_eq!(reply.status, 401, "{when}: nobody is signed in");
        check_final(&mut rig, when).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_during_a_login_wins() {
    let mut rig = Rig::new().await;
    rig.strike("/login", Effect::Delay { ms: 300 });
    let session = rig.session.clone();
    let signing_in = tokio::spawn(async move { session.login(login(PLAIN)).await });
    rig.reached("/login", 1).await;
    assert!(
        rig.session.logout().await.success,
        "the sign-out does not wait"
    );
    let result = signing_in.await.expect("the login ends");
    assert_eq!(
        code(&result),
        Some(ErrorCode::NotSignedIn),
        "the latest command decides"
    );
    eventually("the late session's end at the backend", || {
        rig.backend
            .sessions(PLAIN)
            .iter()
            .all(|session| session.ended.as_deref() == Some("signed_out"))
    })
    .await;
    check_final(&mut rig, "during a login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_during_a_login_that_wants_a_code_leaves_no_challenge() {
    let mut rig = Rig::new().await;
    rig.strike("/login", Effect::Delay { ms: 300 });
    let session = rig.session.clone();
    let signing_in = tokio::spawn(async move { session.login(login(MAILED)).await });
    rig.reached("/login", 1).await;
    rig.session.logout().await;
    let result = signing_in.await.expect("the login ends");
    assert_eq!(code(&result), Some(ErrorCode::NotSignedIn));
    check_final(&mut rig, "during a login with a code").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_a_challenge_up_while_its_code_is_checked_wins() {
    let rig = Rig::new().await;
    rig.session.login(login(MAILED)).await.expect("challenged");
    let right = rig.backend.last_code(MAILED).expect("a code");
    rig.strike("/verify-otp", Effect::Delay { ms: 300 });
    let session = rig.session.clone();
    let verifying =
        tokio::spawn(async move { crate::support::verify(&session, Secret::new(right)).await });
    rig.reached("/verify-otp", 1).await;
    rig.session.cancel_otp();
    let result = verifying.await.expect("the check ends");
    assert_eq!(
        code(&result),
        Some(ErrorCode::NoChallenge),
        "the latest command decides"
    );
    assert_eq!(why(&rig.state()), Some(SignedOutReason::Never));
    assert_eq!(rig.item(), None, "no token is stored");
    rig.reached("/logout", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_right_after_a_sign_out_is_whole() {
    let mut rig = Rig::signed_in().await;
    for round in 0..10 {
        rig.session.logout().await;
        rig.sign_in(PLAIN).await;
        // The sign-out's remaining work must not touch what the sign-in wrote.
        rig.reached("/logout", round + 1).await;
    }
    let before = rig.refreshes();
    rig.backend.down().await;
    rig.restart();
    let state = rig.until("the last known user", is_stale).await;
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(PLAIN));
    rig.backend.up().await.expect("the same port is free");
    rig.until_fresh().await;
    assert!(rig.refreshes() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_while_stale_is_a_sign_out() {
    let mut rig = Rig::signed_in().await;
    rig.backend
        .faults()
        .add(Fault::on("POST", REFRESH, Effect::status(503)));
    rig.session.refresh().await.expect_err("an outage");
    assert!(is_stale(&rig.state()));
    rig.session.logout().await;
    rig.backend.faults().clear();
    let requests = rig.refreshes();
    check_final(&mut rig, "stale").await;
    assert_eq!(
        rig.refreshes(),
        requests,
        "no refresh is sent after the session"
    );
}
