//! Listeners that are not the backend: https origins with which no connection is possible, and the
//! trap that redirects lead to. Each counts what arrives; nothing may.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::network_faults::Origin;

/// A listener that handles every connection in the same way. Ends when dropped.
struct Place {
    address: SocketAddr,
    serving: AbortHandle,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Place {
    async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    Ok((client, _)) = listener.accept() => {
                        connections.spawn(serve(client));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            address,
            serving: task.abort_handle(),
        })
    }
}

/// The listener to which redirects lead.
pub struct Trap {
    place: Place,
    arrivals: Arc<AtomicU64>,
}

impl Trap {
    /// Listens on a free port.
    pub async fn start() -> io::Result<Self> {
        let arrivals = Arc::new(AtomicU64::new(0));
        let counted = arrivals.clone();
        let place = Place::start(move |client| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                drop(client);
                Ok(())
            }
        });
        Ok(Self {
            place: place.await?,
            arrivals,
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.place.address
    }

    /// How many connections were made.
    pub fn arrivals(&self) -> u64 {
        self.arrivals.load(Ordering::SeqCst)
    }
}

/// One of each [`Origin`].
pub struct Origins {
    self_signed: Place,
    plain: Place,
    resets: Place,
    silent: Place,
    requests: Arc<AtomicU64>,
}

impl Origins {
    /// Listens on free ports.
    pub async fn start() -> io::Result<Self> {
        let requests = Arc::new(AtomicU64::new(0));
        let acceptor = acceptor().map_err(io::Error::other)?;
        let counted = requests.clone();
        let self_signed = Place::start(move |client| {
            let (acceptor, counted) = (acceptor.clone(), counted.clone());
            async move {
                // The handshake ends here with the client's alert, unless the client trusts every
                // certificate.
                let mut stream = acceptor.accept(client).await?;
                if stream.read(&mut [0; 1]).await? > 0 {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            }
        });
        let plain = Place::start(|mut client| async move {
            let page = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
            client.write_all(page.as_bytes()).await?;
            client.shutdown().await
        });
        let resets = Place::start(|mut client| async move {
            let _ = client.read(&mut [0; 64]).await?;
            client.set_zero_linger()
        });
        let silent = Place::start(|mut client| async move {
            let mut unread = [0; 1024];
            while client.read(&mut unread).await? > 0 {}
            Ok(())
        });
        Ok(Self {
            self_signed: self_signed.await?,
            plain: plain.await?,
            resets: resets.await?,
            silent: silent.await?,
            requests,
        })
    }

    /// The base address of one of them.
    pub fn address(&self, origin: Origin) -> String {
        let place = match origin {
            // RFC 6761 reserves this name; it never has an address.
            Origin::Unresolvable => return "https://nowhere.invalid".into(),
            Origin::SelfSigned => &self.self_signed,
            Origin::PlainHttp => &self.plain,
            Origin::ResetsInHandshake => &self.resets,
            Origin::SilentInHandshake => &self.silent,
        };
        format!("https://{}", place.address)
    }

    /// How many requests arrived over a connection that no client should have trusted.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

fn acceptor() -> Result<TlsAcceptor, Box<dyn std::error::Error + Send + Sync>> {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
