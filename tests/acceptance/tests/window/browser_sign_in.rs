//! Sign-in by the system's browser, from the button to the name in the header.

use tempfile::TempDir;
use url::Url;
use vestibule_acceptance::{
    App, Chromium, DEMO, DEMO_NAME, PASSWORD, Role, Stage, SystemBrowser, containing,
    issuer_profile, scenario, until,
};
use vestibule_harness::{Decision, come_back, decide, use_device_code};

use crate::deep_links::open;
use crate::windows::{another, turn_to};

/// The computer of somebody who signs in by the browser: what plays the browser, and the app's profile.
struct Computer {
    browser: SystemBrowser,
    profile: String,
    _folder: TempDir,
}

impl Computer {
    /// Starts the app there.
    async fn start(&self, stage: &Stage) -> App {
        let profile = ("VESTIBULE_PROFILE", self.profile.clone());
        stage.start_with(&[self.browser.path(), profile]).await
    }

    /// Waits for the address with this number, from one, that the app opens.
    async fn opening(&self, number: usize) -> Url {
        self.browser.opening(number).await
    }
}

/// Such a computer, and the app at its sign-in page: without a form if it signs in by the browser alone, and
/// with `more` in the section of its profile.
async fn at_sign_in(stage: &Stage, browser_alone: bool, more: &str) -> (Computer, App) {
    let (folder, profile) = issuer_profile(stage, browser_alone, more);
    let computer = Computer {
        browser: SystemBrowser::new(),
        profile,
        _folder: folder,
    };
    let app = computer.start(stage).await;
    app.open("/auth/login/").await;
    (computer, app)
}

/// Decides on the provider's page, and goes where it sends the browser.
async fn answer(address: &Url, decision: Decision) {
    let back = decide(address, DEMO, decision).await;
    let answered = come_back(&back.expect("an address")).await;
    answered.expect("the app takes the answer");
}

#[test]
fn a_click_becomes_a_name_in_the_header_through_a_real_browser() {
    scenario(async |stage| {
        let (computer, app) = at_sign_in(stage, false, "").await;
        app.click(Role::Button, "Continue in your browser").await;
        app.arrives("/auth/browser/").await;
        let address = computer.opening(1).await;
        let chromium = Chromium::start(&stage.desktop).await;
        chromium
            .window
            .goto(address.as_str())
            .await
            .expect("the provider's page");
        chromium.fill("E-mail", DEMO).await;
        chromium.fill("Password", PASSWORD).await;
        chromium.click("Sign in").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.arrives("/dashboard/").await;
        let shown = chromium.window.current_url().await.expect("an address");
        assert_eq!(
            (shown.path(), shown.query()),
            ("/done", None),
            "no code stays in its bar"
        );
        let title = chromium.window.title().await.expect("a title");
        assert!(title.starts_with("Back to "), "{title}");
        assert_eq!(
            stage.backend.requests("POST", "/login"),
            0,
            "no password in the app"
        );
        chromium.window.clone().quit().await.expect("it ends");
    });
}

#[test]
fn the_waiting_screen_is_led_by_the_keyboard_and_a_reload_keeps_it() {
    scenario(async |stage| {
        let (computer, app) = at_sign_in(stage, true, "").await;
        assert!(
            !app.shows(Role::Button, "Sign in").await,
            "no form without a password"
        );
        app.click(Role::Button, "Continue in your browser").await;
        app.find(Role::Heading, "Continue in your browser").await;
        let first = computer.opening(1).await;
        app.reload().await;
        app.find(Role::Heading, "Continue in your browser").await;
        app.click(Role::Button, "Open again").await;
        assert_eq!(computer.opening(2).await, first, "the same sign-in");
        app.click(Role::Button, "Cancel").await;
        app.arrives("/auth/login/").await;
        assert!(
            app.messages().await.is_empty(),
            "who cancels is told nothing"
        );
        app.click(Role::Button, "Continue in your browser").await;
        let again = computer.opening(3).await;
        assert_ne!(again, first);
        answer(&again, Decision::Allow).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_refusal_in_the_browser_is_said_in_words() {
    scenario(async |stage| {
        let (computer, app) = at_sign_in(stage, false, "").await;
        app.click(Role::Button, "Continue in your browser").await;
        answer(&computer.opening(1).await, Decision::Refuse).await;
        app.arrives("/auth/login/").await;
        app.says("You cancelled the sign-in in the browser").await;
    });
}

#[test]
fn a_code_is_shown_for_another_device() {
    scenario(async |stage| {
        let (_computer, app) = at_sign_in(stage, false, "").await;
        app.click(Role::Button, "Use a code on another device")
            .await;
        app.arrives("/auth/browser/").await;
        app.reads("/oidc/activate").await;
        let text = app.text().await;
        let is_code = |word: &&str| word.len() == 9 && word.as_bytes()[4] == b'-';
        let code = text
            .split_whitespace()
            .find(is_code)
            .expect("a code")
            .to_owned();
        let used = use_device_code(&stage.backend.url(), &code, DEMO).await;
        used.expect("the provider takes the code");
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_session_of_the_browser_is_there_again_after_a_restart() {
    scenario(async |stage| {
        let (computer, app) = at_sign_in(stage, false, "").await;
        app.click(Role::Button, "Continue in your browser").await;
        answer(&computer.opening(1).await, Decision::Allow).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        drop(app);
        let app = computer.start(stage).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn the_browser_comes_back_by_the_apps_scheme() {
    scenario(async |stage| {
        let (computer, app) = at_sign_in(stage, false, "redirect = 'scheme'\n").await;
        app.click(Role::Button, "Continue in your browser").await;
        let back = decide(&computer.opening(1).await, DEMO, Decision::Allow).await;
        let back = back.expect("an address");
        let back = back.as_str();
        assert!(
            back.starts_with("dev.vestibule.desktop:/callback?"),
            "{back}"
        );
        open(stage, &[back]);
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.arrives("/dashboard/").await;
        // The same link again, as a browser's history opens it.
        open(stage, &[back]);
        app.says("That sign-in is not open any more").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(stage.backend.requests("POST", "/oidc/token"), 1);
    });
}

/// For a desktop that does not hand the links of the app over.
#[test]
fn the_link_that_the_browser_shows_can_be_pasted() {
    scenario(async |stage| {
        let (computer, app) = at_sign_in(stage, false, "redirect = 'scheme'\n").await;
        app.click(Role::Button, "Continue in your browser").await;
        let address = computer.opening(1).await;
        app.click(Role::Button, "Open the link").await;
        app.reads("Paste the link from your browser.").await;
        app.fill(
            "Paste the link",
            "dev.vestibule.desktop:/join?workspace=one.example",
        )
        .await;
        app.click(Role::Button, "Open the link").await;
        app.reads("This link does not lead back to the sign-in.")
            .await;
        // Only now: the provider's code lives for a minute.
        let back = decide(&address, DEMO, Decision::Allow).await;
        let back = back.expect("an address");
        app.fill("Paste the link", back.as_str()).await;
        app.click(Role::Button, "Open the link").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(stage.backend.requests("POST", "/oidc/token"), 1);
    });
}

#[test]
fn a_sign_in_ends_with_the_window_that_has_begun_it() {
    scenario(async |stage| {
        let (computer, app) = at_sign_in(stage, false, "").await;
        let first = app.driver().window().await.expect("a window");
        stage.keyboard().focus("Sign in · Vestibule").await;
        stage.keyboard().press(&["ctrl+n"]);
        let second = another(&app, std::slice::from_ref(&first)).await;
        turn_to(&app, &second).await;
        app.open("/auth/login/").await;
        app.click(Role::Button, "Continue in your browser").await;
        let address = computer.opening(1).await;
        app.find(Role::Heading, "Continue in your browser").await;
        app.driver().close_window().await.expect("it closes");
        turn_to(&app, &first).await;
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let redirect = address
            .query_pairs()
            .find(|(name, _)| name == "redirect_uri");
        let redirect = redirect.expect("one").1.into_owned();
        until("the port to be closed", async || {
            match client.get(&redirect).send().await {
                Ok(answer) => Err(format!("it answers {}", answer.status())),
                Err(_) => Ok(()),
            }
        })
        .await;
    });
}
