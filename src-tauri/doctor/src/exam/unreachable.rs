//! Why a backend cannot be spoken to at all, and who can change that. The words of the libraries
//! are read here and nowhere else.

use std::error::Error;

use crate::row::Side;

/// What keeps the doctor out.
pub(super) struct Obstacle {
    /// What stands in the errors, in small letters; any of them. None means anything.
    signs: &'static [&'static str],
    /// Whether there was a connection, but no TLS over it.
    pub is_tls: bool,
    /// In words.
    pub says: &'static str,
    /// Who is to change something.
    pub side: Side,
    /// What.
    pub advice: &'static str,
}

const fn obstacle(
    signs: &'static [&'static str],
    is_tls: bool,
    side: Side,
    says: &'static str,
    advice: &'static str,
) -> Obstacle {
    Obstacle {
        signs,
        is_tls,
        says,
        side,
        advice,
    }
}

/// The first that fits.
#[rustfmt::skip]
const OBSTACLES: &[Obstacle] = {
    use Side::{Network, You};
    &[
        obstacle(&["tunnel", "proxy"], false, Network,
            "the proxy of this machine does not let it through",
            "let the proxy (HTTPS_PROXY) pass this address on, or name it in NO_PROXY"),
        obstacle(&["certificate expired", "not valid yet"], true, Network,
            "the certificate has expired, or its time has not come",
            "renew the certificate; if it is good, this machine's clock is wrong"),
        obstacle(&["not valid for name", "notvalidforname"], true, Network,
            "the certificate is for another name",
            "serve a certificate that names this host, or give the name that it has as the address"),
        obstacle(&["unknownissuer", "cainvalid", "causedasend"], true, Network,
            "the certificate is of nobody whom this system trusts",
            "serve the whole chain of a certificate of an authority that the users' systems trust; \
             for tests in your network add your authority to the system"),
        obstacle(&["certificate"], true, Network,
            "the certificate is not accepted",
            "serve a certificate of an authority that the users' systems trust, whole chain and \
             right name"),
        obstacle(&["invalidcontenttype", "corrupt message", "illegal packet"], true, You,
            "what answers there does not speak TLS",
            "check the port; a backend on this machine may be given as http://"),
        obstacle(&["fatal alert", "handshake", "peer is incompatible", "peer misbehaved"], true, Network,
            "there is no agreement on TLS",
            "offer TLS 1.2 or 1.3 with a usual cipher, to clients that have no certificate"),
        obstacle(&["dns error", "lookup address"], false, You,
            "the name is not known",
            "check the address"),
        obstacle(&["connection refused", "actively refused"], false, You,
            "nobody listens there",
            "check the address and its port, and that the backend runs"),
        obstacle(&["unreachable", "no route"], false, Network,
            "there is no way there from here",
            "is this machine in the right network, and is a VPN wanted?"),
        obstacle(&["timed out", "deadline"], false, Network,
            "no answer in time",
            "is a firewall or a proxy between? And does it listen on this address?"),
        obstacle(&["http version", "incomplete message", "before message completed", "connection reset", "parse"], false, You,
            "what answers there does not speak HTTP",
            "check the port; if TLS is spoken there, give the address as https://"),
        obstacle(&[], false, Network,
            "there is no connection",
            "try the address with curl from this machine"),
    ]
};

/// Which one it is, by an error and all that led to it.
pub(super) fn of(error: &reqwest::Error) -> &'static Obstacle {
    find(&causes(error), error.is_timeout())
}

fn find(words: &str, is_timeout: bool) -> &'static Obstacle {
    let lower = words.to_lowercase();
    let fits = |obstacle: &&Obstacle| {
        let mut signs = obstacle.signs.iter();
        obstacle.signs.is_empty()
            || (is_timeout && obstacle.signs.contains(&"timed out"))
            || signs.any(|sign| lower.contains(sign))
    };
    let last = &OBSTACLES[OBSTACLES.len() - 1];
    OBSTACLES.iter().find(fits).unwrap_or(last)
}

/// The words of all that led to an error. Its own are left out: they hold the address, which may
/// be called anything.
fn causes(error: &reqwest::Error) -> String {
    let mut words = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(&inner.to_string());
        words.push('\n');
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_sign_fits_is_told_too() {
        assert_eq!(find("something new", false).says, "there is no connection");
        assert_eq!(find("something new", true).says, "no answer in time");
        let words = "client error (Connect)\ndns error\nfailed to lookup address information";
        assert_eq!(find(words, false).says, "the name is not known");
    }
}
