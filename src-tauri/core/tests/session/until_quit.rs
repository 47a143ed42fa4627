//! "You stay signed in until you quit" is a promise: even if the keyring or the disk stored the
//! session after all, the next start is signed out, and the backend receives a sign-out.

use vestibule_core::StoreError;
use vestibule_core::wire::Phase;
use vestibule_harness::*;

fn remembered(install: &Installation) -> Option<bool> {
    match install.state().phase {
        Phase::SignedIn { remembered, .. } => Some(remembered),
        _ => None,
    }
}

async fn check_over(setup: &Setup, install: &mut Installation, name: &str) {
    let before = setup.backend.requests("POST", REFRESH);
    install.restart();
    let settled = install.settle(name).await;
    settled.expect_err("the session has ended, as the state said");
    let after = setup.backend.requests("POST", REFRESH);
    assert_eq!(after, before, "{name}: the token was not used again");
    install
        .passing(eventually("the end at the backend", || {
            setup.alive(DEMO) == 0
        }))
        .await;
    let nothing = || setup.store.items().is_empty();
    install
        .passing(eventually("an empty keyring", nothing))
        .await;
    install.restart();
    install
        .settle(name)
        .await
        .expect_err("the session stays signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_lands_after_the_end_of_the_process_keeps_nobody_signed_in() {
    for rotates in [false, true] {
        let setup = Setup::new(vestibule_backend::Config::default()).await;
        let mut install = setup.install().await;
        setup.store.block(Block::Hang);
        install.sign_in(DEMO).await;
        if rotates {
            install.session.refresh().await.expect("refreshed");
        }
        assert_eq!(
            remembered(&install),
            Some(false),
            "the session is in memory only"
        );
        // The process has ended, and the calls that it made to the keyring take effect.
        install.quit().await;
        setup.store.heal();
        eventually("the late write", || !setup.store.items().is_empty()).await;
        eventually("all late calls", || setup.store.waiting() == 0).await;
        check_over(&setup, &mut install, &format!("rotated: {rotates}")).await;
    }
}

/// The write succeeds a moment after the answer, before the state says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_lands_late_and_was_not_told_keeps_nobody_signed_in() {
    let setup = Setup::new(vestibule_backend::Config::default()).await;
    let mut install = setup.install().await;
    setup.store.block(Block::Hang);
    install.sign_in(DEMO).await;
    assert_eq!(
        remembered(&install),
        Some(false),
        "the session is in memory only"
    );
    setup.store.heal();
    eventually("the late write", || !setup.store.items().is_empty()).await;
    if remembered(&install) == Some(false) {
        check_over(&setup, &mut install, "landed late").await;
    }
}

/// The latest state counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_was_told_keeps_somebody_signed_in() {
    for error in [StoreError::Locked, StoreError::Failed] {
        let setup = Setup::new(vestibule_backend::Config::default()).await;
        let mut install = setup.install().await;
        setup.store.block(Block::Fail(error));
        install.sign_in(DEMO).await;
        assert_eq!(
            remembered(&install),
            Some(false),
            "the session is in memory only"
        );
        setup.store.heal();
        let told = install.until("the token to be stored", |state| {
            matches!(
                state.phase,
                Phase::SignedIn {
                    remembered: true,
                    ..
                }
            )
        });
        install.passing(told).await;
        install.restart();
        let settled = install.settle("told").await;
        assert_eq!(settled.as_deref(), Ok(DEMO), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_a_full_disk_did_not_take_is_over_at_the_next_start() {
    for was_signed_in in [false, true] {
        let setup = Setup::new(vestibule_backend::Config::default()).await;
        let mut install = setup.install().await;
        if was_signed_in {
            install.sign_in(ADMIN).await;
        }
        let usual = install.records.clone();
        install.quit().await;
        let cramped = Cramped::move_in(&usual);
        let session = setup.open(&cramped.records, &install.clock);
        until(&session, "a start", |state| {
            why(state).is_some() || is_fresh(state)
        })
        .await;
        session.login(login(DEMO)).await.expect("signed in");
        let Phase::SignedIn { remembered, .. } = session.snapshot().state.phase else {
            panic!("signed in: {:?}", session.snapshot());
        };
        drop(session);
        cramped.move_out();
        let name = format!("a full disk, over another: {was_signed_in}");
        if remembered {
            panic!("{name}: the state says that the session is remembered");
        }
        check_over(&setup, &mut install, &name).await;
    }
}

/// The disk was full only during a rotation: the latest state counts then too.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_at_a_rotation_on_a_full_disk_comes_true() {
    let setup = Setup::new(vestibule_backend::Config::default()).await;
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    let usual = install.records.clone();
    install.quit().await;
    let cramped = Cramped::move_in(&usual);
    let session = setup.open(&cramped.records, &install.clock);
    until(&session, "a start", is_fresh).await;
    session.refresh().await.expect("refreshed");
    let Phase::SignedIn { remembered, .. } = session.snapshot().state.phase else {
        panic!("signed in: {:?}", session.snapshot());
    };
    drop(session);
    cramped.move_out();
    install.restart();
    let settled = install.settle("a rotation on a full disk").await;
    assert_eq!(
        settled.is_ok(),
        remembered,
        "as the state said: {settled:?}"
    );
}
