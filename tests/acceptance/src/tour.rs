//! Visits every screen of the app, in the states that a user normally sees.

use crate::app::App;
use crate::element::{Role, containing};
use crate::endings::Ending;
use crate::scenario::Stage;
use crate::{ADMIN, ADMIN_NAME, DEMO, DEMO_NAME, OTP, PASSWORD};

/// Visits the screens; `visit` is called at each complete screen with its name.
///
/// # Panics
/// If a screen does not appear.
pub async fn walk(stage: &Stage, mut visit: impl AsyncFnMut(&App, &str)) {
    let app = signed_out(stage, &mut visit).await;
    let app = administrator(app, &mut visit).await;
    let app = signed_in(stage, app, &mut visit).await;
    let app = offline(stage, app, &mut visit).await;
    endings(stage, app, &mut visit).await;
}

async fn signed_out(stage: &Stage, visit: &mut impl AsyncFnMut(&App, &str)) -> App {
    let app = stage.start().await;
    app.find(Role::Link, "Sign in").await;
    visit(&app, "home-signed-out").await;
    app.open("/payment/").await;
    app.find(Role::Link, "Choose Team").await;
    visit(&app, "plans").await;
    app.open("/payment/?plan=team").await;
    app.find(Role::Link, "Sign in to buy").await;
    visit(&app, "plan-signed-out").await;
    app.open("/no/such/page/").await;
    app.find(Role::Heading, "There is no such page").await;
    visit(&app, "not-found").await;

    app.open("/auth/register/").await;
    app.find(Role::Button, "Create account").await;
    visit(&app, "register").await;
    app.click(Role::Button, "Create account").await;
    app.reads("Choose a password.").await;
    visit(&app, "register-incomplete").await;

    app.open("/auth/login/").await;
    app.find(Role::Button, "Sign in").await;
    visit(&app, "login").await;
    enter(&app, DEMO, "not the password").await;
    app.says("do not match").await;
    visit(&app, "login-wrong-password").await;
    enter(&app, OTP, PASSWORD).await;
    app.arrives("/auth/otp/").await;
    app.find(Role::Field, "Six-digit code").await;
    visit(&app, "otp").await;
    app.fill("Six-digit code", "000000").await;
    app.says("That code is not right").await;
    visit(&app, "otp-wrong-code").await;
    app.click(Role::Button, containing("Cancel")).await;
    app.arrives("/auth/login/").await;
    app
}

async fn administrator(app: App, visit: &mut impl AsyncFnMut(&App, &str)) -> App {
    enter(&app, ADMIN, PASSWORD).await;
    app.arrives("/dashboard/").await;
    app.click(Role::Link, "People").await;
    app.reads(DEMO).await;
    visit(&app, "people").await;
    app.click(Role::Button, "Export as CSV").await;
    app.says("people exported").await;
    visit(&app, "people-exported").await;
    app.click(Role::Button, containing(ADMIN_NAME)).await;
    app.click(Role::MenuItem, "Sign out").await;
    app.arrives("/auth/login/").await;
    app
}

async fn signed_in(stage: &Stage, app: App, visit: &mut impl AsyncFnMut(&App, &str)) -> App {
    enter(&app, DEMO, PASSWORD).await;
    app.arrives("/dashboard/").await;
    app.find(Role::Heading, "Your session").await;
    visit(&app, "dashboard").await;
    app.click(Role::Button, containing(DEMO_NAME)).await;
    app.find(Role::MenuItem, "Sign out").await;
    visit(&app, "user-menu").await;
    app.open("/admin/").await;
    app.find(Role::Heading, "This page is not for your account")
        .await;
    visit(&app, "not-for-your-account").await;
    app.open("/account/").await;
    app.find(Role::Button, "Sign out everywhere").await;
    app.reads("This session").await;
    app.reads(&stage.backend.url()).await;
    visit(&app, "account").await;
    app.click(Role::Button, "Sign out everywhere").await;
    app.find(Role::Heading, "Sign out everywhere?").await;
    visit(&app, "account-sure").await;
    app.open("/").await;
    app.find(Role::Link, "Go to your dashboard").await;
    visit(&app, "home-signed-in").await;
    app.open("/payment/?plan=team").await;
    app.click(Role::Button, "Buy Team").await;
    app.find(Role::Heading, "Team is yours").await;
    visit(&app, "plan-bought").await;
    app
}

async fn offline(stage: &Stage, app: App, visit: &mut impl AsyncFnMut(&App, &str)) -> App {
    app.kill();
    stage.backend.down().await;
    let app = stage.start_at("/dashboard/").await;
    app.says("Offline since").await;
    visit(&app, "dashboard-offline").await;
    app.open("/payment/?plan=team").await;
    app.find(Role::Button, "Try again").await;
    visit(&app, "plan-offline").await;
    // During the outage the button stays. After it, the app itself may be faster than the click.
    app.click(Role::Button, "Try now").await;
    stage.backend.up().await.expect("the same port");
    app.says("You are back online").await;
    visit(&app, "back-online").await;
    app
}

async fn endings(stage: &Stage, mut app: App, visit: &mut impl AsyncFnMut(&App, &str)) {
    for ending in Ending::ALL {
        app.kill();
        ending.bring_about(stage, DEMO).await;
        app = stage.start().await;
        app.says(ending.words()).await;
        let name = format!("{ending:?}").to_lowercase();
        visit(&app, &format!("home-{name}")).await;
        app.open("/auth/login/").await;
        app.says(ending.words()).await;
        visit(&app, &format!("login-{name}")).await;
        enter(&app, DEMO, PASSWORD).await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        // A rotation, so that there is an older token to use again.
        app.kill();
        app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    }
}

async fn enter(app: &App, email: &str, password: &str) {
    app.fill("E-mail", email).await;
    app.fill("Password", password).await;
    app.click(Role::Button, "Sign in").await;
}
