//! The keyring item's bytes, which another program can have changed.

use url::Url;
use vestibule_core::testing::Item;

/// The input is the item.
pub fn keyring_item(data: &[u8]) {
    let Some(item) = Item::from_bytes(data) else {
        return;
    };
    for place in [
        "https://api.vestibule.test/v1/refresh-token",
        "http://127.0.0.1:4580/refresh-token",
        "http://[::1]:4580/",
    ] {
        let place = Url::parse(place).expect("a constant");
        let _ = item.token.pairs(&place);
    }
    let _ = (item.token.expires(), item.token.is_empty());
    let written = item.to_bytes();
    let again = Item::from_bytes(&written).expect("an item that was written can be read");
    assert_eq!(again.generation, item.generation);
    assert_eq!(again.origin, item.origin);
    assert!(
        again.token == item.token,
        "the item holds another token after writing"
    );
    assert_eq!(
        again.token.fingerprint_bytes(),
        item.token.fingerprint_bytes()
    );
}
