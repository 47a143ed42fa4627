//! What a signed-in account can read and do: itself, its devices, plans; roles.

use serde_json::json;
use vestibule_backend::Config;

use crate::support::{DEMO, Device, PASSWORD, start, start_with};

#[tokio::test]
async fn the_device_list_shows_and_ends_sessions() {
    let backend = start().await;
    let (mut desk, mut laptop) = (Device::new(&backend), Device::new(&backend));
    desk.sign_in().await;
    laptop.sign_in().await;
    laptop.refresh().await;

    let list = desk.get("/sessions").await.json();
    let list = list.as_array().expect("a list");
    assert_eq!(
        list.len(),
        2,
        "one session for each sign-in, refreshed or not"
    );
    let current = |own: bool| {
        let found = list.iter().find(|entry| entry["current"] == own);
        found.expect("one session with this value of current")
    };
    assert_eq!(current(true)["device"], desk.fingerprint());
    assert_eq!(current(false)["device"], laptop.fingerprint());
    for key in ["createdAt", "lastUsedAt"] {
        assert!(
            current(true)[key]
                .as_str()
                .is_some_and(|at| at.ends_with('Z'))
        );
    }

    let other = format!(
        "/sessions/{}",
        current(false)["id"].as_str().expect("an id")
    );
    assert_eq!(desk.delete(&other).await.status, 204);
    assert_eq!(
        desk.delete(&other).await.refused(),
        (404, "NOT_FOUND".into())
    );
    assert_eq!(
        laptop.refresh().await.refused(),
        (401, "SESSION_REVOKED".into())
    );
    assert_eq!(
        laptop.get("/me").await.refused(),
        (401, "SESSION_REVOKED".into())
    );
    assert_eq!(
        desk.get("/sessions").await.json().as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(desk.refresh().await.status, 200);
}

#[tokio::test]
async fn nobody_ends_the_session_of_another_account() {
    let backend = start().await;
    let (mut mine, mut theirs) = (Device::new(&backend), Device::new(&backend));
    mine.sign_in().await;
    theirs.login("admin@vestibule.test", PASSWORD).await;
    let id = &backend.sessions("admin@vestibule.test")[0].id;
    assert_eq!(mine.delete(&format!("/sessions/{id}")).await.status, 404);
    assert_eq!(
        mine.delete("/sessions/%ff").await.status,
        404,
        "an id that is not UTF-8"
    );
    assert_eq!(theirs.refresh().await.status, 200);
}

#[tokio::test]
async fn logout_all_ends_every_session() {
    let backend = start().await;
    let (mut desk, mut laptop) = (Device::new(&backend), Device::new(&backend));
    desk.sign_in().await;
    laptop.sign_in().await;
    assert_eq!(desk.post("/logout-all", json!({})).await.status, 204);
    for device in [&mut desk, &mut laptop] {
        assert_eq!(
            device.refresh().await.refused(),
            (401, "SESSION_REVOKED".into())
        );
    }
}

#[tokio::test]
async fn the_list_of_people_is_for_administrators() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    assert_eq!(device.get("/admin/users").await.status, 401);
    device.sign_in().await;
    let refused = device.get("/admin/users").await.refused();
    assert_eq!(refused, (403, "FORBIDDEN".into()));
    let reply = device.login("admin@vestibule.test", PASSWORD).await;
    assert_eq!(reply.json()["user"]["roles"], json!(["user", "admin"]));
    let users = device.get("/admin/users").await.json();
    let users = users["users"].as_array().expect("a list");
    assert_eq!(users.len(), 4);
    let text = format!("{users:?}");
    assert!(
        text.contains(DEMO) && !text.contains("argon2"),
        "no hashes: {text}"
    );
}

#[tokio::test]
async fn a_role_taken_away_closes_the_list_at_once_and_is_told_at_the_refresh() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.login("admin@vestibule.test", PASSWORD).await;
    assert_eq!(device.get("/admin/users").await.status, 200);
    assert!(backend.set_roles("admin@vestibule.test", &["user"]));
    assert_eq!(device.get("/admin/users").await.status, 403);
    let renewed = device.refresh().await.json();
    assert_eq!(renewed["user"]["roles"], json!(["user"]));
    assert!(!backend.set_roles("nobody@vestibule.test", &["admin"]));
}

#[tokio::test]
async fn plans_are_public_and_bought_once() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let plans = device.get("/plans").await.json();
    let slugs: Vec<_> = plans
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| p["slug"].clone())
        .collect();
    assert_eq!(slugs, ["starter", "team", "business"]);
    let team = device.get("/plans/team").await.json();
    for key in ["slug", "name", "price", "currency", "interval", "features"] {
        assert!(!team[key].is_null(), "{key}");
    }
    assert_eq!(device.get("/plans/golden").await.refused().0, 404);
    let anonymous = device.post("/plans/team/purchase", json!({})).await;
    assert_eq!(anonymous.refused(), (401, "ACCESS_MISSING".into()));

    device.sign_in().await;
    let bought = device.post("/plans/team/purchase", json!({})).await;
    assert_eq!(bought.status, 201);
    assert_eq!(bought.json()["plan"], "team");
    let again = device.post("/plans/team/purchase", json!({})).await;
    assert_eq!(
        (again.status, again.json()),
        (200, bought.json()),
        "a second purchase of the same plan gives the first"
    );
    let golden = device.post("/plans/golden/purchase", json!({})).await;
    assert_eq!(golden.refused().0, 404);
}

#[tokio::test]
async fn the_demo_offers_its_accounts_and_each_signs_in() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let offered = device.get("/demo-accounts").await.json();
    let offered = offered.as_array().expect("a list");
    assert_eq!(offered.len(), 4);
    for account in offered {
        assert!(account["label"].is_string());
        let (email, password) = (account["email"].as_str(), account["password"].as_str());
        let reply = device.login(email.expect("an address"), password.expect("a password"));
        assert_eq!(reply.await.status, 200, "{email:?}");
    }
}

#[tokio::test]
async fn without_the_demo_there_is_no_trace_of_it() {
    let backend = start_with(Config {
        demo: false,
        faults: false,
        ..Config::default()
    })
    .await;
    let mut device = Device::new(&backend);
    for path in ["/demo-accounts", "/mailbox", "/mailbox.json", "/faults"] {
        assert_eq!(
            device.get(path).await.refused(),
            (404, "NOT_FOUND".into()),
            "{path}"
        );
    }
    assert_eq!(device.login(DEMO, PASSWORD).await.status, 401);
    assert_eq!(
        device.get("/health").await.json(),
        json!({ "status": "ok" })
    );
}

#[tokio::test]
async fn development_pages_answer_only_to_this_machines_names() {
    let backend = start().await;
    let device = Device::new(&backend);
    for path in ["/demo-accounts", "/mailbox", "/mailbox.json", "/faults"] {
        for (host, expected) in [
            ("rebound.example.com", 403),
            ("127.0.0.1.example.com:4580", 403),
            ("localhost:4580", 200),
            ("[::1]:4580", 200),
        ] {
            let request = device.request("GET", path).header("host", host);
            let status = request.send().await.expect("an answer").status();
            assert_eq!(status.as_u16(), expected, "{path} for {host}");
        }
    }
}

#[tokio::test]
async fn the_library_adds_accounts_and_records_requests() {
    let backend = start().await;
    assert!(backend.add_account("Extra@Example.test", "a fine password", "Extra", &["user"]));
    assert!(!backend.add_account("extra@example.test", "another one", "Extra", &["user"]));
    let mut device = Device::new(&backend);
    device
        .cookies
        .insert("device_fingerprint".into(), device.id.clone());
    assert_eq!(
        device
            .login("extra@example.test", "a fine password")
            .await
            .status,
        200
    );
    backend.received("POST", "/login", 1).await;
    assert_eq!(backend.requests("POST", "/login"), 1);
    let seen = backend.last_request("POST", "/login").expect("recorded");
    assert_eq!(seen.cookie("device_fingerprint"), Some(device.id.as_str()));
    assert_eq!(seen.header("Content-Type"), Some("application/json"));
    assert_eq!(
        seen.json().expect("json")["fingerprint"],
        device.fingerprint()
    );
    assert!(!format!("{seen:?}").contains("password"), "{seen:?}");
}
