//! Redirects by the app's own scheme.

use serde_json::json;
use url::Url;
use vestibule_core::ErrorCode;
use vestibule_core::wire::SignInOutcome;
use vestibule_harness::{DEMO, code};

use super::{App, TOKEN, approve_as_demo, outcome, parameter, with_parameter};

async fn app() -> App {
    let app = App::with(json!({"redirect": "scheme"})).await;
    app.install.desktop.set_scheme("dev.vestibule.desktop");
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_comes_by_the_scheme() {
    let app = app().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    assert_eq!(
        parameter(&address, "redirect_uri").as_deref(),
        Some("dev.vestibule.desktop:/callback")
    );
    let back = approve_as_demo(&address).await;
    let session = &app.install.session;
    for forged in [
        with_parameter(&back, "state", Some("another")),
        with_parameter(&back, "state", None),
        Url::parse("dev.vestibule.desktop:/callback").unwrap(),
        Url::parse("dev.vestibule.desktop:/join?state=x").unwrap(),
    ] {
        assert!(
            !session.take_redirect(&forged),
            "any page can open {forged}"
        );
    }
    assert!(app.pending().is_some());
    assert!(session.take_redirect(&back));
    assert!(!session.take_redirect(&back), "it is used once");
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
    assert_eq!(app.email(), Some(DEMO.into()));
    assert!(!session.take_redirect(&back), "nobody waits any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_scheme_means_no_sign_in_and_says_whose_mistake_it_is() {
    let app = App::with(json!({"redirect": "scheme"})).await;
    let failed = outcome(app.click()).await;
    assert_eq!(code(&failed), Some(ErrorCode::Misconfigured));
    assert!(failed.unwrap_err().message.contains("makers"));
    assert!(app.install.desktop.opened().is_empty());
}

/// Codes of some providers are JWTs with many claims.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_may_be_16_kib_long() {
    let app = app().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    let room = 16 * 1024 - with_parameter(&back, "code", Some("")).as_str().len();
    let with_code = |length: usize| with_parameter(&back, "code", Some(&"c".repeat(length)));
    assert!(!app.install.session.take_redirect(&with_code(room + 1)));
    assert!(app.install.session.take_redirect(&with_code(room)));
    let refused = outcome(attempt).await;
    assert_eq!(
        code(&refused),
        Some(ErrorCode::BrowserSignInRefused),
        "it was sent"
    );
    let sent = &super::forms(&app, TOKEN)[0]["code"];
    assert_eq!(sent.len(), room);
}
