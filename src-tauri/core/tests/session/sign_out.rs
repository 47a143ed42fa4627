//! The contract's rows for `logout`; and a sign-out is final, whatever is in progress.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vestibule_backend::{Config, Effect, Fault, Point};
use vestibule_core::session::Session;
use vestibule_core::transport::{
    BoxFuture, HttpRequest, HttpResponse, HttpTransport, Transport, TransportError,
};
use vestibule_core::wire::{Cause, SignedOutReason};
use vestibule_core::{ErrorCode, Secret, StoreError};
use vestibule_harness::*;

/// Checks that the session is signed out now and after the next start, and gone from the keyring.
async fn check_final(harness: &mut Harness, name: &str) {
    let change = harness.session.snapshot();
    assert_eq!(
        why(&change.state),
        Some(SignedOutReason::ByUser),
        "{name}: signed out"
    );
    assert_eq!(change.cause, Cause::Logout, "{name}: by the user");
    harness.until_nothing_kept().await;
    let refreshes = harness.refreshes();
    harness.restart();
    assert_eq!(
        harness.until_signed_out().await,
        SignedOutReason::ByUser,
        "{name}: the same after the next start"
    );
    assert_eq!(
        harness.refreshes(),
        refreshes,
        "{name}: the next start sends no refresh"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_before_the_keyring_was_read_is_told_too() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Hang);
    harness.restart();
    eventually("the start to wait for the keyring", || {
        harness.store.waiting() == 1
    })
    .await;
    harness.session.logout().await;
    harness.store.heal();
    eventually("the session's end at the backend", || {
        harness.backend.sessions(DEMO)[0].ended.as_deref() == Some("signed_out")
    })
    .await;
    check_final(&mut harness, "while starting").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_without_a_keyring_is_told_once_there_is_one() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Fail(StoreError::Locked));
    harness.restart();
    harness.until("the last user, stale", is_stale).await;
    harness.session.logout().await;
    harness.store.heal();
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
    eventually("the session's end at the backend", || {
        harness.backend.sessions(DEMO)[0].ended.as_deref() == Some("signed_out")
    })
    .await;
    harness.until_nothing_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_told_to_the_backend_with_the_refresh_cookie() {
    let mut harness = Harness::signed_in().await;
    let token = harness.kept();
    let reply = harness.session.logout().await;
    assert!(reply.success);
    harness.reached("/logout", 1).await;
    eventually("the session's end at the backend", || {
        harness.backend.sessions(DEMO)[0].ended.as_deref() == Some("signed_out")
    })
    .await;
    let told = harness
        .backend
        .last_request("POST", "/logout")
        .expect("one");
    assert_eq!(
        told.cookie(COOKIE).map(str::to_owned),
        token,
        "which session"
    );
    assert!(told.body.is_empty(), "no body");
    let reply = harness.get("/me").await.expect("a call");
    assert_eq!(reply.status, 401, "the call has no session");
    let call = harness.backend.last_request("GET", "/me").expect("one");
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
    check_final(&mut harness, "204").await;
}

/// The buffers of a connection hold what it sent last, such as a token.
#[tokio::test(flavor = "multi_thread")]
async fn no_connection_is_kept_once_a_session_is_over() {
    let harness = Harness::signed_in().await;
    for _ in 0..3 {
        harness.get("/me").await.expect("a call");
    }
    // A call that begins before the previous one has returned its connection opens another.
    let kept = harness.backend.connections();
    assert!(
        (1..=2).contains(&kept),
        "connections are kept for the next call: {kept}"
    );
    harness.session.logout().await;
    harness.reached("/logout", 1).await;
    eventually("the end of all connections", || {
        harness.backend.connections() == 0
    })
    .await;

    let harness = Harness::signed_in().await;
    harness.get("/me").await.expect("a call");
    assert!(harness.backend.connections() > 0, "a connection is kept");
    harness.strike(REFRESH, refusal(401, "SESSION_REVOKED"));
    harness
        .session
        .refresh()
        .await
        .expect_err("the session has ended");
    eventually("the end of all connections", || {
        harness.backend.connections() == 0
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
        let mut harness = Harness::signed_in().await;
        harness
            .backend
            .faults()
            .add(Fault::on("POST", "/logout", effect));
        let began = Instant::now();
        assert!(harness.session.logout().await.success, "{name}");
        let took = began.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "{name}: the sign-out does not wait for it: {took:?}"
        );
        harness.reached("/logout", 1).await;
        check_final(&mut harness, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_without_the_backend_is_final() {
    let mut harness = Harness::signed_in().await;
    harness.backend.down().await;
    assert!(harness.session.logout().await.success, "at once");
    assert_eq!(
        why(&harness.state()),
        Some(SignedOutReason::ByUser),
        "the state is signed out when the call returns"
    );
    harness.backend.up().await.expect("the same port is free");
    check_final(&mut harness, "down").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_with_a_locked_keyring_is_final() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Fail(StoreError::Locked));
    assert!(harness.session.logout().await.success, "at once");
    assert!(harness.item().is_some(), "the keyring could not be emptied");
    harness.restart();
    assert_eq!(
        harness.until_signed_out().await,
        SignedOutReason::ByUser,
        "the marker on disk keeps the session signed out"
    );
    harness.store.heal();
    check_restarts_empty(&mut harness).await;
}

async fn check_restarts_empty(harness: &mut Harness) {
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
    harness.until_nothing_kept().await;
    assert_eq!(
        harness.refreshes(),
        0,
        "the token of the signed-out session was never used"
    );
}

/// Signs out with a locked keyring while the backend does not answer, ends the app and starts it
/// again.
async fn left_behind() -> Harness {
    let mut harness = Harness::signed_in().await;
    harness
        .backend
        .faults()
        .add(Fault::on("POST", "/logout", Effect::status(503)));
    harness.store.block(Block::Fail(StoreError::Locked));
    harness.session.logout().await;
    harness.reached("/logout", 1).await;
    let reads = harness.store.reads();
    harness.restart();
    assert_eq!(harness.until_signed_out().await, SignedOutReason::ByUser);
    eventually(
        "the start to find the session's item and the slot locked",
        || harness.store.reads() >= reads + 2,
    )
    .await;
    harness.backend.faults().clear();
    harness
}

/// Whether the first session has ended at the backend by a sign-out, and the others have not.
fn is_first_ended(harness: &Harness) -> bool {
    let sessions = harness.backend.sessions(DEMO);
    let mut ends = sessions.iter().map(|session| session.ended.as_deref());
    ends.next() == Some(Some("signed_out")) && ends.all(|end| end.is_none())
}

async fn until_first_ended(harness: &Harness) {
    eventually("the first session's end at the backend", || {
        harness.pass(Duration::from_secs(1));
        is_first_ended(harness)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_locked_keyring_holds_is_told_once_it_opens() {
    let harness = left_behind().await;
    harness.store.heal();
    until_first_ended(&harness).await;
    eventually("nothing left", || {
        harness.pass(Duration::from_secs(1));
        harness.item().is_none() && !harness.records.join("pending-sign-outs.json").exists()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_tells_what_it_writes_over() {
    let harness = left_behind().await;
    harness.store.heal();
    harness.sign_in(DEMO).await;
    let kept = harness.kept();
    eventually("the first session's end", || {
        harness.pass(Duration::from_millis(100));
        is_first_ended(&harness)
    })
    .await;
    assert!(kept.is_some(), "the new token is stored");
    harness
        .session
        .refresh()
        .await
        .expect("the new session is valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_whose_keyring_opens_later() {
    let mut harness = left_behind().await;
    harness.sign_in(DEMO).await;
    harness.store.heal();
    until_first_ended(&harness).await;
    harness.until_fresh().await;
    eventually("the new token to be stored", || {
        harness.pass(Duration::from_secs(1));
        harness.store.writes() > 0 && harness.item().is_some_and(|item| item["generation"] != 1)
    })
    .await;
    harness.restart();
    harness.until_fresh().await;
    assert!(is_first_ended(&harness), "the second session was not ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_before_the_keyring_opens_tells_of_the_session_behind_it() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Fail(StoreError::Locked));
    harness.restart();
    harness.until("the last known user", is_stale).await;
    harness.sign_in(DEMO).await;
    harness.store.heal();
    until_first_ended(&harness).await;
    harness.until_fresh().await;
    harness.restart();
    harness.until_fresh().await;
    assert!(is_first_ended(&harness), "the second session was not ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_keyring_does_not_hold_up_a_sign_out() {
    let mut harness = Harness::signed_in().await;
    harness.store.block(Block::Hang);
    let began = Instant::now();
    assert!(harness.session.logout().await.success);
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "the sign-out is shown at once: {took:?}"
    );
    assert_eq!(why(&harness.state()), Some(SignedOutReason::ByUser));
    harness.store.heal();
    check_final(&mut harness, "hung").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_during_a_refresh_wins() {
    for when in ["before", "after"] {
        let mut harness = Harness::signed_in_with(Config {
            grace: Duration::ZERO,
            ..Config::default()
        })
        .await;
        let delay = Fault::on("POST", REFRESH, Effect::Delay { ms: 300 }).times(1);
        harness.backend.faults().add(match when {
            "before" => delay.before(),
            _ => delay.after(),
        });
        // The sign-out's own request must not end the session here, so that the late token has to.
        harness
            .backend
            .faults()
            .add(Fault::on("POST", "/logout", Effect::status(503)).times(1));
        let session = harness.session.clone();
        let flight = tokio::spawn(async move { session.refresh().await });
        harness.reached(REFRESH, 1).await;
        assert!(
            harness.session.logout().await.success,
            "{when}: the sign-out does not wait"
        );
        assert_eq!(
            why(&harness.state()),
            Some(SignedOutReason::ByUser),
            "{when}"
        );
        let result = flight.await.expect("the refresh ends");
        assert_eq!(
            code(&result),
            Some(ErrorCode::NotSignedIn),
            "{when}: its answer is not used"
        );
        harness.reached("/logout", 2).await;
        eventually("the late token's revocation", || {
            harness.backend.sessions(DEMO)[0].ended.as_deref() == Some("signed_out")
        })
        .await;
        let reply = harness.get("/me").await.expect("a call");
        assert_eq!(reply.status, 401, "{when}: nobody is signed in");
        check_final(&mut harness, when).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_during_a_login_wins() {
    let mut harness = Harness::new().await;
    harness.strike("/login", Effect::Delay { ms: 300 });
    let session = harness.session.clone();
    let signing_in = tokio::spawn(async move { session.login(login(DEMO)).await });
    harness.reached("/login", 1).await;
    assert!(
        harness.session.logout().await.success,
        "the sign-out does not wait"
    );
    let result = signing_in.await.expect("the login ends");
    assert_eq!(
        code(&result),
        Some(ErrorCode::NotSignedIn),
        "the latest command decides"
    );
    eventually("the late session's end at the backend", || {
        harness
            .backend
            .sessions(DEMO)
            .iter()
            .all(|session| session.ended.as_deref() == Some("signed_out"))
    })
    .await;
    check_final(&mut harness, "during a login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_during_a_login_that_wants_a_code_leaves_no_challenge() {
    let mut harness = Harness::new().await;
    harness.strike("/login", Effect::Delay { ms: 300 });
    let session = harness.session.clone();
    let signing_in = tokio::spawn(async move { session.login(login(OTP)).await });
    harness.reached("/login", 1).await;
    harness.session.logout().await;
    let result = signing_in.await.expect("the login ends");
    assert_eq!(code(&result), Some(ErrorCode::NotSignedIn));
    check_final(&mut harness, "during a login with a code").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_a_challenge_up_while_its_code_is_checked_wins() {
    let harness = Harness::new().await;
    harness.session.login(login(OTP)).await.expect("challenged");
    let right = harness.backend.last_code(OTP).expect("a code");
    harness.strike("/verify-otp", Effect::Delay { ms: 300 });
    let session = harness.session.clone();
    let verifying =
        tokio::spawn(async move { vestibule_harness::verify(&session, Secret::new(right)).await });
    harness.reached("/verify-otp", 1).await;
    harness.session.cancel_otp();
    let result = verifying.await.expect("the check ends");
    assert_eq!(
        code(&result),
        Some(ErrorCode::NoChallenge),
        "the latest command decides"
    );
    assert_eq!(why(&harness.state()), Some(SignedOutReason::Never));
    assert_eq!(harness.item(), None, "no token is stored");
    harness.reached("/logout", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_right_after_a_sign_out_is_whole() {
    let mut harness = Harness::signed_in().await;
    for round in 0..10 {
        harness.session.logout().await;
        harness.sign_in(DEMO).await;
        // The sign-out's remaining work must not touch what the sign-in wrote.
        harness.reached("/logout", round + 1).await;
    }
    let before = harness.refreshes();
    harness.backend.down().await;
    harness.restart();
    let state = harness.until("the last known user", is_stale).await;
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(DEMO));
    harness.backend.up().await.expect("the same port is free");
    harness.until_fresh().await;
    assert!(harness.refreshes() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_while_stale_is_a_sign_out() {
    let mut harness = Harness::signed_in().await;
    harness
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, Effect::status(503)));
    harness.session.refresh().await.expect_err("an outage");
    assert!(is_stale(&harness.state()));
    harness.session.logout().await;
    harness.backend.faults().clear();
    let requests = harness.refreshes();
    check_final(&mut harness, "stale").await;
    assert_eq!(
        harness.refreshes(),
        requests,
        "no refresh is sent after the session"
    );
}

/// The real client, and what was asked of it in what order.
struct Noting {
    client: HttpTransport,
    asked: Mutex<Vec<String>>,
}

impl Noting {
    fn note(&self, what: &str) {
        self.asked.lock().expect("the list").push(what.into());
    }
}

impl Transport for Noting {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        self.note(request.url.path());
        self.client.send(request)
    }

    fn prepare(&self) -> BoxFuture<'_, ()> {
        self.note("prepare");
        self.client.prepare()
    }

    fn close_idle_connections(&self) {
        self.note("close");
        self.client.close_idle_connections();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_sign_out_the_next_sign_in_finds_the_client_ready() {
    let harness = Harness::new().await;
    let client = HttpTransport::new(&harness.profile.backend, "Vestibule/0.1.0");
    let noting = Arc::new(Noting {
        client: client.expect("a client"),
        asked: Mutex::default(),
    });
    let session = Session::open_over(noting.clone(), harness.config()).expect("a session");
    session.login(login(DEMO)).await.expect("signed in");
    session.logout().await;
    let is_ready = || {
        let asked = noting.asked.lock().expect("the list");
        let told = asked.iter().rposition(|what| what.ends_with("/logout"));
        told.is_some_and(|told| asked[told + 1..] == ["close", "prepare"])
    };
    eventually("a new client once the backend is told", is_ready).await;
}
