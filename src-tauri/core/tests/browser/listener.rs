//! The port to which the browser comes back, under a flood.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;
use vestibule_core::ErrorCode;
use vestibule_core::browser::LONGEST_REDIRECT;
use vestibule_core::wire::SignInOutcome;
use vestibule_harness::code;

use super::{App, approve_as_demo, outcome, parameter, visit};

fn port_of(back: &Url) -> u16 {
    back.port().expect("a port")
}

async fn raw(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("connected");
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_does_not_keep_the_browser_out() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    let port = port_of(&back);
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(
            TcpStream::connect(("127.0.0.1", port))
                .await
                .expect("connected"),
        );
    }
    for stream in &mut silent {
        let _ = stream.write_all(b"GET /callback?").await;
    }
    assert_eq!(visit(&back).await.status, 303);
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_hold_up_neither_the_redirect_nor_the_page() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    let silent = async || {
        let mut all = Vec::new();
        for _ in 0..10 {
            let connected = TcpStream::connect(("127.0.0.1", port_of(&back))).await;
            all.push(connected.expect("connected"));
        }
        all
    };
    let _before = silent().await;
    assert_eq!(visit(&back).await.status, 303);
    // Those that a browser opens before it needs them are first in line.
    let _after = silent().await;
    let done = visit(&back.join("/done").expect("an address")).await;
    assert_eq!(done.status, 200);
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

/// The longest address of a redirect, which a person may paste too, with as many headers as browsers send.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_redirect_is_taken() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    let host = format!("127.0.0.1:{}", port_of(&back));
    let padding = LONGEST_REDIRECT - back.as_str().len() - "&x=".len();
    let long = format!("{back}&x={}", "x".repeat(padding));
    let target = long
        .strip_prefix(&format!("http://{host}"))
        .expect("a path");
    let cookies = "x".repeat(12 * 1024);
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nCookie: a={cookies}\r\n\r\n");
    let answer = raw(port_of(&back), request.as_bytes()).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_of_a_browser_is_answered_and_forgotten() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    let port = port_of(&back);
    let long = "x".repeat(40_000);
    let many = "a: b\r\n".repeat(200);
    let query = back.query().expect("a query");
    for bytes in [
        b"\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        format!("GET /callback?{query} HTTP/1.1\r\n\r\n").into_bytes(),
        format!("GET /callback?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n\r\n").into_bytes(),
        format!("GET http://127.0.0.1:{port}/callback?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").into_bytes(),
        format!("GET /callback?{long} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").into_bytes(),
        format!("GET /callback HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{many}\r\n").into_bytes(),
        format!("DELETE /callback?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").into_bytes(),
    ] {
        let mut bytes = bytes;
        if !bytes.ends_with(b"\r\n\r\n") {
            bytes.extend_from_slice(b"\r\n\r\n");
        }
        let answer = raw(port, &bytes).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || text.starts_with("HTTP/1.1 404"), "{text}");
    }
    assert!(app.pending().is_some());
    visit(&back).await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_ports_are_tried_in_order_and_said_when_taken() {
    let first = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let taken = first.local_addr().expect("an address").port();
    let free = {
        let other = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port");
        other.local_addr().expect("an address").port()
    };
    let app = App::with(json!({"ports": [taken, free]})).await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let redirect = parameter(&address, "redirect_uri").expect("one");
    assert_eq!(redirect, format!("http://127.0.0.1:{free}/callback"));
    app.install.session.cancel_browser_sign_in();
    let _ = outcome(attempt).await;

    let app = App::with(json!({"ports": [taken]})).await;
    let failed = outcome(app.click()).await;
    assert_eq!(code(&failed), Some(ErrorCode::CannotStart));
    assert!(failed.unwrap_err().message.contains("Another program"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_loopback_address_is_used_where_it_is_wanted() {
    let app = App::with(json!({"loopback": "::1"})).await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let redirect = parameter(&address, "redirect_uri").expect("one");
    assert!(redirect.starts_with("http://[::1]:"), "{redirect}");
    visit(&approve_as_demo(&address).await).await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}
