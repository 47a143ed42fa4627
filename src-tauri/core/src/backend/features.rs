//! What the backend offers, so that a page shows no button for what is not there. The profile
//! alone says it: no request is sent.

use super::api_path::refuse;
use super::client::Backend;
use crate::wire::{BackendFeatures, CodeForm};

/// The path at which the contract lists the sessions of an account.
const SESSIONS: &str = "/sessions";
/// The path at which the contract ends all sessions of an account.
const LOGOUT_ALL: &str = "/logout-all";

impl Backend {
    /// What the backend offers. A call that a page makes itself counts as offered if the profile
    /// lets the page make it.
    pub fn features(&self) -> BackendFeatures {
        let profile = self.profile();
        let endpoints = &profile.endpoints;
        let resend = endpoints.resend_otp.get().or(endpoints.send_otp.get());
        BackendFeatures {
            register: endpoints.register.get().is_some(),
            resend_otp: resend.is_some(),
            sessions: refuse("GET", SESSIONS, profile).is_ok(),
            logout_all: refuse("POST", LOGOUT_ALL, profile).is_ok(),
            identifier: profile.identifier,
            code: CodeForm {
                length: profile.otp.length,
                letters: profile.otp.letters,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::Profile;
    use crate::wire::Identifier;

    fn features(profile: &str) -> [bool; 4] {
        let profile = json!({"extends": profile, "backend": "https://a.example"});
        let profile = Profile::from_json(profile).expect("a shipped profile");
        let features = Backend::new(profile, "test").expect("a client").features();
        [
            features.register,
            features.resend_otp,
            features.sessions,
            features.logout_all,
        ]
    }

    #[test]
    fn nothing_is_offered_that_a_profile_does_not_know() {
        assert_eq!(features("contract"), [true; 4]);
        assert_eq!(features("directus"), [true, false, false, false]);
        // Its endpoint that sends the first code sends another one too.
        assert_eq!(features("better-auth"), [true, true, false, false]);
        assert_eq!(features("supabase"), [true, false, false, false]);
    }

    #[test]
    fn what_is_typed_is_as_the_profile_says() {
        let features = |more: serde_json::Value| {
            let profile = Profile::from_json(more).expect("a profile");
            let features = Backend::new(profile, "test").expect("a client").features();
            (
                features.identifier,
                features.code.length,
                features.code.letters,
            )
        };
        assert_eq!(features(json!({})), (Identifier::Email, 6, false));
        let other = json!({"identifier": "name", "otp": {"length": 10, "letters": true}});
        assert_eq!(features(other), (Identifier::Name, 10, true));
        for length in [0, 3, 65, 255] {
            let error = Profile::from_json(json!({"otp": {"length": length}}));
            assert_eq!(error.expect_err("a mistake").key, "otp.length");
        }
    }
}
