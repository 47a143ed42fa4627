//! A mistake in a settings file: the first screen names it, no session is changed, and the app
//! works once the mistake is corrected.

use std::path::Path;

use vestibule_acceptance::{
    App, DEMO, DEMO_NAME, Role, Screen, Stage, containing, scenario, until,
};

use crate::signed_in;

const TITLE: &str = "Vestibule is not set up correctly";

fn write(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
    std::fs::write(file, text).expect("the file");
}

/// Checks that a signed-in user sees what is wrong and is asked for nothing.
async fn refuses_to_start(stage: &Stage, file: &Path, words: &[&str]) -> App {
    let app = stage.start().await;
    app.find(Role::Heading, TITLE).await;
    app.says(&file.display().to_string()).await;
    for words in words {
        app.says(words).await;
    }
    app.says("your session is kept").await;
    for way_in in ["Sign in", "Create account"] {
        assert!(!app.shows(Role::Link, way_in).await, "{way_in}");
    }
    let refreshes = stage.backend.requests("POST", "/refresh-token");
    assert_eq!(refreshes, 0, "no refresh was sent");
    app
}

async fn goes_on(app: &App) {
    app.click(Role::Button, "Try again").await;
    app.find(Role::Button, containing(DEMO_NAME)).await;
    app.gone(Role::Heading, TITLE).await;
}

#[test]
fn a_mistake_is_named_touches_no_session_and_goes_when_it_is_put_right() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        let file = stage.settings().join("profile.toml");
        let mistake = "schema = 1\n[endpoints.login]\npth = '/sign-in'\n";
        write(&file, mistake);
        let words = [
            "`endpoints.login.pth` is not a key here",
            "did you mean `endpoints.login.path`?",
        ];
        let app = refuses_to_start(stage, &file, &words).await;
        picture(stage, "settings-mistake");

        // A second mistake: the screen then names that one.
        write(&file, "schema = 1\n[endpoints.login]\npath = 'sign-in'\n");
        app.click(Role::Button, "Try again").await;
        // The advice for the first mistake names the same key, so wait for the second alone.
        until("the second mistake alone", async || {
            let text = app.text().await;
            let is_told = text.contains("`endpoints.login.path`") && !text.contains("pth");
            is_told.then_some(()).ok_or(text)
        })
        .await;

        write(&file, "schema = 1\n[otp]\nresend_after_s = 31\n");
        goes_on(&app).await;
        stage.backend.reached("POST", "/refresh-token", 1).await;
        app.kill();
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_workspaces_own_file_counts_and_is_named_too() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        let file = stage.settings().join("workspaces/default/profile.json");
        write(
            &file,
            r#"{"schema": 1, "session": {"user_from": "refesh"}}"#,
        );
        let words = [
            "`session.user_from` must be one of",
            "did you mean `refresh`?",
        ];
        let app = refuses_to_start(stage, &file, &words).await;
        std::fs::remove_file(&file).expect("it was there");
        goes_on(&app).await;
    });
}

/// The build for WebDriver uses the variable. That the shipped app does not is shown in `packages`,
/// with the same mistake.
#[test]
fn a_variable_with_a_mistake_is_named_too() {
    scenario(async |stage| {
        let wrong = "/no/such/profile.toml";
        let app = stage.start_against(&stage.backend.url(), Some(wrong)).await;
        app.find(Role::Heading, TITLE).await;
        app.says("/no/such/profile.toml: cannot be read").await;
    });
}

fn picture(stage: &Stage, name: &str) {
    let path = vestibule_acceptance::screens().join(format!("{name}.png"));
    Screen::of(&stage.desktop).save(&path).expect("a picture");
}
