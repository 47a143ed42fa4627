//! The apps and the provider that several targets sign in with.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_core::backend::{Backend, Provider};
use vestibule_core::profile::{Browser, Profile, ProviderAddress};
use vestibule_core::testing::discovered;

/// The provider's name.
pub const ISSUER: &str = "https://id.example/realm";
/// What it calls the app.
pub const CLIENT: &str = "app";

/// The profile of an app that signs in with this section.
pub fn profile(browser: Value) -> Profile {
    Profile::from_json(json!({ "browser": browser })).expect("a constant")
}

/// The profile of an app that signs in with the provider, with `more` in its section.
pub fn oidc(more: Value) -> Profile {
    let mut browser = json!({"kind": "oidc", "issuer": ISSUER, "client_id": CLIENT});
    let (Value::Object(section), Value::Object(more)) = (&mut browser, more) else {
        unreachable!("both are objects");
    };
    section.extend(more);
    profile(browser)
}

/// The profile's section.
pub fn section(profile: &Profile) -> &Browser {
    profile.browser.get().expect("it has one")
}

/// A client of that app.
pub fn backend(profile: Profile) -> Backend {
    Backend::new(profile, "fuzz").expect("a client")
}

/// What the provider's discovery says, if it promises to name itself in its answers.
pub fn provider(promises_issuer: bool) -> Arc<Provider> {
    let document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example/authorize",
        "token_endpoint": "https://id.example/token",
        "authorization_response_iss_parameter_supported": promises_issuer,
    });
    let profile = oidc(json!({}));
    let provider = discovered(&document, section(&profile));
    Arc::new(provider.expect("a constant"))
}

/// A token, a code or a name may go to this address, and the address may be shown.
pub fn check_address(address: &ProviderAddress) {
    let url = address.url();
    let host = url.host_str().expect("a host");
    let is_here = matches!(host, "localhost" | "[::1]")
        || host.ends_with(".localhost")
        || host.starts_with("127.");
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    assert!(is_safe, "sent without encryption: {url}");
    assert!(url.username().is_empty() && url.password().is_none());
    assert_eq!(url.fragment(), None);
    assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
}
