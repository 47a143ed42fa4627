//! Backends whose API gives out a new session after a change of the password or of the second
//! factor.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use vestibule_core::StoreError;
use vestibule_core::wire::FetchRequest;
use vestibule_recordings::Recording;

use crate::played::{Played, said};
use vestibule_harness::{Block, eventually, is_fresh, why};

const ANN: &str = "ann@example.com";
const LOGIN: &str = r#"POST /login -d {"email":"ann@example.com","password":"pw"}"#;
const WHO: &str = r#"{"user":{"id":"u","name":"Ann","email":"ann@example.com"}}"#;

fn profile(with_api: bool) -> Value {
    json!({
        "cookies": {"refresh": ["sid"], "device": false, "with_api": with_api},
        "endpoints": {
            "login": {"body": {"email": "$identifier", "password": "$password"}},
            "refresh": {"method": "GET", "path": "/session", "body": false},
        },
        "answer": {"login": {"access_token": []}, "refresh": {"access_token": []}},
        "ends": [{"status": 200, "pointer": "", "absent": true, "why": "expired"}],
        "api": {"allow": ["POST /password"]},
    })
}

fn change() -> FetchRequest {
    FetchRequest {
        path: "/password".into(),
        method: "POST".into(),
        headers: Vec::new(),
        body: None,
    }
}

async fn changed(with_api: bool, status: &str, cookie: &str) -> String {
    let recording = [
        said(LOGIN, "200 OK", &["Set-Cookie: sid=one; Path=/"], WHO),
        said("POST /password", status, &[cookie], "{}"),
    ];
    let recording = Recording::parse(&recording.concat());
    let played = Played::playing(recording, profile(with_api), "", &[]).await;
    played.sign_in(ANN, "pw").await;
    played.session.fetch(change()).await.expect("an answer");
    assert!(
        is_fresh(&played.session.snapshot().state),
        "still signed in"
    );
    played.kept()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_cookie_is_kept_where_calls_carry_them() {
    let new = "Set-Cookie: sid=two; Path=/; HttpOnly";
    assert_eq!(changed(true, "200 OK", new).await, "two");
    assert_eq!(
        changed(false, "200 OK", new).await,
        "one",
        "calls carry no refresh token"
    );
    assert_eq!(
        changed(true, "403 No", new).await,
        "one",
        "nothing was changed"
    );
    let gone = "Set-Cookie: sid=; Path=/; Max-Age=0";
    assert_eq!(
        changed(true, "200 OK", gone).await,
        "one",
        "only a refresh decides about the session"
    );
}

/// A sign-out may have left another session in a locked keyring. A record that says that the
/// keyring never held this session's item tells the two apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_the_keyring_never_held_leaves_no_trace_of_it() {
    let recording = [
        said(LOGIN, "200 OK", &["Set-Cookie: sid=one; Path=/"], WHO),
        said(
            "POST /password",
            "200 OK",
            &["Set-Cookie: sid=two; Path=/"],
            "{}",
        ),
    ];
    let recording = Recording::parse(&recording.concat());
    let played = Played::playing(recording, profile(true), "", &[]).await;
    played.store.block(Block::Fail(StoreError::Locked));
    played.sign_in(ANN, "pw").await;
    played.session.fetch(change()).await.expect("an answer");
    let record = played.record("session.json");
    assert_eq!(record["generation"], 2, "the new session was stored");
    assert_eq!(record["saved_generation"], Value::Null, "{record}");
    assert_eq!(record["until_quit"], true, "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_replaces_what_it_rejects_is_not_asked_without_end() {
    let mut recording = vec![said(LOGIN, "200 OK", &["Set-Cookie: sid=one; Path=/"], WHO)];
    let tokens = ["one", "two", "three", "four", "five"];
    recording.extend(tokens.windows(2).map(|tokens| {
        let asked = format!("GET /session -b jar -H Cookie: sid={}", tokens[0]);
        let cookie = format!("Set-Cookie: sid={}; Path=/", tokens[1]);
        said(&asked, "200 OK", &[&cookie], "null")
    }));
    let recording = Recording::parse(&recording.concat());
    let played = Played::playing(recording, profile(false), "", &[]).await;
    played.sign_in(ANN, "pw").await;
    let refreshed = played.session.refresh().await;
    played.check_no_strays();
    assert!(refreshed.is_err(), "{refreshed:?}");
    assert_eq!(
        played.asked("/session"),
        3,
        "then no further refresh is sent"
    );
    assert_eq!(played.kept(), "four", "the latest token is stored");
    assert_eq!(why(&played.session.snapshot().state), None);
}

/// The backend answers a refresh late. What it says about the session before the change does not
/// count.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_the_session_before_ends_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("it listens");
    let (asked, may_answer) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (reached, released) = (asked.clone(), may_answer.clone());
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, reached.clone(), released.clone()));
        }
    });
    let mut profile = profile(true);
    profile["backend"] = json!(format!("http://{address}"));
    let played = Played::elsewhere(profile).await;
    played.sign_in(ANN, "pw").await;
    let late = tokio::spawn({
        let session = played.session.clone();
        async move { session.refresh().await }
    });
    eventually("the refresh to arrive", || asked.available_permits() == 1).await;
    played.session.fetch(change()).await.expect("an answer");
    assert_eq!(played.kept(), "two");
    may_answer.add_permits(1);
    let renewed = late.await.expect("no panic");
    assert_eq!(
        renewed,
        Ok(()),
        "the refresh was sent once more, with the new token"
    );
    assert_eq!(asked.available_permits(), 2);
    assert_eq!(played.kept(), "two");
    assert!(is_fresh(&played.session.snapshot().state));
    serving.abort();
}

async fn serve(mut stream: TcpStream, asked: Arc<Semaphore>, may_answer: Arc<Semaphore>) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0)
        });
        if whole {
            let answer = answer(&text, &asked, &may_answer).await;
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            bytes.clear();
        } else if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

async fn answer(request: &str, asked: &Semaphore, may_answer: &Semaphore) -> String {
    let (cookie, body) = match request.split(' ').nth(1) {
        Some("/login") => ("set-cookie: sid=one; Path=/\r\n", WHO),
        Some("/password") => ("set-cookie: sid=two; Path=/\r\n", "{}"),
        _ => {
            asked.add_permits(1);
            if request.contains("sid=two") {
                ("", WHO)
            } else {
                let _permit = may_answer.acquire().await;
                ("set-cookie: sid=; Path=/; Max-Age=0\r\n", "null")
            }
        }
    };
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{cookie}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
