//! How the backend is reached. An administrator's policy counts first; then the variables of the
//! environment, as for `curl`; then the system's settings. On macOS and Windows the client library
//! reads these itself, elsewhere a [`DesktopProxy`] does.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{ClientBuilder, NoProxy, Proxy};
use url::Url;

use super::Network;
use crate::obstacle::Obstacle;
use crate::profile::ValueOrFalse;

/// How long the desktop may take to name its proxy. A script that chooses it (PAC) has to be
/// downloaded first.
const PROXY_LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// The variables that name a proxy for https. The first that is not empty counts.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The proxy of the desktop's settings, for systems whose client library does not read them.
pub trait DesktopProxy: Send + Sync + 'static {
    /// The proxy for `url`; `None` for a direct connection. May block: it is called on a thread of
    /// its own, each time that a client is built.
    fn proxy_for(&self, url: &Url) -> Option<Url>;
}

/// What decides how the backend is reached, besides the environment.
#[derive(Clone, Default)]
pub struct NetworkSettings {
    /// What an administrator's policy says.
    pub policy: Network,
    /// The desktop's settings, if the client library does not read them.
    pub desktop: Option<Arc<dyn DesktopProxy>>,
}

/// A proxy for one backend, or none.
pub(super) enum ProxyRoute {
    /// Without a proxy, even if something else names one.
    Direct,
    /// Through this proxy, which also resolves names.
    Through(Box<Proxy>),
    /// As the client library finds it: on macOS and Windows in the system's settings.
    AsTheSystemSays,
}

impl ProxyRoute {
    /// What the policy or the environment says; `None` if neither names a way.
    ///
    /// # Errors
    /// [`Obstacle::ProxyUnreachable`] if a proxy is named by something that is not an address: a
    /// request without the proxy might go where it must not.
    pub(super) fn configured(policy: &Network) -> Result<Option<Self>, Obstacle> {
        match &policy.proxy {
            Some(ValueOrFalse(None)) => Ok(Some(Self::Direct)),
            Some(ValueOrFalse(Some(address))) => {
                let proxy = through(address.as_str()).ok_or(Obstacle::ProxyUnreachable)?;
                Ok(Some(Self::Through(
                    proxy.no_proxy(policy.without_proxy()).into(),
                )))
            }
            None => Self::of_environment(),
        }
    }

    fn of_environment() -> Result<Option<Self>, Obstacle> {
        let mut names = VARIABLES.iter();
        let Some((name, given)) = names.find_map(|name| Some((*name, named(name)?))) else {
            return Ok(None);
        };
        let proxy = given.and_then(|given| through(&given)).ok_or_else(|| {
            tracing::warn!(
                variable = name,
                "the environment variable holds no usable proxy address: no request is sent"
            );
            Obstacle::ProxyUnreachable
        })?;
        Ok(Some(Self::Through(
            proxy.no_proxy(NoProxy::from_env()).into(),
        )))
    }

    /// Finds the way to `backend`.
    ///
    /// # Errors
    /// As [`ProxyRoute::configured`], and for the proxy that the desktop names.
    pub(super) async fn to(backend: &Url, network: &NetworkSettings) -> Result<Self, Obstacle> {
        if let Some(route) = Self::configured(&network.policy)? {
            return Ok(route);
        }
        let Some(desktop) = network.desktop.clone() else {
            return Ok(Self::AsTheSystemSays);
        };
        let url = backend.clone();
        let asked = tokio::task::spawn_blocking(move || desktop.proxy_for(&url));
        match tokio::time::timeout(PROXY_LOOKUP_TIMEOUT, asked).await {
            Ok(Ok(Some(proxy))) => {
                let proxy = through(proxy.as_str()).ok_or_else(|| {
                    tracing::warn!(
                        "the desktop's settings hold no usable proxy address: no request is sent"
                    );
                    Obstacle::ProxyUnreachable
                })?;
                Ok(Self::Through(proxy.into()))
            }
            Ok(Ok(None)) => Ok(Self::AsTheSystemSays),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(
                    "the desktop did not name its proxy in time: the client library decides"
                );
                Ok(Self::AsTheSystemSays)
            }
        }
    }

    pub(super) fn apply(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Direct => builder.no_proxy(),
            // With a proxy set here, the client library ignores those of the environment.
            Self::Through(proxy) => builder.proxy(*proxy),
            Self::AsTheSystemSays => builder,
        }
    }
}

/// What a variable holds: `None` if it is empty or not set, `Some(None)` if it is not text.
fn named(name: &str) -> Option<Option<String>> {
    let given = std::env::var_os(name).filter(|given| !given.is_empty())?;
    Some(given.into_string().ok())
}

/// A proxy by its address. SOCKS always means that the proxy resolves names: a user who names one
/// does not want them looked up in the local network, or they cannot be resolved there.
pub(super) fn through(address: &str) -> Option<Proxy> {
    let address = address.trim();
    let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => "http",
        "https" => "https",
        "socks" | "socks5" | "socks5h" => "socks5h",
        "socks4" | "socks4a" => "socks4a",
        _ => return None,
    };
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    url.host_str()
        .filter(|host| !host.is_empty())
        .and_then(|_| Proxy::all(url.as_str()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socks_means_that_the_proxy_resolves_names() {
        let shown = |address| through(address).map(|proxy| format!("{proxy:?}"));
        for (address, scheme) in [
            ("socks5://127.0.0.1:1080", "socks5h"),
            ("SOCKS://127.0.0.1:1080", "socks5h"),
            ("socks5h://name:word@127.0.0.1:1080", "socks5h"),
            ("socks4://127.0.0.1:1080", "socks4a"),
            ("127.0.0.1:3128", "http"),
            ("http://127.0.0.1:3128/", "http"),
        ] {
            let shown = shown(address).unwrap_or_else(|| panic!("{address}"));
            assert!(shown.contains(&format!("scheme: \"{scheme}\"")), "{shown}");
        }
        for address in ["ftp://127.0.0.1", "http://", "socks5:///", "://", ":"] {
            assert!(through(address).is_none(), "{address}");
        }
    }
}
