//! Proxies in the environment. Calls over plain http go to this machine and bypass them; calls over
//! https go through a tunnel, in which only the backend can read a credential, whatever the proxy
//! answers.

use std::io;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use vestibule_backend::Backend;
use vestibule_harness::child::{ChildProcess, command};
use vestibule_harness::{Lost, PASSWORD, REFRESH, account};

use super::other_servers::{OtherServer, Recorded};
use crate::children::network::NetworkProtocol;
use crate::registry::Setting;

/// The environment variables that name a proxy.
const NAMES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// What the proxy does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The backend uses plain http, so no connection may be made to the proxy.
    PlainHttp,
    /// It opens the tunnel that it is asked for.
    Honest,
    /// It claims that the tunnel is open and plays the backend, with a certificate of its own.
    Posing,
    /// The same, with a certificate that the machine trusts. The control: such a proxy reads all.
    Trusted,
    /// It claims that the tunnel is open and sends a web page.
    Page,
    /// It answers with a redirect.
    Redirecting,
    /// It asks for a password of its own.
    Greedy,
    /// It resets the connection.
    Resetting,
}

pub const ALL: [Treatment; 8] = [
    Treatment::PlainHttp,
    Treatment::Honest,
    Treatment::Posing,
    Treatment::Trusted,
    Treatment::Page,
    Treatment::Redirecting,
    Treatment::Greedy,
    Treatment::Resetting,
];

/// Runs a child process with this proxy in its environment.
pub async fn run(backend: &Backend, setting: &Setting, treatment: Treatment) -> Result<(), Lost> {
    let broken = |error: &dyn std::fmt::Display| format!("the surroundings: {error}");
    let email = account(backend)?;
    let (own, posing) = (Identity::new(), Identity::new());
    let (own, posing) = (
        own.map_err(|e| broken(&e))?,
        posing.map_err(|e| broken(&e))?,
    );
    let front = Front::start(&own, backend.address(), Arc::default()).await;
    let front = front.map_err(|error| broken(&error))?;
    let told = Arc::new(Recorded::default());
    let impostor = Front::start(&posing, backend.address(), told.clone()).await;
    let impostor = impostor.map_err(|error| broken(&error))?;
    let trap = OtherServer::start(([127, 0, 0, 2], 0)).await;
    let trap = trap.map_err(|error| broken(&error))?;
    let proxy = Tunnel::start(treatment, front.port, impostor.port, trap.address.port()).await;
    let proxy = proxy.map_err(|error| broken(&error))?;

    let folder = tempfile::tempdir().map_err(|error| broken(&error))?;
    let trusted = folder.path().join("trusted.pem");
    let pem = match treatment {
        Treatment::Trusted => &posing.pem,
        _ => &own.pem,
    };
    std::fs::write(&trusted, pem).map_err(|error| broken(&error))?;
    let address = match treatment {
        Treatment::PlainHttp => backend.url(),
        _ => format!("https://127.0.0.1:{}", front.port),
    };
    let mut start = command::<NetworkProtocol>(&setting.program, &(address, email))?;
    start
        .env("SSL_CERT_FILE", &trusted)
        .env_remove("SSL_CERT_DIR")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stderr(Stdio::null());
    for name in NAMES {
        start.env(name, format!("http://127.0.0.1:{}", proxy.port));
    }
    let mut child = ChildProcess::<NetworkProtocol>::start(start)?;
    let is_signed_in = child.ready().await?;
    child.leave().await?;
    let through = [Treatment::PlainHttp, Treatment::Honest, Treatment::Trusted];
    if is_signed_in != through.contains(&treatment) {
        return Err(format!("the process is signed in: {is_signed_in}"));
    }
    trap.check()?;
    if treatment == Treatment::PlainHttp && proxy.heard.connections() > 0 {
        return Err("plain http went through a proxy".into());
    }
    if treatment != Treatment::PlainHttp && proxy.heard.connections() == 0 {
        return Err("no connection was made to the proxy, so the run shows nothing".into());
    }
    let mut credentials = vec![PASSWORD.to_owned()];
    for (method, path) in [("POST", REFRESH), ("GET", "/me"), ("POST", "/logout")] {
        for request in backend.recent_requests(method, path) {
            credentials.extend(request.cookie("__refresh_token").map(str::to_owned));
            credentials.extend(request.header("authorization").map(str::to_owned));
        }
    }
    if credentials
        .iter()
        .any(|credential| proxy.heard.holds(credential))
    {
        return Err("the proxy received a credential".into());
    }
    let is_told = credentials.iter().any(|credential| told.holds(credential));
    match (treatment, is_told) {
        (Treatment::Trusted, false) => Err("the control received no credential".into()),
        (Treatment::Trusted, true) | (_, false) => Ok(()),
        (_, true) => Err("the proxy that plays the backend received a credential".into()),
    }
}

/// A certificate for this machine, and its key.
struct Identity {
    acceptor: TlsAcceptor,
    pem: String,
}

impl Identity {
    fn new() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            pem: own.cert.pem(),
        })
    }
}

/// TLS in front of the backend; records the decrypted requests.
struct Front {
    port: u16,
    serving: AbortHandle,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Front {
    async fn start(
        identity: &Identity,
        backend: std::net::SocketAddr,
        heard: Arc<Recorded>,
    ) -> io::Result<Self> {
        let acceptor = identity.acceptor.clone();
        let (port, serving) = serve(move |client| {
            let (acceptor, heard) = (acceptor.clone(), heard.clone());
            async move {
                let client = acceptor.accept(client).await?;
                let (mut from, mut to) = tokio::io::split(client);
                let backend = TcpStream::connect(backend).await?;
                let (mut back, mut forth) = backend.into_split();
                let answering = tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut back, &mut to).await;
                    let _ = to.shutdown().await;
                });
                let mut bytes = vec![0; 16 * 1024];
                while let read @ 1.. = from.read(&mut bytes).await? {
                    heard.note(&bytes[..read]);
                    forth.write_all(&bytes[..read]).await?;
                }
                answering.abort();
                Ok(())
            }
        })
        .await?;
        Ok(Self { port, serving })
    }
}

/// A proxy that is asked for tunnels; records what the client sends outside and inside of them.
struct Tunnel {
    port: u16,
    heard: Arc<Recorded>,
    serving: AbortHandle,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Tunnel {
    async fn start(treatment: Treatment, front: u16, impostor: u16, trap: u16) -> io::Result<Self> {
        let heard = Arc::new(Recorded::default());
        let listening = heard.clone();
        let (port, serving) = serve(move |client| {
            let heard = listening.clone();
            heard.connected();
            async move { treat(treatment, client, &heard, front, impostor, trap).await }
        })
        .await?;
        Ok(Self {
            port,
            heard,
            serving,
        })
    }
}

async fn treat(
    treatment: Treatment,
    mut client: TcpStream,
    heard: &Recorded,
    front: u16,
    impostor: u16,
    trap: u16,
) -> io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut asked).await? == 0 {
            break;
        }
    }
    heard.note(&asked);
    let to = match treatment {
        Treatment::Posing | Treatment::Trusted => impostor,
        _ => front,
    };
    let answer = match treatment {
        Treatment::PlainHttp | Treatment::Honest | Treatment::Posing | Treatment::Trusted => {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            let mut server = TcpStream::connect(("127.0.0.1", to)).await?;
            return eavesdrop(&mut client, &mut server, heard).await;
        }
        Treatment::Page => {
            "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n<html/>".to_owned()
        }
        Treatment::Redirecting => format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.2:{trap}/login\r\n\
             content-length: 0\r\n\r\n"
        ),
        Treatment::Greedy => "HTTP/1.1 407 Proxy Authentication Required\r\n\
             proxy-authenticate: Basic realm=\"yours\"\r\ncontent-length: 0\r\n\r\n"
            .to_owned(),
        Treatment::Resetting => {
            return client.set_zero_linger();
        }
    };
    client.write_all(answer.as_bytes()).await?;
    listen(&mut client, heard).await
}

async fn listen(client: &mut TcpStream, heard: &Recorded) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    while let read @ 1.. = client.read(&mut bytes).await? {
        heard.note(&bytes[..read]);
    }
    Ok(())
}

/// Passes everything on in both directions and records what the client sends.
async fn eavesdrop(
    client: &mut TcpStream,
    server: &mut TcpStream,
    heard: &Recorded,
) -> io::Result<()> {
    let (mut from, mut to) = client.split();
    let (mut back, mut forth) = server.split();
    let asking = async {
        let mut bytes = vec![0; 16 * 1024];
        while let read @ 1.. = from.read(&mut bytes).await? {
            heard.note(&bytes[..read]);
            forth.write_all(&bytes[..read]).await?;
        }
        forth.shutdown().await
    };
    let answering = async {
        tokio::io::copy(&mut back, &mut to).await?;
        to.shutdown().await
    };
    tokio::try_join!(asking, answering).map(drop)
}

/// Listens on a free port and handles every connection in the same way.
async fn serve<F>(how: impl Fn(TcpStream) -> F + Send + 'static) -> io::Result<(u16, AbortHandle)>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let serving = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            connections.spawn(how(client));
        }
    });
    Ok((port, serving.abort_handle()))
}
