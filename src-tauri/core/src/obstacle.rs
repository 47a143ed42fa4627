//! What keeps this app from reaching its backend. Each obstacle has its sentences here and nowhere
//! else: the log, the windows and the doctor show them.
//!
//! [`crate::transport`] classifies the errors of the HTTP client, and
//! [`crate::backend::BackendError`] classifies answers.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What keeps a request from being answered by the backend. None of these ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// No name server knows the backend's name.
    NameUnknown,
    /// Nothing listens at the address and port.
    Refused,
    /// There is no route to the address.
    NoRoute,
    /// A connection or an answer took too long.
    TimedOut,
    /// The connection broke off.
    BrokenOff,
    /// The certificate has expired or is not valid yet.
    CertificateDate,
    /// The certificate is for another name.
    CertificateName,
    /// The certificate was issued by an authority that this computer does not trust.
    CertificateIssuer,
    /// The certificate is not accepted for another reason.
    Certificate,
    /// The program at the address does not speak TLS.
    NotTls,
    /// The TLS handshake failed: there is no common version or cipher, or the backend wants a
    /// client certificate.
    TlsRefused,
    /// The program at the address does not speak HTTP.
    NotHttp,
    /// The proxy's address is not valid, or nothing listens there.
    ProxyUnreachable,
    /// The proxy wants credentials, or does not accept those that it got (407).
    ProxyPassword,
    /// The proxy does not connect to the backend.
    ProxyRefused,
    /// Something else has answered with a web page: a captive portal, or a gateway's sign-in.
    Portal,
    /// The backend is closed for maintenance, or overloaded (503).
    Maintenance,
    /// A gateway answered because it cannot reach the backend (502, 504).
    Gateway,
}

/// Who can remove an obstacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Responsible {
    /// The person at this computer.
    You,
    /// The administrator of the network that this computer is in.
    Network,
    /// The operator of the backend.
    Server,
}

/// An obstacle in words, as sentences without their full stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ObstacleText {
    /// What is wrong.
    #[ts(type = "string")]
    pub problem: &'static str,
    /// What can be done about it, and by whom.
    #[ts(type = "string")]
    pub advice: &'static str,
    /// Who can remove the obstacle.
    pub responsible: Responsible,
}

impl Obstacle {
    /// All obstacles.
    pub const ALL: [Self; 18] = [
        Self::NameUnknown,
        Self::Refused,
        Self::NoRoute,
        Self::TimedOut,
        Self::BrokenOff,
        Self::CertificateDate,
        Self::CertificateName,
        Self::CertificateIssuer,
        Self::Certificate,
        Self::NotTls,
        Self::TlsRefused,
        Self::NotHttp,
        Self::ProxyUnreachable,
        Self::ProxyPassword,
        Self::ProxyRefused,
        Self::Portal,
        Self::Maintenance,
        Self::Gateway,
    ];

    /// The sentences for this obstacle.
    #[rustfmt::skip]
    pub const fn words(self) -> ObstacleText {
        use Responsible::{Network, Server, You};
        let (problem, responsible, advice) = match self {
            Self::NameUnknown => (
                "The server's name is not known", You,
                "Check that this computer is online, and the server's address",
            ),
            Self::Refused => (
                "Nothing answers at the server's address", Server,
                "The server's operator can start it, or say at which address and port it listens",
            ),
            Self::NoRoute => (
                "This computer's network has no route to the server", You,
                "Check that this computer is online, and in the network or VPN from which the server can be reached",
            ),
            Self::TimedOut => (
                "The server did not answer in time", Network,
                "Try again later. If that does not help, the network's administrator can look for a \
                 firewall or a proxy that holds requests up",
            ),
            Self::BrokenOff => (
                "The connection to the server broke off", Network,
                "Try again. If that does not help, the network's administrator can find out what closes connections",
            ),
            Self::CertificateDate => (
                "The server's certificate has expired or is not valid yet", Server,
                "Set the clock of this computer if it is wrong. Otherwise the server's operator \
                 can renew the certificate",
            ),
            Self::CertificateName => (
                "The server's certificate is for another name", Server,
                "The server's operator can serve a certificate that names this host. A network \
                 that wants you to sign in first looks the same: open a page in a browser",
            ),
            Self::CertificateIssuer => (
                "The server's certificate is from an authority that this computer does not trust", Network,
                "Where a company inspects connections, the network's administrator can add its \
                 authority to this computer. Otherwise the server's operator can serve the whole \
                 chain of an authority that computers trust",
            ),
            Self::Certificate => (
                "The server's certificate is not accepted", Server,
                "The server's operator can serve a certificate of an authority that computers \
                 trust, with the whole chain and the right name",
            ),
            Self::NotTls => (
                "The program at the server's address does not speak TLS", You,
                "Check the port of the address. A server on this computer may be given as http://",
            ),
            Self::TlsRefused => (
                "The TLS handshake with the server failed", Server,
                "The server's operator can offer TLS 1.2 or 1.3 with a usual cipher, to clients \
                 that have no certificate",
            ),
            Self::NotHttp => (
                "The program at the server's address does not speak HTTP", You,
                "Check the port of the address. If TLS is spoken there, give it as https://",
            ),
            Self::ProxyUnreachable => (
                "The proxy cannot be reached", You,
                "Check the proxy in the settings of this computer, or in HTTPS_PROXY. The \
                 network's administrator knows its address",
            ),
            Self::ProxyPassword => (
                "The proxy wants a user name and a password", You,
                "Put them into the proxy's address in the settings of this computer, or in \
                 HTTPS_PROXY. The network's administrator gives them out",
            ),
            Self::ProxyRefused => (
                "The proxy does not connect to the server", Network,
                "The proxy's administrator can allow the server's address, or have it added to NO_PROXY",
            ),
            Self::Portal => (
                "A web page came instead of the server's answer", Network,
                "Open a page in a browser: the network may want you to sign in first. If it does \
                 not, the server's operator can find out what answers instead of the server",
            ),
            Self::Maintenance => (
                "The server is closed for maintenance, or overloaded", Server,
                "Try again later. Nothing is lost",
            ),
            Self::Gateway => (
                "The gateway in front of the server gets no answer from it", Server,
                "Try again later. If that does not help, the server's operator can start it",
            ),
        };
        ObstacleText { problem, advice, responsible }
    }

    /// What is wrong and what can be done, as two sentences for a person.
    pub fn sentences(self) -> String {
        let ObstacleText {
            problem, advice, ..
        } = self.words();
        format!("{problem}. {advice}.")
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().problem)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_words_of_its_own() {
        let problem: BTreeSet<_> = Obstacle::ALL.map(|one| one.words().problem).into();
        assert_eq!(problem.len(), Obstacle::ALL.len());
        for one in Obstacle::ALL {
            let ObstacleText {
                problem, advice, ..
            } = one.words();
            for sentence in [problem, advice] {
                assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
                assert!(!sentence.ends_with('.'), "{sentence}");
            }
        }
    }
}
