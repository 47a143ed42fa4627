//! The verbs of a backend: the one table of its endpoints, and of what depends on which it is.
//!
//! A profile is checked, and a page kept away from the paths of sign-in, by this table. From a row
//! follow the key of [`Endpoints`], the [`Verb`] and both checks, so that no endpoint can be without
//! them.

use serde::Deserialize;

use super::model::Endpoint;
use super::placeholder::Placeholder as P;
use super::value_or_false::ValueOrFalse;

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

macro_rules! verbs {
    ($(
        $(#[$about:meta])*
        $key:ident => $verb:ident { placeholders: [$($placeholder:ident),*], is_for_pages: $pages:literal }
    )*) => {
        /// The calls. `false` means that the backend has no such endpoint.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        pub struct Endpoints {
            $($(#[$about])* pub $key: ValueOrFalse<Endpoint>,)*
        }

        /// What an endpoint of the profile is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Verb {
            $($(#[$about])* $verb,)*
        }

        impl Verb {
            const ALL: &[Self] = &[$(Self::$verb),*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$verb => Row {
                        name: stringify!($key),
                        placeholders: &[$(P::$placeholder),*],
                        is_for_pages: $pages,
                    },)*
                }
            }
        }

        impl Endpoints {
            /// The endpoints that the backend has, each with its verb.
            pub fn all(&self) -> impl Iterator<Item = (Verb, &Endpoint)> {
                [$((Verb::$verb, &self.$key)),*]
                    .into_iter()
                    .filter_map(|(verb, endpoint)| Some((verb, endpoint.get()?)))
            }
        }
    };
}

verbs! {
    /// Signs in with a password.
    login => Login { placeholders: [Identifier, Password], is_for_pages: false }

    /// Makes an account.
    register => Register { placeholders: [Identifier, Password, Name], is_for_pages: false }

    /// Makes the backend send the first code, where a login does not make it send one. It is called
    /// when a person is to type a sent code, and not for another method.
    send_otp => SendOtp { placeholders: [Identifier, Challenge], is_for_pages: false }

    /// Answers a challenge with a code that was sent.
    verify_otp => VerifyOtp {
        placeholders: [Identifier, Password, Otp, Challenge, TrustDevice],
        is_for_pages: false
    }

    /// Answers a challenge with a code that an authenticator app shows.
    verify_totp => VerifyTotp {
        placeholders: [Identifier, Password, Otp, Challenge, TrustDevice],
        is_for_pages: false
    }

    /// Answers a challenge with a recovery code.
    verify_recovery => VerifyRecovery {
        placeholders: [Identifier, Password, Otp, Challenge, TrustDevice],
        is_for_pages: false
    }

    /// Makes the backend send another code. If it is absent, `send_otp` is called for that.
    resend_otp => ResendOtp { placeholders: [Identifier, Challenge], is_for_pages: false }

    /// Renews the session. If it is absent, `me` tells whether the session is still alive.
    refresh => Refresh { placeholders: [RefreshToken, AccessToken], is_for_pages: false }

    /// Says who is signed in.
    me => Me { placeholders: [RefreshToken, AccessToken], is_for_pages: true }

    /// Ends the session.
    logout => Logout { placeholders: [RefreshToken, AccessToken], is_for_pages: false }

    /// Lists the sessions of the account. Some backends name each by its token.
    sessions => Sessions { placeholders: [AccessToken], is_for_pages: false }

    /// Ends one session of that list, which is `$listed_session`.
    end_session => EndSession {
        placeholders: [AccessToken, ListedSession],
        is_for_pages: false
    }

    /// Ends all sessions of the account but this one.
    end_other_sessions => EndOtherSessions { placeholders: [AccessToken], is_for_pages: false }
}

impl Verb {
    /// The key of its endpoint in the profile's `endpoints`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What the templates of its endpoint may hold.
    pub(super) fn placeholders(self) -> Vec<P> {
        [self.row().placeholders, &EVERYWHERE].concat()
    }

    /// The verbs whose templates may hold this placeholder.
    pub(super) fn that_may_hold(placeholder: P) -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(move |verb| verb.placeholders().contains(&placeholder))
    }

    /// Whether a page may call its path like any other of the API.
    pub(super) const fn is_for_pages(self) -> bool {
        self.row().is_for_pages
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    /// The keys of `endpoints`, as the schema of a profile has them.
    fn keys() -> BTreeSet<String> {
        let schema = schemars::schema_for!(Endpoints);
        let properties = schema.get("properties").expect("a table");
        let properties = properties.as_object().expect("by name");
        properties.keys().cloned().collect()
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
