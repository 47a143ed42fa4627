//! The profile names another provider than the one that has issued the session's tokens. They go to that
//! provider alone.

use serde_json::json;
use url::Url;
use vestibule_backend::{Effect, Fault};
use vestibule_core::wire::SignedOutReason;
use vestibule_harness::{DEMO, alive, answer, eventually, profile, refusal};

use super::{App, TOKEN, forms, section};

const REVOKE: &str = "/oidc/revoke";

/// Gives the app's next start a profile whose provider is `other`'s backend.
fn change_provider(app: &mut App, other: &App) {
    let more = section(&other.backend().url(), json!({}));
    let changed = profile(&app.backend().url(), app.backend().carrier(), more);
    app.install.profile = changed.expect("a profile");
}

/// An app whose tokens are revoked at another origin than the one that issues them.
async fn revoked_at(other: &App) -> App {
    let revoke = format!("{}{REVOKE}", other.backend().url());
    App::with(json!({ "revoke": revoke })).await
}

fn revocations(app: &App) -> usize {
    app.backend().requests("POST", REVOKE)
}

async fn nothing_is_left_to_tell(app: &App) {
    let settled = eventually("nothing to be left to tell", || {
        !app.install.session.owes_sign_out()
    });
    app.install.passing(settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_revoked_at_the_provider_that_came_later() {
    let (mut app, later) = (App::new().await, App::new().await);
    app.sign_in(DEMO).await;
    let down = Fault::on("POST", REVOKE, refusal(503, "DOWN"));
    app.backend().faults().add(down);
    app.install.session.logout().await;
    app.backend().reached("POST", REVOKE, 1).await;
    change_provider(&mut app, &later);
    app.install.restart();
    nothing_is_left_to_tell(&app).await;
    assert_eq!(revocations(&later), 0);
    assert_eq!(alive(app.backend(), DEMO), 1, "it ends with its own time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_revoked_where_its_provider_took_it_back_when_it_was_issued() {
    let other = App::new().await;
    let app = revoked_at(&other).await;
    app.sign_in(DEMO).await;
    let item = app.install.item().expect("an item");
    let origin = other.backend().url();
    let origin = Url::parse(&origin).expect("an address").origin();
    assert_eq!(item["format"], 3);
    assert_eq!(
        item["token"]["provider"]["revocation_origins"],
        json!([origin.ascii_serialization()])
    );
    app.install.session.refresh().await.expect("renewed");
    let newest = app.install.kept().expect("a token");
    app.install.session.logout().await;
    other.backend().reached("POST", REVOKE, 1).await;
    nothing_is_left_to_tell(&app).await;
    assert_eq!(forms(&other, REVOKE)[0]["token"], newest);
    assert_eq!(revocations(&app), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_before_the_places_were_kept_is_revoked_too() {
    let other = App::new().await;
    let mut app = revoked_at(&other).await;
    app.sign_in(DEMO).await;
    for (name, _) in app.install.store.items() {
        let mut item = app.install.item().expect("an item");
        item["format"] = json!(2);
        let provider = item["token"]["provider"].as_object_mut();
        provider.expect("a token").remove("revocation_origins");
        app.install.store.put(&name, item.to_string().as_bytes());
    }
    // A provider that keeps the token.
    let body = json!({"access_token": "a", "token_type": "Bearer", "expires_in": 900});
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, answer(200, body, &[])));
    app.install.restart();
    app.install.until_fresh().await;
    let held = app.install.kept().expect("a token");
    app.install.session.logout().await;
    other.backend().reached("POST", REVOKE, 1).await;
    nothing_is_left_to_tell(&app).await;
    assert_eq!(forms(&other, REVOKE)[0]["token"], held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_the_profile_names_later_gets_what_is_issued_from_then_on() {
    let later = App::new().await;
    let mut app = App::new().await;
    app.sign_in(DEMO).await;
    let revoke = format!("{}{REVOKE}", later.backend().url());
    let more = section(&app.backend().url(), json!({ "revoke": revoke }));
    let changed = profile(&app.backend().url(), app.backend().carrier(), more);
    app.install.profile = changed.expect("a profile");
    app.install.restart();
    app.install.until_fresh().await;
    let newest = app.install.kept().expect("a token");
    app.install.session.logout().await;
    later.backend().reached("POST", REVOKE, 1).await;
    nothing_is_left_to_tell(&app).await;
    assert_eq!(forms(&later, REVOKE)[0]["token"], newest);
    assert_eq!(revocations(&app), 0);
}

/// The record is lost, the new provider cannot be asked at first, and the answer of the old one has no ID
/// token: only `userinfo` could say whose the session is.
#[tokio::test(flavor = "multi_thread")]
async fn the_userinfo_of_another_provider_does_not_get_the_access_token() {
    let (mut app, later) = (App::new().await, App::new().await);
    app.sign_in(DEMO).await;
    change_provider(&mut app, &later);
    std::fs::remove_file(app.install.records.join("session.json")).expect("removed");
    let unreadable = answer(200, json!({}), &[]);
    let discovery = "/.well-known/openid-configuration";
    later
        .backend()
        .faults()
        .add(Fault::on("GET", discovery, unreadable).times(1));
    let body = json!({ "id_token": null });
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, Effect::Patch { body }));
    app.install.restart();
    let ended = app.install.passing(app.install.until_signed_out()).await;
    assert_eq!(ended, SignedOutReason::ProviderMoved);
    assert_eq!(app.refreshes(), 1, "control: it has brought a token");
    assert_eq!(later.backend().requests("GET", "/oidc/userinfo"), 0);
}
