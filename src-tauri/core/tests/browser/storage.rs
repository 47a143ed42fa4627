//! Refresh tokens of some providers are large. Windows takes 2,560 bytes for an item of its keyring.

use serde_json::json;
use vestibule_backend::{Effect, Fault};
use vestibule_core::wire::StorageStatus;
use vestibule_harness::{DEMO, answer, remembered};

use super::{App, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_the_keyring_does_not_take_lasts_until_the_app_quits_and_says_so() {
    let app = App::new().await;
    app.install.store.set_largest(2560);
    let large = json!({"refresh_token": "x".repeat(3000)});
    let fault = |effect| Fault::on("POST", TOKEN, effect).times(1);
    let faults = app.backend().faults();
    faults.add(fault(Effect::Patch { body: large }));
    app.sign_in(DEMO).await;
    assert_eq!(app.state().storage, StorageStatus::TooLarge);
    assert_eq!(remembered(&app.state()), Some(false));
    assert_eq!(app.install.item(), None, "no part of it either");
    assert_eq!(app.install.get("/me").await.expect("a call").status, 200);

    // The next one fits.
    let body = json!({
        "access_token": "a-2", "refresh_token": "r-2", "token_type": "Bearer", "expires_in": 900,
    });
    faults.add(fault(answer(200, body, &[])));
    app.install
        .session
        .refresh()
        .await
        .expect("renewed from memory");
    let sent = super::forms(&app, TOKEN);
    assert_eq!(sent[1]["refresh_token"].len(), 3000);
    assert_eq!(app.state().storage, StorageStatus::Ok);
    assert_eq!(remembered(&app.state()), Some(true));
    let item = app.install.item().expect("an item");
    assert_eq!(item["token"]["provider"]["token"], "r-2");
}
