//! How the backend is reached if an administrator's policy says so: by which proxy. Otherwise the
//! settings of the machine count.

use std::fmt;

use reqwest::NoProxy;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::profile::{Mistake, ValueOrFalse};

/// The kinds of proxies that are supported.
const SCHEMES: [&str; 3] = ["http", "https", "socks5"];

/// What an administrator's policy says of the network. It applies to backends over https. Plain
/// http is only for this machine and never uses a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// The proxy, which replaces any that the environment names, or `false` for none.
    pub proxy: Option<ValueOrFalse<ProxyAddress>>,
    /// What is reached without the proxy: names (with all names below them), addresses, or ranges
    /// of addresses such as `10.0.0.0/8`.
    pub no_proxy: Vec<Host>,
}

/// The address of a proxy. It holds no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(Url);

/// A name, an address, or a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

impl Network {
    /// Checks whether its parts fit each other.
    pub(crate) fn checked(self) -> Result<Self, Mistake> {
        let has_proxy = matches!(&self.proxy, Some(ValueOrFalse(Some(_))));
        if !self.no_proxy.is_empty() && !has_proxy {
            let reason = "says what the proxy is not for, but there is no `proxy`";
            return Err(Mistake::new("no_proxy", reason));
        }
        Ok(self)
    }

    /// What is reached without the proxy.
    pub(super) fn without_proxy(&self) -> Option<NoProxy> {
        let hosts: Vec<&str> = self.no_proxy.iter().map(|host| host.0.as_str()).collect();
        NoProxy::from_string(&hosts.join(","))
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl ProxyAddress {
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Reads an address. The error says what is wrong and does not repeat the address.
    fn parse(text: &str) -> Result<Self, String> {
        let address = Url::parse(text).map_err(|error| format!("is not an address: {error}"))?;
        if !SCHEMES.contains(&address.scheme()) {
            let known = SCHEMES.map(|scheme| format!("`{scheme}://`")).join(" or ");
            return Err(format!("must begin with {known}"));
        }
        if !address.username().is_empty() || address.password().is_some() {
            return Err("holds a name or a password, which every user could read here".into());
        }
        let is_bare = matches!(address.path(), "" | "/")
            && address.query().is_none()
            && address.fragment().is_none();
        if !is_bare {
            return Err("must be scheme, host and port alone".into());
        }
        Ok(Self(address))
    }
}

impl<'de> Deserialize<'de> for ProxyAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_one = |c: char| c.is_ascii_alphanumeric() || "-_.:/[]*".contains(c);
        match !text.is_empty() && text.chars().all(is_one) {
            true => Ok(Self(text)),
            false => Err(D::Error::custom(
                "must be one name, address or range of addresses such as `10.0.0.0/8`",
            )),
        }
    }
}
