//! The apps that may ask for a sign-in here. They are public clients: an app on somebody's computer
//! can keep no secret (RFC 8252, section 8.5).

use url::{Host, Url};

/// A registered app.
pub(crate) struct Client {
    /// Its `client_id`.
    pub id: &'static str,
    /// Its name on the issuer's pages.
    pub name: &'static str,
    /// The schemes of its own to which a browser may return, as `SCHEME:/callback`.
    schemes: &'static [&'static str],
}

const CLIENTS: [Client; 2] = [
    Client {
        id: "vestibule",
        name: "Vestibule",
        // As the example app's configuration names it, and as its builds for development have it.
        schemes: &["dev.vestibule.desktop", "dev.vestibule.desktop.dev"],
    },
    Client {
        id: "another-app",
        name: "Another app",
        schemes: &["com.example.another"],
    },
];

impl Client {
    /// The client of this id.
    pub fn of(id: &str) -> Option<&'static Self> {
        CLIENTS.iter().find(|client| client.id == id)
    }

    /// Whether a browser may return to this address: the path `/callback` on a loopback address, with
    /// any port (RFC 8252, section 7.3), or of the app's own scheme (section 7.1). A name such as
    /// `localhost` may lead elsewhere and is refused (section 8.3).
    pub fn may_return_to(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else {
            return false;
        };
        let is_loopback = match url.host() {
            Some(Host::Ipv4(ip)) => url.scheme() == "http" && ip.is_loopback(),
            Some(Host::Ipv6(ip)) => url.scheme() == "http" && ip.is_loopback(),
            Some(Host::Domain(_)) => false,
            None => self.schemes.contains(&url.scheme()),
        };
        let is_plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        is_loopback && is_plain && url.path() == "/callback"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_returns_to_this_machine_or_to_the_apps_own_scheme() {
        let client = Client::of("vestibule").expect("registered");
        for address in [
            "http://127.0.0.1:49152/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:8080/callback",
            "dev.vestibule.desktop:/callback",
            "dev.vestibule.desktop.dev:/callback",
        ] {
            assert!(client.may_return_to(address), "{address}");
        }
        for address in [
            "",
            "/callback",
            "http://localhost:8080/callback",
            "https://127.0.0.1:8080/callback",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8080/callback/x",
            "http://127.0.0.1:8080/callback?x=1",
            "http://127.0.0.1:8080/callback#x",
            "http://a@127.0.0.1:8080/callback",
            "http://127.0.0.1.example/callback",
            "http://192.0.2.1/callback",
            "com.example.another:/callback",
            "dev.vestibule.desktop:/elsewhere",
            "dev.vestibule.desktop://host/callback",
            "javascript:/callback",
        ] {
            assert!(!client.may_return_to(address), "{address}");
        }
    }
}
