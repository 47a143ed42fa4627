//! The window with backends that lack a feature, replayed from recordings of real ones.

use vestibule_acceptance::{App, Role, Stage, containing, scenario};
use vestibule_recordings::{BETTER_AUTH, DIRECTUS, Player, Recording};

const ANN: &str = "ann@example.com";
const PASSWORD: &str = "correct-horse";

async fn played(text: &str, from: &str) -> Player {
    let recording = Recording::parse(text).from(from);
    // The profiles send these in addition to what was recorded; the backends accept them.
    let player = Player::start(recording, &["mode", "first_name", "trustDevice"]).await;
    player.expect("a port")
}

async fn start(stage: &Stage, player: &Player, profile: &str) -> App {
    stage.start_against(&player.url(), Some(profile)).await
}

async fn enter(app: &App, email: &str) {
    app.fill("E-mail", email).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
}

/// A registration without a session, codes from an app alone, no list of sessions.
#[test]
fn directus_is_offered_what_it_has() {
    scenario(async |stage| {
        let player = played(DIRECTUS, "public registration (enable)").await;
        let app = start(stage, &player, "directus").await;
        app.open("/auth/register/").await;
        app.fill("Name", "Ann").await;
        app.fill("E-mail", ANN).await;
        app.fill("Password", PASSWORD).await;
        app.click(Role::Button, "Create account").await;
        app.arrives("/auth/login/").await;
        app.says("The server has accepted your registration").await;
        assert_eq!(app.value("E-mail").await, ANN);
        picture(&app, "register-accepted").await;

        enter(&app, "admin@example.com").await;
        app.arrives("/auth/otp/").await;
        app.reads("from your authenticator app").await;
        assert!(
            !app.shows(Role::Button, containing("Send")).await,
            "no code is sent"
        );
        picture(&app, "otp-without-resend").await;
        app.fill("Six-digit code", "000000").await;
        app.says("That code is not right").await;
        assert_eq!(app.address().await, "/auth/otp/", "another try");
    });
}

/// No refresh: a start asks whether the session is alive. Codes are sent on request.
#[test]
fn better_auth_signs_in_lasts_and_sends_codes() {
    scenario(async |stage| {
        let player = Player::start(Recording::parse(BETTER_AUTH), &[]).await;
        let player = player.expect("a port");
        let app = start(stage, &player, "better-auth").await;
        app.open("/auth/register/").await;
        app.fill("Name", "Ann").await;
        app.fill("E-mail", ANN).await;
        app.fill("Password", PASSWORD).await;
        app.click(Role::Button, "Create account").await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing("Ann")).await;
        app.open("/account/").await;
        app.find(Role::Heading, "Account").await;
        // The recording has no list.
        app.reads("This server does not list sessions.").await;
        picture(&app, "account-without-sessions").await;
        app.kill();
        let app = start(stage, &player, "better-auth").await;
        app.find(Role::Button, containing("Ann")).await;
        app.kill();

        let player = played(BETTER_AUTH, "sign-in now asks for second factor").await;
        let app = start(stage, &player, "better-auth").await;
        // The earlier session belongs to another address, so nobody is signed in at this one.
        app.open("/auth/login/").await;
        enter(&app, ANN).await;
        app.arrives("/auth/otp/").await;
        // It names an app first; a code is sent to who asks for one.
        app.reads("from your authenticator app").await;
        app.click(Role::Button, "Send me a code").await;
        app.reads("We sent six digits").await;
        app.fill("Six-digit code", "426939").await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing("Ann")).await;
    });
}

/// With a backend that registers no accounts, the window does not offer to.
#[test]
fn a_backend_without_registration_is_asked_for_none() {
    scenario(async |stage| {
        let file = stage.desktop.home().join("closed.toml");
        let profile = "schema = 1\nextends = 'contract'\nbackend = 'http://127.0.0.1:1'\n\
                       [endpoints]\nregister = false\n";
        std::fs::write(&file, profile).expect("a file");
        let file = file.display().to_string();
        let app = stage.start_against(&stage.backend.url(), Some(&file)).await;
        app.find(Role::Link, "Sign in").await;
        assert!(!app.shows(Role::Link, containing("Create")).await);
        picture(&app, "home-without-registration").await;
        app.open("/auth/login/").await;
        app.find(Role::Button, "Sign in").await;
        assert!(!app.shows(Role::Link, containing("Create")).await);
        app.open("/auth/register/").await;
        app.reads("This server does not let you create an account here")
            .await;
        picture(&app, "register-closed").await;
        assert_eq!(stage.backend.requests("POST", "/register"), 0);
    });
}

async fn picture(app: &App, name: &str) {
    let path = vestibule_acceptance::screens().join(format!("{name}.png"));
    app.driver().screenshot(&path).await.expect("a screenshot");
}
