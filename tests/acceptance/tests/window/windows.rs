//! Two windows with one session.

use thirtyfour::WindowHandle;
use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, Stage, containing, scenario, until};

use crate::{enter, pick, signed_in};

/// The window that is open in addition to these.
pub(crate) async fn another(app: &App, known: &[WindowHandle]) -> WindowHandle {
    until("another window", async || {
        let windows = app.driver().windows().await;
        let windows = windows.map_err(|error| error.to_string())?;
        let count = windows.len();
        let other = windows.into_iter().find(|window| !known.contains(window));
        other.ok_or(format!("there are {count}"))
    })
    .await
}

pub(crate) async fn turn_to(app: &App, window: &WindowHandle) {
    let turned = app.driver().switch_to_window(window.clone()).await;
    turned.expect("the window is there");
}

/// Signs in and opens a second window on another page; the driver stays in the first one.
pub(crate) async fn two_windows(stage: &Stage) -> (App, WindowHandle, WindowHandle) {
    let app = signed_in(stage, DEMO, DEMO_NAME).await;
    let first = app.driver().window().await.expect("a window");
    pick(&app, DEMO_NAME, "New window").await;
    let second = another(&app, std::slice::from_ref(&first)).await;
    turn_to(&app, &second).await;
    app.open("/account/").await;
    app.find(Role::Button, containing(DEMO_NAME)).await;
    turn_to(&app, &first).await;
    (app, first, second)
}

#[test]
fn two_windows_follow_one_sign_out() {
    scenario(async |stage| {
        let (app, _, second) = two_windows(stage).await;
        pick(&app, DEMO_NAME, "Sign out").await;
        app.arrives("/auth/login/").await;
        turn_to(&app, &second).await;
        app.arrives("/auth/login/").await;
        app.find(Role::Link, "Sign in").await;
        assert!(!app.shows(Role::Button, containing(DEMO_NAME)).await);
        stage.backend.reached("POST", "/logout", 1).await;
    });
}

#[test]
fn a_sign_in_in_one_window_opens_the_other_where_it_wanted_to_go() {
    scenario(async |stage| {
        let (app, first, second) = two_windows(stage).await;
        pick(&app, DEMO_NAME, "Sign out").await;
        app.arrives("/auth/login/").await;
        turn_to(&app, &second).await;
        app.open("/account/").await;
        app.arrives("/auth/login/").await;
        turn_to(&app, &first).await;
        enter(&app, DEMO).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        turn_to(&app, &second).await;
        app.arrives("/account/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(
            stage.backend.requests("POST", "/login"),
            2,
            "one request for each sign-in"
        );
    });
}

#[test]
fn ctrl_n_opens_a_window_that_is_signed_in() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let first = app.driver().window().await.expect("a window");
        let keyboard = stage.keyboard();
        keyboard.focus("Vestibule").await;
        keyboard.press(&["ctrl+n"]);
        let second = another(&app, std::slice::from_ref(&first)).await;
        turn_to(&app, &second).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        until("two windows on the screen", async || {
            match keyboard.windows("Vestibule")?.len() {
                2 => Ok(()),
                count => Err(format!("there are {count}")),
            }
        })
        .await;
        assert_eq!(
            stage.backend.requests("POST", "/refresh-token"),
            0,
            "another window causes no request"
        );
    });
}

#[test]
fn ctrl_w_closes_the_window_that_has_the_keyboard() {
    scenario(async |stage| {
        let (app, first, second) = two_windows(stage).await;
        let keyboard = stage.keyboard();
        // The newest window.
        keyboard.focus("Account · Vestibule").await;
        keyboard.press(&["ctrl+w"]);
        until("one window less", async || {
            let left = app.driver().windows().await;
            let left = left.map_err(|error| error.to_string())?;
            match left.contains(&second) {
                false if left.contains(&first) => Ok(()),
                _ => Err(format!("there are {}", left.len())),
            }
        })
        .await;
        turn_to(&app, &first).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}
