//! Visits the screens for errors, outages and unusually long texts. [`crate::tour`] leaves them out
//! because it takes time to get there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vestibule_backend::{Effect, Fault};
use vestibule_bus::Keyring;

use crate::app::App;
use crate::element::{Role, containing};
use crate::endings::Ending;
use crate::scenario::Stage;
use crate::{ADMIN, ADMIN_NAME, DEMO, DEMO_NAME, OTP, PASSWORD};

const LONG_NAME: &str = "Wolfeschlegelsteinhausenbergerdorff Hubert Blaine of the Longest House";
const LONG_EMAIL: &str =
    "hubert.blaine.wolfeschlegelsteinhausenbergerdorff.senior@a-rather-long-domain.example.com";

/// Visits the screens; `visit` is called at each one with its name.
///
/// # Panics
/// If a screen does not appear.
pub async fn walk(stage: &Stage, mut visit: impl AsyncFnMut(&App, &str)) {
    forms(stage, &mut visit).await;
    long_words(stage, &mut visit).await;
    at_work(stage, &mut visit).await;
    keyrings(stage, &mut visit).await;
    starts(stage, &mut visit).await;
}

async fn forms(stage: &Stage, visit: &mut impl AsyncFnMut(&App, &str)) {
    let app = stage.start_at("/auth/register/").await;
    app.fill("Name", "Second Dana").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", "a few words work well").await;
    app.click(Role::Button, "Create account").await;
    app.says("already an account with this address").await;
    visit(&app, "register-taken").await;

    app.open("/auth/login/").await;
    let busy = Effect::Status {
        status: 429,
        code: None,
        message: None,
        body: None,
        headers: [("retry-after".to_owned(), "90".to_owned())].into(),
    };
    let busy = Fault::on("POST", "/login", busy);
    stage.backend.faults().add(busy.times(1));
    enter(&app, DEMO).await;
    app.says("asks to wait").await;
    visit(&app, "login-too-many").await;
    app.open("/auth/login/").await;
    stage.backend.down().await;
    enter(&app, DEMO).await;
    app.says("Nothing answers at the server").await;
    visit(&app, "login-unreachable").await;
    app.open("/payment/").await;
    app.find(Role::Button, "Try again").await;
    visit(&app, "plans-offline").await;
    stage.backend.up().await.expect("the same port");

    app.open("/auth/login/").await;
    enter(&app, OTP).await;
    app.find(Role::Field, "Six-digit code").await;
    app.click(Role::Button, containing("Send")).await;
    app.says("on its way").await;
    visit(&app, "otp-sent-again").await;
    app.kill();
}

async fn long_words(stage: &Stage, visit: &mut impl AsyncFnMut(&App, &str)) {
    let roles = ["user", "admin", "quality-assurance-of-the-northern-region"];
    let added = stage
        .backend
        .add_account(LONG_EMAIL, PASSWORD, LONG_NAME, &roles);
    assert!(added, "the account is new");
    let app = stage.start_at("/auth/login/").await;
    enter(&app, LONG_EMAIL).await;
    app.arrives("/dashboard/").await;
    app.find(Role::Heading, "Your session").await;
    visit(&app, "long-dashboard").await;
    app.open("/admin/").await;
    app.reads(DEMO).await;
    visit(&app, "long-people").await;
    app.click(Role::Button, containing(LONG_NAME)).await;
    app.find(Role::MenuItem, "Sign out").await;
    visit(&app, "long-user-menu").await;
    app.open("/account/").await;
    app.reads("This session").await;
    visit(&app, "long-account").await;
    app.open("/").await;
    app.find(Role::Link, "Go to your dashboard").await;
    visit(&app, "long-home").await;
    app.click(Role::Button, containing(LONG_NAME)).await;
    app.click(Role::MenuItem, "Sign out").await;
    app.says("You have signed out").await;
    visit(&app, "home-just-signed-out").await;
    app.open("/auth/login/").await;
    app.says("You are signed out").await;
    visit(&app, "login-just-signed-out").await;
    app.kill();
}

async fn at_work(stage: &Stage, visit: &mut impl AsyncFnMut(&App, &str)) {
    let app = stage.start_at("/auth/login/").await;
    enter(&app, ADMIN).await;
    app.arrives("/dashboard/").await;
    app.find(Role::Region, "People").await;
    visit(&app, "dashboard-admin").await;
    elsewhere(stage).await;
    app.open("/account/").await;
    app.click(Role::Button, containing("End the session on"))
        .await;
    app.find(Role::Heading, "End this session?").await;
    visit(&app, "account-end-session").await;
    stage.backend.down().await;
    app.click(Role::Button, "End session").await;
    app.says("Nothing answers at the server").await;
    visit(&app, "account-end-session-failed").await;
    stage.backend.up().await.expect("the same port");
    app.click(Role::Button, "End session").await;
    app.says("That session has ended").await;
    visit(&app, "account-session-ended").await;
    app.click(Role::Button, "Test connection").await;
    app.reads("Mbit/s").await;
    visit(&app, "account-connection").await;
    Ending::Revoked.strike(stage, &app, ADMIN).await;
    app.says(Ending::Revoked.words()).await;
    visit(&app, "kept-page").await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    app.find(Role::Button, containing(ADMIN_NAME)).await;
    app.open("/dashboard/").await;
    app.find(Role::Button, containing(ADMIN_NAME)).await;
    stage.backend.down().await;
    app.run_async(
        "await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|refresh').catch(() => undefined);
         done(true);",
        serde_json::json!(null),
    )
    .await;
    app.says("Offline since").await;
    app.click(Role::Button, containing(ADMIN_NAME)).await;
    app.find(Role::MenuItem, "Sign out").await;
    visit(&app, "user-menu-offline").await;
    stage.backend.up().await.expect("the same port");
    app.click(Role::MenuItem, "Sign out").await;
    app.find(Role::Link, "Sign in").await;
    app.kill();
}

async fn keyrings(stage: &Stage, visit: &mut impl AsyncFnMut(&App, &str)) {
    stage.desktop.bus().lock_keyring().expect("locked");
    let app = stage.start_at("/auth/login/").await;
    enter(&app, DEMO).await;
    app.says("Your keyring is locked").await;
    visit(&app, "keyring-locked").await;
    app.click(Role::Button, "Unlock keyring").await;
    app.says("It is still locked").await;
    visit(&app, "keyring-still-locked").await;
    leave(app, DEMO_NAME).await;

    stage.desktop.bus().kill_keyring().expect("ended");
    let app = stage.start_at("/auth/login/").await;
    enter(&app, DEMO).await;
    app.says("There is no keyring").await;
    visit(&app, "keyring-absent").await;
    let unlocked = stage.desktop.bus().start_keyring(Keyring::Unlocked);
    unlocked.expect("started");
    app.click(Role::Button, "Try again").await;
    app.gone(Role::Region, "Keyring").await;
    app.kill();

    stage.desktop.bus().lock_keyring().expect("locked");
    let app = stage.start_at("/dashboard/").await;
    app.says("It holds your session").await;
    visit(&app, "behind-locked-keyring").await;
    app.kill();
    stage.desktop.bus().unlock_keyring().expect("unlocked");

    stage.desktop.clear_keyring();
    let app = stage.start_at("/dashboard/").await;
    app.says("Your keyring no longer holds this session").await;
    visit(&app, "ended-missing").await;
    enter(&app, DEMO).await;
    app.arrives("/dashboard/").await;
    app.kill();

    remove(stage.desktop.home(), "session.json");
    stage.desktop.bus().lock_keyring().expect("locked");
    let app = stage.start().await;
    app.find(Role::Heading, "Your keyring is locked").await;
    visit(&app, "start-locked-keyring").await;
    app.kill();
    stage.desktop.bus().unlock_keyring().expect("unlocked");
}

/// The session is in the keyring, and the user is not known yet.
async fn starts(stage: &Stage, visit: &mut impl AsyncFnMut(&App, &str)) {
    stage.backend.down().await;
    let app = stage.start().await;
    app.find(Role::Heading, "The server cannot be reached")
        .await;
    visit(&app, "start-unreachable").await;
    app.click(Role::Button, "Sign in again").await;
    app.says("Your session is still held").await;
    visit(&app, "login-again").await;
    app.kill();
    stage.backend.up().await.expect("the same port");

    let hang = Fault::on("POST", "/refresh-token", Effect::Hang {});
    stage.backend.faults().add(hang);
    let app = stage.start().await;
    app.says("Opening Vestibule").await;
    visit(&app, "start-waiting").await;
    app.kill();
    stage.backend.faults().clear();

    let app = stage.start_at("/dashboard/").await;
    app.find(Role::Button, containing(DEMO_NAME)).await;
    app.kill();
    let folder = config(stage.desktop.home());
    let file = folder.join("profile.toml");
    fs::write(&file, "schema = 1\nbakend = 'https://api.example.com'\n").expect("a file");
    let app = stage.start().await;
    app.find(Role::Heading, containing("not set up correctly"))
        .await;
    visit(&app, "start-misconfigured").await;
    app.kill();
    fs::remove_file(file).expect("it was there");

    let records = data(stage.desktop.home()).join("workspaces");
    let aside = records.with_extension("aside");
    fs::rename(&records, &aside).expect("they were there");
    fs::write(&records, "in the way\n").expect("a file");
    let app = stage.start().await;
    app.find(Role::Heading, containing("cannot start")).await;
    visit(&app, "start-cannot").await;
    app.kill();
    fs::remove_file(&records).expect("it was there");
    fs::rename(aside, records).expect("back");
}

/// The same account signs in on another machine.
async fn elsewhere(stage: &Stage) {
    let device = serde_json::json!({
        "fingerprint": uuid::Uuid::new_v4(),
        "os": "Fedora Linux 43 x86_64",
        "browser": "Vestibule 0.1.0",
    });
    let answer = reqwest::Client::new()
        .post(format!("{}/login", stage.backend.url()))
        .timeout(Duration::from_secs(60))
        .json(&serde_json::json!({
            "email": ADMIN, "password": PASSWORD, "fingerprint": device,
        }))
        .send()
        .await
        .expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
}

async fn enter(app: &App, email: &str) {
    app.fill("E-mail", email).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
}

async fn leave(app: App, name: &str) {
    app.click(Role::Button, containing(name)).await;
    app.click(Role::MenuItem, "Sign out").await;
    app.find(Role::Link, "Sign in").await;
    app.kill();
}

fn remove(folder: &Path, name: &str) {
    for file in files(folder) {
        if file.file_name().is_some_and(|is| is == name) {
            fs::remove_file(file).expect("it was there");
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

/// The app's folder for data.
fn data(home: &Path) -> PathBuf {
    let lock = files(home)
        .into_iter()
        .find(|file| file.ends_with("instance.lock"));
    let lock = lock.expect("the app has run");
    lock.parent().expect("a folder").to_owned()
}

/// The app's folder for settings, which has the same name as its folder for data.
fn config(home: &Path) -> PathBuf {
    let data = data(home);
    let folder = home.join("config").join(data.file_name().expect("a name"));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}
