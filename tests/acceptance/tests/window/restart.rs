//! The app is killed, or ends by a panic, and is started again.

use std::fs;

use vestibule_acceptance::endings::Ending;
use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, Stage, containing, scenario};

use crate::{enter, log, pick, signed_in};

#[test]
fn after_a_kill_someone_is_signed_in_at_the_first_paint() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        let frame = app.first_paint().await;
        assert!(frame.contains(DEMO_NAME), "the first paint reads {frame:?}");
        assert_eq!(
            app.record().await.latest().way_in(),
            Vec::<String>::new(),
            "no link to sign in was ever in the page"
        );
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 1);
    });
}

#[test]
fn a_panic_ends_the_app_is_in_the_log_and_signs_nobody_out() {
    scenario(async |stage| {
        let file = stage.desktop.home().join("panic-now");
        let told = [("VESTIBULE_E2E_PANIC", file.display().to_string())];
        let app = stage.start_with(&told).await;
        app.open("/auth/login/").await;
        enter(&app, DEMO).await;
        app.arrives("/dashboard/").await;
        fs::write(&file, "").expect("the app is told to panic");
        app.ends().await;
        fs::remove_file(&file).expect("it was told");

        let log = log::text(stage);
        let line = log.lines().find(|line| line.contains("a panic"));
        let line = line.unwrap_or_else(|| panic!("no panic in {log}"));
        for part in ["ERROR", "builder.rs", "a test asked for this panic"] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_revoked_session_leads_to_a_sign_in_screen_that_says_so() {
    scenario(async |stage| drop(refused_at_start(stage, Ending::Revoked).await));
}

#[test]
fn a_stolen_token_leads_to_a_sign_in_screen_that_says_so() {
    scenario(async |stage| drop(refused_at_start(stage, Ending::Reuse).await));
}

#[test]
fn another_device_leads_to_a_sign_in_screen_that_says_so() {
    scenario(async |stage| drop(refused_at_start(stage, Ending::DeviceMismatch).await));
}

async fn refused_at_start(stage: &Stage, ending: Ending) -> App {
    let app = signed_in(stage, DEMO, DEMO_NAME).await;
    app.kill();
    if ending == Ending::Reuse {
        // One rotation, so that there is an older token to use again.
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.kill();
    }
    ending.bring_about(stage, DEMO).await;

    let app = stage.start().await;
    app.says(ending.words()).await;
    app.click(Role::Link, "Sign in again").await;
    app.arrives("/auth/login/").await;
    app.says(ending.words()).await;
    app
}

#[test]
fn an_expired_refresh_leads_to_a_sign_in_screen_that_says_so_until_someone_signs_in() {
    scenario(async |stage| {
        let ending = Ending::Expired;
        refused_at_start(stage, ending).await.kill();
        let app = stage.start_at("/dashboard/").await;
        let next = app.arrives("/auth/login/").await;
        assert_eq!(next.as_deref(), Some("/dashboard/"));
        app.says(ending.words()).await;
        enter(&app, DEMO).await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        pick(&app, DEMO_NAME, "Account").await;
        app.arrives("/account/").await;
        assert!(
            !app.text().await.contains(ending.words()),
            "the reason is not shown after a new sign-in"
        );
    });
}

#[test]
fn a_session_that_is_revoked_ends_in_the_open_window() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        assert_eq!(stage.backend.revoke_session(DEMO), 1);
        stage.backend.expire_access_tokens();
        // The account page asks the backend for the list of sessions.
        pick(&app, DEMO_NAME, "Account").await;
        app.says(Ending::Revoked.words()).await;
        app.find(Role::Heading, "Sign in").await;
        assert_eq!(
            app.address().await,
            "/account/",
            "the form is in front of the page"
        );
        assert!(!app.shows(Role::Button, containing(DEMO_NAME)).await);
    });
}
