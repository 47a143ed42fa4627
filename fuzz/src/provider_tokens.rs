//! The answer of a token endpoint: each token that is in it is kept or revoked, none is empty, and none is
//! shown.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use serde_json::json;
use url::Url;
use vestibule_core::profile::Profile;
use vestibule_core::testing::read_tokens;
use vestibule_core::{AccessToken, RefreshToken, Secret};

use super::provider::oidc;

static PROFILES: LazyLock<[Profile; 2]> =
    LazyLock::new(|| ["access_token", "id_token"].map(|token| oidc(json!({ "api_token": token }))));

/// The first byte picks which token goes along with API calls; the rest is the body.
pub fn provider_tokens(data: &[u8]) {
    let Some((pick, body)) = data.split_first() else {
        return;
    };
    let profile = &PROFILES[usize::from(*pick) % PROFILES.len()];
    let endpoint = Url::parse("https://id.example/token").expect("a constant");
    let seconds = 1_800_000_000;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let Some(read) = read_tokens(body, profile, &endpoint, now) else {
        return;
    };
    let has_token = read.access.is_some() || read.refresh.is_some();
    assert!(
        read.refusal.is_none() || !has_token,
        "a token in what counts as a refusal is revoked by nobody"
    );
    assert!(read.access.is_none_or(|token| !token.secret().is_empty()));
    if let Some(access) = read.usable {
        let bearer = access.bearer().expect("it is usable");
        assert!(!bearer.secret().is_empty());
        assert!(access.lifetime.is_none_or(|lifetime| !lifetime.is_zero()));
        // `Debug` must print the same for every token.
        let other = AccessToken {
            token: access.token.as_ref().map(|_| Secret::new("another")),
            id_token: access.id_token.as_ref().map(|_| Secret::new("a third")),
            ..access.clone()
        };
        assert_eq!(format!("{access:?}"), format!("{other:?}"));
    }
    if let Some(refresh) = read.refresh {
        assert!(!refresh.token.secret().is_empty());
        assert_eq!(refresh.endpoint, endpoint);
        let now = i64::try_from(seconds).expect("a constant");
        assert!(
            refresh.expires.is_none_or(|end| end >= now),
            "over before it has begun"
        );
        let kept = RefreshToken::of_provider(refresh);
        let written = serde_json::to_vec(&kept).expect("texts and numbers");
        let again: RefreshToken = serde_json::from_slice(&written).expect("what was written");
        assert!(again == kept, "the item holds another token after writing");
    }
}
