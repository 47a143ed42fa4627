//! Which account a window shows.

use std::sync::Arc;

use vestibule_backend::{Backend, Config};
use vestibule_core::ErrorCode;
use vestibule_harness::*;

/// An app with two accounts: the window `main` shows that of the administrator, which was added last.
async fn two() -> (Arc<Backend>, AccountApp, [vestibule_core::AccountId; 2]) {
    let backend = start_backend(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &backend)]);
    let first = app.sign_in("main", DEMO).await;
    let second = app.add("main", WORKSPACE, ADMIN).await;
    app.host.take_reloads();
    (backend, app, [first, second])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_switched_waits_for_its_next_page() {
    let (_backend, app, [first, second]) = two().await;
    assert_ne!(first, second, "another account");
    assert_eq!(app.emails(), [DEMO, ADMIN], "in the order of adding");
    app.accounts().switch("main", first).expect("there is one");
    assert_eq!(
        app.host.take_reloads(),
        ["main"],
        "its page is to be loaded"
    );
    let of_the_old_page = app.accounts().session("main").map(drop);
    assert_eq!(
        code(&of_the_old_page),
        Some(ErrorCode::Busy),
        "the old page gets nothing of the account that comes"
    );
    let (shown, session) = app.page("main");
    assert_eq!(shown, first);
    assert_eq!(owner(&session).await.as_deref(), Some(DEMO));
    app.accounts().page_began("main");
    assert_eq!(app.page("main").0, first, "a page that is loaded anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_show_two_accounts() {
    let (_backend, app, [first, second]) = two().await;
    assert_eq!(
        app.accounts().of_window("window-2"),
        Ok(None),
        "nobody has chosen yet whose window it is"
    );
    let refused = app.accounts().session("window-2").map(drop);
    assert_eq!(code(&refused), Some(ErrorCode::NoAccount));
    app.accounts()
        .switch("window-2", first)
        .expect("there is one");
    let (in_main, in_second) = (app.page("main"), app.page("window-2"));
    assert_eq!((in_main.0, in_second.0), (second, first));
    assert_eq!(owner(&in_main.1).await.as_deref(), Some(ADMIN));
    assert_eq!(owner(&in_second.1).await.as_deref(), Some(DEMO));
    app.accounts().open_like("window-3", "window-2");
    assert_eq!(app.page("window-3").0, first, "a window like another");
    let unknown = app
        .accounts()
        .switch("main", vestibule_core::AccountId::new());
    assert_eq!(code(&unknown), Some(ErrorCode::UnknownAccount));
    assert_eq!(
        app.page("main").0,
        second,
        "what was not found changes nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_whose_account_is_removed_shows_none() {
    let (_backend, app, [first, second]) = two().await;
    app.accounts().open_like("window-2", "main");
    app.accounts().remove(second).expect("removed");
    let mut reloads = app.host.take_reloads();
    reloads.sort();
    assert_eq!(reloads, ["main", "window-2"], "each that showed it");
    for window in ["main", "window-2"] {
        let old_page = app.accounts().session(window).map(drop);
        assert_eq!(code(&old_page), Some(ErrorCode::Busy), "{window}");
        app.accounts().page_began(window);
        assert_eq!(
            app.accounts().of_window(window),
            Ok(None),
            "{window}: another account is not shown unasked"
        );
    }
    app.accounts().open_like("window-3", "main");
    app.accounts().remove(first).expect("removed");
    app.accounts().page_began("main");
    let (id, session) = app.page("main");
    assert!(
        id != first && id != second,
        "the first account is there anew"
    );
    until(&session, "nobody signed in", |now| why(now).is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_window_shows_after_a_restart_what_it_showed_before() {
    let (_backend, mut app, [first, second]) = two().await;
    for id in [first, second] {
        app.accounts().switch("main", id).expect("there is one");
        let (_, session) = app.page("main");
        until(&session, "its session", is_fresh).await;
        drop(session);
        app.restart().await;
        assert_eq!(app.accounts().of_window("main"), Ok(Some(id)));
    }
    assert_eq!(
        app.accounts().of_window("window-2"),
        Ok(None),
        "other windows are closed with the app, and choose anew"
    );
}

/// Commands of many windows come at any time.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_shown_by_no_window_whatever_comes_at_once() {
    for _ in 0..20 {
        let backend = start_backend(Config::default()).await;
        let app = AccountApp::new(&[(WORKSPACE, &backend)]);
        app.page("main");
        app.sign_in("main", DEMO).await;
        let id = app.add("window-1", WORKSPACE, ADMIN).await;
        let mut commands = Vec::new();
        for at in 0..12 {
            let accounts = app.accounts().clone();
            commands.push(tokio::task::spawn_blocking(move || {
                let window = format!("window-{at}");
                match at {
                    5 => drop(accounts.remove(id)),
                    _ if at % 2 == 0 => accounts.open_like(&window, "window-1"),
                    _ => drop(accounts.switch(&window, id)),
                }
            }));
        }
        for command in commands {
            command.await.expect("no panic");
        }
        for at in 0..12 {
            let window = format!("window-{at}");
            app.accounts().page_began(&window);
            let shown = app.accounts().of_window(&window);
            assert_ne!(shown, Ok(Some(id)), "{window} shows what was removed");
        }
    }
}

/// Two people who add an account at once, each in a window, do not share it.
#[tokio::test(flavor = "multi_thread")]
async fn windows_that_add_at_once_get_an_account_each() {
    let backend = start_backend(Config::default()).await;
    for _ in 0..20 {
        let app = AccountApp::new(&[(WORKSPACE, &backend)]);
        app.page("main");
        let adding: Vec<_> = (0..6)
            .map(|at| {
                let accounts = app.accounts().clone();
                let add = move || accounts.add(&format!("window-{at}"), WORKSPACE);
                tokio::task::spawn_blocking(add)
            })
            .collect();
        let mut ids = Vec::new();
        for added in adding {
            ids.push(added.await.expect("no panic").expect("there is room"));
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 6, "an account for each window");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_window_leaves_behind_blank_does_not_count_against_the_limit() {
    let backend = start_backend(Config::default()).await;
    let other = start_backend(Config::default()).await;
    let mut app = AccountApp::installed(&[(WORKSPACE, &backend), ("other", &other)]);
    app.most = 2;
    app.start();
    let dana = app.sign_in("main", DEMO).await;
    let blank = app
        .accounts()
        .add("main", WORKSPACE)
        .expect("there is room");
    app.page("main");
    assert_eq!(
        code(&app.accounts().check_room("window-2")),
        Some(ErrorCode::TooManyAccounts),
        "another window's blank account stays"
    );
    let elsewhere = app
        .accounts()
        .add("main", "other")
        .expect("it takes the blank one's place");
    app.page("main");
    app.until_listed("the blank one to be gone", |list| list.len() == 2)
        .await;
    let left: Vec<_> = app.list().iter().map(|it| it.id).collect();
    assert_eq!(left, [dana, elsewhere]);
    assert_ne!(elsewhere, blank);
}
