//! The list of faults, over HTTP and through the library.

use serde_json::json;
use vestibule_backend::{Effect, Fault};

use crate::support::{DEMO, Device, start};

#[tokio::test]
async fn faults_are_added_listed_counted_and_removed_over_http() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let added = device
        .post(
            "/faults",
            json!({ "method": "GET", "path": "/plans*", "times": 2, "skip": 1,
                "kind": "status", "status": 503, "code": "DOWN",
                "headers": { "Retry-After": "7" } }),
        )
        .await;
    assert_eq!(added.status, 201);
    let id = added.json()["id"].as_u64().expect("an id");

    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(device.get("/plans/team").await.status);
    }
    assert_eq!(
        seen,
        [200, 503, 503, 200],
        "the first passes, the next two fail"
    );
    assert_eq!(
        backend.requests("GET", "/plans/team"),
        4,
        "failed requests count too"
    );

    let list = device.get("/faults").await.json();
    assert_eq!(list[0]["fired"], 2);
    assert_eq!(list[0]["kind"], "status");
    assert_eq!(list[0]["when"], "before");
    assert_eq!(device.delete(&format!("/faults/{id}")).await.status, 204);
    assert_eq!(device.delete(&format!("/faults/{id}")).await.status, 404);
    assert_eq!(device.delete("/faults/first").await.status, 404);
    device
        .post("/faults", json!({ "path": "*", "kind": "hang" }))
        .await;
    assert_eq!(
        device.delete("/faults").await.status,
        204,
        "faults never apply to /faults itself"
    );
    assert_eq!(device.get("/faults").await.json(), json!([]));
    assert_eq!(device.get("/plans").await.status, 200);
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_with_the_reason() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    for (fault, part) in [
        (json!({ "path": "/x", "kind": "explode" }), "explode"),
        (json!({ "path": "/x", "kind": "delay" }), "ms"),
        (
            json!({ "path": "/x", "kind": "delay", "ms": 1, "extra": 1 }),
            "extra",
        ),
        (json!({ "kind": "hang" }), "path"),
        (json!([]), "object"),
    ] {
        let refused = device.post("/faults", fault).await;
        assert_eq!(refused.refused(), (422, "INVALID_INPUT".into()));
        let message = refused.json()["message"].to_string();
        assert!(message.contains(part), "{part}: {message}");
    }
    let form = device
        .request("POST", "/faults")
        .body(r#"{"path": "*", "kind": "hang"}"#);
    let status = form.send().await.expect("an answer").status();
    assert_eq!(
        status.as_u16(),
        415,
        "a type that a form of another site could send"
    );
}

#[tokio::test]
async fn a_rate_strikes_now_and_then() {
    let backend = start().await;
    let id = backend
        .faults()
        .add(Fault::on("GET", "/health", Effect::status(500)).rate(0.5));
    let mut device = Device::new(&backend);
    let mut struck = 0;
    for _ in 0..200 {
        struck += u32::from(device.get("/health").await.status == 500);
    }
    assert!((50..150).contains(&struck), "{struck} of 200");
    assert_eq!(backend.faults().fired(id), Some(struck));
    backend.faults().clear();
    assert_eq!(backend.faults().fired(id), None);
}

#[tokio::test]
async fn before_leaves_the_database_alone_and_after_does_not() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let faults = backend.faults();
    faults.add(Fault::on("POST", "/login", Effect::status(500)).times(1));
    let before = device.login(DEMO, "vestibule-demo").await;
    assert_eq!((before.status, backend.sessions(DEMO).len()), (500, 0));
    faults.add(
        Fault::on("POST", "/login", Effect::status(500))
            .times(1)
            .after(),
    );
    let after = device.login(DEMO, "vestibule-demo").await;
    assert_eq!((after.status, backend.sessions(DEMO).len()), (500, 1));
    assert!(
        after.set_cookie("__refresh_token").is_none(),
        "the connection closes without an answer"
    );
}
