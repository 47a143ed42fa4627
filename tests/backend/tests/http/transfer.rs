//! Transfers in both directions, of any size up to a limit, in a small, fixed amount of memory.

use sha2::{Digest as _, Sha256};
use vestibule_backend::Config;

use crate::support::{Device, start, start_with};

fn pattern(length: u32) -> Vec<u8> {
    let numbers = (0..length.div_ceil(4)).flat_map(u32::to_le_bytes);
    numbers.take(length as usize).collect()
}

#[tokio::test]
async fn as_many_bytes_as_were_asked_for_come_in_order() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    for length in [0, 1, 5, 65_536, 300_001] {
        let reply = device.get(&format!("/transfer?bytes={length}")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-length"), Some(&*length.to_string()));
        assert!(reply.body == pattern(length), "{length}");
    }
}

#[tokio::test]
async fn what_was_sent_is_counted_and_hashed() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    for length in [0, 300_001, 9 << 20] {
        let body = pattern(length);
        let digest = Sha256::digest(&body);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let sent = device.request("POST", "/transfer").body(body).send().await;
        let sent = sent.expect("an answer");
        let wanted = format!("{{\"bytes\":{length},\"sha256\":\"{digest}\"}}");
        assert_eq!(sent.text().await.expect("a body"), wanted);
    }
}

#[tokio::test]
async fn it_is_for_the_signed_in_and_has_a_limit() {
    let backend = start_with(Config {
        transfer_limit: 1 << 20,
        ..Config::default()
    })
    .await;
    let mut device = Device::new(&backend);
    let refused = device.get("/transfer?bytes=1").await.refused();
    assert_eq!(refused, (401, "ACCESS_MISSING".into()));
    for size in [10, 30 << 20] {
        let sending = device.request("POST", "/transfer").body(vec![7; size]);
        let status = sending.send().await.expect("an answer").status();
        assert_eq!(status, 401, "{size} bytes without a session");
    }
    device.sign_in().await;
    let refused = device.get("/transfer?bytes=1048577").await.refused();
    assert_eq!(refused, (413, "BODY_TOO_LARGE".into()));
    let refused = device.get("/transfer?bytes=many").await.refused();
    assert_eq!(refused, (422, "INVALID_INPUT".into()));
    for size in [(1 << 20) + 1, 30 << 20] {
        let sending = device.request("POST", "/transfer").body(vec![7; size]);
        let status = sending.send().await.expect("an answer").status();
        assert_eq!(status, 413, "{size} bytes");
    }
    let least = device.request("POST", "/transfer").body(vec![7; 1 << 20]);
    assert_eq!(least.send().await.expect("an answer").status(), 200);
}
