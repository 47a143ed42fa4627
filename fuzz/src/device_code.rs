//! The answer with a code for another device: what a person is shown is visible and bounded, and the
//! questions come neither too often nor at a moment that no clock has.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use vestibule_core::backend::Provider;
use vestibule_core::profile::ProviderAddress;
use vestibule_core::testing::read_device_code;

use super::is_shown_safely;
use super::provider::{check_address, provider};

static PROVIDER: LazyLock<Arc<Provider>> = LazyLock::new(|| provider(false));

/// The input is the body.
pub fn device_code(data: &[u8]) {
    let Ok(body) = serde_json::from_slice(data) else {
        return;
    };
    let Some((shown, expires_in, interval)) = read_device_code(&body, PROVIDER.clone()) else {
        return;
    };
    assert!(!shown.code.trim().is_empty(), "a code that nobody can type");
    assert!(shown.code.chars().count() <= 40 && is_shown_safely(&shown.code));
    for address in [Some(&shown.address), shown.complete_address.as_ref()]
        .into_iter()
        .flatten()
    {
        assert!(is_shown_safely(address), "{address:?}");
        assert!(address.len() <= 400, "{} bytes", address.len());
        check_address(&ProviderAddress::parse(address).expect("a page"));
    }
    assert!(!expires_in.is_zero());
    assert!(interval >= Duration::from_secs(1));
}
