//! An account as a list of accounts shows it.

use super::index::{Entry, Owner};
use super::shared::OpenAccount;
use crate::wire::{
    AccountStanding, AccountSummary, Freshness, Phase, SessionState, SignedOutReason, StorageStatus,
};

pub(super) fn of(entry: &Entry, open: Option<&OpenAccount>) -> AccountSummary {
    let open = open.filter(|open| open.session.upgrade().is_some());
    let last_known = match entry.over {
        None if entry.until_quit => AccountStanding::SignedOut {
            why: SignedOutReason::Missing,
        },
        None => AccountStanding::Kept,
        Some(why) => AccountStanding::SignedOut { why },
    };
    AccountSummary {
        id: entry.id,
        workspace: entry.workspace.clone(),
        owner: entry.owner.as_ref().map(Owner::view),
        standing: match open.map(|open| open.standing) {
            // Until the backend has said otherwise, what was last known holds.
            Some(AccountStanding::Restoring) | None => last_known,
            Some(standing) => standing,
        },
        remembered: entry.remembered,
    }
}

pub(super) fn standing(state: &SessionState) -> AccountStanding {
    match &state.phase {
        _ if is_behind_keyring(state) => AccountStanding::Locked,
        Phase::Restoring { .. } => AccountStanding::Restoring,
        Phase::SignedOut { why } => AccountStanding::SignedOut { why: *why },
        Phase::OtpPending { .. } | Phase::BrowserPending { .. } => AccountStanding::Challenged,
        Phase::SignedIn { freshness, .. } => match freshness {
            Freshness::Fresh => AccountStanding::Fresh,
            Freshness::Stale(_) => AccountStanding::Stale,
        },
    }
}

/// Whether the session's token is in a keyring that cannot be read now: the same rule as
/// `isBehindKeyring` of the page.
fn is_behind_keyring(state: &SessionState) -> bool {
    let is_unread = match &state.phase {
        Phase::Restoring { .. } => true,
        Phase::SignedIn {
            freshness,
            remembered,
            ..
        } => matches!(freshness, Freshness::Stale(_)) && *remembered,
        Phase::SignedOut { .. } | Phase::OtpPending { .. } | Phase::BrowserPending { .. } => false,
    };
    is_unread && state.storage != StorageStatus::Ok
}
