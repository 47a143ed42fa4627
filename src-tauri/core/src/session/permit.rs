//! What the user's roles let a command do. The backend stays the authority: its refusals are
//! taken for news about the roles.

use std::time::Duration;

use super::Session;
use super::rotate::Asked;
use crate::clock::SinceBoot;
use crate::error::{AuthError, ErrorCode};
use crate::vault::Stamp;

/// The shortest time between two refreshes that the backend's refusals cause: a backend that
/// refuses for reasons of its own is not asked about the roles each time.
const DOUBT_GAP: Duration = Duration::from_secs(30);

impl Session {
    /// Whether the user's roles let them do this. Roles that were not confirmed lately open
    /// nothing: while the session is stale the backend is asked first.
    ///
    /// # Errors
    /// [`ErrorCode::NotAllowed`] if the roles do not allow it; otherwise why it is not known.
    pub async fn permit(&self, permission: &str) -> Result<(), AuthError> {
        let (is_stale, serial) = {
            let held = self.held();
            let is_known = held.state.held().is_some() && held.state.outage().is_none();
            (!is_known, held.access_serial())
        };
        let asked = match is_stale {
            true => self.fly(Asked::Call(serial)).await,
            false => Ok(()),
        };
        let held = self.held();
        if held.state.held().is_none() {
            return Err(asked.err().unwrap_or(ErrorCode::NotSignedIn.into()));
        }
        if !held.state.may().iter().any(|granted| granted == permission) {
            tracing::warn!(permission, "the user's roles do not allow this");
            return Err(ErrorCode::NotAllowed.into());
        }
        match held.state.outage() {
            None => Ok(()),
            Some(_) => Err(asked.err().unwrap_or(ErrorCode::Unreachable.into())),
        }
    }

    /// The backend refused a call that this token went out with. Roles that let the user do
    /// something may be outdated then: they are asked for again, and nobody waits for it.
    pub(super) fn doubt_roles(&self, stamp: Stamp, serial: u64) {
        let now = self.now();
        {
            let mut held = self.held();
            let lately = |doubted: SinceBoot| now.saturating_sub(doubted) < DOUBT_GAP;
            if held.stamp != stamp
                || held.state.may().is_empty()
                || held.roles_doubted.is_some_and(lately)
            {
                return;
            }
            held.roles_doubted = Some(now);
        }
        tracing::info!("the backend refused a call: asking for the roles again");
        let session = self.clone();
        tokio::spawn(async move { session.fly(Asked::Call(serial)).await });
    }
}
