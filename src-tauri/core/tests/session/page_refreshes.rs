//! P21: a page can ask for refreshes without end, but a refresh that it causes, by asking for one or
//! by a call that is refused, comes at least five seconds after any other, and so does each one
//! after it until one succeeds.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use vestibule_backend::Fault;
use vestibule_core::session::Session;
use vestibule_core::testing::PAGE_GAP;
use vestibule_core::{AuthError, ErrorCode};

use crate::support::*;

const ASKS: usize = 200;

fn ask(session: &Session) -> JoinHandle<Result<(), AuthError>> {
    let session = session.clone();
    tokio::spawn(async move { session.refresh_for_page().await })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_asks_without_end_causes_one_refresh_in_five_seconds() {
    let rig = Rig::signed_in().await;
    ask(&rig.session).await.expect("ends").expect("renewed");
    for round in 2..=4 {
        let asked: Vec<_> = (0..ASKS).map(|_| ask(&rig.session)).collect();
        rig.pass(PAGE_GAP - Duration::from_millis(1));
        // The waiting callers have run by the time this call is answered.
        rig.get("/me").await.expect("a call");
        assert_eq!(
            rig.refreshes(),
            round - 1,
            "no refresh before the gap is over"
        );
        rig.pass(Duration::from_millis(1));
        for asked in asked {
            let asked = soon("a renewal", asked).await.expect("ends");
            asked.expect("the page's refresh succeeds");
        }
        assert_eq!(rig.refreshes(), round, "one refresh for all callers");
    }
    assert!(is_fresh(&rig.state()));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_always_refused_cause_no_more() {
    let rig = Rig::signed_in().await;
    rig.backend
        .faults()
        .add(Fault::on("GET", "/me", answer(401, json!({}), &[])));
    let mut asked = Vec::new();
    for round in 1..=3 {
        for _ in 0..ASKS {
            let reply = rig.session.fetch(get("/me")).await.expect("an answer");
            assert_eq!(reply.status, 401, "the backend's own answer");
            asked.push(ask(&rig.session));
        }
        let refreshes = rig.refreshes();
        assert!(
            (1..=round).contains(&refreshes),
            "one refresh for both kinds together: {refreshes}"
        );
        rig.pass(PAGE_GAP);
    }
    for asked in asked {
        let asked = soon("a renewal", asked).await.expect("ends");
        asked.expect("the page's refresh succeeds");
    }
    assert!(is_fresh(&rig.state()), "and nobody is signed out");
}

/// Has every refresh fail, and every call refused.
fn fail_everything(rig: &Rig) {
    let failed = answer(500, json!({}), &[]);
    rig.backend.faults().add(Fault::on("POST", REFRESH, failed));
    let refused = answer(401, json!({}), &[]);
    rig.backend.faults().add(Fault::on("GET", "/me", refused));
}

/// How long until the app tries again by itself, after a refresh that has failed.
async fn planned(rig: &Rig) -> Duration {
    let wait = |state: &_| outage(state).and_then(|outage| outage.retry_in_ms);
    rig.until("a planned refresh", |state| wait(state).is_some())
        .await;
    Duration::from_millis(wait(&rig.state()).expect("a planned refresh"))
}

/// The page asks and calls again and again: nothing is sent.
async fn page_causes_nothing(rig: &Rig) {
    let refreshes = rig.refreshes();
    for _ in 0..5 {
        let asked = ask(&rig.session).await.expect("ends");
        assert_eq!(code(&asked), Some(ErrorCode::Busy), "the page has to wait");
        let reply = rig.get("/me").await.expect("an answer");
        assert_eq!(reply.status, 401, "the backend's own answer");
    }
    assert_eq!(rig.refreshes(), refreshes, "no refresh within five seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_causes_no_more_while_the_backend_fails() {
    let rig = Rig::signed_in().await;
    fail_everything(&rig);
    let _ = ask(&rig.session).await.expect("ends");
    for round in 1..=6 {
        rig.reached(REFRESH, round).await;
        let wait = planned(&rig).await;
        assert!(
            wait >= PAGE_GAP,
            "round {round}: the retry comes after {wait:?}"
        );
        page_causes_nothing(&rig).await;
        let gap = PAGE_GAP - Duration::from_millis(1);
        rig.pass(gap);
        page_causes_nothing(&rig).await;
        assert_eq!(rig.refreshes(), round, "one for the page and the schedule");
        // The wait was rounded down to whole milliseconds.
        rig.pass(wait - gap + Duration::from_millis(1));
        let _ = ask(&rig.session).await.expect("ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_call_causes_no_more_while_the_backend_fails() {
    const LIST: &str = "/admin/users";
    let rig = Rig::new().await;
    rig.sign_in(ADMIN).await;
    fail_everything(&rig);
    let refused = answer(403, json!({}), &[]);
    rig.backend.faults().add(Fault::on("GET", LIST, refused));
    assert_eq!(rig.get(LIST).await.expect("an answer").status, 403);
    for round in 1..=4 {
        rig.reached(REFRESH, round).await;
        let wait = planned(&rig).await;
        assert!(
            wait >= PAGE_GAP,
            "round {round}: the retry comes after {wait:?}"
        );
        rig.pass(wait + Duration::from_millis(1));
    }
}

/// Otherwise the schedule of an outage would begin anew with each refresh that a page causes.
#[tokio::test(flavor = "multi_thread")]
async fn the_apps_own_retry_keeps_its_time() {
    let rig = Rig::signed_in().await;
    let pause = answer(503, json!({}), &[("retry-after", "60")]);
    rig.strike(REFRESH, pause);
    rig.session.refresh().await.expect_err("the backend fails");
    fail_everything(&rig);
    let own = planned(&rig).await;
    let refused = ask(&rig.session).await.expect("ends").expect_err("refused");
    let told = refused
        .retry_after_ms
        .expect("how long the page has to wait");
    let passed = Duration::from_millis(told + 1);
    rig.pass(passed);
    let asked = ask(&rig.session).await.expect("ends");
    assert!(
        asked.is_err() && rig.refreshes() == 2,
        "the page may ask now"
    );
    let kept = planned(&rig).await;
    let expected = own.saturating_sub(passed).max(PAGE_GAP);
    assert!(
        kept.abs_diff(expected) <= Duration::from_millis(2),
        "planned in {kept:?}, not in {expected:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_session_changes_nothing() {
    let rig = Rig::signed_in().await;
    ask(&rig.session).await.expect("ends").expect("renewed");
    rig.session.logout().await;
    rig.sign_in(PLAIN).await;
    let asked = ask(&rig.session);
    rig.backend.expire_access_tokens();
    let reply = rig.get("/me").await.expect("an answer");
    assert_eq!(reply.status, 401, "the backend's own answer");
    assert_eq!(rig.refreshes(), 1, "no refresh within five seconds");
    rig.pass(PAGE_GAP);
    let asked = soon("a renewal", asked).await.expect("ends");
    asked.expect("the page's refresh succeeds");
    assert_eq!(rig.refreshes(), 2);
}

/// Native code and the schedule are not delayed.
#[tokio::test(flavor = "multi_thread")]
async fn native_code_refreshes_when_it_wants_to() {
    let rig = Rig::signed_in().await;
    for round in 1..=3 {
        rig.session.refresh().await.expect("renewed");
        assert_eq!(rig.refreshes(), round);
    }
}
