//! Ids of sessions, installations, accounts, challenges and sign-ins by browser, and the generation of a
//! token. Each is a type of its own, so that a bare number or text in its place does not compile.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$about:meta])* $name:ident,)*) => {$(
        $(#[$about])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random id.
            #[allow(clippy::new_without_default, reason = "no two are the same")]
            pub fn new() -> Self {
                Self(Uuid::new_v4())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// One session, from its sign-in to its end, across restarts. Everything of the session carries
    /// it: keyring item, record, cookies, tokens, calls and events.
    SessionId,
    /// This installation of the app for this user of the computer. It is never sent, and is
    /// unrelated to the device's fingerprint.
    InstallId,
    /// One account's slot in a workspace. Its sessions replace each other in it.
    AccountId,
    /// One challenge. A code answers exactly one of them.
    ChallengeId,
    /// One sign-in by the system's browser or by a device code.
    BrowserSignInId,
    /// One entry in the list of the account's sessions, as a window knows it. The backend's own name of
    /// that session may be a token, so it stays in the core.
    ListedSessionId,
}

/// Counts the rotations of a session's token: each token that is taken into use has a higher
/// number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// The generation of the token that a sign-in gives out.
    pub const FIRST: Self = Self(1);

    /// The next generation.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// As a number, for ordering writes and for logs.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl From<u64> for Generation {
    fn from(number: u64) -> Self {
        Self(number)
    }
}
