//! An administrator's policy: the window uses and shows what it fixes. If the policy is not valid,
//! the window shows only that.

use vestibule_acceptance::{Administrator, App, DEMO, DEMO_NAME, OtherServer, Role, containing};
use vestibule_acceptance::{scenario, until};

use crate::{enter, signed_in};

const TITLE: &str = "Vestibule is not set up correctly";

#[test]
fn what_it_fixes_is_used_and_shown_as_theirs() {
    scenario(async |stage| {
        let other = OtherServer::at([127, 0, 0, 1].into()).await;
        let policy = format!(
            "schema = 1\n[profile]\nfixed = ['backend']\nbackend = '{}'\n",
            stage.backend.url()
        );
        stage
            .desktop
            .is_administered_by(Administrator::who_wrote(&policy));
        // The build for WebDriver uses the variable, which names another backend.
        let another = format!("http://127.0.0.1:{}", other.port());
        let app = stage.start_against(&another, None).await;
        app.open("/auth/login/").await;
        enter(&app, DEMO).await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.open("/account/").await;
        reads(&app, "Set by your administrator").await;
        reads(&app, &Administrator::file()).await;
        reads(&app, "backend in VESTIBULE_BACKEND").await;
        assert_eq!(other.heard(), (0, 0), "a request went to the other backend");
        other.would_have_heard().await;
        app.kill();

        // The control: without the policy the account page does not mention an administrator.
        stage
            .desktop
            .is_administered_by(Administrator::who_wrote("schema = 1"));
        let app = stage.start_at("/account/").await;
        reads(&app, &Administrator::file()).await;
        let text = app.text().await;
        assert!(!text.contains("Set by your administrator"), "{text}");
    });
}

#[test]
fn one_that_is_not_valid_lets_nobody_sign_in_and_is_named() {
    scenario(async |stage| {
        signed_in(stage, DEMO, DEMO_NAME).await.kill();
        let mistake = "schema = 1\n[profile]\nfixed = ['bakend']\n";
        let administrator = Administrator::who_wrote(mistake);
        stage.desktop.is_administered_by(administrator);
        let app = stage.start().await;
        let said = format!(
            "{} (profile): `fixed[0]` is not a key here; did you mean `backend`?",
            Administrator::file()
        );
        refuses(&app, &said).await;
        app.kill();
        let administrator = Administrator::who_wrote("schema = 1").owned_by(65_534);
        stage.desktop.is_administered_by(administrator);
        let app = stage.start().await;
        let said = format!("{}: does not belong to root", Administrator::file());
        refuses(&app, &said).await;
        app.kill();
        let refreshes = stage.backend.requests("POST", "/refresh-token");
        assert_eq!(refreshes, 0, "no refresh was sent");

        // The signed-in user is still signed in once the policy is valid.
        stage
            .desktop
            .is_administered_by(Administrator::who_wrote("schema = 1"));
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

async fn refuses(app: &App, said: &str) {
    app.find(Role::Heading, TITLE).await;
    reads(app, said).await;
    for way_in in ["Sign in", "Create account"] {
        assert!(!app.shows(Role::Link, way_in).await, "{way_in}");
    }
}

/// Waits until the page shows this text.
async fn reads(app: &App, words: &str) {
    until(words, async || {
        let text = app.text().await;
        text.contains(words).then_some(()).ok_or(text)
    })
    .await;
}
