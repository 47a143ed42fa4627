//! What the user's roles allow a command to do. The backend stays the authority: its refusals may
//! mean that the roles have changed.

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::epoch::{AccessId, Epoch};
use super::refresh::Refresh;
use super::refresh_reason::RefreshReason;
use crate::clock::SinceBoot;
use crate::error::{AuthError, ErrorCode};

/// The shortest time between two refreshes that the backend's refusals cause: a backend that
/// refuses for other reasons is not asked for the roles each time.
const ROLES_RECHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Answers what a user may do.
pub(super) struct Rights {
    pub context: Arc<Context>,
    pub refresh: Arc<Refresh>,
}

impl Rights {
    /// Whether the user's roles include this right. Roles that were not confirmed lately allow
    /// nothing: while the session is stale, the backend is asked first.
    ///
    /// # Errors
    /// [`ErrorCode::NotAllowed`] if the roles do not include it; otherwise why that is not known.
    pub(super) async fn require_right(&self, right: &str) -> Result<(), AuthError> {
        let shared = &self.context.shared;
        let (epoch, is_stale, access) = shared.look(|inner| {
            let state = inner.state();
            let is_known = state.signed_in().is_some() && state.outage().is_none();
            (inner.epoch(), !is_known, inner.access_id())
        });
        let asked = match is_stale {
            true => {
                self.refresh
                    .refresh(epoch, RefreshReason::Call(access))
                    .await
            }
            false => Ok(()),
        };
        // A command of one user must not be decided by the rights of another.
        let at = shared.in_epoch(epoch).ok_or(ErrorCode::NotSignedIn)?;
        let state = at.state();
        if state.signed_in().is_none() {
            return Err(asked.err().unwrap_or(ErrorCode::NotSignedIn.into()));
        }
        if !state.may().iter().any(|granted| granted == right) {
            tracing::warn!(
                right,
                "the user's roles do not include this right: the command is refused"
            );
            return Err(ErrorCode::NotAllowed.into());
        }
        match state.outage() {
            None => Ok(()),
            Some(_) => Err(asked.err().unwrap_or(ErrorCode::Unreachable.into())),
        }
    }

    /// The backend refused a call that carried this token. The roles that allow the user something
    /// may be outdated, so they are requested again, without waiting for the answer.
    pub(super) fn recheck_roles(&self, epoch: Epoch, access: AccessId) {
        let now = self.context.shared.now();
        {
            let Some(mut at) = self.context.shared.in_epoch(epoch) else {
                return;
            };
            let lately = |doubted: SinceBoot| now.saturating_sub(doubted) < ROLES_RECHECK_INTERVAL;
            if at.state().may().is_empty() || at.roles_rechecked.is_some_and(lately) {
                return;
            }
            at.roles_rechecked = Some(now);
        }
        tracing::info!("the backend refused a call: asking for the roles again");
        let refresh = self.refresh.clone();
        tokio::spawn(async move {
            let reason = RefreshReason::Call(Some(access));
            refresh.refresh(epoch, reason).await
        });
    }
}
