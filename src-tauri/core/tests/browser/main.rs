//! Sign-in by the system's browser and on another device, with the bundled backend as the provider. The
//! test plays the browser: it opens what the app wanted to open, fills in the provider's form, and takes
//! the answer where the provider sends it.

mod api_token;
mod attacks;
mod better_auth;
mod client_secret;
mod devices;
mod ends;
mod flow;
mod forged;
mod given_up;
mod grants;
mod listener;
mod moved;
mod odd_providers;
mod people;
mod refreshed_id_tokens;
mod renewal;
mod scheme;
mod storage;
mod unusable;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;
use vestibule_backend::{Backend, Config};
use vestibule_core::AuthError;
use vestibule_core::wire::{BrowserSignIn, BrowserSignInInput, Phase, SessionState, SignInOutcome};
use vestibule_harness::{DEMO, Installation, PASSWORD, Setup, merge};

/// The provider's token endpoint.
pub(crate) const TOKEN: &str = "/oidc/token";

/// An app whose backend is the provider too.
pub(crate) struct App {
    pub(crate) setup: Setup,
    pub(crate) install: Installation,
}

/// The profile's section for the bundled backend, with `more` merged into it.
pub(crate) fn section(issuer: &str, more: Value) -> Value {
    let mut browser =
        json!({"kind": "oidc", "issuer": issuer, "client_id": "vestibule", "device": true});
    merge(&mut browser, more);
    json!({ "browser": browser })
}

impl App {
    pub(crate) async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// The same with more in the section `browser`.
    pub(crate) async fn with(more: Value) -> Self {
        Self::of(Config::default(), more).await
    }

    pub(crate) async fn of(config: Config, more: Value) -> Self {
        Self::with_profile(config, |issuer| section(issuer, more)).await
    }

    /// The same with what another kind of provider needs in the profile, for the backend's address.
    pub(crate) async fn with_profile(config: Config, more: impl FnOnce(&str) -> Value) -> Self {
        let mut setup = Setup::new(config).await;
        let more = more(&setup.backend.url());
        setup.add_to_profile(more);
        let install = setup.install().await;
        Self { setup, install }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.setup.backend
    }

    /// Clicks on the button. The sign-in goes on in the background.
    pub(crate) fn click(&self) -> Attempt {
        self.click_on(BrowserSignInInput::default())
    }

    pub(crate) fn click_on(&self, input: BrowserSignInInput) -> Attempt {
        let session = self.install.session.clone();
        tokio::spawn(async move { session.sign_in_by_browser(input).await })
    }

    /// Signs in from the click to the session.
    pub(crate) async fn sign_in(&self, email: &str) {
        let number = self.install.desktop.opened().len() + 1;
        let attempt = self.click();
        let address = self.install.desktop.opening(number).await;
        let back = approve(&address, email).await;
        let shown = visit(&back).await;
        assert_eq!(shown.status, 303, "the browser is sent on");
        assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
    }

    pub(crate) fn state(&self) -> SessionState {
        self.install.state()
    }

    /// The address of who is signed in.
    pub(crate) fn email(&self) -> Option<String> {
        vestibule_harness::user(&self.state()).map(|user| user.email.clone())
    }

    pub(crate) fn pending(&self) -> Option<BrowserSignIn> {
        pending(&self.state())
    }

    pub(crate) fn refreshes(&self) -> usize {
        let all = self.setup.backend.recent_requests("POST", TOKEN);
        all.iter()
            .filter(|request| {
                let body = String::from_utf8_lossy(&request.body);
                body.contains("grant_type=refresh_token")
            })
            .count()
    }
}

/// The sign-in that goes on outside of the app, if this state has one. A test that waits for a state looks
/// at that one, because it would wait for itself if it asked the session for another.
pub(crate) fn pending(state: &SessionState) -> Option<BrowserSignIn> {
    match &state.phase {
        Phase::BrowserPending { sign_in } => Some(sign_in.clone()),
        _ => None,
    }
}

/// The profile's section for the bundled backend as a provider without discovery.
pub(crate) fn oauth2(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    json!({"browser": {
        "kind": "oauth2", "client_id": "vestibule", "scopes": ["openid", "email", "offline_access"],
        "authorize": at("/oidc/authorize"), "token": at(TOKEN),
        "revoke": at("/oidc/revoke"), "userinfo": at("/oidc/userinfo"),
    }})
}

/// The forms that were posted to this path, oldest first.
pub(crate) fn forms(app: &App, path: &str) -> Vec<BTreeMap<String, String>> {
    let all = app.backend().recent_requests("POST", path);
    let form = |body: &[u8]| url::form_urlencoded::parse(body).into_owned().collect();
    all.iter().map(|request| form(&request.body)).collect()
}

/// A sign-in that goes on in the background.
pub(crate) type Attempt = tokio::task::JoinHandle<Result<SignInOutcome, AuthError>>;

/// How a sign-in has ended.
pub(crate) async fn outcome(attempt: Attempt) -> Result<SignInOutcome, AuthError> {
    let ended = tokio::time::timeout(Duration::from_secs(60), attempt).await;
    ended.expect("the sign-in ends").expect("it does not panic")
}

/// What a person's browser got.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

pub(crate) fn browser() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.no_proxy().build().expect("a client")
}

/// Opens an address as a browser does, without following it further.
pub(crate) async fn visit(address: &Url) -> Shown {
    shown(browser().get(address.clone())).await
}

pub(crate) async fn shown(request: reqwest::RequestBuilder) -> Shown {
    let answer = request.send().await.expect("an answer");
    let location = answer.headers().get("location");
    Shown {
        status: answer.status().as_u16(),
        location: location.map(|it| it.to_str().expect("a text").to_owned()),
        headers: answer.headers().clone(),
        body: answer.text().await.expect("a body"),
    }
}

/// Signs in on the provider's page. Returns where it sends the browser.
pub(crate) async fn approve(address: &Url, email: &str) -> Url {
    answer_page(address, &[("email", email), ("password", PASSWORD)]).await
}

/// The same as the demo account.
pub(crate) async fn approve_as_demo(address: &Url) -> Url {
    approve(address, DEMO).await
}

/// Fills in the provider's form.
pub(crate) async fn answer_page(address: &Url, typed: &[(&str, &str)]) -> Url {
    let mut form: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    form.extend(
        typed
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into())),
    );
    let mut page = address.clone();
    page.set_query(None);
    let origin = address.origin().ascii_serialization();
    let request = browser().post(page).header("origin", origin).form(&form);
    let shown = shown(request).await;
    let location = shown
        .location
        .unwrap_or_else(|| panic!("{}: {}", shown.status, shown.body));
    Url::parse(&location).expect("an address")
}

/// The same address with another value of a parameter; without it if there is none.
pub(crate) fn with_parameter(address: &Url, name: &str, value: Option<&str>) -> Url {
    let held: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let mut changed = address.clone();
    changed.query_pairs_mut().clear();
    for (held, before) in held {
        if held != name {
            changed.query_pairs_mut().append_pair(&held, &before);
        }
    }
    if let Some(value) = value {
        changed.query_pairs_mut().append_pair(name, value);
    }
    changed
}

/// A parameter of an address.
pub(crate) fn parameter(address: &Url, name: &str) -> Option<String> {
    let mut pairs = address.query_pairs();
    pairs
        .find(|(held, _)| held == name)
        .map(|(_, value)| value.into_owned())
}
