//! The two ways in which a refresh token travels, for promises that are tested with both. A token
//! in a cookie can be stored once the headers have arrived, one in a body only once that has.

use serde_json::json;
use vestibule_backend::Carrier;
use vestibule_core::profile::Profile;
use vestibule_harness::Lost;

/// Both, in the order of their declaration: `carrier as usize` is an index into this.
pub const CARRIERS: [Carrier; 2] = [Carrier::Cookie, Carrier::Body];

/// The argument that tells a child process the carrier.
pub fn word(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Cookie => "cookie",
        Carrier::Body => "body",
    }
}

/// The profile of a backend at this address. `word` says how tokens travel and, after a colon,
/// where the user comes from after a refresh: `cookie:login`.
pub fn profile(address: &str, word: &str) -> Result<Profile, Lost> {
    let (word, user_from) = word.split_once(':').unwrap_or((word, "refresh"));
    let carrier = match word {
        "cookie" => Carrier::Cookie,
        "body" => Carrier::Body,
        other => return Err(format!("a token cannot travel in a {other}")),
    };
    let more = json!({"session": {"user_from": user_from}});
    vestibule_harness::profile(address, carrier, more)
}
