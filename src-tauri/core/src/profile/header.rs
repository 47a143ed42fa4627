//! Names of headers that a profile may set.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Headers that frame a message, and headers that the core sets: cookies come from the jar, the
/// host from the base address.
const OURS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header's name, in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transparent))]
pub struct HeaderKey(String);

impl HeaderKey {
    /// Reads a name; the error says what is wrong with it.
    pub fn parse(name: &str) -> Result<Self, String> {
        let name = name.to_ascii_lowercase();
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err("has a key that is not a valid header name".into());
        }
        if OURS.contains(&name.as_str()) {
            return Err(format!("sets `{name}`, which is not for a profile to set"));
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HeaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HeaderKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).map_err(D::Error::custom)
    }
}
