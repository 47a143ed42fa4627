//! Recognises obstacles in errors of the HTTP client. Only this module inspects the errors of the
//! libraries below: by type where they have one (rustls, the operating system), otherwise by their
//! texts, which the tests compare with those of real proxies and servers.

use std::error::Error;
use std::io;

use rustls::CertificateError as Bad;

use crate::obstacle::Obstacle;

/// Parts of error texts, in lower case, and what they mean. The first match counts: the text of a
/// proxy's error may also contain the words of a server's.
const SIGNS: [(&[&str], Obstacle); 6] = [
    (
        &[
            "proxy authorization required",
            "credentials not accepted",
            "does not support user/pass",
            "implements authentication incorrectly",
        ],
        Obstacle::ProxyPassword,
    ),
    (
        &[
            "tunnel error: failed to create underlying connection",
            "socks error: failed to create underlying connection",
        ],
        Obstacle::ProxyUnreachable,
    ),
    (&["tunnel error", "socks error"], Obstacle::ProxyRefused),
    (&["dns error", "lookup address"], Obstacle::NameUnknown),
    (
        &["http version", "invalid http", "parse error", "parsed"],
        Obstacle::NotHttp,
    ),
    (
        &["connection closed before message completed", "incomplete"],
        Obstacle::BrokenOff,
    ),
];

/// The obstacle that an error means, by all of its causes.
pub fn obstacle(error: &reqwest::Error) -> Obstacle {
    // The text of the error itself is left out: it contains the address, whose host may have any
    // name.
    let causes = causes(error);
    let signed = causes.iter().find_map(|cause| of_words(*cause));
    let typed = causes.iter().find_map(|cause| of_type(*cause));
    match (signed, typed) {
        (Some(proxys), _) if is_of_proxy(proxys) => proxys,
        (_, Some(typed)) if typed != Obstacle::BrokenOff => typed,
        _ if error.is_timeout() => Obstacle::TimedOut,
        (Some(signed), _) => signed,
        (None, _) => Obstacle::BrokenOff,
    }
}

fn is_of_proxy(obstacle: Obstacle) -> bool {
    use Obstacle::{ProxyPassword, ProxyRefused, ProxyUnreachable};
    matches!(obstacle, ProxyPassword | ProxyRefused | ProxyUnreachable)
}

/// Whether the connection ended before the first byte of the answer. This happens with a kept
/// connection that the server closes while the next request is on its way (RFC 9112 §9.3.1).
pub(super) fn is_closed_early(error: &reqwest::Error) -> bool {
    let is_early = |cause: &&(dyn Error + 'static)| match cause.downcast_ref::<io::Error>() {
        Some(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        ),
        None => cause.to_string().contains("connection closed before"),
    };
    !error.is_connect() && !error.is_timeout() && causes(error).iter().any(is_early)
}

/// All causes of an error. An I/O error does not list the error that it wraps as its source, so
/// that one is added.
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut found: Vec<&(dyn Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        found.push(cause);
        let held = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => cause.source(),
        };
    }
    found
}

fn of_words(cause: &(dyn Error + 'static)) -> Option<Obstacle> {
    let words = cause.to_string().to_lowercase();
    let mut signs = SIGNS.iter();
    let fits = |(signs, _): &&(&[&str], Obstacle)| signs.iter().any(|sign| words.contains(sign));
    signs.find(fits).map(|(_, obstacle)| *obstacle)
}

fn of_type(cause: &(dyn Error + 'static)) -> Option<Obstacle> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    let error = cause.downcast_ref::<io::Error>()?;
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(Obstacle::Refused),
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => Some(Obstacle::NoRoute),
        io::ErrorKind::TimedOut => Some(Obstacle::TimedOut),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(Obstacle::BrokenOff),
        _ => None,
    }
}

fn of_tls(error: &rustls::Error) -> Obstacle {
    match error {
        rustls::Error::InvalidCertificate(bad) => of_certificate(bad),
        rustls::Error::InvalidMessage(_) => Obstacle::NotTls,
        rustls::Error::NoCertificatesPresented => Obstacle::Certificate,
        _ => Obstacle::TlsRefused,
    }
}

fn of_certificate(bad: &Bad) -> Obstacle {
    match bad {
        Bad::Expired
        | Bad::ExpiredContext { .. }
        | Bad::NotValidYet
        | Bad::NotValidYetContext { .. } => Obstacle::CertificateDate,
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Obstacle::CertificateName,
        // `BadSignature` means an issuer that has the name of a trusted one and another key.
        Bad::UnknownIssuer | Bad::BadSignature => Obstacle::CertificateIssuer,
        // A self-signed certificate. The type of this rustls error is private, so its text is
        // compared.
        Bad::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            Obstacle::CertificateIssuer
        }
        _ => Obstacle::Certificate,
    }
}
