//! What the backend offers, so that a page shows no button for what is not there. The profile
//! alone says it: no request is sent.

use super::api_path::refuse;
use super::client::Backend;
use crate::wire::BackendFeatures;

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
        BackendFeatures {
            register: endpoints.register.get().is_some(),
            sessions: refuse("GET", SESSIONS, profile).is_ok(),
            logout_all: refuse("POST", LOGOUT_ALL, profile).is_ok(),
            identifier: profile.identifier,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::Profile;
    use crate::wire::Identifier;

    fn features(profile: &str) -> [bool; 3] {
        let profile = json!({"extends": profile, "backend": "https://a.example"});
        let profile = Profile::from_json(profile).expect("a shipped profile");
        let features = Backend::new(profile, "test").expect("a client").features();
        [features.register, features.sessions, features.logout_all]
    }

    #[test]
    fn nothing_is_offered_that_a_profile_does_not_know() {
        assert_eq!(features("contract"), [true; 3]);
        assert_eq!(features("directus"), [true, false, false]);
        assert_eq!(features("better-auth"), [true, false, false]);
        assert_eq!(features("supabase"), [true, false, false]);
    }

    #[test]
    fn what_is_typed_is_as_the_profile_says() {
        let identifier = |more: serde_json::Value| {
            let profile = Profile::from_json(more).expect("a profile");
            let backend = Backend::new(profile, "test").expect("a client");
            backend.features().identifier
        };
        assert_eq!(identifier(json!({})), Identifier::Email);
        assert_eq!(identifier(json!({"identifier": "name"})), Identifier::Name);
    }
}
