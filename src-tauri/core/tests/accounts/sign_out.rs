//! What stays of an account after the end of its session.

use std::time::Duration;

use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::wire::{AccountStanding, SignedOutReason};
use vestibule_harness::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_want_to_be_remembered_leaves_the_list_when_no_window_shows_them() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    let second = app.add("main", WORKSPACE, ADMIN).await;
    let (_, session) = app.page("main");
    session.logout().await;
    drop(session);
    app.while_passing(SECOND, "no name in the list or on the disk", |app| {
        app.emails() == [DEMO, ""] && app.files_with(ADMIN).is_empty()
    })
    .await;
    assert!(app.summary(second).is_some(), "its window shows a sign-in");
    app.accounts().switch("main", first).expect("listed");
    app.page("main");
    app.while_passing(SECOND, "the list without them", |app| app.list().len() == 1)
        .await;
    assert_eq!(app.emails(), [DEMO]);
    let accounts = app.workspace(WORKSPACE).join("accounts");
    let left = std::fs::read_dir(accounts).expect("a folder").count();
    assert_eq!(left, 0, "nor is their folder there");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_gone_as_soon_as_the_backend_knows_not_at_the_next_look() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    app.add("main", WORKSPACE, ADMIN).await;
    let slow = Effect::Delay { ms: 300 };
    setup
        .backend
        .faults()
        .add(Fault::on("POST", "/logout", slow));
    app.page("main").1.logout().await;
    app.accounts().switch("main", first).expect("listed");
    drop(app.page("main"));
    // The clock stands still: nothing looks again by itself.
    assert_eq!(app.list().len(), 2, "control: the backend is still asked");
    app.until_listed("who stays alone", |list| list.len() == 1)
        .await;
    assert_eq!(app.emails(), [DEMO]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_gone_as_soon_as_the_last_command_has_ended() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    app.add("main", WORKSPACE, ADMIN).await;
    // At a start the windows come first.
    app.clock().advance(Duration::from_secs(10));
    let (_, in_use) = app.page("main");
    in_use.logout().await;
    app.accounts().switch("main", first).expect("listed");
    drop(app.page("main"));
    eventually("the session to be at rest", || in_use.is_at_rest()).await;
    until_idle();
    assert_eq!(app.list().len(), 2, "control: its session is in use");
    drop(in_use);
    app.until_listed("who stays alone", |list| list.len() == 1)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_be_remembered_stays_until_they_change_their_mind() {
    let setup = Setup::new(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    let second = app.add("main", WORKSPACE, ADMIN).await;
    app.accounts().remember(second, true).expect("remembered");
    app.page("main").1.logout().await;
    let by_user = AccountStanding::SignedOut {
        why: SignedOutReason::ByUser,
    };
    let stays = |app: &AccountApp| {
        let summary = app.summary(second).expect("it stays in the list");
        (summary.standing, summary.owner.map(|owner| owner.email))
    };
    app.while_passing(SECOND, "the sign-out to be told", |_| {
        setup.alive(ADMIN) == 0
    })
    .await;
    app.accounts().switch("main", first).expect("listed");
    drop(app.page("main"));
    app.while_passing(SECOND, "its session to close", |app| {
        app.host.session_of(second).is_none()
    })
    .await;
    assert_eq!(stays(&app), (by_user, Some(ADMIN.to_owned())));
    app.restart().await;
    app.clock().advance(Duration::from_secs(60));
    app.clock().until_asleep().await;
    assert_eq!(stays(&app), (by_user, Some(ADMIN.to_owned())));
    app.accounts().remember(second, false).expect("forgotten");
    app.while_passing(SECOND, "the list without them", |app| app.list().len() == 1)
        .await;
    assert_eq!(app.files_with(ADMIN), <[std::path::PathBuf; 0]>::default());
    let unknown = app.accounts().remember(second, true);
    assert!(
        unknown.is_err(),
        "what is not in the list is not remembered"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_backend_ends_keeps_its_owner_and_says_why() {
    let setup = Setup::new(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    app.sign_in("main", DEMO).await;
    let second = app.add("main", WORKSPACE, ADMIN).await;
    setup.backend.revoke_session(ADMIN);
    let (_, session) = app.page("main");
    session.refresh().await.expect_err("revoked");
    drop(session);
    let revoked = AccountStanding::SignedOut {
        why: SignedOutReason::Revoked,
    };
    let says = |app: &AccountApp| {
        let summary = app.summary(second).expect("it stays in the list");
        (summary.standing, summary.owner.map(|owner| owner.email)) == (revoked, Some(ADMIN.into()))
    };
    eventually("the list to say why", || says(&app)).await;
    app.restart().await;
    app.clock().advance(Duration::from_secs(60));
    app.clock().until_asleep().await;
    assert!(says(&app), "after a restart too: {:?}", app.list());
    assert_eq!(setup.alive(DEMO), 1, "nobody else's session ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_signed_out_and_those_who_want_stay_in_the_list() {
    let setup = Setup::new(Config::default()).await;
    let other = setup.beside(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend), ("other", &other.backend)]);
    let first = app.sign_in("main", DEMO).await;
    app.add("main", WORKSPACE, ADMIN).await;
    app.add("main", "other", DEMO).await;
    app.accounts().remember(first, true).expect("remembered");
    app.accounts().switch("main", first).expect("listed");
    drop(app.page("main"));
    app.restart().await;
    assert_eq!(app.host.open_now(), [], "they are not even open");
    app.accounts()
        .logout_all()
        .await
        .expect("all can be opened");
    let is_over = |app: &AccountApp| {
        let alive = setup.alive(DEMO) + setup.alive(ADMIN) + other.alive(DEMO);
        alive == 0 && app.emails() == [DEMO] && app.store().items().is_empty()
    };
    app.while_passing(SECOND, "all sessions to be over", is_over)
        .await;
    assert_eq!(
        app.summary(first).expect("listed").standing,
        AccountStanding::SignedOut {
            why: SignedOutReason::ByUser
        }
    );
    app.restart().await;
    assert_eq!(app.emails(), [DEMO], "nobody comes back");
}
