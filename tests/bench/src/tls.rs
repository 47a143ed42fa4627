//! TLS in front of a backend on loopback, like that of a backend on the internet.
//!
//! A client reads the trusted authorities from `SSL_CERT_FILE` when it is built, so the variable
//! must be set before the process starts: `bench` makes an authority with [`make`] and starts
//! itself again with the variables of [`environment`].

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::registry::Outcome;

/// The variable with the folder of the certificate and its key.
const FOLDER: &str = "VESTIBULE_BENCH_TLS";
const AUTHORITY: &str = "authority.pem";
const CERTIFICATE: &str = "certificate.der";
const KEY: &str = "key.der";
/// Debian's file with the trusted authorities. Reading them all is part of a client's cost, so they
/// come before the authority made here.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Writes an authority, and a certificate by it for this machine, into a folder.
///
/// # Errors
/// If they cannot be made or written.
pub fn make(folder: &Path) -> Outcome<()> {
    let failed = |error: &dyn std::fmt::Display| format!("no certificate: {error}");
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Vestibule bench");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().map_err(|error| failed(&error))?;
    let issuer = CertifiedIssuer::self_signed(params, key).map_err(|error| failed(&error))?;
    let key = KeyPair::generate().map_err(|error| failed(&error))?;
    let params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]);
    let params = params.map_err(|error| failed(&error))?;
    let certificate = params
        .signed_by(&key, &*issuer)
        .map_err(|error| failed(&error))?;
    let mut trusted = fs::read_to_string(SYSTEM).unwrap_or_default();
    trusted.push_str(&issuer.pem());
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes);
    write(AUTHORITY, trusted.as_bytes())
        .and_then(|()| write(CERTIFICATE, certificate.der()))
        .and_then(|()| write(KEY, &key.serialize_der()))
        .map_err(|error| failed(&error))
}

/// The environment variables for a process that trusts the certificate or serves with it.
#[must_use]
pub fn environment(folder: &Path) -> [(&'static str, PathBuf); 2] {
    [
        (FOLDER, folder.to_owned()),
        ("SSL_CERT_FILE", folder.join(AUTHORITY)),
    ]
}

/// TLS in front of a backend. Ends when dropped.
pub struct Front {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Front {
    /// In front of this backend, with the certificate that this process was started with.
    ///
    /// # Errors
    /// If there is no certificate, or no free port.
    pub async fn before(backend: SocketAddr) -> Outcome<Self> {
        let acceptor = acceptor()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(|error| format!("no port: {error}"))?;
        let address = listener.local_addr();
        let address = address.map_err(|error| format!("no port: {error}"))?;
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Otherwise small pieces would wait for acknowledgements of earlier ones.
                    client.set_nodelay(true)?;
                    let mut client = acceptor.accept(client).await?;
                    let mut backend = TcpStream::connect(backend).await?;
                    backend.set_nodelay(true)?;
                    tokio::io::copy_bidirectional(&mut client, &mut backend).await
                });
            }
        });
        Ok(Self { address, serving })
    }

    /// Its base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An acceptor of TLS connections with the certificate that this process was started with.
///
/// # Errors
/// If there is no certificate.
pub fn acceptor() -> Outcome<TlsAcceptor> {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let folder = folder.ok_or_else(|| format!("{FOLDER} names no folder with a certificate"))?;
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))
    };
    let chain = vec![CertificateDer::from(read(CERTIFICATE)?)];
    let key = PrivateKeyDer::try_from(read(KEY)?).map_err(str::to_owned)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let config = config.map_err(|error| format!("the certificate cannot be used: {error}"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
