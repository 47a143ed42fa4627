//! The real keyring: locked, locked at the start, and absent.

use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, Stage, containing, scenario};

use crate::{enter, signed_in};

const BANNER: &str = "Keyring";

/// Starts the app and signs the demo account in, whatever the state of the keyring.
async fn signed_in_anyway(stage: &Stage) -> App {
    let app = stage.start_at("/auth/login/").await;
    enter(&app, DEMO).await;
    app.arrives("/dashboard/").await;
    app.find(Role::Button, containing(DEMO_NAME)).await;
    app
}

#[test]
fn a_locked_keyring_is_named_and_once_open_it_keeps_the_session() {
    scenario(async |stage| {
        stage.desktop.bus().lock_keyring().expect("locked");
        let app = signed_in_anyway(stage).await;
        app.find(Role::Region, BANNER).await;
        app.says("Your keyring is locked. You stay signed in until you quit.")
            .await;
        app.reads("Sign in again").await;
        app.click(Role::Button, "Unlock keyring").await;
        app.says("It is still locked").await;

        stage.desktop.bus().unlock_keyring().expect("unlocked");
        app.click(Role::Button, "Unlock keyring").await;
        app.gone(Role::Region, BANNER).await;
        app.reads("Still signed in").await;
        assert_eq!(
            stage.backend.requests("POST", "/refresh-token"),
            0,
            "a locked keyring causes no request"
        );
        app.kill();
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_session_that_was_taken_out_of_the_keyring_ends_and_says_so() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        stage.desktop.clear_keyring();
        let app = stage.start_at("/dashboard/").await;
        app.says("Your keyring no longer holds this session").await;
        assert_eq!(
            stage.backend.requests("POST", "/refresh-token"),
            0,
            "without a token no request is sent"
        );
        enter(&app, DEMO).await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_session_behind_a_locked_keyring_goes_on_once_it_is_open() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        stage.desktop.bus().lock_keyring().expect("locked");
        let app = stage.start_at("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.says("Your keyring is locked. It holds your session.")
            .await;
        app.reads("Will be asked when your keyring is open").await;
        let text = app.text().await;
        assert!(
            !text.contains("Offline"),
            "a locked keyring is not shown as an outage: {text:?}"
        );
        assert_eq!(app.record().await.latest().way_in(), Vec::<String>::new());
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 0);

        stage.desktop.bus().unlock_keyring().expect("unlocked");
        app.click(Role::Button, "Unlock keyring").await;
        app.reads("Confirmed").await;
        app.gone(Role::Region, BANNER).await;
    });
}

#[test]
fn without_a_keyring_one_is_signed_in_all_the_same() {
    scenario(async |stage| {
        stage.desktop.bus().kill_keyring().expect("ended");
        let app = signed_in_anyway(stage).await;
        app.says("You stay signed in until you quit. There is no keyring")
            .await;
        app.reads("Confirmed").await;
        app.reads("Sign in again").await;
        app.click(Role::Button, "Dismiss").await;
        app.gone(Role::Region, BANNER).await;
        app.open("/payment/?plan=team").await;
        app.click(Role::Button, "Buy Team").await;
        app.find(Role::Heading, "Team is yours").await;
    });
}

#[test]
fn a_keyring_that_comes_later_takes_the_session() {
    scenario(async |stage| {
        stage.desktop.bus().kill_keyring().expect("ended");
        let app = signed_in_anyway(stage).await;
        app.says("There is no keyring").await;
        app.click(Role::Button, "Try again").await;
        app.says("The app still finds no keyring").await;
        let keyring = vestibule_acceptance::Keyring::Unlocked;
        stage.desktop.bus().start_keyring(keyring).expect("started");
        app.click(Role::Button, "Try again").await;
        app.gone(Role::Region, BANNER).await;
        app.kill();
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}
