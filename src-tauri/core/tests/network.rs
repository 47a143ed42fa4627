//! Through which proxy the backend is reached under an administrator's policy. A proxy here is a
//! listener that keeps the first line it receives and closes the connection.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;
use vestibule_core::transport::{
    HeaderMap, HttpRequest, HttpTransport, Method, NetworkSettings, RequestBody, Transport as _,
};

/// Long enough for any machine; only a failing test waits for all of it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A listener, and the first lines it receives.
fn listener() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    let (sender, lines) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(stream).read_line(&mut line);
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    (port, lines)
}

/// Sends one request to `address`, which is not answered.
async fn ask(address: &str, network: Value) {
    let network = NetworkSettings {
        policy: serde_json::from_value(network).expect("a network"),
        desktop: None,
    };
    let url = Url::parse(address).expect("an address");
    let transport = HttpTransport::with_network(network, &url, "test").expect("a client");
    let request = HttpRequest {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: RequestBody::Empty,
        new_connection: false,
    };
    assert!(transport.send(request).await.is_err(), "nobody answers");
}

#[tokio::test]
async fn what_goes_out_over_https_goes_by_the_proxy_unless_it_is_excepted() {
    let (port, lines) = listener();
    let proxy = format!("http://127.0.0.1:{port}");
    // RFC 6761 reserves `invalid`; it never has an address.
    for excepted in ["one.invalid", "*"] {
        let network = json!({"proxy": proxy, "no_proxy": [excepted]});
        ask("https://one.invalid/", network).await;
    }
    ask("https://one.invalid/", json!({"proxy": false})).await;
    let network = json!({"proxy": proxy, "no_proxy": ["other.invalid", "10.0.0.0/8"]});
    ask("https://two.invalid/", network).await;
    let heard = lines
        .recv_timeout(ANSWER_TIMEOUT)
        .expect("the proxy received a request");
    assert_eq!(heard, "CONNECT two.invalid:443 HTTP/1.1\r\n", "the first");
}

#[tokio::test]
async fn what_is_for_this_machine_has_no_proxy_whatever_is_said() {
    let (port, lines) = listener();
    let (backend, direct) = listener();
    let network = json!({"proxy": format!("http://127.0.0.1:{port}")});
    ask(&format!("http://127.0.0.1:{backend}/me"), network).await;
    let heard = direct
        .recv_timeout(ANSWER_TIMEOUT)
        .expect("the backend received a request");
    assert_eq!(
        heard, "GET /me HTTP/1.1\r\n",
        "the request has the form for a backend, not for a proxy"
    );
    assert!(lines.try_recv().is_err(), "the proxy received nothing");
}
