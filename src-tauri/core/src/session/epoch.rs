//! Identifies, in memory, the session for which an operation was begun, so that it cannot change
//! another.

use uuid::Uuid;

use crate::identity::SessionId;

/// The time from one session's beginning or end to the next. Every operation that changes a session
/// takes the epoch in which it was begun, and does nothing once that epoch is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Epoch(u64);

impl Epoch {
    /// The epoch at the start of the process.
    pub(super) const FIRST: Self = Self(1);

    /// The next epoch. Once it begins, this one is over.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// As a number, for ordering writes to the keyring.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// The sessions that are in use: the one that windows show, and the one that is held or being
/// restored. The backend is not told to end either of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InUse {
    pub shown: Option<SessionId>,
    pub held: Option<SessionId>,
}

impl InUse {
    pub(super) fn is(self, session: SessionId) -> bool {
        [self.shown, self.held].contains(&Some(session))
    }
}

/// One sign-in under way, from its click to its end, including its challenge. A sign-out or a
/// cancel voids it; the end of the session before it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AttemptId(Uuid);

/// Identifies one access token. Two tokens with the same text have different ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AccessId(Uuid);

impl AttemptId {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl AccessId {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }
}
