//! What a refresh that has succeeded changes: whose session it is, and the record, the memory and the
//! windows.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::{Instant, timeout_at};

use super::commit::Persist;
use super::context::Context;
use super::keyring_status::KeyringStatus;
use super::open_session::{OpenSession, SessionOwner};
use super::provider_owner::ProviderOwner;
use super::record::RotationPhase;
use super::refresh_attempt::{RefreshAttempt, superseded};
use super::refresh_failure::RefreshFailures;
use super::refresh_reason::RefreshOutcome;
use super::token_keeper::TokenKeeper;
use crate::backend::{BackendError, NoOwner};
use crate::failpoints::failpoint;
use crate::profile::UserFrom;
use crate::response_fields::AccessToken;
use crate::secrets::Secret;
use crate::state::Event;
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::{Cause, User};

/// Takes renewed sessions into use.
pub(super) struct RenewedSessions {
    context: Arc<Context>,
    keeper: Arc<TokenKeeper>,
    failures: Arc<RefreshFailures>,
}

impl RenewedSessions {
    pub(super) fn new(
        context: Arc<Context>,
        keeper: Arc<TokenKeeper>,
        failures: Arc<RefreshFailures>,
    ) -> Self {
        Self {
            context,
            keeper,
            failures,
        }
    }

    /// Whose session it is, where the answer to a refresh does not say; `None` leaves the user as
    /// before. A failure is one of the refresh only where no user is known from before, or where it
    /// says by name that the session has ended. The bound `until` of the refresh holds for both
    /// requests.
    pub(super) async fn owner(
        &self,
        attempt: &RefreshAttempt,
        token: &RefreshToken,
        access: &AccessToken,
        (until, now): (Instant, SystemTime),
    ) -> Result<Option<User>, NoOwner> {
        let context = &self.context;
        let profile = context.backend.profile();
        let at = context.shared.in_epoch(attempt.epoch);
        let known = at.and_then(|at| {
            let owner = at.session.as_ref()?.owner.as_ref()?;
            Some(owner.user.id.clone())
        });
        let is_known = known.is_some();
        let backend = context.backend.with_jar(attempt.jar.clone());
        let device = &attempt.device;
        if let Some(held) = token.provider()
            && profile.provider_names_user()
        {
            let owner = ProviderOwner {
                held,
                known: known.as_deref(),
                access,
                device,
            };
            let asked = timeout_at(until, owner.confirm(&backend, now)).await;
            let confirmed = asked.unwrap_or_else(|_| owner.unknown(BackendError::TimedOut.into()));
            return confirmed.map_err(NoOwner::from);
        }
        let asks = profile.session.user_from == UserFrom::Me || !is_known;
        if profile.endpoints.me.get().is_none() || !asks {
            return Ok(None);
        }
        match timeout_at(until, backend.me(token, access.bearer(), device))
            .await
            .unwrap_or(Err(BackendError::TimedOut.into()))
        {
            Ok(user) => Ok(Some(user)),
            Err(NoOwner { fault, ended: None }) if is_known => {
                tracing::warn!(
                    %fault,
                    "the backend was asked for the user and gave none: the user is shown as before"
                );
                Ok(None)
            }
            Err(none) => Err(none),
        }
    }

    /// Puts a renewed session into effect: in the record, in memory, in the windows.
    pub(super) async fn apply(
        &self,
        attempt: &RefreshAttempt,
        token: RefreshToken,
        user: Option<User>,
        access: AccessToken,
    ) -> RefreshOutcome {
        let context = &self.context;
        let revocable = access.token.clone();
        let prepared = {
            let mut at = context.shared.in_epoch(attempt.epoch);
            at.as_mut().and_then(|at| {
                let keyring = at.keyring;
                let held = at.session.as_mut()?;
                let known = held.owner.take().map(|owner| owner.user);
                let mut user = user.or_else(|| known.clone())?;
                if user.name.is_empty()
                    && let Some(known) = known.filter(|known| known.id == user.id)
                {
                    // An answer without a name does not change the name.
                    user.name = known.name;
                }
                held.owner = Some(SessionOwner::new(user, &token));
                let lasts = !matches!(keyring, KeyringStatus::Unsaved(..));
                let record = context
                    .persistence
                    .record(held, RotationPhase::Idle, !lasts);
                Some((record, keyring))
            })
        };
        let Some((record, keyring)) = prepared else {
            if context.is_current(attempt.epoch) {
                // No answer has said whose session it is.
                let failures = &self.failures;
                return Err(failures.keep(attempt.epoch, BackendError::BadAnswer, None));
            }
            return self.discard(attempt, token, revocable);
        };
        // Where the keyring has acknowledged this generation, a crash of the machine that takes
        // the record back costs no more than one confirmation.
        let durability = match keyring {
            KeyringStatus::Saved => Durability::Unsynced,
            _ => Durability::Synced,
        };
        let persist = Persist::Record(Box::new(record), durability);
        let received = context.shared.now();
        let committed =
            context
                .commit
                .commit(attempt.epoch, persist, Cause::Refresh, |inner, _| {
                    if let Some(held) = &mut inner.session {
                        held.set_access(access, received);
                    }
                    inner.mark_healthy(received);
                    let told = inner.session.as_ref().and_then(OpenSession::info);
                    match told {
                        Some((user, session)) => Event::Renewed {
                            user: Some(user),
                            session,
                            remembered: inner.keyring.remembers(),
                        },
                        None => Event::OwnerUnknown,
                    }
                });
        let committed = committed.await;
        failpoint!("rotation.recorded");
        if committed.is_err() {
            return self.discard(attempt, token, revocable);
        }
        if let KeyringStatus::UntilQuit(_) = keyring {
            // The keyring has taken the token after all.
            self.keeper.make_permanent(attempt.epoch).await;
        }
        Ok(())
    }

    /// Ends a renewed session at the backend that has ended here meanwhile.
    fn discard(
        &self,
        attempt: &RefreshAttempt,
        token: RefreshToken,
        access: Option<Secret>,
    ) -> RefreshOutcome {
        let ended = self.context.ended_session(attempt.session, token, access);
        self.context.revoke(ended, attempt.device.clone());
        superseded(&self.context.shared)
    }
}
