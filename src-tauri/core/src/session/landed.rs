//! What an answer to a refresh makes of the session: renewed, ended, or kept until the next
//! try. Each takes effect only while the session is the one that was asked for.

use std::time::Duration;

use super::rotate::Start;
use super::sign_in::expires_at;
use super::{Access, Session};
use crate::backend::Fault;
use crate::error::{AuthError, ErrorCode};
use crate::journal::{Journal, LastUser, SignedOut};
use crate::reply::AccessToken;
use crate::state::Event;
use crate::steps::step;
use crate::token::RefreshToken;
use crate::wire::{Cause, SignedOutReason, User};

impl Session {
    pub(super) async fn renewed(
        &self,
        start: &Start,
        generation: u64,
        token: RefreshToken,
        user: Option<User>,
        access: AccessToken,
    ) -> Result<(), AuthError> {
        let last_user = {
            let known = self.held().last_user.clone();
            let known_user = || known.as_ref().map(|last| last.user.clone());
            let mut user = user.or_else(known_user).unwrap_or_else(someone);
            let same = known.filter(|last| last.user.id == user.id);
            let mut last = same.unwrap_or_else(|| LastUser::first_seen(&self.origin(), &user));
            last.session.expires_at = expires_at(&token);
            last.device = Some(start.device.clone());
            if user.name.is_empty() {
                // Not said is not changed.
                user.name.clone_from(&last.user.name);
            }
            last.user = user;
            last
        };
        let revocable = access.token.clone();
        let written = if self.held().lasts {
            self.record(start.stamp, generation, &token, last_user.clone())
                .await
        } else {
            let written = self.on_disk(start.stamp, move |records| {
                Journal::idle(generation, None).write(records)
            });
            written.await.map(drop)
        };
        step!("rotation.recorded");
        if !self.assign_renewed(start, last_user, access, written.is_ok()) {
            self.revoke(token, revocable, start.device.clone());
            return self.superseded();
        }
        Ok(())
    }

    /// The result of a flight that a sign-in or a sign-out has overtaken.
    pub(super) fn superseded(&self) -> Result<(), AuthError> {
        if self.held().access.is_some() {
            return Ok(());
        }
        Err(ErrorCode::NotSignedIn.into())
    }

    fn assign_renewed(
        &self,
        start: &Start,
        last_user: LastUser,
        access: AccessToken,
        recorded: bool,
    ) -> bool {
        let mut held = self.held();
        if held.stamp != start.stamp {
            return false;
        }
        held.access = Some(Access {
            serial: held.access_serial() + 1,
            token: access,
            received: self.now(),
        });
        held.outage_since = None;
        held.plan_refresh(self.now());
        let event = Event::Renewed {
            user: Some(last_user.user.clone()),
            session: last_user.session.clone(),
            remembered: held.is_saved() && recorded,
        };
        held.last_user = Some(last_user);
        self.publish(&mut held, Cause::Refresh, event);
        true
    }

    /// The session stays; the next try is planned.
    pub(super) fn unreached(
        &self,
        start: &Start,
        fault: Fault,
        retry_after: Option<Duration>,
    ) -> AuthError {
        let mut error = AuthError::from(fault);
        let mut held = self.held();
        if held.stamp != start.stamp {
            return error;
        }
        let wait = held.plan.failed(self.now(), retry_after, rand::random());
        tracing::warn!(%fault, failures = held.plan.failures(), ?wait, "the session is kept; trying again");
        let outage = held.outage(self.0.clock.wall_ms(), Some(wait));
        let event = match &held.last_user {
            Some(last) if held.state.is_restoring() => Event::LastKnown {
                user: last.user.clone(),
                session: last.session.clone(),
                outage,
            },
            _ => Event::Unreached(outage),
        };
        self.publish(&mut held, Cause::Outage, event);
        error.retry_after_ms = error.retry_after_ms.or(retry_after.and(outage_wait(wait)));
        error
    }

    /// The backend has ended the session: persist that, then say so.
    pub(super) async fn ended(&self, start: &Start, why: SignedOutReason) -> Result<(), AuthError> {
        let overtaken = {
            let mut held = self.held();
            if held.stamp == start.stamp {
                Ok(held.supersede())
            } else {
                Err(())
            }
        };
        let Ok(stamp) = overtaken else {
            return self.superseded();
        };
        tracing::warn!(?why, "the backend has ended the session");
        let generation = start.generation;
        let _ = self
            .on_disk(stamp, move |records| {
                SignedOut { why }.write(records)?;
                LastUser::clear(records)?;
                Journal::idle(generation, None).write(records)
            })
            .await;
        let deleted = self.0.vault.delete(stamp).await;
        let mut held = self.held();
        if held.stamp == stamp {
            held.drop_session();
            self.0.backend.forget();
            if let Err(error) = deleted {
                held.state.apply(Event::Storage(super::storage_of(error)));
            }
            self.publish(&mut held, Cause::Rejected, Event::Ended(why));
        }
        Err(ErrorCode::SessionEnded.into())
    }
}

/// Whom to show where the backend names the user at the sign-in only, and the record of that
/// is gone: a session is not ended for a lost file.
fn someone() -> User {
    User {
        id: String::new(),
        name: "Signed in".into(),
        email: String::new(),
        email_verified: false,
        image: None,
        roles: Vec::new(),
    }
}

fn outage_wait(wait: Duration) -> Option<u64> {
    u64::try_from(wait.as_millis()).ok()
}
