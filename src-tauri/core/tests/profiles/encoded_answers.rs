//! Answers that were compressed although nobody asked for it.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use vestibule_core::ErrorCode;
use vestibule_core::wire::LoginInput;
use vestibule_harness::get;

use crate::played::Played;

const LOGIN: &str =
    r#"{"user":{"id":"u","name":"Ann","email":"ann@example.com"},"tokens":{"token":"a"}}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Answers every request with this body, compressed. Returns the heads of the requests.
async fn server(body: Vec<u8>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("one"));
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = heads.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (body, noted) = (gzip(&body), noted.clone());
            tokio::spawn(async move { answer(stream, &body, &noted).await });
        }
    });
    (address, heads)
}

async fn answer(mut stream: TcpStream, body: &[u8], noted: &Mutex<Vec<String>>) {
    let mut request = vec![0; 16 * 1024];
    let length = stream.read(&mut request).await.unwrap_or_default();
    let head = String::from_utf8_lossy(&request[..length]).to_lowercase();
    noted.lock().expect("not poisoned").push(head);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\
         Set-Cookie: __refresh_token=r; Path=/\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_answer_is_understood_and_calls_alone_ask_for_one() {
    let (address, heads) = server(LOGIN.into()).await;
    let played = Played::elsewhere(json!({"backend": address})).await;
    played.sign_in("ann@example.com", "pw").await;
    played.session.refresh().await.expect("renewed");
    let reply = played.session.fetch(get("/me")).await.expect("a call");
    assert_eq!((reply.status, reply.body.as_str()), (200, LOGIN));
    let names = |name: &str| reply.headers.iter().any(|(held, _)| held == name);
    assert!(!names("content-encoding") && !names("content-length"));
    for head in heads.lock().expect("not poisoned").iter() {
        let wanted = match head.starts_with("get /me ") {
            true => "\r\naccept-encoding: gzip, deflate, br\r\n",
            false => "\r\naccept-encoding: identity\r\n",
        };
        assert!(head.contains(wanted), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decodes_to_more_than_is_read_is_refused() {
    let bomb = [LOGIN.as_bytes(), &vec![b' '; 2 << 20]].concat();
    let (address, _) = server(bomb).await;
    let played = Played::elsewhere(json!({"backend": address})).await;
    let refused = played
        .session
        .login(LoginInput::new("ann@example.com", "pw"))
        .await;
    assert_eq!(refused.expect_err("too large").code, ErrorCode::TooLarge);
}
