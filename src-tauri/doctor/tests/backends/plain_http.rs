//! Whether plain http leads to https. A test cannot open ports 80 and 443, so the program connects
//! through a proxy, which knows where `backend.test` is.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use vestibule_backend::Config;
use vestibule_harness::{Authority, Front, Shows, start_backend};

use crate::support::{program, text};
use crate::tls::row;

const NAME: &str = "backend.test";

/// A proxy: tunnels lead to the backend's TLS, and every plain request is answered with `plain`.
struct Proxy {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Proxy {
    async fn to(front: SocketAddr, plain: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, front, plain));
            }
        });
        Self { address, serving }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(mut client: TcpStream, front: SocketAddr, plain: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    if head.starts_with(&format!("CONNECT {NAME}:443 ")) {
        let mut front = TcpStream::connect(front).await?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        tokio::io::copy_bidirectional(&mut client, &mut front).await?;
    } else if head.starts_with(&format!("GET http://{NAME}/ ")) {
        client.write_all(plain.as_bytes()).await?;
    }
    client.shutdown().await
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_plain_http_is_served_is_told_by_what_it_answers() {
    let backend = start_backend(Config {
        secure_cookies: true,
        ..Config::default()
    })
    .await;
    let authority = Authority::new();
    let front = Front::before(backend.address(), NAME, &authority, Shows::Good).await;
    let (yes, no) = ("yes", "no");
    for (plain, holds, says) in [
        (
            "HTTP/1.1 301 Moved\r\nlocation: https://backend.test/\r\ncontent-length: 0\r\n\r\n",
            yes,
            "301 to https",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://backend.test/in\r\ncontent-length: 0\r\n\r\n",
            no,
            "302 in the clear",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            no,
            "200 in the clear",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
            yes,
            "a proxy",
        ),
        ("", yes, "nothing is served without TLS"),
    ] {
        let serving = Proxy::to(front.address, plain).await;
        let proxy = format!("http://{}", serving.address);
        let arguments = ["--backend", "https://backend.test", "--json"];
        let ended = program(&arguments, "")
            .with("SSL_CERT_FILE", authority.file())
            .with("http_proxy", &proxy)
            .with("https_proxy", &proxy)
            .with("no_proxy", "")
            .run()
            .await;
        let report = serde_json::from_slice(&ended.stdout);
        let report: serde_json::Value =
            report.unwrap_or_else(|_| panic!("{}", text(&ended.stderr)));
        let found = row(&report, "plain_http");
        assert_eq!(found["holds"], holds, "{plain:?}: {report:#}");
        assert!(
            found["got"].to_string().contains(says),
            "{plain:?}: {found:#}"
        );
        let told = found["advice"].to_string().contains("redirect to https");
        assert_eq!(told, holds == no, "{found:#}");
        assert_eq!(
            report["counts"]["fail"], 0,
            "the app never uses it: {report:#}"
        );
    }
}
