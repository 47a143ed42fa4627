//! Bytes beyond ASCII in headers: a page gets and sets them as it does with `fetch`, a redirect leads where
//! it does in a browser, and no cookie is dropped for them.

use std::sync::Arc;

use vestibule_core::wire::FetchRequest;

use crate::host::{Arrival, Host};
use crate::{Desk, WINDOW};
use vestibule_harness::*;

async fn desk() -> (Arc<Host>, Desk) {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |profile| {
        profile.api.allow.push("/b".into());
    });
    let desk = desk.await;
    (host, desk)
}

async fn asked(host: &Host, what: &str) -> Arrival {
    let arrival = soon(what, host.arrival()).await;
    assert!(arrival.head.starts_with(what), "{}", arrival.head);
    arrival
}

/// Answers with these header lines and an empty object.
async fn reply(mut arrival: Arrival, status: &str, lines: &[&[u8]]) {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n");
    let lines = lines.iter().flat_map(|line| [*line, b"\r\n"].concat());
    let answer: Vec<u8> = head.bytes().chain(lines).chain(*b"\r\n{}").collect();
    arrival.say_bytes(&answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_gets_a_character_for_each_byte() {
    let (host, desk) = desk().await;
    let answering = async {
        let lines = [
            &b"x-latin1: J\xfcrgen"[..],
            "x-utf8: J\u{fc}rgen".as_bytes(),
        ];
        reply(asked(&host, "GET /me").await, "200 OK", &lines).await;
    };
    let (fetched, ()) = tokio::join!(desk.fetch(1, "/me"), answering);
    let headers = fetched.expect("an answer").headers;
    let value = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(value("x-latin1"), Some("J\u{fc}rgen"));
    assert_eq!(
        value("x-utf8"),
        Some("J\u{c3}\u{bc}rgen"),
        "as fetch has it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_sets_a_byte_for_each_character() {
    let (host, desk) = desk().await;
    let request = FetchRequest {
        headers: vec![("x-name".into(), "J\u{fc}rgen".into())],
        ..get("/me")
    };
    let answering = async {
        let arrival = asked(&host, "GET /me").await;
        let head = arrival.head.clone();
        reply(arrival, "200 OK", &[]).await;
        head
    };
    let fetching = desk.calls.fetch(WINDOW, 1, &desk.session, request);
    let (fetched, head) = tokio::join!(fetching, answering);
    fetched.expect("an answer");
    assert!(head.contains("x-name: J\u{fc}rgen\r\n"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_to_the_bytes_that_it_names() {
    for (location, target) in [
        ("/b?x=\u{fc}".as_bytes(), "GET /b?x=%C3%BC "),
        (&b"/b?x=\xfc"[..], "GET /b?x=%FC "),
    ] {
        let (host, desk) = desk().await;
        let answering = async {
            let line = [b"location: ", location].concat();
            reply(asked(&host, "GET /me").await, "302 Found", &[&line]).await;
            reply(asked(&host, target).await, "200 OK", &[]).await;
        };
        let (fetched, ()) = tokio::join!(desk.fetch(1, "/me"), answering);
        assert_eq!(fetched.expect("an answer").status, 200, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_goes_back_in_the_bytes_in_which_it_came() {
    let (host, desk) = desk().await;
    let answering = async {
        let lines = [
            &b"set-cookie: a=J\xfcrgen; Path=/"[..],
            "set-cookie: b=J\u{fc}rgen; Path=/".as_bytes(),
        ];
        reply(asked(&host, "GET /me").await, "200 OK", &lines).await;
        let arrival = asked(&host, "GET /me").await;
        let head = arrival.head.clone();
        reply(arrival, "200 OK", &[]).await;
        head
    };
    let fetching = async {
        desk.fetch(1, "/me").await.expect("an answer");
        desk.fetch(2, "/me").await.expect("an answer");
    };
    let ((), head) = tokio::join!(fetching, answering);
    assert!(
        head.contains("a=J\u{fc}rgen; b=J\u{c3}\u{bc}rgen"),
        "{head}"
    );
}
