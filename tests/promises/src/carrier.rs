//! The two ways in which a refresh token travels, for what is shown with both: in a cookie it is
//! safe once the headers are here, in a body only once that is.

use serde_json::json;
use vestibule_backend::Carrier;
use vestibule_core::profile::Profile;

use crate::rig::Lost;

/// Both, in the order of their declaration: `carrier as usize` is a place here.
pub const CARRIERS: [Carrier; 2] = [Carrier::Cookie, Carrier::Body];

/// What a process is told of it.
pub fn word(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Cookie => "cookie",
        Carrier::Body => "body",
    }
}

/// The profile of a backend at this address, where tokens travel in what `word` says; and where
/// the user comes from after a refresh, if that follows it: `cookie:login`.
pub fn profile(address: &str, word: &str) -> Result<Profile, Lost> {
    let (word, user_from) = word.split_once(':').unwrap_or((word, "refresh"));
    let session = json!({ "user_from": user_from });
    let cookie = json!({ "backend": address, "session": session });
    let body = json!({
        "backend": address,
        "session": session,
        "cookies": { "refresh": [] },
        "endpoints": {
            "refresh": { "body": { "refreshToken": "$refresh_token", "fingerprint": "$device" } },
            "logout": { "body": { "refreshToken": "$refresh_token" } },
        },
        "answer": {
            "login": { "refresh_token": ["/tokens/refreshToken"] },
            "refresh": { "refresh_token": ["/tokens/refreshToken"] },
        },
    });
    let value = match word {
        "cookie" => cookie,
        "body" => body,
        other => return Err(format!("a token cannot travel in a {other}")),
    };
    Profile::from_json(value).map_err(|error| error.to_string())
}
