//! An account that is removed takes away by what its backend trusts this device.

use std::time::Duration;

use serde_json::json;
use vestibule_core::accounts::FIRST_WINDOW;
use vestibule_core::profile::Profile;
use vestibule_core::wire::{LoginInput, SignInOutcome};
use vestibule_core::{AccountId, StoreError};
use vestibule_harness::*;
use vestibule_recordings::{Player, Recording};

const SECOND: Duration = Duration::from_secs(1);
/// The name under which she is known is not the one that she types.
const TYPED: &str = "ann-at-work";

/// A backend that trusts the device from the first sign-in on.
const RECORDING: &str = r#"
$ curl -si -X POST http://127.0.0.1:1/api/auth/sign-in/email -d {"email":"ann-at-work","password":"pw"}
HTTP/1.1 200 OK
Content-Type: application/json
Set-Cookie: better-auth.session_token=s; Path=/; HttpOnly
Set-Cookie: better-auth.trust_device=t1; Path=/; Max-Age=2592000; HttpOnly

{"token":"x","user":{"id":"u","name":"Ann","email":"ann@example.com"}}

$ curl -si -X POST http://127.0.0.1:1/api/auth/sign-out -d {}
HTTP/1.1 200 OK
Content-Type: application/json

{}
"#;

/// Ann has signed in and out, is remembered in the list, and no window shows her.
async fn signed_out(player: &Player) -> (AccountApp, AccountId) {
    let mut app = AccountApp::installed(&[]);
    let profile = json!({"extends": "better-auth", "backend": player.url()});
    let profile = Profile::from_json(profile).expect("a shipped profile");
    app.host.set_profile(WORKSPACE, profile);
    app.start();
    let (id, session) = app.page(FIRST_WINDOW);
    let signed_in = session.login(LoginInput::new(TYPED, "pw")).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn));
    app.until_listed("Ann", |list| list.iter().any(|it| it.owner.is_some()))
        .await;
    app.accounts().remember(id, true).expect("remembered");
    session.logout().await;
    eventually("the backend to be told, and that to be noted", || {
        player.played().len() == 2 && session.is_at_rest()
    })
    .await;
    drop(session);
    app.accounts()
        .add(FIRST_WINDOW, WORKSPACE)
        .expect("a blank one");
    app.page(FIRST_WINDOW);
    (app, id)
}

fn trusts(app: &AccountApp) -> usize {
    let items = app.store().items();
    let trusts = items.iter().filter(|(name, _)| name.contains(".trust."));
    trusts.count()
}

fn is_gone(app: &AccountApp, id: AccountId) -> bool {
    app.files_with(&id.to_string()).is_empty()
        && app.files_with("ann@example.com").is_empty()
        && trusts(app) == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_signed_out_takes_it_away_too() {
    for restarts in [false, true] {
        let player = Player::start(Recording::parse(RECORDING), &[]).await;
        let player = player.expect("a port");
        let (mut app, id) = signed_out(&player).await;
        if restarts {
            app.restart().await;
        }
        app.clock().advance(Duration::from_secs(120));
        app.clock().until_asleep().await;
        assert_eq!(trusts(&app), 1, "it outlives a sign-out: {restarts}");
        app.accounts().remove(id).expect("removed");
        app.while_passing(SECOND, "nothing to be left", |app| is_gone(app, id))
            .await;
        let strays = player.strays();
        assert!(strays.is_empty(), "{strays:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_keyring_is_locked_the_account_waits_for_it() {
    let player = Player::start(Recording::parse(RECORDING), &[]).await;
    let player = player.expect("a port");
    let (mut app, id) = signed_out(&player).await;
    app.restart().await;
    app.store().block(Block::Fail(StoreError::Locked));
    app.accounts().remove(id).expect("removed");
    for _ in 0..40 {
        app.clock().advance(Duration::from_secs(5));
        app.clock().until_asleep().await;
    }
    app.store().heal();
    assert_eq!(trusts(&app), 1, "control: it cannot be taken away yet");
    app.while_passing(SECOND, "nothing to be left", |app| is_gone(app, id))
        .await;
}
