//! A record that cannot be read is neither absent nor empty: it is not overwritten, and nothing is
//! concluded from it.

use std::time::Duration;

use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::StoreError;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::*;

/// Signed in, with an earlier sign-out that the backend has not received.
async fn with_every_record(setup: &Setup) -> Installation {
    let busy = Effect::status(503);
    setup
        .backend
        .faults()
        .add(Fault::on("POST", "/logout", busy));
    let install = setup.install().await;
    install.sign_in(ADMIN).await;
    install.session.logout().await;
    install
        .passing(setup.backend.reached("POST", "/logout", 1))
        .await;
    install.sign_in(DEMO).await;
    install.session.refresh().await.expect("refreshed");
    install
}

async fn names() -> Vec<String> {
    let setup = Setup::new(Config::default()).await;
    let names = files_of(&with_every_record(&setup).await.records);
    // The spare marker has no content that matters: a new one is as good.
    let says = |name: &String| !name.ends_with(".spare");
    names.into_iter().filter(says).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_not_written_over() {
    for name in names().await {
        let setup = Setup::new(Config::default()).await;
        let mut install = with_every_record(&setup).await;
        install.quit().await;
        let record = Unreadable::make(&install.records, &name);
        let opened = setup.try_open(&install.records, &install.clock, setup.store.clone());
        // A session that does not open shows nobody, and has written nothing.
        if let Ok(session) = opened {
            install.session = session;
            install
                .passing(install.until("a start", |state| {
                    is_fresh(state) || why(state).is_some() || outage(state).is_some()
                }))
                .await;
            let _ = install.session.refresh().await;
            install.pass(Duration::from_secs(60));
            let _ = install.session.refresh().await;
            let shown = shown(&install.state());
            if is_fresh(&install.state()) {
                let owner = owner(&install.session).await;
                assert_eq!(shown, owner, "{name}: the person shown owns the session");
            }
            assert!(!record.is_written_over(), "{name} was overwritten");
            install.quit().await;
        }
        record.heal();
        install.restart();
        let settled = install.settle(&name).await;
        assert_eq!(settled.as_deref(), Ok(DEMO), "{name}: as before");
        // The earlier sign-out is delivered in the end.
        setup.backend.faults().clear();
        install
            .passing(eventually(
                "the earlier session's end at the backend",
                || setup.alive(ADMIN) == 0,
            ))
            .await;
        assert_eq!(setup.alive(DEMO), 1, "{name}");
    }
}

/// A sign-out while the record of earlier ones cannot be read does not lose them.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sign_outs_that_were_not_told_outlast_a_disk_that_fails_for_a_moment() {
    for name in names().await {
        let setup = Setup::new(Config::default()).await;
        let mut install = with_every_record(&setup).await;
        let record = Unreadable::make(&install.records, &name);
        install.session.logout().await;
        install
            .until("signed out", |state| why(state).is_some())
            .await;
        let again = install.session.login(login(OTP)).await;
        drop(again);
        install.pass(Duration::from_secs(30));
        install.quit().await;
        record.heal();
        setup.backend.faults().clear();
        install.restart();
        let settled = install.settle(&name).await;
        settled.expect_err("the session stays signed out");
        install
            .passing(eventually("both sign-outs", || {
                setup.alive(ADMIN) + setup.alive(DEMO) == 0
            }))
            .await;
    }
}

/// All records, or all but one, cannot be read: then it is unknown whether anybody has ever signed
/// in.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_start_at_which_nothing_can_be_read_concludes_nothing() {
    let mut spared: Vec<_> = names().await.into_iter().map(Some).collect();
    spared.push(None);
    for spared in spared {
        let setup = Setup::new(Config::default()).await;
        let mut install = with_every_record(&setup).await;
        install.quit().await;
        let names = files_of(&install.records).into_iter();
        let records: Vec<_> = names
            .filter(|name| Some(name) != spared.as_ref())
            .map(|name| Unreadable::make(&install.records, &name))
            .collect();
        setup.store.block(Block::Fail(StoreError::Locked));
        let opened = setup.try_open(&install.records, &install.clock, setup.store.clone());
        if let Ok(session) = opened {
            let state = until(&session, "a start", |state| {
                outage(state).is_some() || why(state).is_some()
            })
            .await;
            assert_eq!(
                why(&state),
                None,
                "{spared:?}: the state is still unknown: {state:?}"
            );
        }
        for record in records {
            record.heal();
        }
        setup.store.heal();
        install.restart();
        let settled = install.settle("all records can be read again").await;
        assert_eq!(settled.as_deref(), Ok(DEMO), "{spared:?}");
    }
}

/// An item that cannot be parsed may be a session's too.
#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_newer_format_is_left_alone() {
    let setup = Setup::new(Config::default()).await;
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    install.quit().await;
    let items = setup.store.items();
    for (account, _) in &items {
        setup
            .store
            .put(account, br#"{"format":4000000,"what":"is this"}"#);
    }
    let newer = setup.store.items();
    install.restart();
    let state = install
        .until("a start", |state| {
            why(state).is_some() || outage(state).is_some()
        })
        .await;
    assert_ne!(why(&state), Some(SignedOutReason::Missing), "{state:?}");
    install.pass(Duration::from_secs(60));
    install.session.refresh().await.expect_err("not understood");
    assert!(setup.store.items() == newer, "the keyring is unchanged");
    for (account, value) in &items {
        setup.store.put(account, value);
    }
    install.restart();
    let settled = install.settle("the older one is back").await;
    assert_eq!(settled.as_deref(), Ok(DEMO));
}

/// Writes the marker of an earlier session, as if it could not be removed at the next sign-in.
fn leave_marker_of_another_session(install: &Installation) {
    let marker = serde_json::json!({
        "format": 1,
        "session": "00000000-0000-4000-8000-000000000000",
        "why": "by_user",
    });
    let file = install.records.join("signed-out.json");
    std::fs::write(file, marker.to_string()).expect("a marker");
}

/// The same with a record that is lost: the item is of another session than the marker's, and only
/// the backend knows whose.
#[tokio::test(flavor = "multi_thread")]
async fn a_marker_of_an_earlier_session_does_not_end_the_one_whose_record_is_lost() {
    let setup = Setup::new(Config::default()).await;
    let mut install = with_every_record(&setup).await;
    install.quit().await;
    leave_marker_of_another_session(&install);
    std::fs::remove_file(install.records.join("session.json")).expect("a record");
    install.restart();
    install
        .passing(install.until("the session goes on", is_fresh))
        .await;
    assert_eq!(shown(&install.state()).as_deref(), Some(DEMO));
    let owner = owner(&install.session).await;
    assert_eq!(owner.as_deref(), Some(DEMO), "calls are the session's");
    assert_eq!(setup.alive(DEMO), 1, "the backend has not ended it");
}

/// A marker holds for the session that it names alone. While the record cannot be read, it is not
/// known whether that is the last one.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_marker_of_an_earlier_session_does_not_end_the_one_whose_record_cannot_be_read() {
    let setup = Setup::new(Config::default()).await;
    let mut install = with_every_record(&setup).await;
    install.quit().await;
    leave_marker_of_another_session(&install);
    let record = Unreadable::make(&install.records, "session.json");
    install.restart();
    let state = install
        .until("a start", |state| {
            outage(state).is_some() || why(state).is_some()
        })
        .await;
    assert_eq!(why(&state), None, "the state is still unknown: {state:?}");
    record.heal();
    let settled = install.settle("the record can be read again").await;
    assert_eq!(settled.as_deref(), Ok(DEMO));
    let owner = owner(&install.session).await;
    assert_eq!(owner.as_deref(), Some(DEMO), "calls are the session's");
}
