//! The proxy in a desktop's settings: looked up where the environment names none, and again when no
//! connection can be made. Runs in a child process, without the proxy variables of the developer's
//! environment.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use vestibule_core::Obstacle;
use vestibule_core::transport::{
    DesktopProxy, HeaderMap, HttpRequest, HttpTransport, Method, NetworkSettings, RequestBody,
    Transport as _, Url,
};

/// Set in the child.
const CHILD: &str = "VESTIBULE_TEST_CHILD";
const VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// Whether this is the child process; otherwise runs the test in one.
fn is_child(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    for variable in VARIABLES {
        child.env_remove(variable);
    }
    let ended = child
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("it ran");
    let said = String::from_utf8_lossy(&ended.stdout);
    let failed = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}\n{failed}");
    assert!(said.contains("1 passed"), "{said}");
    false
}

struct Desktop {
    proxy: Option<Url>,
    asked: AtomicUsize,
}

impl Desktop {
    fn naming(proxy: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            proxy: proxy.map(|proxy| Url::parse(&proxy).expect("an address")),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Desktop {
    /// A transport on this desktop with this administrator's policy for the network.
    fn transport(self: Arc<Self>, backend: &Url, policy: Value) -> HttpTransport {
        let network = NetworkSettings {
            policy: serde_json::from_value(policy).expect("a network"),
            desktop: Some(self),
        };
        HttpTransport::with_network(network, backend, "test").expect("a client")
    }
}

impl DesktopProxy for Desktop {
    fn proxy_for(&self, _: &Url) -> Option<Url> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.proxy.clone()
    }
}

async fn obstacle(transport: &HttpTransport, url: &Url) -> Option<Obstacle> {
    let request = HttpRequest {
        method: Method::GET,
        url: url.clone(),
        headers: HeaderMap::new(),
        body: RequestBody::Empty,
        new_connection: false,
    };
    let sent = tokio::time::timeout(Duration::from_secs(25), transport.send(request));
    let sent = sent.await.expect("it ends");
    sent.err()
        .map(vestibule_core::transport::TransportError::obstacle)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desktops_proxy_is_used_and_looked_for_again_where_it_fails() {
    if !is_child("the_desktops_proxy_is_used_and_looked_for_again_where_it_fails") {
        return;
    }
    let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = proxy.local_addr().expect("its address");
    let heard = tokio::spawn(async move {
        let (mut client, _) = proxy.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.expect("a head"));
        }
        String::from_utf8(head).expect("text")
    });
    let backend = Url::parse("https://backend.invalid/v1").expect("an address");
    let desktop = Desktop::naming(Some(format!("http://{address}")));
    let transport = desktop.clone().transport(&backend, json!({}));
    // The proxy closes the connection.
    let refused = obstacle(&transport, &backend).await;
    assert_eq!(refused, Some(Obstacle::ProxyRefused));
    let head = heard.await.expect("heard");
    assert!(head.starts_with("CONNECT backend.invalid:443 "), "{head}");
    assert_eq!(desktop.asked.load(Ordering::SeqCst), 1);
    let gone = obstacle(&transport, &backend).await;
    assert_eq!(gone, Some(Obstacle::ProxyUnreachable));
    let asked = desktop.asked.load(Ordering::SeqCst);
    assert_eq!(asked, 2, "another network may have another proxy");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_stands_before_this_machine() {
    if !is_child("no_proxy_stands_before_this_machine") {
        return;
    }
    let backend = Url::parse("http://127.0.0.1:9/").expect("an address");
    let desktop = Desktop::naming(Some("http://proxy.invalid:3128".into()));
    let transport = desktop.clone().transport(&backend, json!({}));
    assert_eq!(
        obstacle(&transport, &backend).await,
        Some(Obstacle::Refused)
    );
    assert_eq!(
        desktop.asked.load(Ordering::SeqCst),
        0,
        "the desktop's settings are not read"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrators_word_goes_before_the_desktops() {
    if !is_child("an_administrators_word_goes_before_the_desktops") {
        return;
    }
    let backend = Url::parse("https://backend.invalid/v1").expect("an address");
    let desktop = Desktop::naming(Some("http://127.0.0.1:9".into()));
    let direct = desktop.clone().transport(&backend, json!({"proxy": false}));
    assert_eq!(
        obstacle(&direct, &backend).await,
        Some(Obstacle::NameUnknown)
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let policy = json!({"proxy": format!("socks5://{address}")});
    let socks = desktop.clone().transport(&backend, policy);
    let asking = tokio::spawn(async move { obstacle(&socks, &backend).await });
    let (mut client, _) = listener.accept().await.expect("a connection");
    // RFC 1928, section 3: the version and the methods of authentication.
    assert_eq!(client.read_u8().await.expect("a byte"), 5, "SOCKS 5");
    drop(client);
    asking.await.expect("it ends").expect("no answer");
    assert_eq!(
        desktop.asked.load(Ordering::SeqCst),
        0,
        "the desktop's settings are not read"
    );
}
