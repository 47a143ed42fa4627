//! The device that a backend sees.

use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_harness::*;

/// The device's fingerprint in the newest sign-in.
fn fingerprint(backend: &Backend) -> String {
    let sent = backend.last_request("POST", "/login").expect("a sign-in");
    let device = sent.json().expect("JSON")["fingerprint"].clone();
    device["fingerprint"].as_str().expect("text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_a_workspace_are_one_device_and_another_workspace_another() {
    let (one, two) = (
        start_backend(Config::default()).await,
        start_backend(Config::default()).await,
    );
    let mut app = AccountApp::new(&[(WORKSPACE, &one), ("other", &two)]);
    let first = app.sign_in("main", DEMO).await;
    let device = fingerprint(&one);
    let second = app.add("main", WORKSPACE, ADMIN).await;
    assert_eq!(fingerprint(&one), device, "two sessions of one computer");
    let third = app.add("main", "other", DEMO).await;
    let others = fingerprint(&two);
    assert_ne!(others, device, "two backends learn nothing of each other");
    app.add("main", "other", ADMIN).await;
    assert_eq!(fingerprint(&two), others);
    // The workspace's own folder, in which the device is, was that of the account that goes first.
    for (id, gone) in [(first, 3), (second, 2), (third, 1)] {
        app.accounts().remove(id).expect("removed");
        let step = Duration::from_secs(1);
        app.while_passing(step, "the account to be gone", |app| {
            !std::fs::read_to_string(app.folder.join("accounts.json"))
                .is_ok_and(|index| index.contains(&id.to_string()))
        })
        .await;
        assert_eq!(app.list().len(), gone);
    }
    app.restart().await;
    app.add("window-2", WORKSPACE, ADMIN).await;
    assert_eq!(
        fingerprint(&one),
        device,
        "the device outlives the accounts, as it does a sign-out"
    );
    app.add("window-2", "other", DEMO).await;
    assert_eq!(fingerprint(&two), others);
}
