//! Faults that cut the connection, observed on the socket.

use serde_json::json;
use vestibule_backend::{Backend, Cut, Effect, Fault, Point};

use crate::raw::{self, End, PATIENT, Received};
use crate::support::{DEMO, Device, start};

/// Signs in, adds a fault to the refresh, and refreshes over a raw socket.
async fn refreshed_under(
    fault: impl FnOnce(Fault) -> Fault,
    effect: Effect,
) -> (Backend, Device, Received) {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let planned = fault(Fault::on("POST", "/refresh-token", effect).times(1));
    backend.faults().add(planned);
    let request = raw::post(
        "/refresh-token",
        &device.refresh_token(),
        &json!({ "fingerprint": device.fingerprint() }),
    );
    let received = raw::exchange(&backend, &request, PATIENT).await;
    assert_eq!(
        backend.requests("POST", "/refresh-token"),
        1,
        "struck, and counted"
    );
    (backend, device, received)
}

fn tokens(backend: &Backend) -> u32 {
    backend.sessions(DEMO)[0].tokens
}

fn as_it_is(fault: Fault) -> Fault {
    fault
}

#[tokio::test]
async fn a_truncated_body_has_its_headers_whole() {
    for (cut, end) in [(Cut::Close, End::Closed), (Cut::Reset, End::Reset)] {
        let (backend, mut device, received) =
            refreshed_under(as_it_is, Effect::Truncate { cut }).await;
        let head = received.head().expect("the whole head arrives");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = received.content_length();
        assert!(length > 100, "content-length names the whole body");
        assert_eq!(
            received.body().len(),
            length / 2,
            "half of the body arrives"
        );
        assert_eq!(received.end, end);
        assert_eq!(tokens(&backend), 2, "the refresh was committed");

        let cookie = head
            .split("__refresh_token=")
            .nth(1)
            .expect("the cookie arrives");
        let token = cookie.split(';').next().expect("a value").to_owned();
        let mut next = device.with_refresh_token(&token);
        assert_eq!(
            next.refresh().await.status,
            200,
            "the cookie's token is valid"
        );
        assert_eq!(
            device.refresh().await.status,
            401,
            "the parent is no longer valid"
        );
    }
}

#[tokio::test]
async fn a_reset_before_the_headers_never_reaches_the_database() {
    let at = Point::BeforeHeaders;
    let (backend, mut device, received) = refreshed_under(as_it_is, Effect::Reset { at }).await;
    assert_eq!((received.bytes.len(), received.end), (0, End::Reset));
    assert_eq!(tokens(&backend), 1);
    assert_eq!(device.refresh().await.status, 200);
}

#[tokio::test]
async fn a_reset_in_the_headers() {
    let at = Point::InHeaders;
    let (backend, mut device, received) = refreshed_under(as_it_is, Effect::Reset { at }).await;
    assert!(
        received.text().starts_with("HTTP/1.1 200 OK\r\n"),
        "{}",
        received.text()
    );
    assert!(
        received.head().is_none(),
        "the headers are cut off: {}",
        received.text()
    );
    assert_eq!(received.end, End::Reset);
    assert_eq!(tokens(&backend), 2, "the refresh was committed");
    assert_eq!(
        device.refresh().await.status,
        200,
        "within the grace window the successor comes again"
    );
    assert_eq!(tokens(&backend), 2);
}

#[tokio::test]
async fn a_reset_after_the_headers() {
    let at = Point::AfterHeaders;
    let (backend, _device, received) = refreshed_under(as_it_is, Effect::Reset { at }).await;
    let head = received.head().expect("the whole head arrives");
    assert!(head.contains("set-cookie: __refresh_token="), "{head}");
    assert!(received.content_length() > 100);
    assert_eq!((received.body().len(), received.end), (0, End::Reset));
    assert_eq!(tokens(&backend), 2);
}

#[tokio::test]
async fn resets_may_strike_before_or_after_the_work_at_any_point() {
    for at in [Point::BeforeHeaders, Point::InHeaders, Point::AfterHeaders] {
        let (backend, _, received) = refreshed_under(Fault::before, Effect::Reset { at }).await;
        assert_eq!((received.end, tokens(&backend)), (End::Reset, 1), "{at:?}");
        let (backend, _, received) = refreshed_under(Fault::after, Effect::Reset { at }).await;
        assert_eq!((received.end, tokens(&backend)), (End::Reset, 2), "{at:?}");
    }
}

#[tokio::test]
async fn a_drop_after_the_commit_is_silent() {
    for (cut, end) in [(Cut::Close, End::Closed), (Cut::Reset, End::Reset)] {
        let (backend, mut device, received) = refreshed_under(as_it_is, Effect::Drop { cut }).await;
        assert_eq!((received.bytes.len(), received.end), (0, end));
        assert_eq!(
            tokens(&backend),
            2,
            "the refresh is committed although its answer is lost"
        );
        assert_eq!(
            device.refresh().await.status,
            200,
            "within the grace window the parent refreshes again"
        );
    }
    let drop = Effect::Drop { cut: Cut::Close };
    let (backend, _, received) = refreshed_under(Fault::before, drop).await;
    assert_eq!((received.end, tokens(&backend)), (End::Closed, 1));
}

#[tokio::test]
async fn a_lost_answer_costs_the_session_when_strict() {
    let drop = Effect::Drop { cut: Cut::Close };
    let (backend, mut device, _) = refreshed_under(as_it_is, drop).await;
    backend.set_grace(std::time::Duration::ZERO);
    assert_eq!(
        device.refresh().await.refused(),
        (401, "REFRESH_REUSED".into())
    );
}

#[tokio::test]
async fn an_answer_without_a_body_can_be_cut_as_well() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    backend.faults().add(Fault::on(
        "POST",
        "/logout",
        Effect::Truncate { cut: Cut::Close },
    ));
    let request = format!(
        "POST /logout HTTP/1.1\r\nhost: x\r\ncookie: __refresh_token={}\r\ncontent-length: 0\r\n\r\n",
        device.refresh_token()
    );
    let received = raw::exchange(&backend, request.as_bytes(), PATIENT).await;
    assert!(received.head().expect("a head").starts_with("http/1.1 204"));
    assert_eq!(received.end, End::Closed);
}

#[tokio::test]
async fn other_connections_are_not_concerned() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.sign_in().await;
    let mut other = Device::new(&backend);
    assert_eq!(other.get("/health").await.status, 200);
    backend.faults().add(Fault::on(
        "POST",
        "/refresh-token",
        Effect::Drop { cut: Cut::Reset },
    ));
    for _ in 0..20 {
        assert!(device.try_refresh().await.is_err());
        assert_eq!(other.get("/health").await.status, 200);
    }
}
