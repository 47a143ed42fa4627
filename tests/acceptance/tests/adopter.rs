//! The app of `tests/adopter` in its real window: an app that is made as
//! `docs/guides/existing-app.md` says, of the crates and the packed npm package alone.

use std::fs;
use std::path::PathBuf;

use vestibule_acceptance::{
    App, DEMO, DEMO_NAME, PASSWORD, Role, Stage, adopter, containing, scenario, until,
};

async fn start(stage: &Stage) -> App {
    stage.start_other(&adopter(), &[]).await
}

async fn sign_in(app: &App, password: &str) {
    app.fill("E-mail", DEMO).await;
    app.fill("Password", password).await;
    app.click(Role::Button, "Sign in").await;
}

#[test]
fn someone_signs_in_calls_the_backend_stays_signed_in_over_a_restart_and_signs_out() {
    scenario(async |stage| {
        let app = start(stage).await;
        sign_in(&app, "not the password").await;
        app.says("password").await;
        assert!(!app.shows(Role::Heading, containing(DEMO_NAME)).await);
        sign_in(&app, PASSWORD).await;
        app.find(Role::Heading, containing(DEMO_NAME)).await;
        assert!(
            !app.text().await.contains(DEMO),
            "the e-mail is not asked for yet"
        );
        let asked = stage.backend.requests("GET", "/me");
        app.click(Role::Button, "Show my e-mail").await;
        app.reads(DEMO).await;
        assert_eq!(stage.backend.requests("GET", "/me"), asked + 1);
        app.kill();

        let app = start(stage).await;
        app.find(Role::Heading, containing(DEMO_NAME)).await;
        assert_eq!(
            stage.backend.requests("POST", "/login"),
            2,
            "nobody signed in again: one attempt was wrong and one right"
        );
        app.click(Role::Button, "Show my e-mail").await;
        app.reads(DEMO).await;
        app.click(Role::Button, "Sign out").await;
        app.find(Role::Button, "Sign in").await;
        stage.backend.reached("POST", "/logout", 1).await;
        app.kill();

        let app = start(stage).await;
        app.find(Role::Button, "Sign in").await;
        assert!(!app.shows(Role::Heading, containing(DEMO_NAME)).await);
    });
}

/// The files of the app's log in the user's home.
fn logs(stage: &Stage) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![stage.desktop.home().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_log = path.extension().is_some_and(|end| end == "log");
            if is_log && path.to_string_lossy().contains("com.example.adopter") {
                found.push(path.clone());
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
        }
    }
    found
}

/// How high the page is. A menu takes its bar from the window's height.
async fn page_height(app: &App) -> u64 {
    let height = app.run("return window.innerHeight").await;
    height.as_u64().expect("a whole number of pixels")
}

/// Without the single instance two processes have a window each, share the session, and keep one log.
/// Without the log there is no file, and without the menu no bar.
#[test]
fn parts_of_the_plugin_can_be_off() {
    scenario(async |stage| {
        let off = |parts: &str| [("VESTIBULE_E2E_OFF", parts.to_owned())];
        let alone = off("menu,single_instance");
        let first = stage.start_other(&adopter(), &alone).await;
        sign_in(&first, PASSWORD).await;
        first.find(Role::Heading, containing(DEMO_NAME)).await;
        let second = stage.start_other(&adopter(), &alone).await;
        second.find(Role::Heading, containing(DEMO_NAME)).await;
        assert_eq!(stage.desktop.processes(&adopter()).len(), 2);
        let kept = logs(stage);
        assert_eq!(kept.len(), 1, "{kept:?}");
        let height_without_menu = page_height(&first).await;
        second.click(Role::Button, "Sign out").await;
        second.find(Role::Button, "Sign in").await;
        first.kill();
        second.kill();

        std::fs::remove_file(&kept[0]).expect("the log of the two");
        let app = stage.start_other(&adopter(), &off("log")).await;
        app.find(Role::Button, "Sign in").await;
        assert_eq!(logs(stage), Vec::<PathBuf>::new());
        app.kill();

        // The control: with the log there is a file, and with the menu there is its bar.
        let app = start(stage).await;
        app.find(Role::Button, "Sign in").await;
        let height = page_height(&app).await;
        assert!(
            height + 10 < height_without_menu,
            "{height}, {height_without_menu}"
        );
        assert_eq!(logs(stage).len(), 1, "{:?}", logs(stage));
    });
}

/// A window that the app builds in another way may do nothing, though a capability lists it: its page
/// could reach the network. What its author reads names the function that builds a locked window.
#[test]
fn a_window_that_is_built_without_the_plugin_may_do_nothing() {
    const LABEL: &str = "window-unlocked";
    scenario(async |stage| {
        let further = [("VESTIBULE_E2E_UNLOCKED_WINDOW", LABEL.to_owned())];
        let app = stage.start_other(&adopter(), &further).await;
        let windows = until("two windows", async || {
            let windows = app.driver().windows().await;
            let windows = windows.map_err(|error| error.to_string())?;
            (windows.len() == 2)
                .then_some(windows.clone())
                .ok_or(format!("{windows:?}"))
        })
        .await;
        let mut refused = 0;
        for window in windows {
            let turned = app.driver().switch_to_window(window).await;
            turned.expect("the window is there");
            let label = "return window.__TAURI_INTERNALS__.metadata.currentWindow.label";
            if app.run(label).await == LABEL {
                app.says(&format!("tauri_plugin_vestibule::window(app, {LABEL:?})"))
                    .await;
                assert!(!app.shows(Role::Button, "Sign in").await, "it has no form");
                refused += 1;
            } else {
                // The control: the same page in a locked window.
                app.find(Role::Button, "Sign in").await;
            }
        }
        assert_eq!(refused, 1, "the window has its label");
    });
}
