//! Sign-in by the system's browser, from the button to the name in the header.

use reqwest::redirect::Policy;
use url::Url;
use vestibule_acceptance::{
    App, Chromium, DEMO, DEMO_NAME, PASSWORD, Role, Stage, SystemBrowser, containing,
    issuer_profile, scenario,
};

use crate::deep_links::open;
use crate::windows::{another, turn_to};

/// The app at its sign-in page, where the browser is played by `browser`.
async fn started(stage: &Stage, browser: &SystemBrowser, profile: &str) -> App {
    let app = stage
        .start_with(&[browser.path(), ("VESTIBULE_PROFILE", profile.to_owned())])
        .await;
    app.open("/auth/login/").await;
    app
}

/// Plays the provider's page over HTTP: signs in, and goes where it sends the browser.
async fn approve(address: &Url, decision: &str) {
    let back = decide(address, decision).await;
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build();
    let shown = client.expect("a client").get(back).send().await;
    assert_eq!(shown.expect("the app listens").status().as_u16(), 303);
}

/// Plays the provider's page over HTTP, and returns where it sends the browser.
async fn decide(address: &Url, decision: &str) -> String {
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build();
    let client = client.expect("a client");
    let mut form: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    for (name, value) in [
        ("email", DEMO),
        ("password", PASSWORD),
        ("decision", decision),
    ] {
        form.push((name.into(), value.into()));
    }
    let mut page = address.clone();
    page.set_query(None);
    let origin = address.origin().ascii_serialization();
    let answer = client
        .post(page)
        .header("origin", origin)
        .form(&form)
        .send()
        .await;
    let answer = answer.expect("the provider's answer");
    let back = answer.headers()["location"].to_str();
    back.expect("an address").to_owned()
}

#[test]
fn a_click_becomes_a_name_in_the_header_through_a_real_browser() {
    scenario(async |stage| {
        let browser = SystemBrowser::new();
        let (_folder, path) = issuer_profile(stage, false, "");
        let app = started(stage, &browser, &path).await;
        app.click(Role::Button, "Continue in your browser").await;
        app.arrives("/auth/browser/").await;
        let address = browser.opening(1).await;
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
        let browser = SystemBrowser::new();
        let (_folder, path) = issuer_profile(stage, true, "");
        let app = started(stage, &browser, &path).await;
        assert!(
            !app.shows(Role::Button, "Sign in").await,
            "no form without a password"
        );
        app.click(Role::Button, "Continue in your browser").await;
        app.find(Role::Heading, "Continue in your browser").await;
        let first = browser.opening(1).await;
        app.reload().await;
        app.find(Role::Heading, "Continue in your browser").await;
        app.click(Role::Button, "Open again").await;
        assert_eq!(browser.opening(2).await, first, "the same sign-in");
        app.click(Role::Button, "Cancel").await;
        app.arrives("/auth/login/").await;
        assert!(
            app.messages().await.is_empty(),
            "who cancels is told nothing"
        );
        app.click(Role::Button, "Continue in your browser").await;
        let again = browser.opening(3).await;
        assert_ne!(again, first);
        approve(&again, "allow").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_refusal_in_the_browser_is_said_in_words() {
    scenario(async |stage| {
        let browser = SystemBrowser::new();
        let (_folder, path) = issuer_profile(stage, false, "");
        let app = started(stage, &browser, &path).await;
        app.click(Role::Button, "Continue in your browser").await;
        approve(&browser.opening(1).await, "refuse").await;
        app.arrives("/auth/login/").await;
        app.says("You cancelled the sign-in in the browser").await;
    });
}

#[test]
fn a_code_is_shown_for_another_device() {
    scenario(async |stage| {
        let browser = SystemBrowser::new();
        let (_folder, path) = issuer_profile(stage, false, "");
        let app = started(stage, &browser, &path).await;
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
        let page = format!("{}/oidc/activate", stage.backend.url());
        let form = [
            ("user_code", code.as_str()),
            ("email", DEMO),
            ("password", PASSWORD),
            ("decision", "allow"),
        ];
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let sent = client
            .post(page)
            .header("origin", stage.backend.url())
            .form(&form)
            .send()
            .await;
        assert_eq!(sent.expect("an answer").status().as_u16(), 200);
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_session_of_the_browser_is_there_again_after_a_restart() {
    scenario(async |stage| {
        let browser = SystemBrowser::new();
        let (_folder, path) = issuer_profile(stage, false, "");
        let app = started(stage, &browser, &path).await;
        app.click(Role::Button, "Continue in your browser").await;
        approve(&browser.opening(1).await, "allow").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        drop(app);
        let app = stage
            .start_with(&[browser.path(), ("VESTIBULE_PROFILE", path.clone())])
            .await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn the_browser_comes_back_by_the_apps_scheme() {
    scenario(async |stage| {
        let browser = SystemBrowser::new();
        let (_folder, path) = issuer_profile(stage, false, "redirect = 'scheme'\n");
        let app = started(stage, &browser, &path).await;
        app.click(Role::Button, "Continue in your browser").await;
        let back = decide(&browser.opening(1).await, "allow").await;
        assert!(
            back.starts_with("dev.vestibule.desktop:/callback?"),
            "{back}"
        );
        open(stage, &[&back]);
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.arrives("/dashboard/").await;
        // The same link again, as a browser's history opens it.
        open(stage, &[&back]);
        app.says("That sign-in is not open any more").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(stage.backend.requests("POST", "/oidc/token"), 1);
    });
}

#[test]
fn a_sign_in_ends_with_the_window_that_has_begun_it() {
    scenario(async |stage| {
        let browser = SystemBrowser::new();
        let (_folder, path) = issuer_profile(stage, false, "");
        let app = started(stage, &browser, &path).await;
        let first = app.driver().window().await.expect("a window");
        stage.keyboard().focus("Sign in · Vestibule").await;
        stage.keyboard().press(&["ctrl+n"]);
        let second = another(&app, std::slice::from_ref(&first)).await;
        turn_to(&app, &second).await;
        app.open("/auth/login/").await;
        app.click(Role::Button, "Continue in your browser").await;
        let address = browser.opening(1).await;
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
        vestibule_acceptance::until("the port to be closed", async || {
            match client.get(&redirect).send().await {
                Ok(answer) => Err(format!("it answers {}", answer.status())),
                Err(_) => Ok(()),
            }
        })
        .await;
    });
}
