//! Refresh tokens: rotation, reuse, grace, devices, revocation.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_backend::{Carrier, Config, DeviceBinding};

use crate::support::{DEMO, Device, start, start_with};

#[tokio::test]
async fn a_refresh_gives_a_whole_new_session_answer() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let first = device.sign_in().await;
    let second = device.refresh().await;
    assert_eq!(second.status, 200);
    assert_eq!(second.json()["user"], first.json()["user"]);
    assert_eq!(second.json()["tokens"]["expiresIn"], 900);
    assert_ne!(second.refresh_token(), first.refresh_token());
    assert_ne!(second.access_token(), first.access_token());
    assert_eq!(device.get("/me").await.json()["user"]["email"], DEMO);
    assert_eq!(backend.sessions(DEMO)[0].tokens, 2);
}

#[tokio::test]
async fn a_strict_backend_ends_the_family_on_reuse() {
    let backend = start_with(Config {
        grace: Duration::ZERO,
        ..Config::default()
    })
    .await;
    let mut owner = Device::new(&backend);
    owner.sign_in().await;
    let mut thief = owner.clone();
    assert_eq!(owner.refresh().await.status, 200);
    assert_eq!(
        thief.refresh().await.refused(),
        (401, "REFRESH_REUSED".into())
    );
    assert_eq!(
        owner.refresh().await.refused(),
        (401, "REFRESH_REUSED".into()),
        "reuse ends the family, the newest token included"
    );
    assert_eq!(
        owner.get("/me").await.refused(),
        (401, "REFRESH_REUSED".into())
    );
    assert_eq!(backend.sessions(DEMO)[0].ended.as_deref(), Some("reuse"));
}

#[tokio::test]
async fn within_the_grace_a_lost_answer_is_given_again() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let parent = device.refresh_token();
    let answer = device.refresh().await;
    for _ in 0..5 {
        let mut again = device.with_refresh_token(&parent);
        let replay = again.refresh().await;
        assert_eq!(replay.status, 200);
        assert_eq!(
            replay.refresh_token(),
            answer.refresh_token(),
            "the same successor"
        );
    }
    assert_eq!(
        device.refresh().await.status,
        200,
        "the successor can be used"
    );
    let late = device.with_refresh_token(&parent).refresh().await;
    assert_eq!(late.refused(), (401, "REFRESH_REUSED".into()));
    assert_eq!(device.refresh().await.status, 401, "the family has ended");
}

#[tokio::test]
async fn the_grace_ends() {
    let backend = start().await;
    backend.set_grace(Duration::from_millis(1));
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let before = device.clone();
    device.refresh().await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let late = before.clone().refresh().await;
    assert_eq!(late.refused(), (401, "REFRESH_REUSED".into()));
}

#[tokio::test]
async fn many_at_once_get_one_successor_or_one_winner() {
    for (grace, expected) in [(60, 16), (0, 1)] {
        let backend = start().await;
        backend.set_grace(Duration::from_secs(grace));
        let mut device = Device::new(&backend);
        device.sign_in().await;
        let asked = (0..16).map(|_| {
            let mut copy = device.clone();
            tokio::spawn(async move { copy.refresh().await })
        });
        let mut tokens = Vec::new();
        for reply in asked.collect::<Vec<_>>() {
            let reply = reply.await.expect("a reply");
            if reply.status == 200 {
                tokens.push(reply.refresh_token());
            }
        }
        assert_eq!(tokens.len(), expected, "grace {grace}");
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "grace {grace}");
        assert_eq!(backend.sessions(DEMO)[0].tokens, 2, "grace {grace}");
    }
}

#[tokio::test]
async fn another_device_is_refused_and_changes_nothing() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let mut other = device.clone();
    other.id = "another-device".into();
    assert_eq!(
        other.refresh().await.refused(),
        (403, "DEVICE_MISMATCH".into())
    );
    let bare = device.post("/refresh-token", json!({})).await;
    assert_eq!(
        bare.refused(),
        (422, "INVALID_INPUT".into()),
        "bound, but silent"
    );
    assert_eq!(
        device.refresh().await.status,
        200,
        "the owner's device can still refresh"
    );

    let stale = other.refresh().await.refused();
    assert_eq!(
        stale.0, 403,
        "a used token from another device is a device mismatch"
    );
    assert_eq!(device.refresh().await.status, 200);
}

#[tokio::test]
async fn the_whole_device_record_may_be_bound_or_none_of_it() {
    let backend = start_with(Config {
        device_binding: DeviceBinding::Whole,
        ..Config::default()
    })
    .await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let mut updated = device.fingerprint();
    updated["browser"] = "Vestibule/0.2.0".into();
    let body = json!({ "fingerprint": updated });
    let refused = device.post("/refresh-token", body.clone()).await.refused();
    assert_eq!(refused, (403, "DEVICE_MISMATCH".into()));
    // The order of the keys is not part of the record.
    let id = &device.id;
    let shuffled = format!(
        r#"{{"fingerprint":{{"browser":"Vestibule/0.1.0","os":"Debian 12 x86_64","fingerprint":"{id}"}}}}"#
    );
    let same = device.post(
        "/refresh-token",
        serde_json::from_str(&shuffled).expect("json"),
    );
    assert_eq!(same.await.status, 200);

    backend.set_device_binding(DeviceBinding::Id);
    assert_eq!(device.post("/refresh-token", body).await.status, 200);
    backend.set_device_binding(DeviceBinding::Off);
    assert_eq!(device.post("/refresh-token", json!({})).await.status, 200);
}

#[tokio::test]
async fn expired_unknown_and_missing_tokens() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    assert_eq!(
        device.refresh().await.refused(),
        (401, "TOKEN_MISSING".into())
    );
    let strange = device.with_refresh_token("never-issued").refresh().await;
    assert_eq!(strange.refused(), (401, "TOKEN_INVALID".into()));
    device.sign_in().await;
    backend.expire_refresh_tokens();
    assert_eq!(
        device.refresh().await.refused(),
        (401, "TOKEN_EXPIRED".into())
    );
    assert_eq!(
        device.refresh().await.refused(),
        (401, "TOKEN_EXPIRED".into())
    );
    assert_eq!(backend.sessions(DEMO)[0].ended.as_deref(), Some("expired"));
}

#[tokio::test]
async fn a_used_token_means_theft_however_old_it_is() {
    let backend = start().await;
    let mut owner = Device::new(&backend);
    owner.sign_in().await;
    let thief = owner.clone();
    for _ in 0..2 {
        assert_eq!(owner.refresh().await.status, 200);
    }
    backend.expire_refresh_tokens();
    let late = thief.clone().refresh().await.refused();
    assert_eq!(late, (401, "REFRESH_REUSED".into()));
    assert_eq!(backend.sessions(DEMO)[0].ended.as_deref(), Some("reuse"));
}

/// Each sign-in deletes what expired more than a month ago, but no used tokens of a valid session.
#[tokio::test]
async fn a_used_token_of_a_session_that_lives_is_not_forgotten() {
    let backend = start().await;
    let [mut owner, mut gone] = [Device::new(&backend), Device::new(&backend)];
    owner.sign_in().await;
    gone.sign_in().await;
    let (thief, left) = (owner.clone(), gone.clone());
    gone.refresh().await;
    for _ in 0..2 {
        assert_eq!(owner.refresh().await.status, 200);
    }
    backend.expire_refresh_tokens();
    let connection = rusqlite::Connection::open(backend.database()).expect("opens");
    let revived = connection.execute(
        "UPDATE refresh_tokens SET expires_at = 9000000000000 WHERE used_at IS NULL AND session =
             (SELECT id FROM sessions WHERE device_id = ?1)",
        [&owner.id],
    );
    assert_eq!(
        revived.expect("updated"),
        1,
        "one session is made valid again"
    );
    drop(connection);

    Device::new(&backend).sign_in().await;
    let kept = backend.sessions(DEMO);
    let kept: Vec<u32> = kept.iter().map(|session| session.tokens).collect();
    assert_eq!(
        kept,
        [3, 1],
        "the control: the expired session is deleted, the valid one keeps its tokens"
    );
    let unknown = left.clone().refresh().await.refused();
    assert_eq!(unknown, (401, "TOKEN_INVALID".into()));
    let late = thief.clone().refresh().await.refused();
    assert_eq!(late, (401, "REFRESH_REUSED".into()));
    assert_eq!(owner.refresh().await.refused().1, "REFRESH_REUSED");
}

/// Within the grace window a lost answer is given again, and this is not theft, even if the parent
/// has expired meanwhile. Once the successor has expired too, the answer is `TOKEN_EXPIRED`.
#[tokio::test]
async fn a_lost_answer_is_no_theft_when_it_expires() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let before = device.clone();
    device.refresh().await;
    backend.expire_refresh_tokens();
    let late = before.clone().refresh().await.refused();
    assert_eq!(late, (401, "TOKEN_EXPIRED".into()));
}

#[tokio::test]
async fn access_tokens_expire_by_their_life_and_by_order() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    assert_eq!(
        device.get("/me").await.refused(),
        (401, "ACCESS_MISSING".into())
    );
    device.sign_in().await;
    assert_eq!(device.get("/me").await.status, 200);
    backend.expire_access_tokens();
    assert_eq!(
        device.get("/me").await.refused(),
        (401, "ACCESS_EXPIRED".into())
    );
    device.refresh().await;
    assert_eq!(
        device.get("/me").await.status,
        200,
        "tokens issued later are valid"
    );

    backend.set_access_ttl(Duration::from_secs(7));
    assert_eq!(device.refresh().await.json()["tokens"]["expiresIn"], 7);
    device.access = Some("not.a.token".into());
    assert_eq!(
        device.get("/me").await.refused(),
        (401, "ACCESS_INVALID".into())
    );
}

#[tokio::test]
async fn a_revoked_session_says_so() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    assert_eq!(backend.revoke_session(DEMO), 1);
    assert_eq!(
        device.refresh().await.refused(),
        (401, "SESSION_REVOKED".into())
    );
    assert_eq!(
        device.get("/me").await.refused(),
        (401, "SESSION_REVOKED".into())
    );
}

#[tokio::test]
async fn tokens_may_travel_in_bodies() {
    let backend = start_with(Config {
        carrier: Carrier::Body,
        ..Config::default()
    })
    .await;
    let mut device = Device::new(&backend);
    let first = device.sign_in().await;
    assert!(first.set_cookie("__refresh_token").is_none());
    let carried = |body: Value| body["tokens"]["refreshToken"].as_str().map(str::to_owned);
    let token = carried(first.json()).expect("the token is in the body");
    assert_eq!(first.json()["tokens"]["refreshExpiresIn"], 30 * 24 * 3600);

    let with = |token: &str, device: &Device| json!({ "refreshToken": token, "fingerprint": device.fingerprint() });
    let body = with(&token, &device);
    let second = device.post("/refresh-token", body).await;
    assert_eq!(second.status, 200);
    assert!(second.set_cookie("__refresh_token").is_none());
    let newer = carried(second.json()).expect("the next token");
    assert_ne!(newer, token);

    // In this mode a cookie is ignored, and a token that is not a string counts as missing.
    let mut other = device.with_refresh_token(&newer);
    assert_eq!(
        other.refresh().await.refused(),
        (401, "TOKEN_MISSING".into())
    );
    let odd = json!({ "refreshToken": 1 });
    assert_eq!(device.post("/refresh-token", odd).await.status, 422);

    let out = json!({ "refreshToken": newer });
    let reply = device.post("/logout", out).await;
    assert_eq!(reply.status, 204);
    assert!(reply.set_cookie("__refresh_token").is_none());
    let ended = &backend.sessions(DEMO)[0].ended;
    assert_eq!(ended.as_deref(), Some("signed_out"));
}
