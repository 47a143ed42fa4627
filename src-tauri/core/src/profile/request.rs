//! A template and its variables, made into a request. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::body_template::BodyTemplate;
use super::header::HeaderKey;
use super::model::{Endpoint, Method};
use super::paths;
use super::placeholder::{Placeholder, Variables};
use super::template::Template;

/// A request, ready to be sent. It has no `Debug`, because it holds secrets.
pub(crate) struct FilledRequest {
    pub method: Method,
    /// Below the base address.
    pub path: Zeroizing<String>,
    /// The path as the profile has it, for logs.
    pub template: String,
    /// Headers of this request alone.
    pub headers: Vec<(String, Zeroizing<String>)>,
    pub body: Option<FilledBody>,
}

/// A body, ready to be sent.
pub(crate) struct FilledBody {
    pub bytes: Zeroizing<Vec<u8>>,
    pub content_type: String,
}

/// Why a request cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotBeBuilt {
    /// A value in the path is missing, or would lead to another path.
    #[error("the path of a request cannot be built")]
    Path,
    /// What the caller adds to the body is not a text, and the body is a form.
    #[error("a table or a list cannot be sent in a form")]
    Form,
}

/// The request that `endpoint` describes. Its body also gets those members of `more` that the
/// template does not have.
pub(crate) fn request(
    endpoint: &Endpoint,
    variables: &Variables<'_>,
    more: Option<&Map<String, Value>>,
) -> Result<FilledRequest, CannotBeBuilt> {
    let is_empty = |p| variables.text(p).is_none_or(|text| text.is_empty());
    if endpoint.path.placeholders().any(is_empty) {
        return Err(CannotBeBuilt::Path);
    }
    let path = endpoint
        .path
        .fill_path(variables)
        .ok_or(CannotBeBuilt::Path)?;
    let before_query = path.split('?').next().unwrap_or_default();
    if before_query.split('/').any(paths::is_dots) {
        // A value that consists of dots was filled in.
        return Err(CannotBeBuilt::Path);
    }
    let body = match endpoint.body.get() {
        Some(body) => Some(endpoint.fill_body(body, variables, more)?),
        None => None,
    };
    Ok(FilledRequest {
        method: endpoint.method,
        template: endpoint.path.source(),
        headers: headers(&endpoint.headers, variables),
        body,
        path,
    })
}

impl Endpoint {
    fn fill_body(
        &self,
        body: &BodyTemplate,
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
    ) -> Result<FilledBody, CannotBeBuilt> {
        let bytes = self.encoding.fill(body, variables, more);
        let own_type = self.content_type.clone();
        Ok(FilledBody {
            bytes: bytes.map_err(|_| CannotBeBuilt::Form)?,
            content_type: own_type.unwrap_or_else(|| self.encoding.content_type().to_owned()),
        })
    }

    /// All placeholders of its templates.
    pub fn asked_for(&self) -> Vec<Placeholder> {
        self.templates().flat_map(Template::placeholders).collect()
    }

    /// The names of the cookies in its templates.
    pub(crate) fn cookie_names(&self) -> impl Iterator<Item = &str> {
        self.templates().flat_map(Template::cookies)
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let in_body = self.body.get().map(BodyTemplate::texts);
        let in_body = in_body.unwrap_or_default().into_iter();
        let in_body = in_body.map(|(_, text)| text);
        self.headers.values().chain([&self.path]).chain(in_body)
    }

    /// Whether one of its templates contains `placeholder`.
    pub fn asks_for(&self, placeholder: Placeholder) -> bool {
        self.asked_for().contains(&placeholder)
    }
}

/// The headers whose placeholders all have values.
pub(crate) fn headers(
    templates: &BTreeMap<HeaderKey, Template>,
    variables: &Variables<'_>,
) -> Vec<(String, Zeroizing<String>)> {
    let fill = |(name, value): (&HeaderKey, &Template)| {
        Some((name.as_str().to_owned(), value.fill(variables)?))
    };
    templates.iter().filter_map(fill).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secrets::Secret;

    fn endpoint(text: &str) -> Endpoint {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn transport_is_where_the_placeholder_appears() {
        let token = Secret::new("r-1");
        let variables = Variables {
            refresh_token: Some(&token),
            ..Variables::default()
        };
        let in_header = endpoint(
            r#"{"method": "GET", "path": "/r", "headers":
                {"Authorization": "Bearer $refresh_token", "X-Trace": "$access_token"}}"#,
        );
        let request = request(&in_header, &variables, None).unwrap();
        assert_eq!(request.method, Method::Get);
        assert!(request.body.is_none());
        let headers: Vec<_> = (request.headers.iter())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            headers,
            [("authorization", "Bearer r-1")],
            "what is not known is left out"
        );
        let in_body = endpoint(r#"{"path": "/r", "body": {"refreshToken": "$refresh_token"}}"#);
        let request = super::request(&in_body, &variables, None).unwrap();
        let body: Value = serde_json::from_slice(&request.body.unwrap().bytes).unwrap();
        assert_eq!(body, serde_json::json!({"refreshToken": "r-1"}));
    }

    #[test]
    fn a_name_of_dots_leads_nowhere() {
        let path = endpoint(r#"{"path": "/u/$identifier/x"}"#);
        for (name, fine) in [
            ("..", false),
            (".", false),
            ("", false),
            ("...", true),
            ("a/../b", true),
        ] {
            let variables = Variables {
                identifier: Some(name),
                ..Variables::default()
            };
            let made = request(&path, &variables, None);
            assert_eq!(made.is_ok(), fine, "{name}");
        }
        assert!(
            request(&path, &Variables::default(), None).is_err(),
            "unknown"
        );
    }

    proptest! {
        #[test]
        fn the_template_alone_is_logged(identifier in "[a-z0-9]{8,20}") {
            let variables = Variables { identifier: Some(&identifier), ..Variables::default() };
            let path = endpoint(r#"{"path": "/u/$identifier"}"#);
            let request = request(&path, &variables, None).unwrap();
            prop_assert_eq!(request.template, "/u/$identifier");
            prop_assert_eq!(request.path.as_str(), format!("/u/{identifier}"));
        }
    }
}
