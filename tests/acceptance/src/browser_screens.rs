//! Visits the screens of the sign-in by the browser, and the one that a link opens.

use tempfile::TempDir;
use vestibule_backend::{Effect, Fault};
use vestibule_harness::{Decision, TOKEN, come_back, decide};

use crate::DEMO;
use crate::app::App;
use crate::element::{Role, containing};
use crate::scenario::Stage;
use crate::system_browser::SystemBrowser;

/// Three ways to one provider, as a backend for several companies has them.
const BUTTONS: &str = "[[browser.buttons]]
name = 'example'
label = 'Continue with Example'
[[browser.buttons]]
name = 'company'
label = 'Single sign-on of your organisation'
[[browser.buttons]]
name = 'long'
label = 'Continue with the identity service of the whole organisation'
";

/// A profile for this stage's backend, which is the provider too, with `more` in its section `browser`;
/// `alone` leaves the form for a password out. Returns the folder that holds it, and its path.
///
/// # Panics
/// If it cannot be written.
pub fn issuer_profile(stage: &Stage, alone: bool, more: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profile.toml");
    let issuer = stage.backend.url();
    let password = if alone {
        "[endpoints]\nlogin = false\nregister = false\n"
    } else {
        ""
    };
    let text = format!(
        "schema = 1\nbackend = '{issuer}'\n{password}[browser]\nkind = 'oidc'\nissuer = '{issuer}'\n\
         client_id = 'vestibule'\ndevice = true\n{more}"
    );
    std::fs::write(&file, text).expect("the profile");
    let path = file.display().to_string();
    (folder, path)
}

/// Visits the screens of the sign-in by the browser; `visit` is called at each complete screen with its name.
///
/// # Panics
/// If a screen does not appear.
pub async fn walk(stage: &Stage, mut visit: impl AsyncFnMut(&App, &str)) {
    let browser = SystemBrowser::new();
    beside_the_form(stage, &browser, &mut visit).await;
    coming_back(stage, &browser, &mut visit).await;
    alone(stage, &browser, &mut visit).await;
    without_a_browser(stage, &mut visit).await;
    pasting(stage, &browser, &mut visit).await;
    too_often(stage, &browser, &mut visit).await;
}

/// Visits what a link to another server opens, in an app that may have several accounts.
///
/// # Panics
/// If the screen does not appear.
pub async fn by_link(stage: &Stage, mut visit: impl AsyncFnMut(&App, &str)) {
    let link = "dev.vestibule.desktop:/join?workspace=https://cloud.example";
    let app = stage.start_by(&[link]).await;
    app.find(Role::Heading, "Another server").await;
    visit(&app, "link-join").await;
    app.kill();
}

/// The app at its sign-in page with such a profile, and the folder that holds it.
async fn at_sign_in(
    stage: &Stage,
    browser: &SystemBrowser,
    alone: bool,
    more: &str,
) -> (TempDir, App) {
    let (folder, profile) = issuer_profile(stage, alone, more);
    let profile = ("VESTIBULE_PROFILE", profile);
    let app = stage.start_with(&[browser.path(), profile]).await;
    app.open("/auth/login/").await;
    (folder, app)
}

async fn beside_the_form(
    stage: &Stage,
    browser: &SystemBrowser,
    visit: &mut impl AsyncFnMut(&App, &str),
) {
    let (_folder, app) = at_sign_in(stage, browser, false, "").await;
    app.find(Role::Button, "Continue in your browser").await;
    visit(&app, "browser-login").await;
    app.click(Role::Button, "Continue in your browser").await;
    app.find(Role::Heading, "Continue in your browser").await;
    browser.opening(1).await;
    app.find(Role::Button, "Open again").await;
    visit(&app, "browser-waiting").await;
    app.click(Role::Button, "Cancel").await;
    app.arrives("/auth/login/").await;
    app.click(Role::Button, containing("code on another device"))
        .await;
    app.reads("/oidc/activate").await;
    visit(&app, "browser-device-code").await;
    app.click(Role::Button, "Cancel").await;
    app.arrives("/auth/login/").await;
    stage.backend.down().await;
    app.click(Role::Button, containing("code on another device"))
        .await;
    app.says("Nothing answers").await;
    visit(&app, "browser-login-unreachable").await;
    stage.backend.up().await.expect("the same port");
    app.kill();
}

/// The browser is back, and the provider takes its time over the code.
async fn coming_back(
    stage: &Stage,
    browser: &SystemBrowser,
    visit: &mut impl AsyncFnMut(&App, &str),
) {
    let (_folder, app) = at_sign_in(stage, browser, false, "").await;
    let number = browser.opened().len() + 1;
    app.click(Role::Button, "Continue in your browser").await;
    let address = browser.opening(number).await;
    let slow = Fault::on("POST", TOKEN, Effect::Delay { ms: 60_000 });
    stage.backend.faults().add(slow.times(1));
    let back = decide(&address, DEMO, Decision::Allow).await;
    let taken = come_back(&back.expect("an address")).await;
    taken.expect("the app takes the redirect");
    app.find(Role::Heading, "Signing you in").await;
    visit(&app, "browser-signing-in").await;
    app.kill();
}

async fn alone(stage: &Stage, browser: &SystemBrowser, visit: &mut impl AsyncFnMut(&App, &str)) {
    let (_folder, app) = at_sign_in(stage, browser, true, BUTTONS).await;
    app.find(Role::Button, "Continue with Example").await;
    visit(&app, "browser-login-alone").await;
    app.kill();
}

/// A computer on which no program opens addresses.
async fn without_a_browser(stage: &Stage, visit: &mut impl AsyncFnMut(&App, &str)) {
    let nothing = SystemBrowser::none();
    let (_folder, app) = at_sign_in(stage, &nothing, false, "").await;
    app.click(Role::Button, "Continue in your browser").await;
    app.find(Role::Button, "Use a code instead").await;
    visit(&app, "browser-not-opened").await;
    app.kill();
}

/// A desktop that does not hand the app's links over: the person pastes one.
async fn pasting(stage: &Stage, browser: &SystemBrowser, visit: &mut impl AsyncFnMut(&App, &str)) {
    let (_folder, app) = at_sign_in(stage, browser, false, "redirect = 'scheme'\n").await;
    app.click(Role::Button, "Continue in your browser").await;
    app.click(Role::Button, "Open the link").await;
    app.reads("Paste the link from your browser.").await;
    visit(&app, "browser-paste").await;
    app.kill();
}

/// Somebody who begins again and again has to wait for a moment.
async fn too_often(
    stage: &Stage,
    browser: &SystemBrowser,
    visit: &mut impl AsyncFnMut(&App, &str),
) {
    let (_folder, app) = at_sign_in(stage, browser, false, "").await;
    for _ in 0..10 {
        app.click(Role::Button, "Continue in your browser").await;
        app.arrives("/auth/browser/").await;
        app.click(Role::Button, "Cancel").await;
        app.arrives("/auth/login/").await;
    }
    app.click(Role::Button, "Continue in your browser").await;
    app.says("times in a row").await;
    visit(&app, "browser-too-often").await;
    app.kill();
}
