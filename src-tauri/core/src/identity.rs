//! What tells one session, installation, account, token or challenge from another. Each is a
//! type of its own: a bare number or text in their place does not compile.

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
            /// A new one, which nobody has had before.
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

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// One session, from its sign-in to its end, across restarts. It goes along with everything
    /// of that session: keyring item, record, cookies, tokens, calls, events.
    SessionId,
    /// This installation of the app for this user of the machine. Local: it is never sent, and
    /// has nothing to do with the device's fingerprint.
    InstallId,
    /// One person's place in a workspace, whichever session is in it.
    AccountId,
    /// One challenge: a code is an answer to this one and to no other.
    ChallengeId,
}

/// Which rotation of a session's token: it grows by one with each that was taken into use.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// That of the token which a sign-in gives out.
    pub const FIRST: Self = Self(1);

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// For an order of writes, and for people to read.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl From<u64> for Generation {
    fn from(number: u64) -> Self {
        Self(number)
    }
}
