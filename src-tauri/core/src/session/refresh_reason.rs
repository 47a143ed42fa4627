//! Why a refresh is requested, and what comes of it.

use super::epoch::AccessId;
use crate::error::AuthError;

/// Why a refresh is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefreshReason {
    /// The schedule.
    Timer,
    /// A person, or native code.
    Click,
    /// A page, for whatever reason: it is not known whether a person clicked.
    Page,
    /// A call that could not use this access token; `None` if there was none.
    Call(Option<AccessId>),
}

impl RefreshReason {
    /// Whether a page causes the refresh, or may cause it.
    pub(super) fn is_by_page(self) -> bool {
        matches!(self, Self::Page | Self::Call(_))
    }
}

/// The result of a refresh.
pub(super) type RefreshOutcome = Result<(), AuthError>;
