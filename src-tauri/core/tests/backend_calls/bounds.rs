//! How much the core keeps for a page that sends requests without end.

use std::sync::Arc;

use vestibule_core::ErrorCode;
use vestibule_core::testing::PIECE;

use crate::host::Host;
use crate::{Desk, WINDOW, post};
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_is_too_large_is_refused_with_the_bound_in_words() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    desk.upload(1, &post("/transfer", None, false))
        .expect("begun");
    let refused = desk.calls.write(WINDOW, 1, &vec![1; PIECE + 1]).await;
    let refused = refused.expect_err("too large");
    assert_eq!(refused.code, ErrorCode::TooLarge);
    assert!(refused.message.contains(&PIECE.to_string()), "{refused}");
    let next = desk.calls.write(WINDOW, 1, b"fits").await;
    assert_eq!(next, Ok(true), "the upload goes on");
}

/// The backend reads nothing, so that pieces wait: a few of them, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_do_not_wait_for_each_other_end_the_upload() {
    let host = Host::start().await;
    let desk = Arc::new(Desk::at(&host.url, |_| {}).await);
    desk.upload(1, &post("/transfer", None, false))
        .expect("begun");
    let _arrival = host.arrival().await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let desk = desk.clone();
        writers.spawn(async move {
            let piece = vec![1; PIECE];
            desk.calls.write(WINDOW, 1, &piece).await
        });
    }
    let written = soon("all pieces to be answered", writers.join_all()).await;
    let codes = |code| {
        let refused = written.iter().filter_map(|result| result.as_ref().err());
        refused.filter(|error| error.code == code).count()
    };
    assert!(codes(ErrorCode::RateLimited) >= 1, "{written:?}");
    let end = desk.calls.write(WINDOW, 1, b"more").await;
    assert!(end.is_err(), "a body that lacks a piece is not sent");
    assert_eq!(desk.calls.count(WINDOW), 0);
}

/// Small binary answers are held until they are read. Of two windows, the one that has most of them
/// loses its oldest.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_held_up_to_a_bound() {
    const SIZE: usize = 250_000;
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    let mut arrivals = Vec::new();
    let mut ask = async |window: &str, number: u64| {
        let request = get("/me");
        let (reply, arrival) = tokio::join!(
            desk.calls.fetch(window, number, &desk.session, request),
            async {
                let mut arrival = host.arrival().await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {SIZE}\r\n\r\n"
                );
                arrival.say(&head).await;
                arrival.say_bytes(&vec![0xff; SIZE]).await;
                arrival
            }
        );
        arrivals.push(arrival);
        assert!(reply.expect("an answer").streamed);
    };
    ask("modest", 1).await;
    for number in 0..60 {
        ask(WINDOW, number).await;
    }
    let held = desk.calls.count(WINDOW);
    assert!((30..=33).contains(&held), "{held} answers are held");
    assert_eq!(
        desk.calls.count("modest"),
        1,
        "another window keeps its answer"
    );
    let newest = desk.calls.read(WINDOW, 59).await;
    newest.expect("the newest can be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_of_windows_that_were() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    for number in 0..1_000 {
        let window = format!("window-{number}");
        let begun = desk
            .calls
            .upload(&window, 1, &desk.session, &post("/transfer", None, false));
        begun.expect("begun");
        desk.calls.page_left(&window);
    }
    assert_eq!(desk.calls.windows_known(), 0);
}
