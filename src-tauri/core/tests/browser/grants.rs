//! Providers that end all of a person's sessions with an app when one of its tokens is revoked.

use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::{ADMIN, DEMO, alive, code, eventually, is_fresh, refusal, why};

use super::{App, TOKEN, approve, approve_as_demo, outcome, visit, with_parameter};

async fn app() -> App {
    let config = Config {
        revocation_ends_grant: true,
        ..Config::default()
    };
    App::of(config, serde_json::json!({})).await
}

fn revocations(app: &App) -> usize {
    app.backend().requests("POST", "/oidc/revoke")
}

/// Waits until nothing is left to tell, and renews the session.
async fn settles_and_goes_on(app: &App) {
    let settled = eventually("nothing to be left to tell", || {
        app.install.session.is_at_rest()
    });
    app.install.passing(settled).await;
    app.install.session.refresh().await.expect("renewed");
    assert!(is_fresh(&app.state()), "{:?}", app.state());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_again_keeps_the_new_session() {
    let app = app().await;
    app.sign_in(DEMO).await;
    app.sign_in(DEMO).await;
    settles_and_goes_on(&app).await;
    assert_eq!(revocations(&app), 0);
    app.install.session.logout().await;
    eventually("both to be over there", || alive(app.backend(), DEMO) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_comes_late_does_not_end_the_session_after_it() {
    let mut app = app().await;
    app.sign_in(DEMO).await;
    let down = Fault::on("POST", "/oidc/revoke", refusal(503, "DOWN"));
    let down = app.backend().faults().add(down);
    app.install.session.logout().await;
    app.backend().reached("POST", "/oidc/revoke", 1).await;
    // Whose it was is on disk.
    app.install.restart();
    app.install.until_started().await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::ByUser));
    app.sign_in(DEMO).await;
    app.backend().faults().remove(down);
    settles_and_goes_on(&app).await;
    assert_eq!(app.email(), Some(DEMO.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_session_is_revoked_as_ever() {
    let mut app = app().await;
    app.sign_in(DEMO).await;
    let down = Fault::on("POST", "/oidc/revoke", refusal(503, "DOWN"));
    let down = app.backend().faults().add(down);
    app.sign_in(ADMIN).await;
    app.backend().reached("POST", "/oidc/revoke", 1).await;
    app.install.restart();
    app.install.until_fresh().await;
    app.backend().faults().remove(down);
    let over = eventually("the session before to be over", || {
        alive(app.backend(), DEMO) == 0
    });
    app.install.passing(over).await;
    settles_and_goes_on(&app).await;
    assert_eq!(app.email(), Some(ADMIN.into()));
}

/// A second sign-in of this person, given up while its code is exchanged.
async fn given_up(app: &App, email: &str) {
    let slow = Effect::Delay { ms: 1500 };
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, slow).times(1));
    let before = app.backend().requests("POST", TOKEN);
    let number = app.install.desktop.opened().len() + 1;
    let attempt = app.click();
    let address = app.install.desktop.opening(number).await;
    visit(&approve(&address, email).await).await;
    app.backend().reached("POST", TOKEN, before + 1).await;
    app.install.session.cancel_browser_sign_in();
    assert_eq!(
        code(&outcome(attempt).await),
        Some(ErrorCode::BrowserSignInOver)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sign_in_that_is_given_up_costs_nothing() {
    let app = app().await;
    app.sign_in(DEMO).await;
    given_up(&app, DEMO).await;
    settles_and_goes_on(&app).await;
    given_up(&app, ADMIN).await;
    eventually("the other person's to be over", || {
        alive(app.backend(), ADMIN) == 0
    })
    .await;
    settles_and_goes_on(&app).await;
    assert_eq!(app.email(), Some(DEMO.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_while_somebody_is_signed_in_costs_nothing() {
    let app = app().await;
    app.sign_in(DEMO).await;
    let number = app.install.desktop.opened().len() + 1;
    let attempt = app.click();
    let address = app.install.desktop.opening(number).await;
    // The ID token is that of another sign-in, but the refresh token is good.
    let other = with_parameter(&address, "nonce", Some("another"));
    visit(&approve_as_demo(&other).await).await;
    let failed = outcome(attempt).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(alive(app.backend(), DEMO), 2);
    settles_and_goes_on(&app).await;
}
