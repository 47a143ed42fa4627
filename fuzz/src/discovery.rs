//! What a provider says of itself: it is the one that the profile names, and no address of it is one to
//! which a token must not go.

use std::sync::LazyLock;

use serde_json::{Value, json};
use url::Url;
use vestibule_core::profile::Profile;
use vestibule_core::testing::discovered;

use super::is_shown_safely;
use super::provider::{ISSUER, check_address, oidc, section};

/// One that leaves everything to discovery, and one that names some endpoints itself.
static PROFILES: LazyLock<[Profile; 2]> = LazyLock::new(|| {
    let named = json!({
        "revoke": "https://id.example/revoke",
        "userinfo": "https://id.example/me",
        "device_authorization": "https://id.example/device",
    });
    [oidc(json!({})), oidc(named)]
});

/// The input is the document.
pub fn discovery(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    for profile in PROFILES.iter() {
        let browser = section(profile);
        let provider = match discovered(&document, browser) {
            Ok(provider) => provider,
            Err(words) => {
                assert!(is_shown_safely(words));
                continue;
            }
        };
        let issuer = provider.issuer.as_deref().expect("discovery names it");
        assert_eq!(document["issuer"], issuer);
        let plain = |text: &str| text.trim_end_matches('/').to_owned();
        let url = Url::parse(issuer).expect("an address");
        assert_eq!(plain(url.as_str()), ISSUER);
        let optional = [
            (&provider.revoke, &browser.revoke),
            (&provider.userinfo, &browser.userinfo),
            (
                &provider.device_authorization,
                &browser.device_authorization,
            ),
            (&provider.end_session, &None),
            (&provider.keys, &None),
        ];
        for (found, named) in optional {
            found.iter().for_each(check_address);
            assert!(
                named.is_none() || found == named,
                "the profile counts first"
            );
        }
        check_address(&provider.authorize);
        check_address(&provider.token);
        let lists = |name: &str, wanted: &str| {
            let list = document[name].as_array();
            list.map(|list| list.iter().any(|item| item == wanted))
        };
        assert_ne!(
            lists("code_challenge_methods_supported", "S256"),
            Some(false)
        );
        let in_body = lists(
            "token_endpoint_auth_methods_supported",
            "client_secret_post",
        );
        assert_eq!(provider.secret_in_body, in_body == Some(true));
    }
}
