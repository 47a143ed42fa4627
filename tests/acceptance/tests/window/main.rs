//! Tests of the real window, which find every element by role and name.

use vestibule_acceptance::{App, PASSWORD, Role, Stage, containing};

mod accounts;
mod administrator;
mod backend_profile;
mod browser_sign_in;
#[path = "../../../../src-tauri/plugin/src/command_list.rs"]
mod command_list;
mod context_menu;
mod deep_links;
mod fetch;
mod flash;
mod graphics;
mod guards;
mod injection;
mod kept_page;
mod keyboard;
mod keyring;
mod lockdown;
mod log;
mod other_backends;
mod outage;
mod payment;
mod policy;
mod promises;
mod public_fetch;
mod restart;
mod roles;
mod secrets;
mod shown;
mod sign_in;
mod spoofing;
mod starts;
mod transfers;
mod unlisted;
mod ways_out;
mod windows;

/// Fills in the sign-in form and sends it.
async fn enter(app: &App, email: &str) {
    app.fill("E-mail", email).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
}

/// Starts the app, signs this account in and opens its dashboard.
async fn signed_in(stage: &Stage, email: &str, name: &str) -> App {
    let app = stage.start_at("/auth/login/").await;
    enter(&app, email).await;
    app.arrives("/dashboard/").await;
    app.find(Role::Button, containing(name)).await;
    app
}

/// Picks an entry of the user menu in the header.
async fn pick(app: &App, name: &str, entry: &str) {
    app.click(Role::Button, containing(name)).await;
    app.click(Role::MenuItem, containing(entry)).await;
}
