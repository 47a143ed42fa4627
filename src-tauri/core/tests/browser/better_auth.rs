//! The exchange of Better Auth's plugin for desktop apps. The test plays the web app's page and the
//! server, as `@better-auth/electron` 1.7.5 does it.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use vestibule_backend::{Config, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::SignInOutcome;
use vestibule_harness::{answer, code, success};

use super::{App, Attempt, outcome, parameter};

const EXCHANGE: &str = "/api/auth/electron/token";

async fn app() -> App {
    let page = "https://app.example/sign-in?from=desktop";
    let section = json!({"browser": {"kind": "better-auth", "page": page}});
    let app = App::with_profile(Config::default(), |_| section).await;
    app.install.desktop.set_scheme("vestibule");
    app
}

async fn clicked(app: &App) -> (Attempt, Url) {
    let attempt = app.click();
    (attempt, app.install.desktop.opening(1).await)
}

/// What the page leaves for: `ensureElectronRedirect` writes the scheme, `:/`, and a path that begins
/// with a slash itself.
fn back(start: &str, address: &Url, pads: bool) -> Url {
    back_with("one-time", start, address, pads)
}

fn back_with(identifier: &str, start: &str, address: &Url, pads: bool) -> Url {
    let state = parameter(address, "state").expect("a state");
    let token = json!({"identifier": identifier, "state": state}).to_string();
    let token = match pads {
        true => URL_SAFE.encode(token).replace('=', "%3D"),
        false => URL_SAFE_NO_PAD.encode(token),
    };
    Url::parse(&format!("{start}#token={token}")).expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_back_as_the_plugin_writes_it() {
    for (start, pads) in [
        ("vestibule://auth/callback", true),
        ("vestibule://auth/callback", false),
        ("vestibule:/auth/callback", true),
    ] {
        let app = app().await;
        let (attempt, address) = clicked(&app).await;
        assert_eq!(address.host_str(), Some("app.example"));
        assert_eq!(parameter(&address, "from").as_deref(), Some("desktop"));
        // What the plugin is called where its operator gives it no other name.
        assert_eq!(
            parameter(&address, "client_id").as_deref(),
            Some("electron")
        );
        let back = back(start, &address, pads);
        // The session's cookie comes with it, as with a password.
        let cookie = ("set-cookie", "__refresh_token=r-1; Path=/; HttpOnly");
        let granted = answer(200, success(), &[cookie]);
        app.backend()
            .faults()
            .add(Fault::on("POST", EXCHANGE, granted));
        assert!(app.install.session.take_redirect(&back), "{back}");
        assert_eq!(
            outcome(attempt).await,
            Ok(SignInOutcome::SignedIn),
            "{back}"
        );
        assert_eq!(app.email().as_deref(), Some("una@example.com"));
        let sent = app.backend().recent_requests("POST", EXCHANGE);
        let sent: Value = serde_json::from_slice(&sent[0].body).expect("JSON");
        assert_eq!(sent["token"], "one-time");
        assert_eq!(
            sent["state"].as_str(),
            parameter(&address, "state").as_deref()
        );
        let verifier = sent["code_verifier"].as_str().expect("a verifier");
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        assert_eq!(parameter(&address, "code_challenge"), Some(challenge));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_exchanged_is_told_in_words() {
    for (status, code_said) in [
        (404, "INVALID_TOKEN"),
        (400, "STATE_MISMATCH"),
        (400, "INVALID_CODE_VERIFIER"),
        (401, "INVALID_TOKEN"),
        (410, "INVALID_TOKEN"),
    ] {
        let app = app().await;
        let (attempt, address) = clicked(&app).await;
        let body = json!({"code": code_said, "message": "Invalid or expired token."});
        let refused = answer(status, body, &[]);
        app.backend()
            .faults()
            .add(Fault::on("POST", EXCHANGE, refused));
        app.install
            .session
            .take_redirect(&back("vestibule:/auth/callback", &address, true));
        let failed = outcome(attempt).await;
        assert_eq!(
            code(&failed),
            Some(ErrorCode::BrowserSignInRefused),
            "{status}: {failed:?}"
        );
        let words = failed.expect_err("refused").message;
        assert!(words.contains("Start again"), "{words}");
        assert_eq!(app.install.item(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_brings_no_token_is_told_in_words() {
    let app = app().await;
    let (attempt, address) = clicked(&app).await;
    let back = back_with("", "vestibule:/auth/callback", &address, false);
    assert!(app.install.session.take_redirect(&back));
    let failed = outcome(attempt).await.expect_err("there is no token");
    assert_eq!(failed.code, ErrorCode::BrowserSignInRefused);
    assert!(failed.message.contains("no sense"), "{}", failed.message);
    assert_eq!(
        app.backend().requests("POST", EXCHANGE),
        0,
        "nothing is exchanged"
    );
}
