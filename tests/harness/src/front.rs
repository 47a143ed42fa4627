//! TLS in front of a backend, with a good certificate and with bad ones.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Which certificate the server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// A good one.
    Good,
    /// One that no authority has signed.
    SelfSigned,
    /// One that was valid until 2020.
    Expired,
    /// One that will be valid from 4000 on.
    NotYet,
    /// A good one, for another name.
    Anothers,
    /// A good one, of an authority that this machine does not trust, as where a company inspects
    /// connections.
    Strangers,
}

/// A certificate authority of this test, in a file that the program is told to trust.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new authority.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        let name = "An authority of a test";
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("authority.pem"), issuer.pem()).expect("written");
        Self { issuer, folder }
    }

    /// The file, for `SSL_CERT_FILE`.
    pub fn file(&self) -> impl AsRef<Path> + AsRef<std::ffi::OsStr> {
        self.folder.path().join("authority.pem")
    }

    fn acceptor(&self, name: &str, shows: Shows) -> TlsAcceptor {
        let name = match shows {
            Shows::Anothers => "somebody.example",
            _ => name,
        };
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        match shows {
            Shows::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Shows::NotYet => params.not_before = date_time_ymd(4000, 1, 1),
            _ => {}
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = match shows {
            Shows::SelfSigned => params.self_signed(&key),
            Shows::Strangers => params.signed_by(&key, &*Self::new().issuer),
            _ => params.signed_by(&key, &*self.issuer),
        };
        let chain = vec![certificate.expect("a certificate").der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key);
        TlsAcceptor::from(Arc::new(config.expect("a certificate with its key")))
    }
}

/// The TLS server. Ends when dropped.
pub struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Front {
    /// In front of this backend, with this name.
    pub async fn before(
        backend: SocketAddr,
        name: &str,
        authority: &Authority,
        shows: Shows,
    ) -> Self {
        let acceptor = authority.acceptor(name, shows);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // The handshake ends here with the client's alert if the client does not trust
                    // the certificate.
                    let mut client = acceptor.accept(client).await?;
                    let mut backend = TcpStream::connect(backend).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut backend).await
                });
            }
        });
        Self { address, serving }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
