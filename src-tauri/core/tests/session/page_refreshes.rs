//! P21: a page can ask for refreshes without end, but causes at most one in five seconds, by asking
//! for them or by calls that are refused.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use vestibule_backend::Fault;
use vestibule_core::error::AuthError;
use vestibule_core::schedule::PAGE_GAP;
use vestibule_core::session::Session;

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

/// Native code and the schedule are not delayed.
#[tokio::test(flavor = "multi_thread")]
async fn native_code_refreshes_when_it_wants_to() {
    let rig = Rig::signed_in().await;
    for round in 1..=3 {
        rig.session.refresh().await.expect("renewed");
        assert_eq!(rig.refreshes(), round);
    }
}
