//! The keyring's item belongs to one session: another session's item is never used for this one,
//! whatever its generation, and however the records were lost.

use std::fs;
use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, DeviceBinding};
use vestibule_core::StoreError;

use crate::support::*;

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
async fn signed_in_for_long(world: &World) -> Install {
    let install = world.install().await;
    install.sign_in(PLAIN).await;
    for _ in 0..3 {
        install.session.refresh().await.expect("refreshed");
    }
    install
}

async fn sign_in_over_it(world: &World, mut install: Install, lost: &[String], then: Then) {
    let name = format!("{lost:?}, {then:?}");
    for file in lost {
        let _ = fs::remove_file(install.records.join(file));
    }
    world.store.block(Block::Fail(StoreError::Locked));
    install.restart(world);
    install
        .until("a start", |state| {
            why(state).is_some() || outage(state).is_some()
        })
        .await;
    install.sign_in(ADMIN).await;
    world.store.heal();
    finish(world, install, then, &name).await;
}

/// The administrator is signed in, in memory, and the keyring has Dana's item.
async fn finish(world: &World, mut install: Install, then: Then, name: &str) {
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
    assert_eq!(world.ends(ADMIN), [None], "{name}: the session is valid");
    install.restart(world);
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
            let world = World::new(Config {
                device_binding: binding,
                ..Config::default()
            })
            .await;
            let install = signed_in_for_long(&world).await;
            let files = files_of(&install.records);
            match records {
                Records::Kept => sign_in_over_it(&world, install, &[], then).await,
                Records::AllLost => sign_in_over_it(&world, install, &files, then).await,
                Records::EachLost => {
                    drop(install);
                    for at in 0..files.len() {
                        let world = World::new(Config::default()).await;
                        let install = signed_in_for_long(&world).await;
                        sign_in_over_it(&world, install, &files[at..=at], then).await;
                    }
                }
                Records::AllDamaged => {
                    for file in files.iter().filter(|file| !file.starts_with("signed-out")) {
                        fs::write(install.records.join(file), b"{\"not\":").expect("damaged");
                    }
                    sign_in_over_it(&world, install, &[], then).await;
                }
                Records::AllUnreadable => unreadable_for_a_moment(&world, install, then).await,
            }
        }
    }
}

/// The records can be read again after the start, when somebody else has signed in.
async fn unreadable_for_a_moment(world: &World, mut install: Install, then: Then) {
    let files = files_of(&install.records);
    let away: Vec<_> = files
        .iter()
        .filter(|file| file.as_str() != "device.json")
        .map(|file| Unreadable::make(&install.records, file))
        .collect();
    world.store.block(Block::Fail(StoreError::Locked));
    let opened = world.try_open(&install.records, &install.clock, world.store.clone());
    let Ok(session) = opened else {
        // The start fails instead: nobody is shown, and nothing is lost.
        return;
    };
    install.session = session;
    let signed_in = install.session.login(login(ADMIN)).await;
    for record in away {
        record.heal();
    }
    world.store.heal();
    if signed_in.is_ok() {
        finish(world, install, then, "unreadable for a moment").await;
    }
}

/// Another process with the same folder and keyring signs somebody else in.
#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_signs_somebody_else_in_does_not_change_whose_calls_these_are() {
    for user_from in ["refresh", "login"] {
        let more = json!({"session": {"user_from": user_from}});
        let world = World::with_profile(Config::default(), more).await;
        let install = world.install().await;
        install.sign_in(PLAIN).await;
        let other = world.open(&install.records, &install.clock);
        until(&other, "the other's start", is_fresh).await;
        other.login(login(ADMIN)).await.expect("signed in there");
        assert_eq!(owner(&other).await.as_deref(), Some(ADMIN));
        // The first process continues with its own state until it notices.
        let _ = install.session.refresh().await;
        // The person whom it shows then owns the token that it sends; `settle` asks the backend.
        let _ = install.settle(user_from).await;
        assert_eq!(
            world.alive(ADMIN),
            1,
            "{user_from}: the newer session is valid"
        );
        assert_eq!(owner(&other).await.as_deref(), Some(ADMIN));
    }
}

/// The session of an item in a keyring that opens late has ended by then.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_new_session_replaces_is_ended_once_the_keyring_opens() {
    let world = World::new(Config::default()).await;
    let mut install = signed_in_for_long(&world).await;
    world.store.block(Block::Fail(StoreError::Locked));
    install.restart(&world);
    install.until("the last known user", is_stale).await;
    install.sign_in(ADMIN).await;
    world.store.heal();
    install
        .passing(eventually("the end of the session before", || {
            world.alive(PLAIN) == 0
        }))
        .await;
    assert_eq!(world.ends(PLAIN), [Some("signed_out".to_owned())]);
    assert_eq!(world.ends(ADMIN), [None]);
}

/// The records of one person and the item of another, as after a folder was restored.
// On one thread, so that work that is due runs only after the call has begun.
#[tokio::test]
async fn a_call_of_whoever_is_shown_does_not_go_out_with_the_token_that_is_found() {
    let world = World::new(Config::default()).await;
    let mut install = world.install().await;
    install.sign_in(PLAIN).await;
    let record = install.records.join("session.json");
    let of_dana = fs::read(&record).expect("a record");
    install.sign_in(ADMIN).await;
    install.quit(&world).await;
    fs::write(&record, of_dana).expect("brought back");
    world.store.block(Block::Fail(StoreError::Locked));
    install.restart(&world);
    let state = install
        .until("a start", |state| shown(state).is_some())
        .await;
    assert_eq!(
        shown(&state).as_deref(),
        Some(PLAIN),
        "the record's user is shown at first"
    );
    world.store.heal();
    install.pass(Duration::from_secs(6));
    assert_eq!(shown(&install.state()).as_deref(), Some(PLAIN));
    let call = install.session.fetch(get("/me"));
    let called = install.passing(call).await;
    let sent = world.backend.last_request("GET", "/me");
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
