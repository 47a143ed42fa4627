//! Time limits: a backend that pauses for too long, at each step; a page, which may.

use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

#[cfg(target_os = "linux")]
use tokio::net::{TcpListener, TcpSocket, TcpStream};
#[cfg(target_os = "linux")]
use vestibule_core::backend::Backend;
use vestibule_core::profile::Profile;
#[cfg(target_os = "linux")]
use vestibule_core::{Device, ErrorCode};

use crate::host::Host;
use crate::{Desk, WINDOW, post};
use vestibule_harness::*;

/// The shortest limits that a profile allows.
fn hasty(profile: &mut Profile) {
    profile.api.idle_within_s = 1;
    profile.api.answer_within_s = 1;
}

/// A listener whose queue is full: Linux drops further connections, as a network does in which
/// packets get lost.
#[cfg(target_os = "linux")]
struct Crowded {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

#[cfg(target_os = "linux")]
impl Crowded {
    async fn start() -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let listener = socket.listen(1)?;
        let mut queue = Vec::new();
        let moment = Duration::from_millis(300);
        while let Ok(taken) =
            tokio::time::timeout(moment, TcpStream::connect(listener.local_addr()?)).await
        {
            queue.push(taken?);
        }
        Ok(Self {
            listener,
            _queue: queue,
        })
    }
}

/// Ends long before the 30 s that a whole call may take.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_takes_no_connection_is_given_up_after_five_seconds() {
    let crowded = Crowded::start().await.expect("a crowded place");
    let address = crowded.listener.local_addr().expect("an address");
    let profile = Profile {
        backend: format!("http://{address}").parse().expect("an address"),
        ..Profile::default()
    };
    let backend = Backend::new(profile, "test").expect("a client");
    let begun = Instant::now();
    let (input, device) = (login(DEMO), Device::unrecorded("test"));
    let answer = backend.login(&input, &device);
    let error = soon("the call to end", answer).await.err();
    let waited = begun.elapsed();
    assert_eq!(
        error.map(|failed| failed.error.code),
        Some(ErrorCode::Unreachable)
    );
    let limit = Duration::from_millis(4_900)..Duration::from_secs(15);
    assert!(limit.contains(&waited), "the call ended after {waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_is_given_up() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, hasty).await;
    let (result, arrival) = tokio::join!(desk.fetch(1, "/me"), host.arrival());
    assert_eq!(code(&result), Some(ErrorCode::Unreachable));
    soon("the connection to end", arrival.until_left()).await;
    assert!(
        is_fresh(&desk.session.snapshot().state),
        "a slow call says nothing about the session"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_coming_is_given_up() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, hasty).await;
    let (reply, arrival) = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\nabc";
        arrival.say(head).await;
        arrival
    });
    assert!(reply.expect("an answer").streamed);
    let read = desk.read(1).await;
    assert_eq!(code(&read), Some(ErrorCode::Unreachable));
    soon("the connection to end", arrival.until_left()).await;
}

/// Events are rare, so they have a limit of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_may_be_silent_for_longer() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
    let host = Host::start().await;
    let desk = Desk::at(&host.url, hasty).await;
    let (reply, mut arrival) = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        arrival.say(head).await;
        arrival
    });
    assert!(reply.expect("an answer").streamed);
    let piece = desk.calls.read(WINDOW, 1).await.expect("the first");
    assert_eq!(piece, b"data: 1\n\n");
    let (piece, ()) = tokio::join!(desk.calls.read(WINDOW, 1), async {
        // Longer than any other body may pause.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        arrival.say("9\r\ndata: 2\n\n\r\n").await;
    });
    assert_eq!(piece.expect("the second"), b"data: 2\n\n");

    // But not for ever.
    let impatient = |profile: &mut Profile| profile.api.events_within_s = 1;
    let desk = Desk::at(&host.url, impatient).await;
    let (reply, arrival) = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        arrival.say(head).await;
        arrival
    });
    assert!(reply.expect("an answer").streamed);
    let read = desk.read(1).await;
    assert_eq!(code(&read), Some(ErrorCode::Unreachable));
    soon("the connection to end", arrival.until_left()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_takes_no_more_is_given_up() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, hasty).await;
    desk.upload(1, &post("/transfer", None, false))
        .expect("begun");
    let (result, arrival) = tokio::join!(
        async {
            // More than the buffers on the way can hold.
            desk.give(1, &vec![1; 64 << 20]).await;
            desk.answer(1).await
        },
        host.arrival(),
    );
    assert_eq!(code(&result), Some(ErrorCode::Unreachable));
    soon("the connection to end", arrival.until_left()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_takes_its_time_is_not_given_up() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, hasty).await;
    desk.upload(1, &post("/transfer", None, false))
        .expect("begun");
    desk.give(1, b"first").await;
    let mut arrival = host.arrival().await;
    arrival.until_heard(b"first").await;
    // Longer than a backend may pause.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    desk.give(1, b"second").await;
    let (reply, ()) = tokio::join!(desk.answer(1), async {
        arrival.until_heard(b"second").await;
        arrival.until_heard(b"0\r\n\r\n").await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n";
        arrival.say(head).await;
        arrival.say(&"z".repeat(3_000_000)).await;
    });
    assert!(reply.expect("an answer").streamed);
    desk.calls.read(WINDOW, 1).await.expect("a piece");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    desk.read(1)
        .await
        .expect("the page reads the end of the body whenever it wants");
}
