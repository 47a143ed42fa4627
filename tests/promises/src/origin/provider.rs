//! A provider of another origin than the backend's. Each gets what is its own: the provider the forms of
//! a sign-in, a refresh and a revocation, without a cookie and without the headers that the profile adds
//! to all requests; the backend the access token that the provider has issued, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use vestibule_backend::{Backend, Config, RecordedRequest};
use vestibule_harness::{Installation, Lost, TOKEN, account, get, sign_in_by_browser};

use super::other_servers::OtherServer;
use crate::carrier::Carrier;

/// A header that the profile adds to all requests of its backend.
const ADDED: &str = "x-key-of-the-app";
/// The fields of each form, by what is done with it.
const FORMS: [(&str, &[&str]); 3] = [
    (
        "authorization_code",
        &[
            "client_id",
            "code",
            "code_verifier",
            "grant_type",
            "redirect_uri",
        ],
    ),
    (
        "refresh_token",
        &["client_id", "grant_type", "refresh_token"],
    ),
    ("", &["client_id", "token", "token_type_hint"]),
];

/// Signs in, renews, calls the backend and signs out.
pub async fn run() -> Result<(), Lost> {
    let backend = OtherServer::start(([127, 0, 0, 1], 0)).await;
    let backend = backend.map_err(|error| error.to_string())?;
    let provider = Backend::start(Config::default()).await;
    let provider = provider.map_err(|error| error.to_string())?;
    let email = account(&provider)?;
    let section = json!({
        "browser": {"issuer": provider.url()},
        "headers": {ADDED: "worth-keeping"},
    });
    let profile = Carrier::Provider.profile(&format!("http://{}", backend.address), section)?;
    let client = Installation::open(Arc::default(), profile, None)?;
    client.until_started().await;
    let session = &client.session;
    sign_in_by_browser(session, &client.desktop, &email).await?;
    let renewed = session.refresh().await;
    renewed.map_err(|error| format!("cannot refresh: {error}"))?;
    let held = client.kept().ok_or("there is no token in the item")?;
    drop(session.fetch(get("/me")).await);
    session.logout().await;
    provider.received("POST", "/oidc/revoke", 1).await;
    let mut forms = BTreeSet::new();
    for path in [TOKEN, "/oidc/revoke"] {
        for request in provider.recent_requests("POST", path) {
            forms.insert(form(&request)?);
        }
    }
    for path in ["/.well-known/openid-configuration", "/oidc/keys"] {
        let seen = provider.recent_requests("GET", path);
        seen.iter().try_for_each(bare)?;
    }
    if forms.len() != FORMS.len() {
        return Err(format!("the provider got {forms:?} alone"));
    }
    let heard = &backend.heard;
    match (heard.holds("Bearer "), heard.holds(&held)) {
        (true, false) => Ok(()),
        (false, _) => Err("no call came to the backend".into()),
        (_, true) => Err("the backend got the provider's refresh token".into()),
    }
}

/// Which form it is, if it holds its own fields and no other.
fn form(request: &RecordedRequest) -> Result<String, Lost> {
    bare(request)?;
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&request.body)
        .into_owned()
        .collect();
    let names: BTreeSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let kind = fields.iter().find(|(name, _)| name == "grant_type");
    let kind = kind.map_or("", |(_, value)| value.as_str());
    let known = FORMS
        .iter()
        .any(|(of, fields)| *of == kind && fields.iter().copied().eq(names.iter().copied()));
    match known {
        true => Ok(kind.to_owned()),
        false => Err(format!("a form {kind} has the fields {names:?}")),
    }
}

/// Checks that a request has no credential and nothing of the backend's in its headers.
fn bare(request: &RecordedRequest) -> Result<(), Lost> {
    for name in ["cookie", "authorization", ADDED] {
        if request.header(name).is_some() {
            return Err(format!("a request to the provider has the header {name}"));
        }
    }
    Ok(())
}
