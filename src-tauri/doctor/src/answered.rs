//! What one question to the backend brought: its exchanges, in words too, and what the app's own
//! client makes of the answer.

use serde_json::Value;
use vestibule_core::backend::Exchange;

use crate::finding::Finding;
use crate::shape;

/// An exchange, with words for it that hold no secret.
pub(crate) struct Described {
    pub exchange: Exchange,
    pub sent: String,
    pub got: String,
}

/// The answer to one question. Most take one exchange; where the profile asks `me` for the user, a
/// sign-in takes two.
pub(crate) struct Answered<T> {
    pub result: T,
    pub exchanges: Vec<Described>,
}

impl<T> Answered<T> {
    pub(crate) fn exchange(&self) -> Option<&Exchange> {
        self.exchanges.first().map(|one| &one.exchange)
    }

    pub(crate) fn sent(&self) -> &str {
        self.exchanges.first().map_or("", |one| &one.sent)
    }

    pub(crate) fn got(&self) -> &str {
        let first = self.exchanges.first();
        first.map_or("nothing was sent", |one| &one.got)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.exchange()?.status
    }

    pub(crate) fn is_success(&self) -> bool {
        matches!(self.status(), Some(200..=299))
    }

    /// Whether the backend serves nothing at this path.
    pub(crate) fn is_absent(&self) -> bool {
        self.status()
            .is_some_and(vestibule_core::is_absent_endpoint)
    }

    pub(crate) fn is_page(&self) -> bool {
        self.exchange().is_some_and(shape::is_page)
    }

    /// The JSON of the answer.
    pub(crate) fn body(&self) -> Option<Value> {
        self.exchange().and_then(shape::body)
    }

    pub(crate) fn yes(&self) -> Finding {
        Finding::yes(self.sent(), self.got())
    }

    pub(crate) fn no(&self) -> Finding {
        Finding::no(self.sent(), self.got())
    }

    pub(crate) fn unclear(&self) -> Finding {
        Finding::unclear(self.sent(), self.got())
    }

    /// Like [`Answered::yes`], and what that answer means.
    pub(crate) fn yes_because(&self, meaning: &str) -> Finding {
        Finding::yes(self.sent(), format!("{}: {meaning}", self.got()))
    }

    /// Like [`Answered::no`], and what that answer means.
    pub(crate) fn no_because(&self, meaning: &str) -> Finding {
        Finding::no(self.sent(), format!("{}: {meaning}", self.got()))
    }

    /// Like [`Answered::unclear`], and what that answer means.
    pub(crate) fn unclear_because(&self, meaning: &str) -> Finding {
        Finding::unclear(self.sent(), format!("{}: {meaning}", self.got()))
    }
}
