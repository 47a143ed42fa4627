//! A page can ask for refreshes without end, but a refresh that it causes, by asking for one or
//! by a call that is refused, comes at least five seconds after any other, and so does each one
//! after it until one succeeds.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use vestibule_backend::Fault;
use vestibule_core::session::Session;
use vestibule_core::testing::PAGE_GAP;
use vestibule_core::{AuthError, ErrorCode};
use vestibule_harness::*;

const ASKS: usize = 200;

fn ask(session: &Session) -> JoinHandle<Result<(), AuthError>> {
    let session = session.clone();
    tokio::spawn(async move { session.refresh_for_page().await })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_asks_without_end_causes_one_refresh_in_five_seconds() {
    let harness = Harness::signed_in().await;
    ask(&harness.session).await.expect("ends").expect("renewed");
    for round in 2..=4 {
        let asked: Vec<_> = (0..ASKS).map(|_| ask(&harness.session)).collect();
        harness.pass(PAGE_GAP - Duration::from_millis(1));
        // The waiting callers have run by the time this call is answered.
        harness.get("/me").await.expect("a call");
        assert_eq!(
            harness.refreshes(),
            round - 1,
            "no refresh before the gap is over"
        );
        harness.pass(Duration::from_millis(1));
        for asked in asked {
            let asked = soon("a renewal", asked).await.expect("ends");
            asked.expect("the page's refresh succeeds");
        }
        assert_eq!(harness.refreshes(), round, "one refresh for all callers");
    }
    assert!(is_fresh(&harness.state()));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_always_refused_cause_no_more() {
    let harness = Harness::signed_in().await;
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/me", answer(401, json!({}), &[])));
    let mut asked = Vec::new();
    for round in 1..=3 {
        for _ in 0..ASKS {
            let reply = harness.session.fetch(get("/me")).await.expect("an answer");
            assert_eq!(reply.status, 401, "the backend's own answer");
            asked.push(ask(&harness.session));
        }
        let refreshes = harness.refreshes();
        assert!(
            (1..=round).contains(&refreshes),
            "one refresh for both kinds together: {refreshes}"
        );
        harness.pass(PAGE_GAP);
    }
    for asked in asked {
        let asked = soon("a renewal", asked).await.expect("ends");
        asked.expect("the page's refresh succeeds");
    }
    assert!(is_fresh(&harness.state()), "and nobody is signed out");
}

/// Has every refresh fail, and every call refused.
fn fail_everything(harness: &Harness) {
    let failed = answer(500, json!({}), &[]);
    harness
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, failed));
    let refused = answer(401, json!({}), &[]);
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/me", refused));
}

/// How long until the app tries again by itself, after a refresh that has failed.
async fn planned(harness: &Harness) -> Duration {
    let wait = |state: &_| outage(state).and_then(|outage| outage.retry_in_ms);
    harness
        .until("a planned refresh", |state| wait(state).is_some())
        .await;
    Duration::from_millis(wait(&harness.state()).expect("a planned refresh"))
}

/// The page asks and calls again and again: nothing is sent.
async fn page_causes_nothing(harness: &Harness) {
    let refreshes = harness.refreshes();
    for _ in 0..5 {
        let asked = ask(&harness.session).await.expect("ends");
        assert_eq!(code(&asked), Some(ErrorCode::Busy), "the page has to wait");
        let reply = harness.get("/me").await.expect("an answer");
        assert_eq!(reply.status, 401, "the backend's own answer");
    }
    assert_eq!(
        harness.refreshes(),
        refreshes,
        "no refresh within five seconds"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_causes_no_more_while_the_backend_fails() {
    let harness = Harness::signed_in().await;
    fail_everything(&harness);
    let _ = ask(&harness.session).await.expect("ends");
    for round in 1..=6 {
        harness.reached(REFRESH, round).await;
        let wait = planned(&harness).await;
        assert!(
            wait >= PAGE_GAP,
            "round {round}: the retry comes after {wait:?}"
        );
        page_causes_nothing(&harness).await;
        let gap = PAGE_GAP - Duration::from_millis(1);
        harness.pass(gap);
        page_causes_nothing(&harness).await;
        assert_eq!(
            harness.refreshes(),
            round,
            "one for the page and the schedule"
        );
        // The wait was rounded down to whole milliseconds.
        harness.pass(wait - gap + Duration::from_millis(1));
        let _ = ask(&harness.session).await.expect("ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_call_causes_no_more_while_the_backend_fails() {
    const LIST: &str = "/admin/users";
    let harness = Harness::new().await;
    harness.sign_in(ADMIN).await;
    fail_everything(&harness);
    let refused = answer(403, json!({}), &[]);
    harness
        .backend
        .faults()
        .add(Fault::on("GET", LIST, refused));
    assert_eq!(harness.get(LIST).await.expect("an answer").status, 403);
    for round in 1..=4 {
        harness.reached(REFRESH, round).await;
        let wait = planned(&harness).await;
        assert!(
            wait >= PAGE_GAP,
            "round {round}: the retry comes after {wait:?}"
        );
        harness.pass(wait + Duration::from_millis(1));
    }
}

/// Otherwise the schedule of an outage would begin anew with each refresh that a page causes.
#[tokio::test(flavor = "multi_thread")]
async fn the_apps_own_retry_keeps_its_time() {
    let harness = Harness::signed_in().await;
    let pause = answer(503, json!({}), &[("retry-after", "60")]);
    harness.strike(REFRESH, pause);
    harness
        .session
        .refresh()
        .await
        .expect_err("the backend fails");
    fail_everything(&harness);
    let own = planned(&harness).await;
    let refused = ask(&harness.session)
        .await
        .expect("ends")
        .expect_err("refused");
    let told = refused
        .retry_after_ms
        .expect("how long the page has to wait");
    let passed = Duration::from_millis(told + 1);
    harness.pass(passed);
    let asked = ask(&harness.session).await.expect("ends");
    assert!(
        asked.is_err() && harness.refreshes() == 2,
        "the page may ask now"
    );
    let kept = planned(&harness).await;
    let expected = own.saturating_sub(passed).max(PAGE_GAP);
    assert!(
        kept.abs_diff(expected) <= Duration::from_millis(2),
        "planned in {kept:?}, not in {expected:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_session_changes_nothing() {
    let harness = Harness::signed_in().await;
    ask(&harness.session).await.expect("ends").expect("renewed");
    harness.session.logout().await;
    harness.sign_in(DEMO).await;
    let asked = ask(&harness.session);
    harness.backend.expire_access_tokens();
    let reply = harness.get("/me").await.expect("an answer");
    assert_eq!(reply.status, 401, "the backend's own answer");
    assert_eq!(harness.refreshes(), 1, "no refresh within five seconds");
    harness.pass(PAGE_GAP);
    let asked = soon("a renewal", asked).await.expect("ends");
    asked.expect("the page's refresh succeeds");
    assert_eq!(harness.refreshes(), 2);
}

/// Native code and the schedule are not delayed.
#[tokio::test(flavor = "multi_thread")]
async fn native_code_refreshes_when_it_wants_to() {
    let harness = Harness::signed_in().await;
    for round in 1..=3 {
        harness.session.refresh().await.expect("renewed");
        assert_eq!(harness.refreshes(), round);
    }
}
