//! What a kill leaves between any two writes of a sign-in, to the keyring or to the disk, and a
//! disk that takes nothing. The person who is shown afterwards must own the token that is there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tempfile::TempDir;
use vestibule_backend::{Carrier, Config, Effect, Fault};
use vestibule_core::testing::MemoryStore;
use vestibule_core::wire::SignedOutReason;
use vestibule_core::{SecretBytes, SecretStore, StoreError};
use vestibule_harness::*;

/// The records and the keyring at one moment, as a kill leaves them.
struct Left {
    folder: TempDir,
    items: Vec<(String, SecretBytes)>,
    moment: String,
}

/// A keyring that copies everything right before and right after each change.
#[derive(Default)]
struct Camera {
    inner: TestStore,
    /// The folder of records, while copies are made.
    taken_of: Mutex<Option<PathBuf>>,
    taken: Mutex<Vec<Left>>,
}

impl Camera {
    fn point_at(&self, records: Option<&Path>) {
        *self.taken_of.lock().unwrap() = records.map(Path::to_owned);
    }

    fn take(&self, moment: String) {
        let taken_of = self.taken_of.lock().unwrap().clone();
        let Some(records) = taken_of else { return };
        let folder = tempfile::tempdir().expect("a folder");
        for name in files_of(&records) {
            // A file that is being replaced may be gone between the list and the copy.
            let _ = std::fs::copy(records.join(&name), folder.path().join(&name));
        }
        self.taken.lock().unwrap().push(Left {
            folder,
            items: self.inner.items(),
            moment,
        });
    }
}

impl SecretStore for Camera {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.inner.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        self.take(format!("before a write of {account}"));
        self.inner.write(account, value)?;
        self.take(format!("after a write of {account}"));
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.take(format!("before {account} is deleted"));
        self.inner.delete(account)?;
        self.take(format!("after {account} was deleted"));
        Ok(())
    }
}

/// Starts the app with these records and this keyring: first without the backend, then with it.
async fn rise(setup: &Setup, left: &Left, name: &str) -> Result<String, SignedOutReason> {
    let name = format!("{name}, {}", left.moment);
    let store = Arc::new(MemoryStore::default());
    for (account, value) in &left.items {
        store.write(account, value).expect("a memory store");
    }
    let clock = clock();
    setup.backend.down().await;
    let session = setup.open_with(left.folder.path(), &clock, store);
    let state = until(&session, "a start", |state| {
        why(state).is_some() || outage(state).is_some()
    })
    .await;
    let offline = shown(&state);
    setup.backend.up().await.expect("the backend is back");
    let settled = until(&session, "the backend's answer", |state| {
        is_fresh(state) || why(state).is_some()
    });
    let state = passing(&clock, Pace::FAST, settled).await;
    if let Some(why) = why(&state) {
        return Err(why);
    }
    let owner = owner(&session).await;
    if let Some(why) = why(&session.snapshot().state) {
        return Err(why);
    }
    assert_eq!(
        shown(&state),
        owner,
        "{name}: the person shown owns the token"
    );
    if offline.is_some() {
        assert_eq!(
            offline, owner,
            "{name}: the same person is shown without the backend"
        );
    }
    Ok(owner.expect("somebody"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_somebody_signs_in_over_another_leaves_the_right_name() {
    for carrier in [Carrier::Cookie, Carrier::Body] {
        for user_from in ["refresh", "me", "login"] {
            let more = json!({
                "session": {"user_from": user_from},
                "endpoints": {"me": match user_from {
                    "me" => json!({
                        "method": "GET",
                        "path": "/me",
                        "headers": {"authorization": "Bearer $access_token"},
                    }),
                    _ => json!(false),
                }},
                "answer": {"me": {"user": ["/user"]}},
            });
            let config = Config {
                carrier,
                ..Config::default()
            };
            let setup = Setup::with_profile(config, more).await;
            let camera = Arc::new(Camera::default());
            let folder = tempfile::tempdir().expect("a folder");
            let records = folder.path().join(WORKSPACE);
            let clock = clock();
            let session = setup.open_with(&records, &clock, camera.clone());
            until(&session, "the start", |state| why(state).is_some()).await;
            session.login(login(DEMO)).await.expect("Dana signs in");
            session.refresh().await.expect("refreshed");
            camera.point_at(Some(&records));
            session
                .login(login(ADMIN))
                .await
                .expect("the other signs in");
            session.refresh().await.expect("refreshed");
            camera.point_at(None);
            drop(session);
            let lefts = std::mem::take(&mut *camera.taken.lock().unwrap());
            assert!(lefts.len() > 3, "copies were made");
            let name = format!("{carrier:?}, {user_from}");
            for left in &lefts {
                let _ = rise(&setup, left, &name).await;
            }
        }
    }
}

/// The sign-in was never reported as done, so the earlier session goes on, also where the keyring
/// opens only after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_never_came_about_ends_nothing_behind_a_locked_keyring() {
    let setup = Setup::new(Config::default()).await;
    let camera = Arc::new(Camera::default());
    let folder = tempfile::tempdir().expect("a folder");
    let records = folder.path().join(WORKSPACE);
    let clock = clock();
    // The earlier session must not be ended at the backend while copies are made.
    let session = setup.open_with(&records, &clock, camera.clone());
    until(&session, "the start", |state| why(state).is_some()).await;
    session.login(login(DEMO)).await.expect("Dana signs in");
    let item = session.item_name().to_owned();
    let down = Fault::on("POST", "/logout", Effect::status(503));
    setup.backend.faults().add(down);
    camera.point_at(Some(&records));
    session
        .login(login(ADMIN))
        .await
        .expect("the other signs in");
    camera.point_at(None);
    drop(session);
    let lefts = std::mem::take(&mut *camera.taken.lock().unwrap());
    let wanted = format!("before a write of {item}");
    let left = lefts.iter().find(|left| left.moment == wanted);
    let left = left.expect("the copy between record and item");
    let store = Arc::new(TestStore::default());
    for (account, value) in &left.items {
        store.put(account, value);
    }
    store.block(Block::Fail(StoreError::Locked));
    let session = setup.open_with(left.folder.path(), &clock, store.clone());
    until(&session, "a start that waits", |state| {
        outage(state).is_some()
    })
    .await;
    store.heal();
    session.unlock_keyring().await.expect("open");
    until(&session, "the earlier user", is_fresh).await;
    assert_eq!(owner(&session).await.as_deref(), Some(DEMO));
    assert_eq!(
        setup.ends(DEMO),
        [None],
        "the earlier session is still valid"
    );
}

/// On this installation nobody had a session, so none is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_the_very_first_sign_in_is_no_session_that_is_missing() {
    let setup = Setup::new(Config::default()).await;
    let camera = Arc::new(Camera::default());
    let folder = tempfile::tempdir().expect("a folder");
    let records = folder.path().join(WORKSPACE);
    let clock = clock();
    let session = setup.open_with(&records, &clock, camera.clone());
    until(&session, "the start", |state| why(state).is_some()).await;
    camera.point_at(Some(&records));
    session.login(login(DEMO)).await.expect("Dana signs in");
    camera.point_at(None);
    let lefts = std::mem::take(&mut *camera.taken.lock().unwrap());
    assert!(!lefts.is_empty(), "copies were made");
    for left in &lefts {
        let settled = rise(&setup, left, "the first sign-in").await;
        if left.items.is_empty() {
            let never = Err(SignedOutReason::Never);
            assert_eq!(
                settled, never,
                "{}: no earlier session is reported",
                left.moment
            );
        }
    }
}

/// The keyring stores the new session, but the disk takes no record of it.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_the_right_name() {
    for user_from in ["refresh", "login"] {
        for goes_on in [
            "at once",
            "after a refresh",
            "after a sign-out of the second",
        ] {
            let more = json!({"session": {"user_from": user_from}});
            let setup = Setup::with_profile(Config::default(), more).await;
            let mut install = setup.install().await;
            install.sign_in(DEMO).await;
            let usual = install.records.clone();
            install.quit().await;
            let cramped = Cramped::move_in(&usual);
            let session = setup.open(&cramped.records, &install.clock);
            until(&session, "a start on a full disk", is_fresh).await;
            session.login(login(ADMIN)).await.expect("signed in");
            match goes_on {
                "after a refresh" => session.refresh().await.expect("refreshed"),
                "at once" => {}
                _ => drop(session.logout().await),
            }
            drop(session);
            cramped.move_out();
            let name = format!("{user_from}, {goes_on}");
            install.restart();
            let settled = install.settle(&name).await;
            if goes_on.starts_with("after a sign-out") {
                assert_ne!(settled.as_deref(), Ok(ADMIN), "{name}: signed out");
            }
        }
    }
}
