//! Profiles of the bundled backend.

use serde_json::{Value, json};
use vestibule_backend::Carrier;
use vestibule_core::profile::Profile;

use crate::wait::Lost;

/// The profile of a bundled backend at this address whose refresh tokens travel in this carrier,
/// with `more` merged into it.
pub fn profile(address: &str, carrier: Carrier, more: Value) -> Result<Profile, Lost> {
    let mut profile = json!({
        "backend": address,
        "roles": {"admin": ["people.see", "people.export"]},
    });
    if carrier == Carrier::Body {
        merge(&mut profile, tokens_in_bodies());
    }
    merge(&mut profile, more);
    Profile::from_json(profile).map_err(|error| error.to_string())
}

/// What a profile says where refresh tokens travel in bodies and not in a cookie.
pub fn tokens_in_bodies() -> Value {
    json!({
        "cookies": {"refresh": []},
        "endpoints": {
            "refresh": {"body": {"refreshToken": "$refresh_token", "fingerprint": "$device"}},
            "logout": {"body": {"refreshToken": "$refresh_token"}},
        },
        "answer": {
            "login": {"refresh_token": ["/tokens/refreshToken"]},
            "refresh": {"refresh_token": ["/tokens/refreshToken"]},
        },
    })
}

/// Merges the members of `more` into `base`, recursively.
pub fn merge(base: &mut Value, more: Value) {
    match (base, more) {
        (Value::Object(base), Value::Object(more)) => {
            for (name, value) in more {
                merge(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, more) => *base = more,
    }
}
