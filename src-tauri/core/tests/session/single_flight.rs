//! However many callers ask, one refresh is sent.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::testing::PAGE_GAP;
use vestibule_harness::*;

const CALLERS: usize = 200;
const ROUNDS: usize = 20;

async fn calls(harness: &Harness) -> JoinSet<Option<u16>> {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let session = harness.session.clone();
        callers.spawn(async move {
            session
                .fetch(get("/me"))
                .await
                .ok()
                .map(|reply| reply.status)
        });
    }
    callers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_callers_on_an_expired_token_make_one_refresh() {
    let strict = Config {
        grace: std::time::Duration::ZERO,
        ..Config::default()
    };
    let harness = Harness::signed_in_with(strict).await;
    for round in 1..=ROUNDS {
        harness.backend.expire_access_tokens();
        let statuses = calls(&harness).await.join_all().await;
        let served = statuses
            .iter()
            .filter(|status| **status == Some(200))
            .count();
        assert_eq!(
            served, CALLERS,
            "round {round}: every caller gets an answer: {statuses:?}"
        );
        assert_eq!(
            harness.refreshes(),
            round,
            "round {round}: exactly one refresh"
        );
        harness.pass(PAGE_GAP);
    }
    assert!(is_fresh(&harness.state()), "and nobody was signed out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_refreshes_share_one_flight() {
    let harness = Harness::signed_in().await;
    for round in 1..=ROUNDS {
        harness.strike(REFRESH, Effect::Delay { ms: 100 });
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let session = harness.session.clone();
            callers.spawn(async move { session.refresh().await });
        }
        for result in callers.join_all().await {
            assert_eq!(
                result,
                Ok(()),
                "round {round}: every caller gets the success"
            );
        }
        assert_eq!(
            harness.refreshes(),
            round,
            "round {round}: exactly one refresh"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failing_refresh_is_not_repeated_by_everyone_who_waited_for_it() {
    for round in 1..=ROUNDS {
        let harness = Harness::signed_in().await;
        // With a `Retry-After`, the schedule's own refreshes are not part of the count.
        let busy = answer(503, serde_json::json!({}), &[("retry-after", "600")]);
        harness
            .backend
            .faults()
            .add(Fault::on("POST", REFRESH, busy));
        harness.backend.expire_access_tokens();
        let statuses = calls(&harness).await.join_all().await;
        assert!(
            statuses.iter().all(|status| *status == Some(401)),
            "round {round}: the backend's own answer reaches the caller: {statuses:?}"
        );
        assert_eq!(
            harness.refreshes(),
            1,
            "round {round}: one refresh for all callers"
        );
        assert_eq!(
            harness.backend.requests("GET", "/me"),
            CALLERS,
            "round {round}: no call was sent again"
        );
        assert!(
            is_stale(&harness.state()),
            "round {round}: the session is kept and stale"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_refreshes_of_a_failing_backend_are_one_request() {
    for round in 1..=ROUNDS {
        let harness = Harness::signed_in().await;
        let busy = answer(503, serde_json::json!({}), &[("retry-after", "600")]);
        harness
            .backend
            .faults()
            .add(Fault::on("POST", REFRESH, busy));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let session = harness.session.clone();
            callers.spawn(async move { session.refresh().await });
        }
        let results = callers.join_all().await;
        assert!(
            results.iter().all(Result::is_err),
            "round {round}: every caller gets the same end"
        );
        assert_eq!(harness.refreshes(), 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_that_gives_up_stops_nothing() {
    let harness = Harness::signed_in().await;
    let before = harness.kept();
    harness.strike(REFRESH, Effect::Delay { ms: 200 });
    let session = harness.session.clone();
    let caller = tokio::spawn(async move { session.refresh().await });
    harness.reached(REFRESH, 1).await;
    caller.abort();
    eventually("the new token in the keyring", || harness.kept() != before).await;
    let reply = harness.get("/me").await.expect("a call");
    assert_eq!(reply.status, 200);
    assert_eq!(
        harness.refreshes(),
        1,
        "only the refresh that was in progress"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starts_and_calls_at_once_are_one_refresh() {
    let mut harness = Harness::signed_in().await;
    for round in 1..=ROUNDS {
        harness.restart();
        harness
            .until("the token is being used", |state| {
                !matches!(state.phase, vestibule_core::wire::Phase::SignedOut { .. })
            })
            .await;
        let served = AtomicUsize::new(0);
        harness.until_fresh().await;
        for status in calls(&harness).await.join_all().await {
            if status == Some(200) {
                served.fetch_add(1, Ordering::Relaxed);
            }
        }
        assert_eq!(
            served.into_inner(),
            CALLERS,
            "round {round}: every caller gets an answer"
        );
        assert_eq!(
            harness.refreshes(),
            round,
            "round {round}: only the start's refresh"
        );
    }
}
