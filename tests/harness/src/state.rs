//! What a state of the session says.

use vestibule_core::wire::{Freshness, Outage, Phase, SessionState, SignedOutReason, User};
use vestibule_core::{AuthError, ErrorCode};

/// Whether somebody is signed in with a valid access token.
pub fn is_fresh(state: &SessionState) -> bool {
    matches!(
        state.phase,
        Phase::SignedIn {
            freshness: Freshness::Fresh,
            ..
        }
    )
}

/// Whether somebody is signed in whose token could not be refreshed.
pub fn is_stale(state: &SessionState) -> bool {
    outage(state).is_some() && user(state).is_some()
}

/// What keeps the session from the backend, if anything does.
pub fn outage(state: &SessionState) -> Option<Outage> {
    match state.phase {
        Phase::SignedIn {
            freshness: Freshness::Stale(outage),
            ..
        } => Some(outage),
        Phase::Restoring { outage, .. } => outage,
        _ => None,
    }
}

/// When the refresh after a failed one is due; `None` also while one is in progress.
pub fn retry_in(state: &SessionState) -> Option<u64> {
    outage(state)?.retry_in_ms
}

/// The person who is signed in.
pub fn user(state: &SessionState) -> Option<&User> {
    match &state.phase {
        Phase::SignedIn { user, .. } => Some(user),
        _ => None,
    }
}

/// The email address of the person whom the state shows.
pub fn shown(state: &SessionState) -> Option<String> {
    user(state).map(|user| user.email.clone())
}

/// Who is signed in, and in which session.
pub fn identity(state: &SessionState) -> Option<(String, String)> {
    match &state.phase {
        Phase::SignedIn { user, session, .. } => Some((user.id.clone(), session.id.to_string())),
        _ => None,
    }
}

/// Whether the person who is signed in still would be after a restart.
pub fn remembered(state: &SessionState) -> Option<bool> {
    match state.phase {
        Phase::SignedIn { remembered, .. } => Some(remembered),
        _ => None,
    }
}

/// The reason why the user is signed out; `None` in every other phase.
pub fn why(state: &SessionState) -> Option<SignedOutReason> {
    match state.phase {
        Phase::SignedOut { why } => Some(why),
        _ => None,
    }
}

/// The error code of a result.
pub fn code<T: std::fmt::Debug>(result: &Result<T, AuthError>) -> Option<ErrorCode> {
    result.as_ref().err().map(|error| error.code)
}
