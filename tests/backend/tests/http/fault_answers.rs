//! Faults that answer wrongly, as an HTTP client sees them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_backend::{Backend, Effect, Fault};

use crate::raw::{self, End};
use crate::support::{DEMO, Device, start};

async fn struck_by(effect: Effect) -> (Backend, Device) {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    backend
        .faults()
        .add(Fault::on("POST", "/refresh-token", effect).times(1));
    (backend, device)
}

fn tokens(backend: &Backend) -> u32 {
    backend.sessions(DEMO)[0].tokens
}

#[tokio::test]
async fn a_status_with_its_own_headers_and_body() {
    let (backend, mut device) = struck_by(Effect::Status {
        status: 429,
        code: Some("SLOW_DOWN".into()),
        message: Some("not so fast".into()),
        body: None,
        headers: BTreeMap::from([("Retry-After".into(), "120".into())]),
    })
    .await;
    let reply = device.refresh().await;
    assert_eq!(reply.refused(), (429, "SLOW_DOWN".into()));
    assert_eq!(reply.header("retry-after"), Some("120"));
    assert_eq!(tokens(&backend), 1);
    assert_eq!(device.refresh().await.status, 200, "once only");

    let mut effect = Effect::status(503);
    if let Effect::Status { body, .. } = &mut effect {
        *body = Some(json!({ "error": { "down": true } }));
    }
    let (_backend, mut device) = struck_by(effect).await;
    assert_eq!(
        device.refresh().await.json(),
        json!({ "error": { "down": true } })
    );
}

#[tokio::test]
async fn html_empty_and_strange_json() {
    for (effect, status, media, part) in [
        (
            Effect::Html { status: 200 },
            200,
            Some("text/html; charset=utf-8"),
            "<html>",
        ),
        (
            Effect::Html { status: 401 },
            401,
            Some("text/html; charset=utf-8"),
            "<html>",
        ),
        (Effect::Empty { status: 200 }, 200, None, ""),
        (
            Effect::WrongJson {
                status: 200,
                body: None,
            },
            200,
            Some("application/json"),
            "unexpected",
        ),
        (
            Effect::WrongJson {
                status: 200,
                body: Some(json!([null])),
            },
            200,
            Some("application/json"),
            "[null]",
        ),
        (
            Effect::BrokenJson { status: 200 },
            200,
            Some("application/json"),
            "brok",
        ),
    ] {
        let (backend, mut device) = struck_by(effect.clone()).await;
        let reply = device.refresh().await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (status, media),
            "{effect:?}"
        );
        let body = String::from_utf8(reply.body).expect("text");
        assert!(body.contains(part), "{effect:?}: {body}");
        assert_eq!(body.is_empty(), part.is_empty(), "{effect:?}");
        assert_eq!(tokens(&backend), 1, "{effect:?}");
        if matches!(effect, Effect::BrokenJson { .. }) {
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_err());
        }
    }
}

#[tokio::test]
async fn redirects_lead_where_they_are_told() {
    for status in [301, 302, 303, 307, 308] {
        let location = "http://127.0.0.1:9/elsewhere".to_owned();
        let (backend, mut device) = struck_by(Effect::Redirect {
            location: location.clone(),
            status,
        })
        .await;
        let reply = device.refresh().await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("location"), Some(location.as_str()));
        assert_eq!(tokens(&backend), 1);
    }
}

#[tokio::test]
async fn a_delay_before_or_after_the_work() {
    let (backend, mut device) = struck_by(Effect::Delay { ms: 150 }).await;
    let began = Instant::now();
    assert_eq!(device.refresh().await.status, 200, "late, but true");
    assert!(began.elapsed() >= Duration::from_millis(150));

    let late = Effect::Delay { ms: 60_000 };
    for (fault, expected) in [
        (Fault::on("POST", "/refresh-token", late.clone()), 2),
        (Fault::on("POST", "/refresh-token", late).after(), 3),
    ] {
        let faults = backend.faults();
        let id = faults.add(fault.times(1));
        let hung_up = tokio::time::timeout(Duration::from_millis(100), device.refresh()).await;
        assert!(hung_up.is_err(), "a hung request gets no answer");
        assert_eq!(faults.fired(id), Some(1));
        assert_eq!(tokens(&backend), expected);
        faults.clear();
    }
}

#[tokio::test]
async fn a_hang_lasts_until_somebody_gives_up() {
    let (backend, device) = struck_by(Effect::Hang {}).await;
    let request = raw::post(
        "/refresh-token",
        &device.refresh_token(),
        &json!({ "fingerprint": device.fingerprint() }),
    );
    let waited = raw::exchange(&backend, &request, Duration::from_millis(150)).await;
    assert_eq!((waited.bytes.len(), waited.end), (0, End::Open));

    backend
        .faults()
        .add(Fault::on("GET", "/health", Effect::Hang {}));
    let mut other = device.clone();
    let hanging = tokio::spawn(async move { other.try_send("GET", "/health", None).await });
    backend.reached("GET", "/health", 1).await;
    let began = Instant::now();
    backend.stop().await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "a hung request does not delay the stop"
    );
    assert!(hanging.await.expect("ends").is_err());
}

#[tokio::test]
async fn a_huge_body_is_as_large_as_it_says() {
    let (_backend, mut device) = struck_by(Effect::Huge { bytes: 3 << 20 }).await;
    let reply = device.refresh().await;
    assert_eq!((reply.status, reply.body.len()), (200, 3 << 20));
    assert_eq!(reply.header("content-length"), Some("3145728"));
    assert!(reply.json().is_object(), "JSON followed by spaces is valid");
    assert!(
        reply.set_cookie("__refresh_token").is_none(),
        "before: a stand-in"
    );

    let backend = start().await;
    let huge = Fault::on("POST", "/login", Effect::Huge { bytes: 2 << 20 });
    backend.faults().add(huge.after());
    let true_one = device_of(&backend).sign_in().await;
    assert_eq!(true_one.body.len(), 2 << 20);
    assert_eq!(
        true_one.json()["user"]["email"],
        DEMO,
        "a fault after the work pads the true answer"
    );
}

fn device_of(backend: &Backend) -> Device {
    Device::new(backend)
}

#[tokio::test]
async fn huge_headers_come_with_the_true_answer() {
    let (backend, device) = struck_by(Effect::HugeHeaders { bytes: 300 << 10 }).await;
    let request = raw::post(
        "/refresh-token",
        &device.refresh_token(),
        &json!({ "fingerprint": device.fingerprint() }),
    );
    let received = raw::exchange(&backend, &request, Duration::from_millis(300)).await;
    let head = received.head().expect("a head");
    assert!(head.len() > 300 << 10, "{}", head.len());
    assert!(head.contains("set-cookie: __refresh_token="));
    assert_eq!(received.body().len(), received.content_length());
}

#[tokio::test]
async fn a_drip_takes_its_time_and_arrives() {
    let (_backend, mut device) = struck_by(Effect::Drip {
        bytes: 40,
        every_ms: 10,
    })
    .await;
    let began = Instant::now();
    let reply = device.refresh().await;
    assert_eq!(reply.json()["user"]["email"], DEMO);
    let drops = u32::try_from(reply.body.len().div_ceil(40)).expect("few");
    assert!(began.elapsed() >= Duration::from_millis(10) * (drops - 1));

    let (backend, device) = struck_by(Effect::Drip {
        bytes: 1,
        every_ms: 60_000,
    })
    .await;
    let request = raw::post(
        "/refresh-token",
        &device.refresh_token(),
        &json!({ "fingerprint": device.fingerprint() }),
    );
    let received = raw::exchange(&backend, &request, Duration::from_millis(300)).await;
    assert_eq!(received.end, End::Open);
    assert_eq!(
        received.body().len(),
        1,
        "the head and one byte of the body"
    );
    assert!(received.content_length() > 100);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_of_the_true_answer() {
    let patch = serde_json::json!({"tokens": {"expires": null, "expiresIn": 7, "more": {"a": 1}}});
    let (backend, mut device) = struck_by(Effect::Patch { body: patch }).await;
    let before = tokens(&backend);
    let body = device.refresh().await.json();
    assert_eq!(body["tokens"]["expiresIn"], 7);
    assert_eq!(body["tokens"]["more"]["a"], 1);
    assert!(body["tokens"].get("expires").is_none(), "{body}");
    assert!(body["tokens"]["token"].is_string(), "the rest is as it was");
    assert_eq!(tokens(&backend), before + 1, "the work was done");
}

#[tokio::test]
async fn a_wrong_clock_shifts_dates_and_nothing_else() {
    const DECADE: i64 = 10 * 365 * 24 * 3600;
    for (seconds, century) in [(DECADE, "20"), (-DECADE, "20")] {
        let (backend, mut device) = struck_by(Effect::WrongClock { seconds }).await;
        let truth = backend
            .database()
            .metadata()
            .expect("a file")
            .modified()
            .expect("a date");
        let year_now = 1970 + truth.elapsed().map_or(0, |_| years_since_epoch());
        let reply = device.refresh().await;
        let body = reply.json();
        assert_eq!(body["tokens"]["expiresIn"], 900, "expiresIn is not shifted");
        let expires = body["tokens"]["expires"].as_str().expect("a date");
        assert!(expires.starts_with(century), "{expires}");
        let year: i64 = expires[..4].parse().expect("a year");
        let off = (year - year_now).abs();
        assert!((9..=11).contains(&off), "{expires}");
        let date = reply.header("date").expect("a date");
        assert!(
            date.contains(&expires[..4]) || off != 10,
            "{date} and {expires}"
        );
        assert_eq!(
            device.get("/me").await.status,
            200,
            "the token itself is valid"
        );
    }
}

fn years_since_epoch() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_secs()).expect("small") / 31_556_952
}
