//! The same person signs in twice.

use vestibule_backend::Config;
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn one_account_remains_in_its_place_and_the_older_session_ends() {
    let setup = Setup::new(Config::default()).await;
    let mut app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let before = app.sign_in("main", DEMO).await;
    let other = app.add("window-2", WORKSPACE, ADMIN).await;
    app.accounts().open_like("window-3", "main");
    app.accounts().remember(before, true).expect("remembered");
    app.host.take_reloads();
    let again = app.accounts().add("window-4", WORKSPACE).expect("room");
    app.sign_in("window-4", DEMO).await;
    app.until_listed("two accounts again", |list| list.len() == 2)
        .await;
    let ids: Vec<_> = app.list().iter().map(|it| it.id).collect();
    assert_eq!(ids, [again, other], "in the place of the one before");
    let summary = app.summary(again).expect("listed");
    assert!(summary.remembered, "as the person has chosen before");
    let mut reloads = Vec::new();
    eventually("the windows of the older session to change", || {
        reloads.extend(app.host.take_reloads());
        reloads.len() >= 3
    })
    .await;
    reloads.sort();
    assert_eq!(reloads, ["main", "window-3", "window-4"]);
    for window in ["main", "window-3"] {
        assert_eq!(
            app.page(window).0,
            again,
            "{window} shows the newer session"
        );
    }
    eventually("the older session to end at the backend", || {
        setup.ends(DEMO) == [Some("signed_out".to_owned()), None]
    })
    .await;
    assert_eq!(setup.alive(ADMIN), 1, "nobody else's session ends");
    let (_, session) = app.page("main");
    assert_eq!(owner(&session).await.as_deref(), Some(DEMO));
    drop(session);
    app.restart().await;
    assert_eq!(app.accounts().of_window("main"), Ok(Some(again)));
    assert_eq!(app.emails(), [DEMO, ADMIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_identifier_in_another_workspace_is_somebody_else() {
    let setup = Setup::new(Config::default()).await;
    // Two names for one backend: all identifiers of its users are the same.
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend), ("other", &setup.backend)]);
    app.sign_in("main", DEMO).await;
    app.add("window-2", "other", DEMO).await;
    let of_both = |list: &[vestibule_core::wire::AccountSummary]| {
        list.iter().filter(|it| it.owner.is_some()).count() == 2
    };
    app.until_listed("both with their owner", of_both).await;
    assert_eq!(app.emails(), [DEMO, DEMO]);
    assert_eq!(setup.alive(DEMO), 2, "both sessions go on");
}

/// Not even for an instant does the list name one person for two accounts that stay.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_in_an_account_is_not_remembered_by_the_wish_of_the_person_before() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let id = app.sign_in("main", DEMO).await;
    app.accounts().remember(id, true).expect("remembered");
    app.sign_in("main", ADMIN).await;
    let summary = app.summary(id).expect("listed");
    assert!(!summary.remembered, "{ADMIN} did not ask for that");
    eventually("the session before to end", || setup.alive(DEMO) == 0).await;
    assert_eq!(app.emails(), [ADMIN]);
}
