//! The origin of an endpoint that is not the backend's.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::check;

/// Scheme, host and port: `https://identity.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointOrigin(Url);

impl EndpointOrigin {
    fn parse(text: &str) -> Result<Self, String> {
        let url = check::backend(text).map_err(|mistake| mistake.reason)?;
        if url.path() != "/" {
            return Err("has a path, which belongs to `path`".into());
        }
        Ok(Self(url))
    }

    /// The origin of an address.
    #[cfg_attr(not(feature = "session"), expect(dead_code))]
    pub(crate) fn of(address: &Url) -> Self {
        let mut origin = address.clone();
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        Self(origin)
    }

    /// The address without a path.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl<'de> Deserialize<'de> for EndpointOrigin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

/// In the schema an origin is an address.
#[cfg(test)]
impl schemars::JsonSchema for EndpointOrigin {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EndpointOrigin".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^https?://[^/?#@]+/?$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_an_address_without_a_path() {
        for good in [
            "https://identity.example",
            "https://identity.example:8443/",
            "http://127.0.0.1:9099",
            "http://auth.localhost",
        ] {
            assert!(EndpointOrigin::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://identity.example",
            "https://identity.example/v1",
            "https://ann:pw@identity.example",
            "https://identity.example?key=1",
            "https://identity.example/#x",
            "ftp://identity.example",
            "identity.example",
            "",
        ] {
            let reason = EndpointOrigin::parse(bad).expect_err(bad);
            assert!(!reason.contains("pw"), "{reason}");
        }
    }
}
