//! What the backend offers, so that a page shows no button for what is not there. The profile
//! alone says it: no request is sent.

use super::api_path::refuse;
use super::client::Backend;
use crate::profile::Browser;
use crate::wire::BackendFeatures;

/// The path at which the contract ends all sessions of an account.
const LOGOUT_ALL: &str = "/logout-all";

impl Backend {
    /// What the backend offers. A call that a page makes itself counts as offered if the profile
    /// lets the page make it.
    pub fn features(&self) -> BackendFeatures {
        let profile = self.profile();
        let endpoints = &profile.endpoints;
        BackendFeatures {
            password: endpoints.login.get().is_some(),
            browser: profile.browser.get().map(Browser::offer),
            register: endpoints.register.get().is_some(),
            sessions: endpoints.sessions.get().is_some(),
            end_session: endpoints.end_session.get().is_some(),
            end_other_sessions: endpoints.end_other_sessions.get().is_some(),
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

    fn features(profile: &str) -> [bool; 5] {
        let profile = json!({"extends": profile, "backend": "https://a.example"});
        let profile = Profile::from_json(profile).expect("a shipped profile");
        let features = Backend::new(profile, "test").expect("a client").features();
        [
            features.register,
            features.sessions,
            features.end_session,
            features.end_other_sessions,
            features.logout_all,
        ]
    }

    #[test]
    fn nothing_is_offered_that_a_profile_does_not_know() {
        let all = [true, true, true, false, true];
        assert_eq!(features("contract"), all, "it ends all sessions or one");
        let accounts_alone = [true, false, false, false, false];
        assert_eq!(features("directus"), accounts_alone);
        assert_eq!(features("node-express-boilerplate"), accounts_alone);
        let all_but_everywhere = [true, true, true, true, false];
        assert_eq!(features("better-auth"), all_but_everywhere);
        let no_list = [true, false, false, true, false];
        assert_eq!(features("supabase"), no_list);
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
