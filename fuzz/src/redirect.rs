//! What the browser brings back to a sign-in: the app takes only an answer to this sign-in, exchanges
//! its code only at the provider that the app has asked, and tells a refusal in words for a person.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;
use vestibule_core::backend::{Authorization, Provider, Returned};
use vestibule_core::profile::Profile;

use super::is_shown_safely;
use super::provider::{ISSUER, backend, oidc, profile, provider, section};

/// Where providers come back to, and where Better Auth's page does.
const STARTS: [&str; 2] = [
    "http://127.0.0.1:4599/callback",
    "com.example.app:/auth/callback",
];
/// The longest words that a refusal has.
const LONGEST_WORDS: usize = 400;

/// Two sign-ins of one kind.
struct SignIns {
    provider: Option<Arc<Provider>>,
    asked: Authorization,
    /// The state of the one that was asked.
    state: String,
    another: Authorization,
}

static ALL: LazyLock<[SignIns; 4]> = LazyLock::new(|| {
    let oauth2 = json!({
        "kind": "oauth2",
        "client_id": "app",
        "authorize": "https://id.example/authorize",
        "token": "https://tokens.example/token",
        "userinfo": "https://id.example/me",
    });
    let better_auth = json!({"kind": "better-auth", "page": "https://app.example/sign-in"});
    let named = Provider {
        issuer: None,
        ..Arc::into_inner(provider(false)).expect("nobody else has it")
    };
    [
        SignIns::begin(oidc(json!({})), Some(provider(true))),
        SignIns::begin(oidc(json!({})), Some(provider(false))),
        SignIns::begin(profile(oauth2), Some(Arc::new(named))),
        SignIns::begin(profile(better_auth), None),
    ]
});

impl SignIns {
    fn begin(profile: Profile, provider: Option<Arc<Provider>>) -> Self {
        let button = section(&profile).button(None).expect("there is one");
        let backend = backend(profile);
        let begin = || {
            let redirect = STARTS[0].to_owned();
            let begun = backend.authorize(provider.clone(), redirect, &button);
            begun.expect("the profile has a browser")
        };
        let asked = begin();
        let state = asked
            .address
            .query_pairs()
            .find(|(name, _)| name == "state");
        Self {
            state: state.expect("a state").1.into_owned(),
            another: begin(),
            provider: provider.clone(),
            asked,
        }
    }

    /// Checks an answer with a query.
    fn check_query(&self, address: &Url, returned: &Returned, provider: &Provider) {
        let values = |wanted: &str| -> Vec<String> {
            let all = address.query_pairs().filter(|(name, _)| name == wanted);
            all.map(|(_, value)| value.into_owned()).collect()
        };
        assert_eq!(values("state"), [self.state.as_str()]);
        let Returned::Code(code) = returned else {
            return;
        };
        assert_eq!(values("code"), [code.secret()]);
        assert!(
            values("error").iter().all(String::is_empty),
            "a refusal counts as a code"
        );
        let issuers = values("iss");
        let is_named = issuers
            .first()
            .is_some_and(|issuer| match &provider.issuer {
                Some(expected) => issuer == expected,
                None => Url::parse(issuer).is_ok_and(|it| it.host_str() == Some("id.example")),
            });
        let may_be_missing = !provider.promises_issuer && issuers.is_empty();
        assert!(
            issuers.len() < 2 && (is_named || may_be_missing),
            "{issuers:?}"
        );
    }
}

/// The first byte picks the sign-in and where the browser comes back to. The first line is what stands
/// behind that, with `$state` for the state, `$issuer` for the provider's name and `$token` for the base64url
/// of the second line.
pub fn redirect(data: &[u8]) {
    let Some((pick, text)) = data.split_first() else {
        return;
    };
    let pick = usize::from(*pick);
    let sign_ins = &ALL[pick % ALL.len()];
    let start = STARTS[pick / ALL.len() % STARTS.len()];
    let text = String::from_utf8_lossy(text).replace("$state", &sign_ins.state);
    let text = text.replace("$issuer", ISSUER);
    let (behind, token) = text.split_once('\n').unwrap_or((&text, ""));
    let behind = behind.replace("$token", &URL_SAFE_NO_PAD.encode(token));
    let Ok(address) = Url::parse(&format!("{start}{behind}")) else {
        return;
    };
    assert!(
        sign_ins.another.answer(&address).is_none(),
        "an answer to another sign-in"
    );
    let Some(returned) = sign_ins.asked.answer(&address) else {
        return;
    };
    match &returned {
        Returned::Code(code) => assert!(!code.secret().is_empty(), "a code that is none"),
        Returned::Refused(error) => {
            assert!(is_shown_safely(&error.message), "{:?}", error.message);
            assert!(error.message.chars().count() <= LONGEST_WORDS);
        }
    }
    match &sign_ins.provider {
        Some(provider) => sign_ins.check_query(&address, &returned, provider),
        None => {
            let token: Value = serde_json::from_str(token).expect("its token was read");
            assert_eq!(token["state"], sign_ins.state);
            if let Returned::Code(code) = &returned {
                assert_eq!(token["identifier"], code.secret());
            }
        }
    }
}
