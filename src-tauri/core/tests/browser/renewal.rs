//! What comes after the sign-in: renewals, their faults, and what ends such a session.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::{A_LIFE, DEMO, alive, answer, code, eventually, is_fresh, is_stale, why};

use super::{App, TOKEN, oauth2};

const DISCOVERY: &str = "/.well-known/openid-configuration";

fn strike(app: &App, method: &str, path: &str, effect: Effect) {
    app.backend()
        .faults()
        .add(Fault::on(method, path, effect).times(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timer_rotates_the_token() {
    let app = App::new().await;
    app.sign_in(DEMO).await;
    let before = app.install.item().expect("an item");
    app.install.pass(A_LIFE);
    let generation = || app.install.item().map(|item| item["generation"].clone());
    let rotated = eventually("the next token", || generation() == Some(json!(2)));
    app.install.passing(rotated).await;
    let after = app.install.item().expect("an item");
    let token = |item: &serde_json::Value| item["token"]["provider"]["token"].clone();
    assert_ne!(token(&before), token(&after));
    assert_eq!(app.refreshes(), 1);
    assert_eq!(alive(app.backend(), DEMO), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_grant_alone_ends_a_session() {
    for (status, body) in [
        (400, json!({"error": "invalid_request"})),
        (400, json!({"error": "temporarily_unavailable"})),
        (401, json!({"error": "invalid_client"})),
        (401, json!({})),
        (403, json!({"message": "a firewall"})),
        (404, json!({"error": "not_found"})),
        (429, json!({"error": "slow_down"})),
        (500, json!({"error": "invalid_grant"})),
        (503, json!("later")),
        (200, json!({"error": "what"})),
        (200, json!({"access_token": "a", "token_type": "DPoP"})),
        (200, json!("a page")),
    ] {
        let app = App::new().await;
        app.sign_in(DEMO).await;
        strike(&app, "POST", TOKEN, answer(status, body.clone(), &[]));
        let refreshed = app.install.session.refresh().await;
        assert!(refreshed.is_err(), "{status} {body}");
        assert!(is_stale(&app.state()), "{status} {body}: {:?}", app.state());
        app.install.until_fresh().await;
        assert_eq!(alive(app.backend(), DEMO), 1, "{status} {body}");
    }
    let app = App::new().await;
    app.sign_in(DEMO).await;
    app.backend().revoke_session(DEMO);
    let _ = app.install.session.refresh().await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::Expired));
    assert_eq!(app.install.item(), None);
}

/// OpenID Connect Core §12.2 allows a refresh without an ID token. The provider has replaced the refresh
/// token all the same: the one before would be taken for a stolen one.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_is_kept_whatever_else_the_answer_lacks() {
    for (api_token, patch) in [
        ("id_token", json!({"id_token": null})),
        ("access_token", json!({"access_token": null})),
        ("access_token", json!({"access_token": {"odd": true}})),
        ("access_token", json!({"token_type": "DPoP"})),
    ] {
        let config = Config {
            grace: Duration::ZERO,
            ..Config::default()
        };
        let app = App::of(config, json!({ "api_token": api_token })).await;
        app.sign_in(DEMO).await;
        let token = || app.install.item().expect("an item")["token"].clone();
        let before = token();
        let body = patch.clone();
        strike(&app, "POST", TOKEN, Effect::Patch { body });
        let refreshed = app.install.session.refresh().await;
        assert_eq!(code(&refreshed), Some(ErrorCode::BadAnswer), "{patch}");
        assert_ne!(token(), before, "{patch}: the next one is in the keyring");
        assert!(is_stale(&app.state()), "{patch}");
        app.install.until_fresh().await;
        assert_eq!(alive(app.backend(), DEMO), 1, "{patch}");
        let sent = super::forms(&app, TOKEN);
        let sent = sent.iter().filter_map(|form| form.get("refresh_token"));
        let sent: std::collections::BTreeSet<_> = sent.collect();
        assert_eq!(sent.len(), app.refreshes(), "{patch}: none was sent twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_new_refresh_token_keeps_the_old_one() {
    let app = App::new().await;
    app.sign_in(DEMO).await;
    let before = app.install.item().expect("an item");
    let body = json!({"access_token": "a-2", "token_type": "bearer", "expires_in": "900"});
    strike(&app, "POST", TOKEN, answer(200, body, &[]));
    app.install.session.refresh().await.expect("renewed");
    assert!(is_fresh(&app.state()));
    assert_eq!(
        app.install.item().expect("an item")["token"],
        before["token"]
    );
    assert_eq!(app.email(), Some(DEMO.into()), "as before");
}

/// An app with somebody signed in, another provider, and a discovery document of the first one that names
/// the token endpoint of the other.
async fn with_odd_discovery() -> (App, App, Effect) {
    let (app, elsewhere) = (App::new().await, App::new().await);
    app.sign_in(DEMO).await;
    let mut document = discovery(&app).await;
    document["token_endpoint"] = json!(format!("{}{TOKEN}", elsewhere.backend().url()));
    (app, elsewhere, answer(200, document, &[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_has_moved_does_not_get_the_token() {
    let (mut app, elsewhere, moved) = with_odd_discovery().await;
    let fault = Fault::on("GET", DISCOVERY, moved);
    app.backend().faults().add(fault);
    app.install.restart();
    let ended = app.install.passing(app.install.until_signed_out()).await;
    assert_eq!(ended, SignedOutReason::ProviderMoved);
    assert_eq!(elsewhere.backend().requests("POST", TOKEN), 0);
    assert_eq!(app.refreshes(), 0);
    let over = eventually("the token to be revoked where it was issued", || {
        alive(app.backend(), DEMO) == 0
    });
    app.install.passing(over).await;
    assert_eq!(elsewhere.backend().requests("POST", "/oidc/revoke"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_odd_discovery_document_costs_no_session() {
    let (mut app, elsewhere, odd) = with_odd_discovery().await;
    strike(&app, "GET", DISCOVERY, odd);
    app.install.restart();
    app.install
        .until("the odd document to be noticed", is_stale)
        .await;
    app.install.until_fresh().await;
    assert_eq!(elsewhere.backend().requests("POST", TOKEN), 0);
    assert_eq!((app.refreshes(), alive(app.backend(), DEMO)), (1, 1));
    assert_eq!(app.backend().requests("POST", "/oidc/revoke"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_do_not_repeat_an_odd_discovery_document() {
    // The other provider goes on, so that a token could reach it.
    let (mut app, _elsewhere, odd) = with_odd_discovery().await;
    let odd = app.backend().faults().add(Fault::on("GET", DISCOVERY, odd));
    app.install.restart();
    app.install
        .until("the odd document to be noticed", is_stale)
        .await;
    for _ in 0..5 {
        // A click may come sooner than the schedule, which would only count seconds later.
        app.install.pass(Duration::from_secs(1));
        let clicked = app
            .install
            .session
            .refresh()
            .await
            .expect_err("it has moved");
        assert_ne!(clicked.code, ErrorCode::SessionEnded);
    }
    app.backend().faults().remove(odd);
    app.install.until_fresh().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_that_cannot_be_read_costs_no_session() {
    for odd in [
        json!("a page"),
        json!({}),
        json!({"issuer": "https://evil.example"}),
    ] {
        let mut app = App::new().await;
        app.sign_in(DEMO).await;
        let fault = Fault::on("GET", DISCOVERY, answer(200, odd.clone(), &[]));
        app.backend().faults().add(fault);
        app.install.restart();
        app.install.until_fresh().await;
        assert_eq!(
            app.refreshes(),
            1,
            "{odd}: the endpoint that has issued the token is asked"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_without_the_browser_ends_it_in_words() {
    let mut app = App::new().await;
    app.sign_in(DEMO).await;
    app.install.profile =
        vestibule_harness::profile(&app.backend().url(), app.backend().carrier(), json!({}))
            .unwrap();
    app.install.restart();
    assert_eq!(
        app.install.until_signed_out().await,
        SignedOutReason::ProviderMoved
    );
    assert_eq!(app.refreshes(), 0, "the token goes nowhere");
}

/// The provider says it: in an ID token, or at `userinfo`. Where it does neither the backend does, as at the
/// sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_record_it_is_asked_whose_the_session_is() {
    let without_userinfo = |issuer: &str| {
        let mut section = oauth2(issuer);
        let browser = section["browser"].as_object_mut().expect("a section");
        browser.remove("userinfo");
        section["endpoints"]["me"] = json!({
            "path": "/me", "method": "GET", "headers": {"authorization": "Bearer $access_token"},
        });
        section["answer"]["me"] = json!({"user": ["/user", ""]});
        section
    };
    for app in [
        App::new().await,
        App::with_profile(Config::default(), oauth2).await,
        App::with_profile(Config::default(), without_userinfo).await,
    ] {
        let mut app = app;
        app.sign_in(DEMO).await;
        for entry in std::fs::read_dir(&app.install.records)
            .expect("a folder")
            .flatten()
        {
            if entry.file_name().to_string_lossy().contains("session") {
                std::fs::remove_file(entry.path()).expect("removed");
            }
        }
        app.install.restart();
        app.install.until_fresh().await;
        assert_eq!(app.email(), Some(DEMO.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_are_one_refresh() {
    let app = App::new().await;
    app.sign_in(DEMO).await;
    app.backend().expire_access_tokens();
    app.install.pass(Duration::from_secs(6));
    let calls = (0..100).map(|_| {
        let session = app.install.session.clone();
        tokio::spawn(async move { session.fetch(vestibule_harness::get("/me")).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(
            call.await.expect("no panic").expect("an answer").status,
            200
        );
    }
    assert_eq!(app.refreshes(), 1);
}

async fn discovery(app: &App) -> serde_json::Value {
    let address = format!("{}{DISCOVERY}", app.backend().url());
    let text = super::visit(&address.parse().unwrap()).await.body;
    serde_json::from_str(&text).expect("JSON")
}
