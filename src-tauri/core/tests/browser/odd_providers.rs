//! Discovery that makes no sense, and providers that give out less than is needed.

use serde_json::{Value, json};
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::wire::{BrowserSignInInput, SignInOutcome};
use vestibule_core::{AuthError, ErrorCode};
use vestibule_harness::{DEMO, alive, answer, code, eventually};

use super::{App, TOKEN, approve_as_demo, outcome, visit};

const CONFIGURATION: &str = "/.well-known/openid-configuration";

async fn discovered(app: &App) -> Value {
    let address = format!("{}{CONFIGURATION}", app.backend().url());
    serde_json::from_str(&visit(&address.parse().unwrap()).await.body).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_in_discovery_opens_no_browser_and_says_who_can_mend_it() {
    for (change, words) in [
        (json!("a page"), "does not describe itself"),
        (json!({"issuer": "https://evil.example"}), "another name"),
        (
            json!({"token_endpoint": "http://evil.example/token"}),
            "without encryption",
        ),
        (
            json!({"authorization_endpoint": "file:///etc/passwd"}),
            "makes no sense",
        ),
        (
            json!({"authorization_endpoint": null}),
            "does not describe itself",
        ),
        (
            json!({"code_challenge_methods_supported": ["plain"]}),
            "PKCE",
        ),
    ] {
        let app = App::new().await;
        let mut document = discovered(&app).await;
        vestibule_harness::merge(&mut document, change.clone());
        app.backend()
            .faults()
            .add(Fault::on("GET", CONFIGURATION, answer(200, document, &[])));
        let failed = outcome(app.click()).await.expect_err("refused");
        assert!(
            failed.message.contains(words),
            "{change}: {}",
            failed.message
        );
        assert!(app.install.desktop.opened().is_empty(), "{change}");
        assert_eq!(app.pending(), None, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_that_fails_once_is_asked_again() {
    let app = App::new().await;
    let down = vestibule_harness::refusal(503, "DOWN");
    app.backend()
        .faults()
        .add(Fault::on("GET", CONFIGURATION, down).times(1));
    assert_eq!(
        code(&outcome(app.click()).await),
        Some(ErrorCode::BackendFault)
    );
    app.sign_in(DEMO).await;
    let before = app.backend().requests("GET", CONFIGURATION);
    app.install.session.refresh().await.expect("renewed");
    assert_eq!(
        app.backend().requests("GET", CONFIGURATION),
        before,
        "it is believed for a day"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_refresh_token_nobody_is_signed_in() {
    let app = App::with(json!({"scopes": ["openid", "email", "profile"]})).await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    visit(&approve_as_demo(&address).await).await;
    let failed = outcome(attempt).await.expect_err("no refresh token");
    assert!(
        failed.message.contains("refresh token"),
        "{}",
        failed.message
    );
    assert_eq!(app.install.item(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_at_the_exchange_has_its_own_words() {
    for (fault, expected) in [
        (answer(503, json!({}), &[]), ErrorCode::BackendFault),
        (
            answer(200, json!({"access_token": "a"}), &[]),
            ErrorCode::BadAnswer,
        ),
        (answer(200, json!({}), &[]), ErrorCode::BadAnswer),
        (
            answer(400, json!({"error": "invalid_client"}), &[]),
            ErrorCode::BrowserSignInRefused,
        ),
        (
            answer(401, json!({"error": "unauthorized_client"}), &[]),
            ErrorCode::BrowserSignInRefused,
        ),
    ] {
        let (app, outcome) = sign_in_answered_by(&fault).await;
        assert_eq!(code(&outcome), Some(expected), "{fault:?}");
        assert_eq!(app.pending(), None);
    }
}

/// RFC 6749 §5.2 has 400 and 401 for the provider's refusals. Any other status is trouble, whatever its body
/// says.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_with_an_error_code_is_no_refusal() {
    let said = |error: &str| json!({ "error": error });
    let wait = [("retry-after", "7")];
    for (fault, expected, waits) in [
        (
            answer(503, said("temporarily_unavailable"), &wait),
            ErrorCode::BackendFault,
            Some(7000),
        ),
        (
            answer(500, said("invalid_grant"), &[]),
            ErrorCode::BackendFault,
            None,
        ),
        (
            answer(429, said("invalid_request"), &wait),
            ErrorCode::RateLimited,
            Some(7000),
        ),
        (
            answer(408, said("invalid_request"), &[]),
            ErrorCode::BackendFault,
            None,
        ),
        (
            answer(425, said("invalid_grant"), &wait),
            ErrorCode::BackendFault,
            Some(7000),
        ),
    ] {
        let (_, outcome) = sign_in_answered_by(&fault).await;
        let failed = outcome.expect_err("trouble");
        assert_eq!(failed.code, expected, "{fault:?}");
        assert_eq!(failed.retry_after_ms, waits, "{fault:?}");
    }
}

/// GitHub answers each error with 200.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_with_a_success_is_a_refusal() {
    let app = App::new().await;
    let spent = answer(200, json!({"error": "bad_verification_code"}), &[]);
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, spent).times(1));
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    visit(&approve_as_demo(&address).await).await;
    let refused = outcome(attempt).await;
    assert_eq!(code(&refused), Some(ErrorCode::BrowserSignInRefused));
}

#[tokio::test(flavor = "multi_thread")]
async fn userinfo_says_who_it_is_where_the_token_does_not() {
    // OAuth 2 without OpenID Connect: nothing is signed, `userinfo` says who it is.
    let app = App::with_profile(Config::default(), super::oauth2).await;
    app.sign_in(DEMO).await;
    assert_eq!(app.email(), Some(DEMO.into()));
    assert_eq!(app.backend().requests("GET", "/oidc/userinfo"), 1);
    app.install
        .session
        .refresh()
        .await
        .expect("renewed at the provider");
    app.install.session.logout().await;
    eventually("the session to be over", || alive(app.backend(), DEMO) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_what_belongs_there_goes_to_a_provider_elsewhere() {
    let provider = App::new().await;
    let mut setup = vestibule_harness::Setup::new(vestibule_backend::Config::default()).await;
    let mut section = super::section(&provider.backend().url(), json!({}));
    section["headers"] = json!({"x-app-key": "the-apps-own"});
    setup.add_to_profile(section);
    let app = App {
        install: setup.install().await,
        setup,
    };
    // A cookie of the backend's, and its device cookie, stay with the backend.
    app.install.sign_in(DEMO).await;
    app.sign_in(DEMO).await;
    app.install.session.refresh().await.expect("renewed");
    app.install.session.logout().await;
    eventually("both tokens", || {
        provider.backend().requests("POST", "/oidc/revoke") == 2
    })
    .await;
    let allowed = [
        "accept",
        "accept-encoding",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-request-id",
    ];
    for (method, path) in [
        ("GET", CONFIGURATION),
        ("GET", "/oidc/keys"),
        ("POST", TOKEN),
        ("POST", "/oidc/revoke"),
    ] {
        let all = provider.backend().recent_requests(method, path);
        assert!(!all.is_empty(), "{path}");
        for request in all {
            let more: Vec<_> = request
                .headers
                .iter()
                .map(|(name, _)| name.as_str())
                .filter(|name| !allowed.contains(name))
                .collect();
            assert!(more.is_empty(), "{path}: {more:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_own_session_ends_only_where_the_profile_says_so() {
    for wanted in [false, true] {
        let app = App::with(json!({"end_session": wanted})).await;
        let mut document = discovered(&app).await;
        document["end_session_endpoint"] = json!(format!("{}/oidc/end", app.backend().url()));
        app.backend()
            .faults()
            .add(Fault::on("GET", CONFIGURATION, answer(200, document, &[])));
        app.sign_in(DEMO).await;
        app.install.session.logout().await;
        app.backend().reached("POST", "/oidc/revoke", 2).await;
        if wanted {
            let page = app.install.desktop.opening(2).await;
            assert_eq!(page.path(), "/oidc/end");
            assert!(super::parameter(&page, "id_token_hint").is_some());
        } else {
            assert_eq!(app.install.desktop.opened().len(), 1);
        }
    }
}

/// The address is an argument of another program, and stays in the browser's history.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_that_the_api_takes_is_no_hint() {
    let app = App::with(json!({"end_session": true, "api_token": "id_token"})).await;
    let page = format!("{}/oidc/end", app.backend().url());
    let named = Effect::Patch {
        body: json!({ "end_session_endpoint": page }),
    };
    app.backend()
        .faults()
        .add(Fault::on("GET", CONFIGURATION, named));
    app.sign_in(DEMO).await;
    app.install.session.logout().await;
    let page = app.install.desktop.opening(2).await;
    assert_eq!(page.path(), "/oidc/end");
    assert_eq!(super::parameter(&page, "id_token_hint"), None);
    assert!(super::parameter(&page, "client_id").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_is_not_opened_to_end_a_session() {
    let app = App::with(json!({"end_session": true})).await;
    let elsewhere = json!({"end_session_endpoint": "https://elsewhere.example/end"});
    let named = Effect::Patch { body: elsewhere };
    app.backend()
        .faults()
        .add(Fault::on("GET", CONFIGURATION, named));
    app.sign_in(DEMO).await;
    app.install.session.logout().await;
    app.backend().reached("POST", "/oidc/revoke", 2).await;
    assert_eq!(app.install.desktop.opened().len(), 1, "the sign-in alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sign_in_is_no_second_person() {
    let app = App::new().await;
    let session = app.install.session.clone();
    let attempt = tokio::spawn(async move {
        session
            .sign_in_by_browser(BrowserSignInInput::default())
            .await
    });
    let address = app.install.desktop.opening(1).await;
    visit(&approve_as_demo(&address).await).await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
    app.sign_in(DEMO).await;
    assert_eq!(app.email(), Some(DEMO.into()));
    eventually("nothing to be left to tell", || {
        app.install.session.is_at_rest()
    })
    .await;
    // The provider could end both with the first one: see `grants`.
    assert_eq!(alive(app.backend(), DEMO), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discovery_does_not_name_the_profile_may() {
    let app = App::with_profile(Config::default(), |issuer| {
        let revoke = format!("{issuer}/oidc/revoke");
        super::section(issuer, json!({"revoke": revoke}))
    })
    .await;
    let mut document = discovered(&app).await;
    vestibule_harness::merge(&mut document, json!({"revocation_endpoint": null}));
    app.backend()
        .faults()
        .add(Fault::on("GET", CONFIGURATION, answer(200, document, &[])));
    app.sign_in(DEMO).await;
    app.install.session.logout().await;
    eventually("the session to be over there", || {
        alive(app.backend(), DEMO) == 0
    })
    .await;
}

/// Better Auth's issuer says so of a token that it does not know any more, where RFC 7009 §2.2 has 200.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_would_be_refused_again_is_not_repeated() {
    let app = App::new().await;
    app.sign_in(DEMO).await;
    let body = json!({"error": "invalid_request", "error_description": "token not found"});
    app.backend()
        .faults()
        .add(Fault::on("POST", "/oidc/revoke", answer(400, body, &[])));
    app.install.session.logout().await;
    app.backend().reached("POST", "/oidc/revoke", 1).await;
    let pending = app.install.records.join("pending-sign-outs.json");
    eventually("no sign-out to be pending", || !pending.exists()).await;
}

/// A sign-in whose code is exchanged for this answer.
async fn sign_in_answered_by(fault: &Effect) -> (App, Result<SignInOutcome, AuthError>) {
    let app = App::new().await;
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, fault.clone()).times(1).before());
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    visit(&approve_as_demo(&address).await).await;
    let outcome = outcome(attempt).await;
    (app, outcome)
}
