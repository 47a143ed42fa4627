//! ID tokens: none counts that the provider has not signed, and of those only one that is for this app and
//! this sign-in and is not over.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use vestibule_core::Secret;
use vestibule_core::backend::{Backend, Provider};
use vestibule_core::testing::Keys;

use super::provider::{CLIENT, ISSUER, backend, oidc, provider};

const NONCE: &str = "n-0S6_WzA2Mj";
const NOW: u64 = 1_800_000_000;

/// The provider, its key, and an app that has its keys.
struct Signer {
    key: Ed25519KeyPair,
    published: Keys,
    provider: Arc<Provider>,
    backend: Backend,
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a constant");
    let public = URL_SAFE_NO_PAD.encode(key.public_key());
    let published = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "k1", "x": public},
    ]});
    Signer {
        key,
        published: Keys::read(&published).expect("a constant"),
        provider: provider(false),
        backend: backend(oidc(json!({}))),
    }
});

impl Signer {
    fn claims(&self, token: &str) -> Option<Value> {
        let (token, now) = (
            Secret::new(token),
            SystemTime::UNIX_EPOCH + Duration::from_secs(NOW),
        );
        let Self {
            provider,
            backend,
            published,
            ..
        } = self;
        published.claims(backend, provider, &token, NONCE, now)
    }
}

/// The first line is the token's header, the rest its claims, both as JSON.
pub fn id_token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_eq!(SIGNER.claims(&text), None, "the provider has not signed it");
    let (header, claims) = text.split_once('\n').unwrap_or((&text, ""));
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let with = |signed_instead: &str| {
        let signature = SIGNER.key.sign(signed_instead.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    assert_eq!(
        SIGNER.claims(&with("e30.e30")),
        None,
        "it has signed another"
    );
    assert_eq!(
        SIGNER.claims(&format!("{signed}.")),
        None,
        "without a signature"
    );
    let Some(found) = SIGNER.claims(&with(&signed)) else {
        return;
    };
    // The app reads half a surrogate pair and a byte order mark too.
    if let Ok(header) = serde_json::from_str::<Value>(header) {
        assert!(
            header["alg"] == "EdDSA" || header["alg"] == "Ed25519",
            "{header}"
        );
    }
    assert_eq!(found["iss"], ISSUER);
    assert_eq!(found["nonce"], NONCE);
    let is_client = |one: &Value| one == CLIENT;
    let for_client = match &found["aud"] {
        Value::Array(all) => all.iter().any(is_client),
        one => is_client(one),
    };
    assert!(for_client, "for another app: {found}");
    assert!(
        found
            .get("azp")
            .is_none_or(|party| party.is_null() || is_client(party)),
        "{found}"
    );
    if let Some(end) = found["exp"].as_f64() {
        assert!(end >= NOW as f64, "it is over: {found}");
    }
    assert!(found["sub"].is_string() || found["sub"].is_u64(), "{found}");
}
