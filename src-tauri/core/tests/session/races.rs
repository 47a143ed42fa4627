//! A sign-in, a refresh, a sign-out and the end of a session at the same time: the latest one
//! decides, in memory, on disk and in the keyring.

use std::time::Duration;

use tokio::task::JoinSet;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::wire::SignInOutcome;
use vestibule_harness::*;

fn strict() -> Config {
    Config {
        grace: Duration::ZERO,
        ..Config::default()
    }
}

/// Checks that the state in memory and the state after the next start are the same.
async fn check_next_start(harness: &mut Harness, name: &str) {
    let now = harness.state();
    let who = user(&now).map(|user| user.email.clone());
    harness.backend.faults().clear();
    harness.restart();
    let then = harness
        .until("the start to be over", |state| {
            is_fresh(state) || why(state).is_some()
        })
        .await;
    let found = user(&then).map(|user| user.email.clone());
    assert_eq!(found, who, "{name}: now {now:?}, then {then:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_while_stale_replaces_the_session() {
    let mut harness = Harness::signed_in_with(strict()).await;
    harness
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, Effect::status(503)));
    harness.session.refresh().await.expect_err("an outage");
    assert!(is_stale(&harness.state()));
    let old = harness.kept();
    let outcome = harness.session.login(login(ADMIN)).await;
    assert_eq!(outcome, Ok(SignInOutcome::SignedIn));
    let state = harness.state();
    assert!(is_fresh(&state), "fresh: {state:?}");
    assert_eq!(user(&state).map(|user| user.email.as_str()), Some(ADMIN));
    assert_ne!(harness.kept(), old, "the new token is stored");
    check_next_start(&mut harness, "signed in again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_of_the_old_session_never_lands_over_a_new_one() {
    for round in 0..30 {
        let mut harness = Harness::signed_in_with(strict()).await;
        let delay = Effect::Delay { ms: round % 10 };
        harness
            .backend
            .faults()
            .add(Fault::on("POST", REFRESH, delay).after());
        let mut running = JoinSet::new();
        for _ in 0..4 {
            let session = harness.session.clone();
            running.spawn(async move {
                for _ in 0..6 {
                    let _ = session.refresh().await;
                }
            });
        }
        let session = harness.session.clone();
        running.spawn(async move {
            session.login(login(ADMIN)).await.expect("signed in");
        });
        running.join_all().await;
        let state = harness.state();
        assert_eq!(
            user(&state).map(|user| user.email.as_str()),
            Some(ADMIN),
            "round {round}: the new session: {state:?}"
        );
        harness
            .session
            .refresh()
            .await
            .expect("the new token is the one in use");
        check_next_start(&mut harness, "login over refreshes").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_end_of_the_old_session_does_not_end_a_new_one() {
    for round in 0..30 {
        let mut harness = Harness::signed_in_with(strict()).await;
        harness.backend.revoke_session(DEMO);
        let mut running = JoinSet::new();
        let session = harness.session.clone();
        running.spawn(async move {
            let _ = session.refresh().await;
        });
        let session = harness.session.clone();
        running.spawn(async move {
            session.login(login(ADMIN)).await.expect("signed in");
        });
        running.join_all().await;
        let state = harness.state();
        assert_eq!(
            user(&state).map(|user| user.email.as_str()),
            Some(ADMIN),
            "round {round}: the new session is valid: {state:?}"
        );
        check_next_start(&mut harness, "login over an end").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_keyring_widens_no_gap() {
    // While the keyring hangs in the middle of a sign-in, the old token must not be rotated for the
    // new session.
    for round in 0..3 {
        let mut harness = Harness::signed_in_with(strict()).await;
        harness.store.block(Block::Hang);
        let session = harness.session.clone();
        let signing_in = tokio::spawn(async move { session.login(login(ADMIN)).await });
        eventually("the keyring to hang", || harness.store.waiting() > 0).await;
        let session = harness.session.clone();
        let refreshing = tokio::spawn(async move { session.refresh().await });
        tokio::time::sleep(Duration::from_millis(50 * round)).await;
        harness.store.heal();
        let outcome = signing_in.await.expect("ends");
        assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "round {round}");
        let _ = refreshing.await.expect("ends");
        let state = harness.state();
        assert_eq!(
            user(&state).map(|user| user.email.as_str()),
            Some(ADMIN),
            "{state:?}"
        );
        harness
            .session
            .refresh()
            .await
            .expect("the new token is the one in use");
        check_next_start(&mut harness, "a slow keyring").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_at_once_memory_disk_and_keyring_agree_in_the_end() {
    for round in 0..20_u64 {
        let mut harness = Harness::signed_in_with(strict()).await;
        let mut running = JoinSet::new();
        for step in 0..4_u64 {
            let session = harness.session.clone();
            running.spawn(async move {
                for turn in 0..4_u64 {
                    match (round * 7 + step * 3 + turn) % 5 {
                        0 => drop(session.logout().await),
                        1 => drop(session.login(login(DEMO)).await),
                        2 => drop(session.login(login(ADMIN)).await),
                        3 => drop(session.refresh().await),
                        _ => drop(session.fetch(get("/me")).await),
                    }
                }
            });
        }
        running.join_all().await;
        if user(&harness.state()).is_none() {
            harness.until_nothing_kept().await;
        }
        check_next_start(&mut harness, &format!("round {round}")).await;
    }
}
