//! The parameters of a request, from a query or from a form.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};

use super::refusal::OauthRefusal;

/// The parameters of one request, by name.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a query. No parameter may be there twice (RFC 6749, section 3.1).
    pub fn of_query(query: &str) -> Result<Self, OauthRefusal> {
        let mut all = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let name = name.into_owned();
            if all.insert(name.clone(), value.into_owned()).is_some() {
                let words = format!("{name}: given twice");
                return Err(OauthRefusal::invalid_request(words));
            }
        }
        Ok(Self(all))
    }

    /// Reads the body of a form post.
    pub fn of_form(headers: &HeaderMap, body: &[u8]) -> Result<Self, OauthRefusal> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let words = "send the parameters as application/x-www-form-urlencoded";
            return Err(OauthRefusal::invalid_request(words));
        }
        let body = std::str::from_utf8(body)
            .map_err(|_| OauthRefusal::invalid_request("the body is not text"))?;
        Self::of_query(body)
    }

    /// The value of a parameter; one without a value counts as absent (RFC 6749, section 3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_str();
        (!value.is_empty()).then_some(value)
    }

    /// The value of a parameter that has to be there.
    pub fn require(&self, name: &str) -> Result<&str, OauthRefusal> {
        let missing = || OauthRefusal::invalid_request(format!("{name}: missing"));
        self.get(name).ok_or_else(missing)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
