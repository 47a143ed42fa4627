//! Calls end with the page that began them, and no other page can use them.

use std::sync::Arc;

use vestibule_core::ErrorCode;

use crate::host::{Arrival, Host};
use crate::{Desk, WINDOW, post};
use vestibule_harness::*;

const FLOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 900000000\r\n\r\n";

async fn desk() -> (Arc<Host>, Arc<Desk>) {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    (host, Arc::new(desk))
}

/// How an exchange is ended.
#[derive(Clone, Copy, Debug)]
enum End {
    Cancelled,
    Left,
}

impl End {
    const ALL: [Self; 2] = [Self::Cancelled, Self::Left];

    fn come(self, desk: &Desk) {
        match self {
            Self::Cancelled => desk.calls.cancel(WINDOW, 1),
            Self::Left => desk.calls.page_left(WINDOW),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_answer_yet_ends() {
    for end in End::ALL {
        let (host, desk) = desk().await;
        let (result, ()) = tokio::join!(desk.fetch(1, "/me"), async {
            let arrival = host.arrival().await;
            end.come(&desk);
            soon("the connection to end", arrival.until_left()).await;
        });
        assert!(result.is_err(), "{end:?}");
        assert_eq!(desk.calls.count(WINDOW), 0);
    }
}

async fn downloading(host: &Host, desk: &Desk) -> Arrival {
    let (reply, arrival) = tokio::join!(desk.fetch(1, "/me"), async {
        let mut arrival = host.arrival().await;
        arrival.say(FLOOD).await;
        arrival.say("some").await;
        arrival
    });
    assert!(reply.expect("an answer").streamed);
    let piece = desk.calls.read(WINDOW, 1).await.expect("a piece");
    assert_eq!(piece, b"some");
    arrival
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_being_read_ends_read_or_not() {
    for end in End::ALL {
        for reading in [true, false] {
            let (host, desk) = desk().await;
            let arrival = downloading(&host, &desk).await;
            let read = reading.then(|| {
                let desk = desk.clone();
                tokio::spawn(async move { desk.calls.read(WINDOW, 1).await })
            });
            end.come(&desk);
            soon("the connection to end", arrival.until_left()).await;
            if let Some(read) = read {
                let read = soon("the read to end", read).await.expect("no panic");
                assert!(read.is_err(), "{end:?}: a read of what has ended");
            }
            assert_eq!(desk.calls.count(WINDOW), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_never_ended_as_if_it_were_whole() {
    for end in End::ALL {
        for told in [None, Some(900_000)] {
            let (host, desk) = desk().await;
            desk.upload(1, &post("/transfer", told, true))
                .expect("begun");
            desk.give(1, b"half of it").await;
            let mut arrival = host.arrival().await;
            arrival.until_heard(b"half of it").await;
            end.come(&desk);
            let came = soon("the connection to end", arrival.until_left()).await;
            assert!(
                !came.ends_with(b"0\r\n\r\n"),
                "{end:?}: the upload looks complete"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_waits_ends() {
    for end in End::ALL {
        let (host, desk) = desk().await;
        desk.upload(1, &post("/transfer", None, true))
            .expect("begun");
        let giving = {
            let desk = desk.clone();
            tokio::spawn(async move {
                let give = || desk.calls.write(WINDOW, 1, &[1; 200_000]);
                while give().await.is_ok() {}
            })
        };
        let mut arrival = host.arrival().await;
        arrival.until_heard(&[1; 100]).await;
        end.come(&desk);
        soon("the upload to end", giving).await.expect("no panic");
        soon("the connection to end", arrival.until_left()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_into_another_window() {
    let (host, desk) = desk().await;
    let _arrival = downloading(&host, &desk).await;
    let read = desk.calls.read("window-2", 1).await;
    assert_eq!(code(&read), Some(ErrorCode::Internal));
    desk.calls.cancel("window-2", 1);
    desk.calls.page_left("window-2");
    assert_eq!(
        desk.calls.count(WINDOW),
        1,
        "the exchange belongs to the other page"
    );
    let again = desk.fetch(1, "/me").await;
    assert_eq!(
        code(&again),
        Some(ErrorCode::Internal),
        "the number is taken"
    );
    assert_eq!(desk.calls.count(WINDOW), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_has_gone_begins_nothing_any_more() {
    let (host, desk) = desk().await;
    let (old, new) = (7 << 20, 8 << 20);
    let asked = desk.upload(old + 1, &post("/transfer", None, false));
    asked.expect("a page that is there");
    desk.calls.page_left(WINDOW);
    assert!(
        desk.fetch(old + 2, "/me").await.is_err(),
        "the old page is gone"
    );
    assert!(
        desk.upload(old + 3, &post("/transfer", None, true))
            .is_err()
    );
    assert_eq!(desk.calls.count(WINDOW), 0);
    let (reply, ()) = tokio::join!(desk.fetch(new + 1, "/me"), async {
        let mut arrival = host.arrival().await;
        while arrival.head.starts_with("POST") {
            arrival = host.arrival().await;
        }
        arrival
            .say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await;
    });
    assert_eq!(reply.expect("the answer to the next page").body, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_make_room_and_those_in_use_do_not() {
    let (host, desk) = desk().await;
    let mut arrivals = Vec::new();
    for number in 0..64 {
        let (reply, arrival) = tokio::join!(desk.fetch(number, "/me"), async {
            let mut arrival = host.arrival().await;
            arrival.say(FLOOD).await;
            arrival.say("some").await;
            arrival
        });
        assert!(reply.expect("an answer").streamed);
        arrivals.push(arrival);
    }
    // The first exchange is the oldest, but it was read from just now.
    desk.calls.read(WINDOW, 0).await.expect("a piece");
    desk.upload(100, &post("/transfer", None, false))
        .expect("room");
    assert_eq!(desk.calls.count(WINDOW), 64);
    let given_up = arrivals.remove(1);
    soon("the oldest to be given up", given_up.until_left()).await;
    for number in 101..164 {
        desk.upload(number, &post("/transfer", None, false))
            .expect("room");
    }
    let more = desk.upload(200, &post("/transfer", None, false));
    assert_eq!(
        code(&more),
        Some(ErrorCode::Busy),
        "all exchanges are in use"
    );
}
