//! Rate limits, which are on unless a test turns them off.

use vestibule_backend::Config;

use crate::support::{DEMO, Device, PASSWORD, Reply, start_with};

fn limited() -> Config {
    Config {
        limits: true,
        ..Config::default()
    }
}

#[track_caller]
fn assert_limited(reply: &Reply) {
    assert_eq!(reply.refused(), (429, "RATE_LIMITED".into()));
    let wait: u64 = reply
        .header("retry-after")
        .expect("a wait")
        .parse()
        .expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn sign_ins_are_limited_per_account() {
    let backend = start_with(limited()).await;
    let mut device = Device::new(&backend);
    for _ in 0..10 {
        assert_eq!(device.login(DEMO, PASSWORD).await.status, 200);
    }
    assert_limited(&device.login(DEMO, PASSWORD).await);
    let other = device.login("admin@vestibule.test", PASSWORD).await;
    assert_eq!(other.status, 200, "another account has a limit of its own");
}

#[tokio::test]
async fn one_address_cannot_try_account_after_account() {
    let backend = start_with(limited()).await;
    let mut device = Device::new(&backend);
    for index in 0..60 {
        let email = format!("guess{index}@vestibule.test");
        assert_eq!(device.login(&email, "whatever-it-is").await.status, 401);
    }
    assert_limited(
        &device
            .login("guess60@vestibule.test", "whatever-it-is")
            .await,
    );
}

#[tokio::test]
async fn registrations_codes_and_refreshes_are_limited() {
    let backend = start_with(limited()).await;
    let mut device = Device::new(&backend);
    for index in 0..10 {
        let email = format!("new{index}@example.test");
        assert_eq!(
            device.register("New", &email, "correct horse").await.status,
            201
        );
    }
    assert_limited(
        &device
            .register("New", "one@example.test", "correct horse")
            .await,
    );
    for _ in 0..10 {
        assert_eq!(device.verify(DEMO, "123456").await.status, 410);
    }
    assert_limited(&device.verify(DEMO, "123456").await);
    for _ in 0..5 {
        assert_eq!(device.resend(DEMO).await.status, 410);
    }
    assert_limited(&device.resend(DEMO).await);
    for _ in 0..120 {
        assert_eq!(device.refresh().await.status, 200);
    }
    assert_limited(&device.refresh().await);
}

#[tokio::test]
async fn a_malformed_request_does_not_count() {
    let backend = start_with(limited()).await;
    let mut device = Device::new(&backend);
    for _ in 0..20 {
        assert_eq!(device.login("not-an-address", PASSWORD).await.status, 422);
    }
    assert_eq!(device.login(DEMO, PASSWORD).await.status, 200);
}
