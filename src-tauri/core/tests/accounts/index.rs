//! The list on disk: it may be lost, damaged, newer, older, unreadable or not writable.

use std::fs;
use std::time::Duration;

use vestibule_backend::Config;
use vestibule_core::wire::{AccountStanding, SignedOutReason};
use vestibule_core::{AccountId, ErrorCode};
use vestibule_harness::*;

const INDEX: &str = "accounts.json";

/// An app that has quit. Its window showed the second of two accounts.
async fn app_that_quit(setup: &Setup) -> (AccountApp, [AccountId; 2]) {
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    let second = app.add("main", WORKSPACE, ADMIN).await;
    drop(app.page("main"));
    app.quit().await;
    (app, [first, second])
}

/// Checks that both accounts are there, with their owners, and signed in.
async fn all_is_well(app: &AccountApp, ids: [AccountId; 2]) {
    let mut listed: Vec<_> = app.list().iter().map(|it| it.id).collect();
    listed.sort();
    let mut wanted = ids;
    wanted.sort();
    assert_eq!(listed, wanted, "the same accounts");
    for (id, email) in ids.into_iter().zip([DEMO, ADMIN]) {
        let summary = app.summary(id).expect("listed");
        let owner_listed = summary.owner.map(|owner| owner.email);
        assert_eq!(owner_listed.as_deref(), Some(email), "with its owner");
        app.accounts().switch("main", id).expect("listed");
        let (_, session) = app.page("main");
        until(&session, "the session to go on", is_fresh).await;
        assert_eq!(owner(&session).await.as_deref(), Some(email));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_lost_or_damaged_is_made_anew_from_the_folders() {
    for damage in [None, Some("{\"format\":1,\"accou"), Some("")] {
        let setup = Setup::new(Config::default()).await;
        let (mut app, ids) = app_that_quit(&setup).await;
        let index = app.folder.join(INDEX);
        match damage {
            None => fs::remove_file(&index).expect("lost"),
            Some(text) => fs::write(&index, text).expect("damaged"),
        }
        app.start();
        all_is_well(&app, ids).await;
        let aside = app.folder.join("accounts.json.damaged");
        let kept = fs::read_to_string(&aside).ok();
        assert_eq!(kept.as_deref(), damage, "for whoever looks into it");
        app.accounts().remove(ids[1]).expect("removed");
        let step = Duration::from_secs(1);
        app.while_passing(step, "the account to be gone", |app| {
            app.files_with(&ids[1].to_string()).is_empty()
        })
        .await;
        assert!(!aside.exists(), "it may name who was removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_newer_version_is_left_alone_and_the_app_works() {
    let setup = Setup::new(Config::default()).await;
    let (mut app, ids) = app_that_quit(&setup).await;
    let newer = r#"{"format": 99, "accounts": "in another shape"}"#;
    fs::write(app.folder.join(INDEX), newer).expect("written");
    app.start();
    all_is_well(&app, ids).await;
    let third = account(&setup.backend).expect("an account");
    app.add("window-2", WORKSPACE, &third).await;
    app.restart().await;
    assert_eq!(app.list().len(), 3, "what was added is found by its folder");
    app.accounts().remove(ids[0]).expect("removed");
    let step = Duration::from_secs(1);
    app.while_passing(step, "its session to end", |_| setup.alive(DEMO) == 0)
        .await;
    app.restart().await;
    let is_there = app.summary(ids[0]).is_some_and(|it| it.owner.is_some());
    assert!(!is_there, "what was removed does not come back");
    let left = fs::read_to_string(app.folder.join(INDEX)).expect("still there");
    assert_eq!(left, newer, "byte for byte");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_read_is_not_written_over() {
    let setup = Setup::new(Config::default()).await;
    let (mut app, ids) = app_that_quit(&setup).await;
    let unreadable = Unreadable::make(&app.folder, INDEX);
    app.start();
    all_is_well(&app, ids).await;
    assert!(!unreadable.is_written_over());
    app.quit().await;
    unreadable.heal();
    app.start();
    all_is_well(&app, ids).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_adding_fails_in_words_and_nothing_is_lost() {
    let setup = Setup::new(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    app.quit().await;
    let usual = app.folder.clone();
    let cramped = Cramped::move_in(&usual);
    app.folder = cramped.records.clone();
    app.start();
    assert_eq!(app.emails(), [DEMO]);
    let (id, session) = app.page("main");
    assert_eq!(id, first);
    until(&session, "the start to be over", |state| {
        user(state).is_some() || why(state).is_some()
    })
    .await;
    drop(session);
    let error = app.accounts().add("main", WORKSPACE).expect_err("no room");
    assert!(
        error.message.contains("cannot be used") || error.message.contains("could not be"),
        "in words: {error}"
    );
    let error = app.accounts().remove(first).expect_err("no room");
    assert!(error.message.contains("could not be"), "in words: {error}");
    assert_eq!(
        app.emails(),
        [DEMO],
        "what could not be changed has not changed"
    );
    assert_eq!(app.accounts().of_window("main"), Ok(Some(first)));
    app.quit().await;
    cramped.move_out();
    app.folder = usual;
    app.start();
    let (id, session) = app.page("main");
    assert_eq!(id, first);
    until(&session, "the session to go on", is_fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_folder_goes_and_a_folder_without_entry_comes() {
    let setup = Setup::new(Config::default()).await;
    let (mut app, ids) = app_that_quit(&setup).await;
    let folder = app.workspace(WORKSPACE).join("accounts");
    let (folder, away) = (
        folder.join(ids[1].to_string()),
        app.folder.with_file_name("away"),
    );
    fs::rename(&folder, &away).expect("moved away");
    app.start();
    assert_eq!(app.emails(), [DEMO], "nothing is left of the other");
    assert_eq!(app.accounts().of_window("main"), Ok(Some(ids[0])));
    app.quit().await;
    fs::rename(&away, &folder).expect("moved back");
    app.start();
    all_is_well(&app, ids).await;
}

/// A crash of the machine leaves an older list: what was written last was not on the disk yet.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_list_loses_nobody_and_brings_nobody_back() {
    let setup = Setup::new(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    let second = app.accounts().add("window-2", WORKSPACE).expect("room");
    drop(app.page("window-2"));
    let index = app.folder.join(INDEX);
    let older = fs::read(&index).expect("a list");
    app.sign_in("window-2", ADMIN).await;
    app.page("main").1.logout().await;
    app.until_listed("the sign-out", |list| list[0].owner.is_none())
        .await;
    eventually("the backend to be told", || setup.alive(DEMO) == 0).await;
    app.quit().await;
    fs::write(&index, older).expect("an older list");
    app.start();
    let by_user = AccountStanding::SignedOut {
        why: SignedOutReason::ByUser,
    };
    let signed_out = app.summary(first).expect("the first window shows it");
    assert_eq!((signed_out.owner, signed_out.standing), (None, by_user));
    let signed_in = app.summary(second).expect("listed");
    assert_eq!(signed_in.standing, AccountStanding::Kept);
    assert_eq!(app.emails(), ["", ADMIN], "known by its records");
    app.clock().advance(Duration::from_secs(3600));
    app.clock().until_asleep().await;
    until_idle();
    app.accounts().switch("window-2", second).expect("listed");
    let (_, session) = app.page("window-2");
    until(&session, "the session to go on", is_fresh).await;
    assert_eq!(owner(&session).await.as_deref(), Some(ADMIN));
}

/// Nothing that cannot be read may be written over, by the first account least of all.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_read_are_not_taken_for_none() {
    for is_newer in [false, true] {
        let setup = Setup::new(Config::default()).await;
        let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
        let first = app.sign_in("main", DEMO).await;
        app.quit().await;
        fs::remove_file(app.folder.join(INDEX)).expect("as before there was a list");
        let folder = app.workspace(WORKSPACE);
        let (ids, newer) = (folder.join("install.json"), r#"{"format": 99}"#);
        let right = fs::read(&ids).expect("ids");
        let unreadable = match is_newer {
            true => {
                fs::write(&ids, newer).expect("written");
                None
            }
            false => Some(Unreadable::make(&folder, "install.json")),
        };
        app.start();
        let refused = app.accounts().session("main").map(drop);
        assert_eq!(code(&refused), Some(ErrorCode::CannotStart), "{is_newer}");
        match unreadable {
            Some(unreadable) => {
                assert!(!unreadable.is_written_over());
                unreadable.heal();
            }
            None => {
                let left = fs::read_to_string(&ids).expect("there");
                assert_eq!(left, newer, "left alone");
                fs::write(&ids, right).expect("written");
            }
        }
        let (id, session) = app.page("main");
        assert_eq!(id, first, "{is_newer}: once they can be read");
        until(&session, "the session to go on", is_fresh).await;
    }
}
