//! From the click to the session, and back out.

use serde_json::json;
use vestibule_backend::{Effect, Fault};
use vestibule_core::wire::{BrowserSignInInput, Cause, SignInOutcome, SignedOutReason};
use vestibule_core::{ErrorCode, SessionId};
use vestibule_harness::{ADMIN, DEMO, alive, code, eventually, get, is_fresh, why};

use super::{App, TOKEN, approve, approve_as_demo, outcome, parameter, pending, visit};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_in_the_browser() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    assert_eq!(
        parameter(&address, "code_challenge_method").as_deref(),
        Some("S256")
    );
    for name in ["state", "nonce", "code_challenge"] {
        let value = parameter(&address, name).expect(name);
        assert!(value.len() >= 43, "{name} has 256 bits: {value}");
    }
    let redirect = parameter(&address, "redirect_uri").expect("it has one");
    assert!(redirect.starts_with("http://127.0.0.1:"), "{redirect}");
    app.install
        .until("the browser to be open", |state| {
            pending(state).is_some_and(|it| it.opened)
        })
        .await;

    let back = approve_as_demo(&address).await;
    let shown = visit(&back).await;
    assert_eq!(
        (shown.status, shown.location.as_deref()),
        (303, Some("/done"))
    );
    let done = visit(&back.join("/done").unwrap()).await;
    assert_eq!(done.status, 200);
    let code = parameter(&back, "code").expect("a code");
    assert!(
        !done.body.contains(&code) && !done.body.contains("<script"),
        "{}",
        done.body
    );
    assert_eq!(done.headers["referrer-policy"], "no-referrer");
    assert_eq!(done.headers["cache-control"], "no-store");

    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
    let state = app.state();
    assert_eq!(app.email(), Some(DEMO.into()));
    assert!(is_fresh(&state));
    assert_eq!(app.install.session.snapshot().cause, Cause::Browser);
    assert_eq!(
        app.install.desktop.fronts(),
        1,
        "the app comes to the front"
    );
    let me = app
        .install
        .session
        .fetch(get("/me"))
        .await
        .expect("the token goes along");
    assert_eq!(me.status, 200);
    assert!(is_too_late(&back).await, "the sign-in is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_says_that_the_browser_is_back_while_the_code_is_exchanged() {
    let app = App::new().await;
    let slow = Effect::Delay { ms: 1000 };
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, slow).times(1));
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let shown = app.pending().expect("it goes on");
    assert_eq!((shown.button.as_str(), shown.returned), ("browser", false));
    visit(&approve_as_demo(&address).await).await;
    app.install
        .until("the browser to be back", |state| {
            pending(state).is_some_and(|it| it.returned)
        })
        .await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_survives_a_restart_with_one_request_and_roles_count() {
    let mut app = App::new().await;
    app.sign_in(ADMIN).await;
    assert_eq!(
        app.state().may,
        ["people.export", "people.see"].map(str::to_owned)
    );
    app.install.restart();
    app.install.until_fresh().await;
    assert_eq!(app.refreshes(), 1);
    assert_eq!(app.email(), Some(ADMIN.into()));
    assert_eq!(
        app.state().may.len(),
        2,
        "the ID token of the refresh says it"
    );
    let item = app.install.item().expect("an item");
    assert_eq!(item["format"], 2);
    assert!(item["token"]["provider"]["token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_revokes_both_tokens_and_is_final() {
    let mut app = App::new().await;
    app.sign_in(DEMO).await;
    assert_eq!(alive(app.backend(), DEMO), 1);
    app.install.session.logout().await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::ByUser));
    eventually("the session to be over there", || {
        alive(app.backend(), DEMO) == 0
    })
    .await;
    eventually("both tokens", || {
        app.backend().requests("POST", "/oidc/revoke") == 2
    })
    .await;
    app.install.restart();
    app.install.until_signed_out().await;
    assert_eq!(app.install.item(), None);
}

/// `OK` under the type that a framework gives every text is no page of a portal.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_heard_whatever_its_answer_calls_itself() {
    for text in ["", "OK", "\n"] {
        let app = App::new().await;
        app.sign_in(DEMO).await;
        let said = vestibule_backend::Effect::Text {
            status: 200,
            media: "text/html; charset=utf-8".into(),
            text: text.into(),
        };
        let revoke = vestibule_backend::Fault::on("POST", "/oidc/revoke", said);
        app.backend().faults().add(revoke);
        app.install.session.logout().await;
        // The access token comes after the refresh token, once that is over.
        app.backend().reached("POST", "/oidc/revoke", 2).await;
        eventually("nothing to be left to tell", || {
            app.install.session.is_at_rest()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_sign_out_is_delivered_later() {
    let app = App::new().await;
    app.sign_in(DEMO).await;
    let down = vestibule_backend::Fault::on(
        "POST",
        "/oidc/revoke",
        vestibule_harness::refusal(503, "DOWN"),
    );
    let down = app.backend().faults().add(down);
    app.install.session.logout().await;
    app.backend().reached("POST", "/oidc/revoke", 1).await;
    assert_eq!(alive(app.backend(), DEMO), 1);
    app.backend().faults().remove(down);
    let over = eventually("the session to be over there", || {
        alive(app.backend(), DEMO) == 0
    });
    app.install.passing(over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_it_and_a_late_answer_is_nobodys() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    app.install.session.cancel_browser_sign_in();
    assert_eq!(
        code(&outcome(attempt).await),
        Some(ErrorCode::BrowserSignInOver)
    );
    assert_eq!(app.pending(), None);
    assert!(is_too_late(&back).await, "nobody takes it any more");
    assert_eq!(
        app.backend().requests("POST", TOKEN),
        0,
        "the code is never exchanged"
    );
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_one_replaces_the_one_before() {
    let app = App::new().await;
    let first = app.click();
    let before = app.install.desktop.opening(1).await;
    let second = app.click();
    let address = app.install.desktop.opening(2).await;
    assert_eq!(
        code(&outcome(first).await),
        Some(ErrorCode::BrowserSignInOver)
    );
    let late = approve_as_demo(&before).await;
    assert!(is_too_late(&late).await);
    let back = approve(&address, ADMIN).await;
    visit(&back).await;
    assert_eq!(outcome(second).await, Ok(SignInOutcome::SignedIn));
    assert_eq!(app.email(), Some(ADMIN.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_are_enough() {
    let app = App::new().await;
    let attempt = app.click();
    app.install.desktop.opening(1).await;
    let ended = app.install.passing(outcome(attempt)).await;
    assert_eq!(code(&ended), Some(ErrorCode::BrowserSignInRefused));
    assert!(ended.unwrap_err().message.contains("longer"));
    assert_eq!(app.pending(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_browser_the_address_can_be_copied() {
    let app = App::new().await;
    app.install.desktop.set_without_browser(true);
    let attempt = app.click();
    let ready = || !app.install.desktop.copied().is_empty();
    eventually("an address to copy", || {
        let session = app.install.session.clone();
        tokio::spawn(async move { session.copy_browser_address().await });
        ready()
    })
    .await;
    assert!(
        app.pending().is_some_and(|it| !it.opened),
        "it says that none was opened"
    );
    let address = app.install.desktop.copied()[0].parse().expect("an address");
    app.install.desktop.set_without_browser(false);
    app.install
        .session
        .open_browser_again()
        .await
        .expect("opened");
    assert_eq!(app.install.desktop.opening(1).await, address);
    assert!(app.pending().is_some_and(|it| it.opened));
    visit(&approve_as_demo(&address).await).await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
    let late = app.install.session.copy_browser_address().await;
    assert_eq!(code(&late), Some(ErrorCode::BrowserSignInOver));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_adds_its_parameters_and_a_stranger_is_none() {
    let app = App::with(json!({
        "parameters": {"prompt": "consent", "audience": "api"},
        "buttons": [
            {"name": "google", "label": "Continue with Google",
             "parameters": {"connection": "google", "audience": "theirs"}},
            {"name": "mail"},
        ],
    }))
    .await;
    let offers = app.install.session.snapshot().offers;
    let buttons = offers.browser.expect("offered").buttons;
    assert_eq!(
        buttons
            .iter()
            .map(|it| it.name.as_str())
            .collect::<Vec<_>>(),
        ["google", "mail"]
    );
    assert!(offers.password, "the form stays");
    let unknown = BrowserSignInInput {
        button: Some("facebook".into()),
        device: false,
    };
    let refused = app.install.session.sign_in_by_browser(unknown).await;
    assert_eq!(code(&refused), Some(ErrorCode::Unsupported));
    let _attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    for (name, value) in [
        ("connection", "google"),
        ("audience", "theirs"),
        ("prompt", "consent"),
    ] {
        assert_eq!(parameter(&address, name).as_deref(), Some(value));
    }
    assert_eq!(
        app.pending().and_then(|it| it.label).as_deref(),
        Some("Continue with Google")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_who_signs_in_meanwhile_stays() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    app.install.sign_in(ADMIN).await;
    assert_eq!(
        code(&outcome(attempt).await),
        Some(ErrorCode::BrowserSignInOver)
    );
    assert!(is_too_late(&approve_as_demo(&address).await).await);
    assert_eq!(app.email(), Some(ADMIN.into()));
    assert_eq!(alive(app.backend(), DEMO), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_and_the_browser_replace_each_other() {
    let app = App::new().await;
    app.install.sign_in(ADMIN).await;
    let before = session_id(&app);
    app.sign_in(DEMO).await;
    assert_ne!(session_id(&app), before);
    eventually("the session before to be over", || {
        alive(app.backend(), ADMIN) == 0
    })
    .await;
    app.install.sign_in(ADMIN).await;
    eventually("the session before to be over", || {
        alive(app.backend(), DEMO) == 0
    })
    .await;
    assert!(app.install.item().expect("an item")["token"]["provider"].is_null());
}

fn session_id(app: &App) -> SessionId {
    let state = app.state();
    match state.phase {
        vestibule_core::wire::Phase::SignedIn { session, .. } => session.id,
        other => panic!("{other:?}"),
    }
}

/// Whether nobody at this address takes the browser's answer. The port of a sign-in that is over is free,
/// so a server of another test may have it by now, which knows nothing of this answer.
async fn is_too_late(address: &url::Url) -> bool {
    let answer = super::browser().get(address.clone()).send().await;
    answer.map_or(true, |answer| answer.status() != 303)
}
