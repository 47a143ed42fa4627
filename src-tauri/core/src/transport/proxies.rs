//! Which way leads to the backend. What the environment names counts first, as for `curl`; then
//! what the system's settings name: on macOS and Windows the client reads them itself, elsewhere
//! a [`DesktopProxy`] does.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{ClientBuilder, NoProxy, Proxy};
use url::Url;

use crate::obstacle::Obstacle;

/// How long the desktop may take to say which proxy it names. A script that says it (PAC) has to
/// be fetched first.
const ASKED_WITHIN: Duration = Duration::from_secs(5);
/// The variables that name a proxy for https, the first that holds something counts.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The proxy of the desktop's settings, for systems whose client library does not read them.
pub trait DesktopProxy: Send + Sync + 'static {
    /// The proxy that leads to `url`; `None` where the way is direct. May block: it is asked on
    /// a thread of its own, each time that a client is made.
    fn proxy_for(&self, url: &Url) -> Option<Url>;
}

/// A proxy for one backend, or none.
pub(super) enum Way {
    /// As the environment says, or the desktop. Names are resolved at the proxy.
    Through(Box<Proxy>),
    /// As the client library finds it: on macOS and Windows in the system's settings.
    AsTheSystemSays,
}

impl Way {
    /// What the environment says; `None` where it names no proxy.
    ///
    /// # Errors
    /// [`Obstacle::ProxyUnreachable`] if what names a proxy is no address of one: a request that
    /// went out without it might go where nobody wants it to.
    pub fn of_environment() -> Result<Option<Self>, Obstacle> {
        let mut names = VARIABLES.iter();
        let Some((name, given)) = names.find_map(|name| Some((*name, named(name)?))) else {
            return Ok(None);
        };
        let proxy = given.and_then(|given| through(&given)).ok_or_else(|| {
            tracing::warn!(variable = name, "the variable names no usable proxy");
            Obstacle::ProxyUnreachable
        })?;
        Ok(Some(Self::Through(Box::new(
            proxy.no_proxy(NoProxy::from_env()),
        ))))
    }

    /// Looks for the way to `backend`.
    ///
    /// # Errors
    /// As [`Way::of_environment`], and for what the desktop names.
    pub async fn to(
        backend: &Url,
        desktop: Option<&Arc<dyn DesktopProxy>>,
    ) -> Result<Self, Obstacle> {
        if let Some(way) = Self::of_environment()? {
            return Ok(way);
        }
        let Some(desktop) = desktop.cloned() else {
            return Ok(Self::AsTheSystemSays);
        };
        let url = backend.clone();
        let asked = tokio::task::spawn_blocking(move || desktop.proxy_for(&url));
        match tokio::time::timeout(ASKED_WITHIN, asked).await {
            Ok(Ok(Some(proxy))) => {
                let proxy = through(proxy.as_str()).ok_or_else(|| {
                    tracing::warn!("the desktop's settings name no usable proxy");
                    Obstacle::ProxyUnreachable
                })?;
                Ok(Self::Through(Box::new(proxy)))
            }
            Ok(Ok(None)) => Ok(Self::AsTheSystemSays),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("the desktop does not say which proxy it wants");
                Ok(Self::AsTheSystemSays)
            }
        }
    }

    pub fn apply(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Through(proxy) => builder.proxy(*proxy),
            Self::AsTheSystemSays => builder,
        }
    }
}

/// What a variable holds: `None` for nothing, `Some(None)` for what is no text.
fn named(name: &str) -> Option<Option<String>> {
    let given = std::env::var_os(name).filter(|given| !given.is_empty())?;
    Some(given.into_string().ok())
}

/// A proxy by its address. SOCKS always means that the proxy resolves names: whoever names one
/// does not want them asked of the network that it leads out of, or cannot have them answered
/// there.
fn through(address: &str) -> Option<Proxy> {
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
