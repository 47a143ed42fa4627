//! A removed account is hidden at once, and gone once its sign-out is delivered.

use std::path::PathBuf;
use std::time::Duration;

use vestibule_backend::Config;
use vestibule_core::{AccountId, ErrorCode, StoreError};
use vestibule_harness::*;

const SECOND: Duration = Duration::from_secs(1);

/// Whether nothing is left of the account and of the person with this address and name.
fn is_gone(app: &AccountApp, id: AccountId, texts: &[&str]) -> bool {
    let index = std::fs::read_to_string(app.folder.join("accounts.json"));
    let found: Vec<PathBuf> = texts.iter().flat_map(|text| app.files_with(text)).collect();
    index.is_ok_and(|index| !index.contains(&id.to_string())) && found.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_it_is_hidden_at_once_and_revoked_when_the_backend_is_there_again() {
    // The account in the workspace's own folder, and one in a folder of its own.
    for is_first in [true, false] {
        let setup = Setup::new(Config::default()).await;
        let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
        let first = app.sign_in("main", DEMO).await;
        let second = app.add("main", WORKSPACE, ADMIN).await;
        let (gone, email, kept, stays) = match is_first {
            true => (first, DEMO, second, ADMIN),
            false => (second, ADMIN, first, DEMO),
        };
        let summary = app.summary(gone).expect("listed");
        let name = summary.owner.expect("an owner").name;
        assert!(!app.files_with(&name).is_empty(), "control: it is found");
        setup.backend.down().await;
        app.accounts().remove(gone).expect("removed");
        let hidden = |app: &AccountApp| app.emails() == [stays];
        assert!(hidden(&app), "at once: {:?}", app.list());
        let again = app.accounts().switch("main", gone);
        assert_eq!(code(&again), Some(ErrorCode::UnknownAccount));
        for round in ["the app that removed it", "a restart", "another restart"] {
            app.while_passing(
                SECOND,
                "the end to be told in vain, without a name",
                |app| {
                    let session = app.host.session_of(gone);
                    session.is_some_and(|it| it.owes_sign_out()) && app.files_with(&name).is_empty()
                },
            )
            .await;
            assert!(hidden(&app), "{round}: {:?}", app.list());
            assert_eq!(setup.alive(email), 1, "{round}: the backend is down");
            app.restart().await;
        }
        setup.backend.up().await.expect("the same port");
        app.while_passing(SECOND, "the backend to be told", |_| {
            setup.alive(email) == 0
        })
        .await;
        app.while_passing(SECOND, "it to be gone", |app| {
            is_gone(app, gone, &[email, &name])
        })
        .await;
        assert_eq!(app.store().items().len(), 1, "one item, of who stays");
        assert_eq!(setup.alive(stays), 1, "nobody else's session ends");
        app.accounts().switch("main", kept).expect("listed");
        let (_, session) = app.page("main");
        until(&session, "who stays to be signed in", is_fresh).await;
        assert_eq!(app.emails(), [stays]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_keyring_is_locked_it_stays_until_its_token_is_revoked() {
    let setup = Setup::new(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    app.add("main", WORKSPACE, ADMIN).await;
    app.restart().await;
    app.store().block(Block::Fail(StoreError::Locked));
    app.accounts().remove(first).expect("removed");
    assert_eq!(app.emails(), [ADMIN]);
    // Long enough for every try that upkeep makes by itself.
    for _ in 0..40 {
        app.clock().advance(Duration::from_secs(5));
        app.clock().until_asleep().await;
    }
    assert_eq!(setup.alive(DEMO), 1, "its token cannot be read");
    app.store().heal();
    app.while_passing(SECOND, "its token to be revoked", |_| {
        setup.alive(DEMO) == 0
    })
    .await;
    app.while_passing(SECOND, "it to be gone", |app| is_gone(app, first, &[DEMO]))
        .await;
    let left = app.store().items();
    assert_eq!(left.len(), 1, "one item, of who stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_leaves_with_its_last_account_and_the_host_hears_of_it() {
    let setup = Setup::new(Config::default()).await;
    let other = setup.beside(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend), ("other", &other.backend)]);
    app.sign_in("main", DEMO).await;
    app.add("window-2", "other", DEMO).await;
    app.add("window-3", "other", ADMIN).await;
    other.backend.down().await;
    app.accounts().remove_workspace("other").expect("removed");
    app.accounts().remove_workspace("other").expect("twice");
    assert_eq!(app.emails(), [DEMO], "hidden at once");
    assert_eq!(app.accounts().leaving_workspaces(), ["other"]);
    let refused = app.accounts().add("window-2", "other");
    assert_eq!(code(&refused), Some(ErrorCode::UnknownWorkspace));
    app.restart().await;
    assert_eq!(app.accounts().leaving_workspaces(), ["other"]);
    assert_eq!(app.host.left(), <[String; 0]>::default(), "not yet");
    other.backend.up().await.expect("the same port");
    app.while_passing(SECOND, "the workspace to be gone", |app| {
        app.host.left() == ["other"]
    })
    .await;
    assert_eq!(other.alive(DEMO) + other.alive(ADMIN), 0, "all are revoked");
    eventually("the list without it", || {
        app.accounts().leaving_workspaces().is_empty()
    })
    .await;
    assert_eq!(setup.alive(DEMO), 1, "nobody else's session ends");
    app.restart().await;
    app.clock().advance(Duration::from_secs(60));
    app.clock().until_asleep().await;
    assert_eq!(app.host.left(), ["other"], "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_without_accounts_leaves_at_once() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend), ("other", &setup.backend)]);
    app.sign_in("main", DEMO).await;
    app.accounts().remove_workspace("other").expect("removed");
    eventually("the host to hear of it", || app.host.left() == ["other"]).await;
    eventually("the list without it", || {
        app.accounts().leaving_workspaces().is_empty()
    })
    .await;
}

/// Somebody removes their account while they are being signed in.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_under_way_does_not_bring_a_removed_account_back() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    app.sign_in("main", DEMO).await;
    for _ in 0..8 {
        let id = app.accounts().add("window-2", WORKSPACE).expect("room");
        let (_, session) = app.page("window-2");
        let before = setup.backend.requests("POST", "/login");
        let signing_in = tokio::spawn(async move { session.login(login(ADMIN)).await });
        let reached = setup.backend.reached("POST", "/login", before + 1);
        soon("the sign-in to arrive", reached).await;
        app.accounts().remove(id).expect("removed");
        let _ = signing_in.await.expect("no panic");
        app.while_passing(SECOND, "it to be gone", |app| {
            setup.alive(ADMIN) == 0 && is_gone(app, id, &[ADMIN])
        })
        .await;
        assert_eq!(app.emails(), [DEMO]);
        assert_eq!(app.store().items().len(), 1, "one item, of who stays");
    }
}
