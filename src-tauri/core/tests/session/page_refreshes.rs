//! P21: the refreshes that a page can cause, which may ask without end: one in five seconds,
//! whether it asks for them or makes calls that are refused.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::Fault;
use vestibule_core::schedule::PAGE_GAP;

use crate::support::*;

const ASKS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_asks_without_end_causes_one_refresh_in_five_seconds() {
    let rig = Rig::signed_in().await;
    for round in 1..=3 {
        for _ in 0..ASKS {
            let asked = rig.session.refresh_for_page().await;
            asked.expect("what it wants, a new token, is there");
        }
        assert_eq!(rig.refreshes(), round, "one for all of them");
        rig.pass(PAGE_GAP - Duration::from_millis(1));
        rig.session.refresh_for_page().await.expect("still new");
        assert_eq!(rig.refreshes(), round, "not a moment too early");
        rig.pass(Duration::from_millis(1));
    }
    assert!(is_fresh(&rig.state()));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_always_refused_cause_no_more() {
    let rig = Rig::signed_in().await;
    rig.backend
        .faults()
        .add(Fault::on("GET", "/me", answer(401, json!({}), &[])));
    for round in 1..=3 {
        for _ in 0..ASKS {
            let reply = rig.session.fetch(get("/me")).await.expect("an answer");
            assert_eq!(reply.status, 401, "the backend's own answer");
            let asked = rig.session.refresh_for_page().await;
            asked.expect("what it wants is there");
        }
        assert_eq!(rig.refreshes(), round, "one for both kinds together");
        rig.pass(PAGE_GAP);
    }
    assert!(is_fresh(&rig.state()), "and nobody is signed out");
}

/// Who is not a page is not held up: native code, the schedule.
#[tokio::test(flavor = "multi_thread")]
async fn native_code_refreshes_when_it_wants_to() {
    let rig = Rig::signed_in().await;
    for round in 1..=3 {
        rig.session.refresh().await.expect("renewed");
        assert_eq!(rig.refreshes(), round);
    }
}
