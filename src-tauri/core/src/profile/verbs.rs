//! The verbs of a backend: the one table of what depends on which endpoint of a profile it is.
//!
//! To add a verb, add its endpoint to [`Endpoints`]. [`Endpoints::all`] and [`Verb::row`] do not
//! compile then until the new endpoint has a row. A profile is checked, and a page kept away from
//! the paths of sign-in, by this table: an endpoint without a row would be unchecked, and a page
//! could call it.

use super::model::{Endpoint, Endpoints};
use super::placeholder::Placeholder as P;

/// What an endpoint of the profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Signs in with a password.
    Login,
    /// Makes an account.
    Register,
    /// Has the first one-time code sent.
    SendOtp,
    /// Signs in with a one-time code.
    VerifyOtp,
    /// Has another one-time code sent.
    ResendOtp,
    /// Renews the session.
    Refresh,
    /// Says who is signed in.
    Me,
    /// Ends the session.
    Logout,
}

/// What is particular to one verb.
struct Row {
    /// Its key in the profile's `endpoints`.
    name: &'static str,
    /// What the templates of its endpoint may hold beside [`EVERYWHERE`].
    placeholders: &'static [P],
    /// Whether a page may call its path like any other of the API. No page may where a call could
    /// bring it a token or end the session.
    is_for_pages: bool,
}

/// What every endpoint may hold.
const EVERYWHERE: [P; 3] = [P::Device, P::DeviceId, P::Origin];

impl Verb {
    const fn row(self) -> Row {
        match self {
            Self::Login => Row {
                name: "login",
                placeholders: &[P::Identifier, P::Password],
                is_for_pages: false,
            },
            Self::Register => Row {
                name: "register",
                placeholders: &[P::Identifier, P::Password, P::Name],
                is_for_pages: false,
            },
            Self::SendOtp => Row {
                name: "send_otp",
                placeholders: &[P::Identifier, P::Challenge],
                is_for_pages: false,
            },
            Self::VerifyOtp => Row {
                name: "verify_otp",
                placeholders: &[P::Identifier, P::Password, P::Otp, P::Challenge],
                is_for_pages: false,
            },
            Self::ResendOtp => Row {
                name: "resend_otp",
                placeholders: &[P::Identifier, P::Challenge],
                is_for_pages: false,
            },
            Self::Refresh => Row {
                name: "refresh",
                placeholders: &[P::RefreshToken, P::AccessToken],
                is_for_pages: false,
            },
            Self::Me => Row {
                name: "me",
                placeholders: &[P::RefreshToken, P::AccessToken],
                is_for_pages: true,
            },
            Self::Logout => Row {
                name: "logout",
                placeholders: &[P::RefreshToken, P::AccessToken],
                is_for_pages: false,
            },
        }
    }

    /// The key of its endpoint in the profile's `endpoints`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What the templates of its endpoint may hold.
    pub(super) fn placeholders(self) -> Vec<P> {
        [self.row().placeholders, &EVERYWHERE].concat()
    }

    /// Whether a page may call its path like any other of the API.
    pub(super) const fn is_for_pages(self) -> bool {
        self.row().is_for_pages
    }
}

impl Endpoints {
    /// The endpoints that the backend has, each with its verb.
    pub fn all(&self) -> impl Iterator<Item = (Verb, &Endpoint)> {
        // Without `..`: an endpoint that is missing here does not compile.
        let Self {
            login,
            register,
            send_otp,
            verify_otp,
            resend_otp,
            refresh,
            me,
            logout,
        } = self;
        [
            (Verb::Login, login),
            (Verb::Register, register),
            (Verb::SendOtp, send_otp),
            (Verb::VerifyOtp, verify_otp),
            (Verb::ResendOtp, resend_otp),
            (Verb::Refresh, refresh),
            (Verb::Me, me),
            (Verb::Logout, logout),
        ]
        .into_iter()
        .filter_map(|(verb, endpoint)| Some((verb, endpoint.get()?)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, json};

    use super::*;

    /// The keys of `endpoints`, as the schema of a profile has them.
    fn keys() -> BTreeSet<String> {
        let schema = schemars::schema_for!(Endpoints);
        let properties = schema.get("properties").expect("a table");
        let properties = properties.as_object().expect("by name");
        properties.keys().cloned().collect()
    }

    #[test]
    fn every_endpoint_has_a_verb_that_is_called_as_its_key() {
        let keys = keys();
        assert!(keys.len() >= 8, "{keys:?}");
        let path = |key: &String| (key.clone(), json!({"path": format!("/the/{key}")}));
        let all: Map<_, _> = keys.iter().map(path).collect();
        let endpoints: Endpoints = serde_json::from_value(all.into()).expect("endpoints");
        let mut named = BTreeSet::new();
        for (verb, endpoint) in endpoints.all() {
            let name = verb.name();
            assert_eq!(endpoint.path.source(), format!("/the/{name}"), "{verb:?}");
            assert!(named.insert(name.to_owned()), "{name} twice");
        }
        assert_eq!(named, keys);
    }

    #[test]
    fn a_page_may_call_none_that_brings_a_token_or_ends_a_session() {
        let of = |key: &String| {
            let endpoint = json!({(key.as_str()): {"path": "/x"}});
            let endpoints: Endpoints = serde_json::from_value(endpoint).expect("one");
            endpoints.all().any(|(verb, _)| verb.is_for_pages())
        };
        let open: Vec<_> = keys().into_iter().filter(of).collect();
        assert_eq!(open, ["me"]);
    }
}
