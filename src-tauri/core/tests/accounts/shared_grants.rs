//! One person in several accounts at one provider, which ends all of a person's sessions with the app when
//! one of their tokens is revoked.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::AccountId;
use vestibule_harness::*;

const SECOND: Duration = Duration::from_secs(1);
const OTHER: &str = "other";

const WORKSPACES: [&str; 4] = [WORKSPACE, OTHER, "third", "fourth"];

/// Workspaces with one backend, which is the provider of all.
async fn installed(revocation_ends_grant: bool) -> (Setup, AccountApp) {
    let config = Config {
        revocation_ends_grant,
        ..Config::default()
    };
    let setup = Setup::new(config).await;
    let app = AccountApp::new(&WORKSPACES.map(|name| (name, &*setup.backend)));
    let issuer = setup.backend.url();
    let page = json!({"end_session_endpoint": format!("{issuer}/oidc/end")});
    let discovery = Fault::on(
        "GET",
        "/.well-known/openid-configuration",
        Effect::Patch { body: page },
    );
    setup.backend.faults().add(discovery);
    for workspace in WORKSPACES {
        let more = json!({"browser": {
            "kind": "oidc", "issuer": issuer, "client_id": "vestibule", "end_session": true,
        }});
        let profile = profile(&issuer, setup.backend.carrier(), more).expect("a profile");
        app.host.set_profile(workspace, profile);
    }
    (setup, app)
}

async fn add(app: &AccountApp, window: &str, workspace: &str, email: &str) -> AccountId {
    app.accounts().add(window, workspace).expect("room");
    app.sign_in_by_browser(window, email).await
}

fn revocations(setup: &Setup) -> usize {
    setup.backend.requests("POST", "/oidc/revoke")
}

/// Signs out in a window, and waits until nothing is left to tell the provider.
async fn sign_out(app: &AccountApp, window: &str) {
    let (_, session) = app.page(window);
    session.logout().await;
    app.while_passing(SECOND, "nothing to be left to tell", |_| {
        session.is_at_rest()
    })
    .await;
}

/// The session of a window can be renewed.
async fn goes_on(app: &AccountApp, window: &str) {
    let (_, session) = app.page(window);
    let there = until(&session, "a session", |state| user(state).is_some());
    passing(app.clock(), Pace::FAST, there).await;
    session.refresh().await.expect("renewed");
    assert!(is_fresh(&session.snapshot().state));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_again_in_another_account_keeps_the_newer_session() {
    let (setup, app) = installed(true).await;
    let before = app.sign_in_by_browser("main", DEMO).await;
    let again = add(&app, "window-2", WORKSPACE, DEMO).await;
    assert_ne!(before, again);
    app.while_passing(SECOND, "the older account to be gone", |app| {
        app.list().len() == 1 && app.host.session_of(before).is_none()
    })
    .await;
    assert_eq!(revocations(&setup), 0);
    goes_on(&app, "window-2").await;
    let opened = app.host.desktop_of(before).opened().len();
    assert_eq!(opened, 1, "the page of a sign-out is for who has clicked");
    sign_out(&app, "window-2").await;
    assert_eq!((revocations(&setup) > 0, setup.alive(DEMO)), (true, 0));
    app.host.desktop_of(again).opening(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_leaves_the_session_in_another_workspace() {
    let (setup, app) = installed(true).await;
    app.sign_in_by_browser("main", DEMO).await;
    add(&app, "window-2", OTHER, DEMO).await;
    sign_out(&app, "main").await;
    assert_eq!(revocations(&setup), 0);
    goes_on(&app, "window-2").await;
    sign_out(&app, "window-2").await;
    assert_eq!(setup.alive(DEMO), 0, "nobody uses the grant any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_closed_counts_and_somebody_elses_does_not() {
    let (setup, mut app) = installed(true).await;
    let closed = app.sign_in_by_browser("main", DEMO).await;
    add(&app, "window-2", OTHER, DEMO).await;
    add(&app, "window-3", OTHER, ADMIN).await;
    app.restart().await;
    let ids: Vec<_> = app.list().iter().map(|it| it.id).collect();
    for (window, id) in [("window-2", ids[1]), ("window-3", ids[2])] {
        app.accounts().switch(window, id).expect("listed");
        goes_on(&app, window).await;
    }
    assert!(app.host.session_of(closed).is_none(), "control");
    sign_out(&app, "window-2").await;
    assert_eq!(revocations(&setup), 0);
    sign_out(&app, "window-3").await;
    assert_eq!(setup.alive(ADMIN), 0, "nobody else uses that grant");
    app.accounts().switch("main", closed).expect("listed");
    goes_on(&app, "main").await;
}

/// Where a provider ends one session for one token, each of them has to be revoked.
#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_of_all_is_signed_out_of_each_at_the_provider() {
    let (setup, app) = installed(false).await;
    app.sign_in_by_browser("main", DEMO).await;
    for (number, workspace) in WORKSPACES.iter().enumerate().skip(1) {
        add(&app, &format!("window-{number}"), workspace, DEMO).await;
    }
    assert_eq!(setup.alive(DEMO), 4);
    app.accounts().logout_all().await.expect("signed out");
    app.while_passing(SECOND, "no session to be left at the provider", |_| {
        setup.alive(DEMO) == 0
    })
    .await;
}
