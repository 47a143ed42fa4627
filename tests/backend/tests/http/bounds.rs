//! Requests that are wrong in shape, size or place get clear answers and cause no panic.

use std::time::Duration;

use serde_json::{Value, json};

use crate::raw::{self, End, PATIENT};
use crate::support::{DEMO, Device, PASSWORD, start};

const POSTS: [&str; 4] = ["/login", "/register", "/verify-otp", "/resend-otp"];

#[tokio::test]
async fn bodies_of_the_wrong_kind_are_named() {
    let backend = start().await;
    let device = Device::new(&backend);
    for path in POSTS {
        for (media, body, expected) in [
            ("application/json", "{\"email\": ", (400, "INVALID_JSON")),
            ("application/json", "", (400, "INVALID_JSON")),
            ("application/json", "[1, 2]", (400, "INVALID_JSON")),
            ("application/json", "{}", (422, "INVALID_INPUT")),
            ("text/plain", "{}", (415, "UNSUPPORTED_MEDIA_TYPE")),
            (
                "application/x-www-form-urlencoded",
                "a=b",
                (415, "UNSUPPORTED_MEDIA_TYPE"),
            ),
        ] {
            let request = device
                .request("POST", path)
                .header("content-type", media)
                .body(body);
            let reply = request.send().await.expect("an answer");
            let status = reply.status().as_u16();
            let answer: Value =
                serde_json::from_slice(&reply.bytes().await.expect("a body")).expect("json");
            assert_eq!(
                (status, answer["code"].as_str()),
                (expected.0, Some(expected.1)),
                "{path} {media} {body}"
            );
        }
    }
}

#[tokio::test]
async fn fields_of_the_wrong_type_are_named() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    for (body, part) in [
        (
            json!({ "email": 7, "password": "x" }),
            "email: must be a string",
        ),
        (
            json!({ "email": DEMO, "password": ["x"] }),
            "password: must be a string",
        ),
        (
            json!({ "email": DEMO, "password": "x", "fingerprint": "f" }),
            "fingerprint: must be",
        ),
        (
            json!({ "email": DEMO, "password": "x", "fingerprint": {} }),
            "fingerprint: has no",
        ),
        (
            json!({ "email": DEMO, "password": "x", "pasword": "y" }),
            "\\\"pasword\\\": unknown",
        ),
        (
            json!({ "email": DEMO, "password": "x".repeat(2000) }),
            "password: too long",
        ),
        (
            json!({ "email": DEMO, "password": "x", "fingerprint":
            { "fingerprint": "f", "os": "y".repeat(5000) } }),
            "4 KiB",
        ),
    ] {
        let reply = device.post("/login", body).await;
        assert_eq!(reply.refused(), (422, "INVALID_INPUT".into()));
        let message = reply.json()["message"].to_string();
        assert!(message.contains(part), "{part} in {message}");
    }
    device.sign_in().await;
    let typo = device.post("/refresh-token", json!({ "finger": 1 })).await;
    assert_eq!(typo.refused(), (422, "INVALID_INPUT".into()));
}

#[tokio::test]
async fn a_fingerprint_may_carry_more_than_ours() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let mut fingerprint = device.fingerprint();
    fingerprint["timezone"] = "Europe/Vienna".into();
    let body = json!({ "email": DEMO, "password": PASSWORD, "fingerprint": fingerprint });
    assert_eq!(device.post("/login", body).await.status, 200);
    assert_eq!(
        device.get("/sessions").await.json()[0]["device"],
        fingerprint
    );
}

#[tokio::test]
async fn unknown_places_and_methods_answer_in_json() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    assert_eq!(
        device.get("/nowhere").await.refused(),
        (404, "NOT_FOUND".into())
    );
    assert_eq!(device.get("/login/").await.refused().0, 404);
    let wrong = device.get("/login").await;
    assert_eq!(wrong.refused(), (405, "METHOD_NOT_ALLOWED".into()));
    assert_eq!(wrong.header("allow"), Some("POST"));
    assert_eq!(device.delete("/plans/team").await.refused().0, 405);
}

#[tokio::test]
async fn bodies_over_the_limit_get_their_answer() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    for size in [65 << 10, 900 << 10] {
        let reply = device
            .post("/login", json!({ "email": "x".repeat(size) }))
            .await;
        assert_eq!(reply.refused(), (413, "BODY_TOO_LARGE".into()), "{size}");
    }
    let declared = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000000\r\n\r\n";
    let received = raw::exchange(&backend, declared.as_bytes(), PATIENT).await;
    assert!(
        received.text().starts_with("HTTP/1.1 413"),
        "{}",
        received.text()
    );
    assert_ne!(received.end, End::Open, "the connection is closed too");
    assert_eq!(
        device.login(DEMO, PASSWORD).await.status,
        200,
        "the backend still serves other connections"
    );
}

#[tokio::test]
async fn nonsense_on_the_wire_does_no_harm() {
    let backend = start().await;
    let requests: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: nope\r\n\r\n",
        b"POST /login HTTP/1.1\r\nhost: x\r\ncookie: \xff\xfe=\x80\r\ncontent-length: 2\r\n\
          content-type: application/json\r\n\r\n{}",
        b"\r\n\r\n\r\n",
    ];
    for request in requests {
        raw::exchange(&backend, request, Duration::from_millis(100)).await;
    }
    let mut device = Device::new(&backend);
    let deep = format!("{{\"email\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let request = device
        .request("POST", "/login")
        .header("content-type", "application/json");
    let reply = request.body(deep).send().await.expect("an answer");
    assert_eq!(
        reply.status().as_u16(),
        400,
        "JSON nested too deeply is refused"
    );
    assert_eq!(device.get("/health").await.status, 200);
}

#[tokio::test]
async fn no_other_origin_is_invited() {
    let backend = start().await;
    let device = Device::new(&backend);
    let request = device
        .request("OPTIONS", "/faults")
        .header("origin", "https://example.com");
    let reply = request.send().await.expect("an answer");
    assert_eq!(reply.status().as_u16(), 405);
    assert!(reply.headers().get("access-control-allow-origin").is_none());
}
