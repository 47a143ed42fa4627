//! The keyring's item belongs to one session: another session's item is never used for this one,
//! whatever its generation, and however the records were lost.

use std::fs;
use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, DeviceBinding};
use vestibule_core::StoreError;
use vestibule_harness::*;

/// What happened to the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    /// Each is lost, one after the other.
    EachLost,
    AllLost,
    AllDamaged,
    /// All cannot be read for as long as the start takes.
    AllUnreadable,
    Kept,
}

const ALL: [Records; 5] = [
    Records::EachLost,
    Records::AllLost,
    Records::AllDamaged,
    Records::AllUnreadable,
    Records::Kept,
];

/// How the token in memory gets into the keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Refresh,
    Save,
    Unlock,
    Call,
}

/// Makes some rotations, so that the item's generation is higher than that of a new session.
async fn signed_in_for_long(setup: &Setup) -> Installation {
    let install = setup.install().await;
    install.sign_in(DEMO).await;
    for _ in 0..3 {
        install.session.refresh().await.expect("refreshed");
    }
    install
}

async fn sign_in_over_it(setup: &Setup, mut install: Installation, lost: &[String], then: Then) {
    let name = format!("{lost:?}, {then:?}");
    for file in lost {
        let _ = fs::remove_file(install.records.join(file));
    }
    setup.store.block(Block::Fail(StoreError::Locked));
    install.restart();
    install
        .until("a start", |state| {
            why(state).is_some() || outage(state).is_some()
        })
        .await;
    install.sign_in(ADMIN).await;
    setup.store.heal();
    finish(setup, install, then, &name).await;
}

/// The administrator is signed in, in memory, and the keyring has Dana's item.
async fn finish(setup: &Setup, mut install: Installation, then: Then, name: &str) {
    match then {
        Then::Refresh => install.session.refresh().await.expect("refreshed"),
        Then::Save => install.pass(Duration::from_secs(11)),
        Then::Unlock => install.session.unlock_keyring().await.expect("open"),
        Then::Call => {
            install.pass(Duration::from_secs(16 * 60));
            install.session.fetch(get("/me")).await.expect("a call");
        }
    }
    let who = install.settle(name).await;
    assert_eq!(who.as_deref(), Ok(ADMIN), "{name}");
    install.session.refresh().await.expect("once more");
    let who = install.settle(name).await;
    assert_eq!(
        who.as_deref(),
        Ok(ADMIN),
        "{name}: the administrator stays signed in"
    );
    assert_eq!(setup.ends(ADMIN), [None], "{name}: the session is valid");
    install.restart();
    if let Ok(who) = install.settle(name).await {
        assert_eq!(who, ADMIN, "{name}: at the next start");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_somebody_else_is_not_taken_for_the_session_in_memory() {
    for then in [Then::Refresh, Then::Save, Then::Unlock, Then::Call] {
        for records in ALL {
            let binding = match then {
                Then::Refresh => DeviceBinding::Off,
                _ => DeviceBinding::Id,
            };
            let setup = Setup::new(Config {
                device_binding: binding,
                ..Config::default()
            })
            .await;
            let install = signed_in_for_long(&setup).await;
            let files = files_of(&install.records);
            match records {
                Records::Kept => sign_in_over_it(&setup, install, &[], then).await,
                Records::AllLost => sign_in_over_it(&setup, install, &files, then).await,
                Records::EachLost => {
                    drop(install);
                    for at in 0..files.len() {
                        let setup = Setup::new(Config::default()).await;
                        let install = signed_in_for_long(&setup).await;
                        sign_in_over_it(&setup, install, &files[at..=at], then).await;
                    }
                }
                Records::AllDamaged => {
                    for file in files.iter().filter(|file| !file.starts_with("signed-out")) {
                        fs::write(install.records.join(file), b"{\"not\":").expect("damaged");
                    }
                    sign_in_over_it(&setup, install, &[], then).await;
                }
                Records::AllUnreadable => unreadable_for_a_moment(&setup, install, then).await,
            }
        }
    }
}

/// The records can be read again after the start, when somebody else has signed in.
async fn unreadable_for_a_moment(setup: &Setup, mut install: Installation, then: Then) {
    let files = files_of(&install.records);
    let away: Vec<_> = files
        .iter()
        .filter(|file| file.as_str() != "device.json")
        .map(|file| Unreadable::make(&install.records, file))
        .collect();
    setup.store.block(Block::Fail(StoreError::Locked));
    let opened = setup.try_open(&install.records, &install.clock, setup.store.clone());
    let Ok(session) = opened else {
        // The start fails instead: nobody is shown, and nothing is lost.
        return;
    };
    install.session = session;
    let signed_in = install.session.login(login(ADMIN)).await;
    for record in away {
        record.heal();
    }
    setup.store.heal();
    if signed_in.is_ok() {
        finish(setup, install, then, "unreadable for a moment").await;
    }
}

/// Another process with the same folder and keyring signs somebody else in.
#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_signs_somebody_else_in_does_not_change_whose_calls_these_are() {
    for user_from in ["refresh", "login"] {
        let more = json!({"session": {"user_from": user_from}});
        let setup = Setup::with_profile(Config::default(), more).await;
        let install = setup.install().await;
        install.sign_in(DEMO).await;
        let other = setup.open(&install.records, &install.clock);
        until(&other, "the other's start", is_fresh).await;
        other.login(login(ADMIN)).await.expect("signed in there");
        assert_eq!(owner(&other).await.as_deref(), Some(ADMIN));
        // The first process continues with its own state until it notices.
        let _ = install.session.refresh().await;
        // The person whom it shows then owns the token that it sends; `settle` asks the backend.
        let _ = install.settle(user_from).await;
        assert_eq!(
            setup.alive(ADMIN),
            1,
            "{user_from}: the newer session is valid"
        );
        assert_eq!(owner(&other).await.as_deref(), Some(ADMIN));
    }
}

/// The session of an item in a keyring that opens late has ended by then.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_new_session_replaces_is_ended_once_the_keyring_opens() {
    let setup = Setup::new(Config::default()).await;
    let mut install = signed_in_for_long(&setup).await;
    setup.store.block(Block::Fail(StoreError::Locked));
    install.restart();
    install.until("the last known user", is_stale).await;
    install.sign_in(ADMIN).await;
    setup.store.heal();
    install
        .passing(eventually("the end of the session before", || {
            setup.alive(DEMO) == 0
        }))
        .await;
    assert_eq!(setup.ends(DEMO), [Some("signed_out".to_owned())]);
    assert_eq!(setup.ends(ADMIN), [None]);
}

/// The records of one person and the item of another, as after a folder was restored.
// On one thread, so that work that is due runs only after the call has begun.
#[tokio::test]
async fn a_call_of_the_user_shown_does_not_go_out_with_the_token_that_is_found() {
    let setup = Setup::new(Config::default()).await;
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    let record = install.records.join("session.json");
    let of_dana = fs::read(&record).expect("a record");
    install.sign_in(ADMIN).await;
    install.quit().await;
    fs::write(&record, of_dana).expect("brought back");
    setup.store.block(Block::Fail(StoreError::Locked));
    install.restart();
    let state = install
        .until("a start", |state| shown(state).is_some())
        .await;
    assert_eq!(
        shown(&state).as_deref(),
        Some(DEMO),
        "the record's user is shown at first"
    );
    setup.store.heal();
    install.pass(Duration::from_secs(6));
    assert_eq!(shown(&install.state()).as_deref(), Some(DEMO));
    let call = install.session.fetch(get("/me"));
    let called = install.passing(call).await;
    let sent = setup.backend.last_request("GET", "/me");
    if let Some(sent) = sent {
        assert_eq!(sent.header("authorization"), None, "{called:?}");
    }
    let settled = install.settle("whose it is").await;
    assert_eq!(
        settled.as_deref(),
        Ok(ADMIN),
        "the backend's answer decides"
    );
}
