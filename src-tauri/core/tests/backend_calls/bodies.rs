//! Bodies of any size and kind, against the bundled backend.

use sha2::{Digest as _, Sha256};
use vestibule_backend::{Backend, Config, Effect, Fault};
use vestibule_core::ErrorCode;

use crate::host::Host;
use crate::{Desk, WINDOW, json, pattern, post};
use vestibule_harness::*;

async fn desk() -> (Backend, Desk) {
    let backend = Backend::start(Config::default()).await.expect("a backend");
    let desk = Desk::at(&backend.url(), |_| {}).await;
    (backend, desk)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_text_is_one_round_trip() {
    let (_backend, desk) = desk().await;
    let reply = desk.fetch(1, "/me").await.expect("an answer");
    assert!(reply.body.contains(DEMO) && !reply.streamed);
    assert_eq!(desk.calls.count(WINDOW), 0, "the exchange has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_comes_in_pieces_whole_and_in_order() {
    let (_backend, desk) = desk().await;
    for length in [300_001, 9 << 20] {
        let path = format!("/transfer?bytes={length}");
        let reply = desk.fetch(1, &path).await.expect("an answer");
        assert!(
            reply.streamed && reply.body.is_empty(),
            "a binary body is streamed"
        );
        let wanted = length.to_string();
        let announced = reply
            .headers
            .iter()
            .find(|(name, _)| name == "content-length");
        assert_eq!(announced.map(|(_, value)| value), Some(&wanted));
        assert!(
            desk.read(1).await.expect("a body") == pattern(length),
            "{length}"
        );
        assert_eq!(
            desk.calls.count(WINDOW),
            0,
            "the exchange ends with the body"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_with_a_length_ends_with_its_last_byte() {
    let (_backend, desk) = desk().await;
    let reply = desk.fetch(1, "/transfer?bytes=3000000").await;
    let reply = reply.expect("an answer");
    assert!(reply.streamed);
    assert_eq!(reply.length, Some(3_000_000));
    let mut left = 3_000_000;
    while left > 0 {
        assert_eq!(desk.calls.count(WINDOW), 1, "it is open until then");
        let piece = desk.calls.read(WINDOW, 1).await.expect("a piece");
        assert!((1..=left.min(1 << 20)).contains(&piece.len()));
        left -= piece.len();
    }
    assert_eq!(desk.calls.count(WINDOW), 0, "no read is needed for the end");
    let after = desk.calls.read(WINDOW, 1).await;
    assert_eq!(code(&after), Some(ErrorCode::Internal), "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_with_a_length_shows_its_progress() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    let (reply, mut arrival) = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n";
        arrival.say(head).await;
        arrival.say("the beginning").await;
        arrival
    });
    assert_eq!(reply.expect("an answer").length, Some(300_000));
    let piece = soon("a piece", desk.calls.read(WINDOW, 1)).await;
    assert_eq!(piece.expect("what has come"), b"the beginning");
    let rest = "x".repeat(300_000 - "the beginning".len());
    let (read, ()) = tokio::join!(desk.read(1), arrival.say(&rest));
    assert_eq!(read.expect("the rest").len(), rest.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_piece_is_larger_than_it_may_be() {
    let (_backend, desk) = desk().await;
    desk.upload(2, &post("/transfer", None, false))
        .expect("begun");
    let large = desk.calls.write(WINDOW, 2, &[0; 256 * 1024 + 1]).await;
    assert_eq!(code(&large), Some(ErrorCode::TooLarge));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_goes_out_whole_and_in_order_with_or_without_its_length() {
    let (backend, desk) = desk().await;
    for (number, length) in [0, 7, 300_001, 9 << 20].into_iter().enumerate() {
        for (told, number) in [(Some(length), number * 2), (None, number * 2 + 1)] {
            let number = number as u64;
            let body = pattern(length);
            desk.upload(number, &post("/transfer", told, true))
                .expect("begun");
            desk.give(number, &body).await;
            let answer = json(&desk.answer(number).await.expect("an answer"));
            let digest = Sha256::digest(&body);
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(answer["bytes"], length);
            assert_eq!(answer["sha256"], digest, "{length} {told:?}");
            let sent = backend.last_request("POST", "/transfer").expect("one");
            let framing = if told.is_some() {
                "content-length"
            } else {
                "transfer-encoding"
            };
            assert!(sent.header(framing).is_some(), "{framing}");
            assert_eq!(
                sent.header("content-type"),
                Some("application/octet-stream")
            );
        }
    }
    assert_eq!(desk.calls.count(WINDOW), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_what_was_announced_is_no_body() {
    let (_backend, desk) = desk().await;
    for (number, told) in [(1, 100), (2, 10_000_000)] {
        desk.upload(number, &post("/transfer", Some(told), false))
            .expect("begun");
        desk.give(number, &[1; 5000]).await;
        let answer = desk.answer(number).await;
        assert_eq!(code(&answer), Some(ErrorCode::Unreachable), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_in_the_middle_is_heard() {
    let backend = Backend::start(Config {
        transfer_limit: 1 << 20,
        ..Config::default()
    });
    let backend = backend.await.expect("a backend");
    let desk = Desk::at(&backend.url(), |_| {}).await;
    for (number, told) in [(1, Some(40 << 20)), (2, None)] {
        desk.upload(number, &post("/transfer", told, true))
            .expect("begun");
        desk.give(number, &vec![7; 40 << 20]).await;
        let reply = desk.answer(number).await.expect("an answer");
        assert_eq!(reply.status, 413, "{told:?}");
        assert!(
            reply.body.contains("BODY_TOO_LARGE"),
            "and why: {}",
            reply.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_json_and_text_that_is_none_are_streamed() {
    let (backend, desk) = desk().await;
    let huge = Fault::on("GET", "/me", Effect::Huge { bytes: 3 << 20 });
    backend.faults().add(huge.times(1));
    let reply = desk.fetch(1, "/me").await.expect("an answer");
    assert!(reply.streamed);
    assert_eq!(desk.read(1).await.expect("a body").len(), 3 << 20);

    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    let kind = "content-type: text/plain\r\ncontent-length: 4\r\n\r\n";
    let asking = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        arrival.say(&format!("HTTP/1.1 200 OK\r\n{kind}")).await;
        use tokio::io::AsyncWriteExt as _;
        arrival.stream.write_all(b"a\xff\xfeb").await.expect("sent");
        arrival
    });
    assert!(asking.0.expect("an answer").streamed, "not text");
    assert_eq!(desk.read(1).await.expect("a body"), b"a\xff\xfeb");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_is_not_waited_for_and_json_is() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    let begun = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
        arrival.say(head).await;
        arrival
    });
    let (reply, mut arrival) = (begun.0.expect("an answer"), begun.1);
    assert!(reply.streamed, "a body that has not ended is streamed");
    let first = desk.calls.read(WINDOW, 1).await.expect("an event");
    assert_eq!(first, b"data: 1\n\n");
    let (second, ()) = tokio::join!(desk.calls.read(WINDOW, 1), arrival.say("data: 2\n\n"),);
    assert_eq!(second.expect("an event"), b"data: 2\n\n");
    drop(arrival);
    assert_eq!(desk.read(1).await.expect("the end"), b"");

    let whole = tokio::join!(desk.fetch(2, "/me"), async {
        let mut arrival = host.arrival().await;
        arrival
            .say("HTTP/1.1 200 OK\r\ncontent-type: Application/JSON\r\n\r\n{\"a\":")
            .await;
        arrival.say("1}").await;
    });
    assert_eq!(whole.0.expect("an answer").body, "{\"a\":1}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_no_end() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    let begun = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n";
        arrival.say(head).await;
        arrival.say(&"x".repeat(100_000)).await;
    });
    assert!(begun.0.expect("an answer").streamed);
    let read = desk.read(1).await;
    assert_eq!(code(&read), Some(ErrorCode::Unreachable));
    assert_eq!(desk.calls.count(WINDOW), 0, "the exchange has ended");
}
