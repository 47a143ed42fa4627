//! Which session is meant, in memory: what was begun for one must not change another.

use uuid::Uuid;

use crate::identity::SessionId;

/// From one session's beginning or end to the next. Whatever changes a session takes the epoch
/// that it was begun in, and does nothing once that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Epoch(u64);

impl Epoch {
    /// That of the start.
    pub const FIRST: Self = Self(1);

    /// The one that makes this one over.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// For the order of writes to the keyring.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// The sessions that are in use: what windows show, and what is held or being restored. None of
/// them is ended at the backend.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InUse {
    pub shown: Option<SessionId>,
    pub held: Option<SessionId>,
}

impl InUse {
    pub fn is(self, session: SessionId) -> bool {
        [self.shown, self.held].contains(&Some(session))
    }
}

/// One sign-in under way: from its click to its end, its challenge included. A sign-out and a
/// cancel void it; the end of the session before it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AttemptId(Uuid);

/// Names one access token; two that a backend gives out with the same text have two ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AccessId(Uuid);

impl AttemptId {
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl AccessId {
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}
