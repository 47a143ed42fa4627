//! The way to a backend: proxies that do not connect, and one that speaks SOCKS5. The program runs
//! with these proxies in the variables of its environment.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use vestibule_backend::Config;
use vestibule_core::Obstacle;
use vestibule_harness::{Authority, DEMO, Front, PASSWORD, Shows, start_backend};

use crate::support::{program, text};
use crate::tls::row;

/// Only the proxy knows this name: RFC 6761 keeps it free of addresses.
const NAME: &str = "backend.invalid";

/// A server. Ends when dropped.
struct Serving {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    async fn each<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client));
            }
        });
        Self { address, task }
    }

    /// A proxy that answers every `CONNECT` with this.
    async fn saying(answer: &'static str) -> Self {
        Self::each(move |mut client| async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await?);
            }
            client.write_all(answer.as_bytes()).await?;
            client.shutdown().await
        })
        .await
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A SOCKS5 proxy (RFC 1928) that leads every connection to one address and keeps what it was asked
/// for.
async fn socks5(to: SocketAddr, asked: Arc<Mutex<Vec<String>>>) -> Serving {
    Serving::each(move |mut client| {
        let asked = asked.clone();
        async move {
            let mut greeting = [0; 2];
            client.read_exact(&mut greeting).await?;
            let mut methods = vec![0; greeting[1].into()];
            client.read_exact(&mut methods).await?;
            client.write_all(&[5, 0]).await?;
            let mut request = [0; 4];
            client.read_exact(&mut request).await?;
            let host = match request[3] {
                3 => {
                    let mut name = vec![0; client.read_u8().await?.into()];
                    client.read_exact(&mut name).await?;
                    String::from_utf8_lossy(&name).into_owned()
                }
                kind => format!("an address of type {kind}"),
            };
            let port = client.read_u16().await?;
            let place = format!("{host}:{port}");
            asked.lock().expect("nobody panicked").push(place);
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
            let mut server = TcpStream::connect(to).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await?;
            Ok(())
        }
    })
    .await
}

async fn examined(variable: &str, proxy: &str, authority: &Authority) -> Value {
    let backend = format!("https://{NAME}");
    let arguments = ["--backend", &backend, "--email", DEMO, "--json"];
    let ended = program(&arguments, PASSWORD)
        .with("SSL_CERT_FILE", authority.file())
        .with(variable, proxy)
        .with("no_proxy", "")
        .run()
        .await;
    let report = serde_json::from_slice(&ended.stdout);
    report.unwrap_or_else(|_| panic!("{}", text(&ended.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_proxy_from_helping_is_named() {
    let authority = Authority::new();
    let denies = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    let wants = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                 proxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n";
    let denying = Serving::saying(denies).await;
    let wanting = Serving::saying(wants).await;
    let gone = Serving::saying("").await;
    let nothing_there = gone.address;
    drop(gone);
    for (variable, proxy, obstacle) in [
        (
            "https_proxy",
            format!("http://{}", denying.address),
            Obstacle::ProxyRefused,
        ),
        (
            "HTTPS_PROXY",
            format!("http://{}", wanting.address),
            Obstacle::ProxyPassword,
        ),
        (
            "https_proxy",
            format!("http://{nothing_there}"),
            Obstacle::ProxyUnreachable,
        ),
        (
            "all_proxy",
            format!("socks5://{nothing_there}"),
            Obstacle::ProxyUnreachable,
        ),
        (
            "ALL_PROXY",
            "gopher://127.0.0.1".into(),
            Obstacle::ProxyUnreachable,
        ),
    ] {
        let report = examined(variable, &proxy, &authority).await;
        let reachable = row(&report, "reachable");
        let words = obstacle.words();
        assert_eq!(reachable["holds"], "no", "{proxy}: {reachable:#}");
        assert_eq!(reachable["got"], words.problem, "{proxy}: {reachable:#}");
        let advice = &reachable["advice"][0];
        assert_eq!(advice["text"], words.advice, "{proxy}: {reachable:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_is_asked_for_names() {
    let backend = start_backend(Config {
        secure_cookies: true,
        ..Config::default()
    })
    .await;
    let authority = Authority::new();
    let front = Front::before(backend.address(), NAME, &authority, Shows::Good).await;
    for scheme in ["socks5", "socks5h", "socks"] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let proxy = socks5(front.address, asked.clone()).await;
        let address = format!("{scheme}://{}", proxy.address);
        let report = examined("ALL_PROXY", &address, &authority).await;
        assert_eq!(report["outcome"], "fits", "{scheme}: {report:#}");
        let asked = asked.lock().expect("nobody panicked").clone();
        let wanted = format!("{NAME}:443");
        assert!(asked.contains(&wanted), "{scheme}: {asked:?}");
        let others: Vec<_> = asked.iter().filter(|one| !one.starts_with(NAME)).collect();
        assert!(
            others.is_empty(),
            "a name was looked up on this machine: {others:?}"
        );
    }
}
