//! Turns a session that has begun at the backend into this app's session: the session that it
//! replaces goes to the pending sign-outs, then the new one is persisted, assigned and published.

use std::sync::Arc;
use std::time::Duration;

use super::commit::{Overtaken, Persist};
use super::context::Context;
use super::epoch::{AttemptId, Epoch};
use super::given_up_sign_in::take_back;
use super::inner::Inner;
use super::keyring_status::KeyringStatus;
use super::open_session::{OpenSession, SessionOwner};
use super::pending_sign_outs::EndedSession;
use super::process_lock::SIGN_IN_LOCK_TIMEOUT;
use super::provider_grant::GrantInUse;
use super::record::{LocalIds, RotationPhase};
use crate::backend::Grant;
use crate::cookies::Jar;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::failpoint;
use crate::identity::{Generation, SessionId};
use crate::response_fields::AccessToken;
use crate::state::Event;
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::{Cause, User};

/// How long a sign-in waits until the backend was told of the end of the replaced session, if
/// neither disk nor keyring can store that.
const REVOKE_TIMEOUT: Duration = Duration::from_secs(3);

/// Replaces the app's session by one that the backend has begun.
pub(super) struct NewSessions {
    context: Arc<Context>,
}

/// With what a person has signed in.
pub(super) struct SignedInWith {
    /// The device that the sign-in named.
    pub device: Device,
    /// The ordinary cookies of the sign-in.
    pub jar: Jar,
}

/// A session that has begun at the backend and is about to become this app's.
struct UncommittedSession {
    epoch: Epoch,
    held: OpenSession,
    /// The session that it replaces.
    replaced: Option<OpenSession>,
    /// What was known of the keyring before.
    known: KeyringStatus,
    /// The cookies that its sign-in has set.
    jar: Jar,
}

/// What became of the record of a sign-in.
#[derive(Default)]
struct RecordOutcome {
    is_written: bool,
    /// A sign-out marker that could not be removed would end this session.
    is_marked: bool,
    /// The record replaced that of a session which this process did not know.
    replaced_unknown_session: bool,
}

impl NewSessions {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Persists, assigns and publishes the session. A sign-out that comes meanwhile takes precedence, and so
    /// does a cancel or a newer sign-in that voids this one.
    pub(super) async fn activate(
        &self,
        cause: Cause,
        attempt: AttemptId,
        grant: Grant,
        by: SignedInWith,
    ) -> Result<(), AuthError> {
        let context = &self.context;
        let _exclusive = context.lock.both_locks(SIGN_IN_LOCK_TIMEOUT).await;
        let Grant {
            user,
            access,
            token,
        } = grant;
        let ended = {
            let (user, token, access) = (user.id.clone(), token.clone(), access.token.clone());
            move |session: SessionId| EndedSession {
                user: Some(user.clone()),
                ..context.ended_session(session, token.clone(), access.clone())
            }
        };
        let Some(uncommitted) = self.begin(attempt, user, token, &by) else {
            context.revoke(ended(SessionId::new()), by.device);
            return Err(voided_error(cause));
        };
        let (epoch, held) = (uncommitted.epoch, uncommitted.held.clone());
        let replaced = uncommitted.replaced.as_ref().map(|held| held.id);
        let device = context.shared.look(|inner| inner.device.clone());
        let established = self.establish(uncommitted, attempt, cause, access).await;
        if established.is_err() {
            take_back(context, epoch, &held, ended(held.id)).await;
        }
        if let Some(replaced) = replaced {
            context.pending.deliver_now(replaced);
        }
        context.pending.release_unclaimed();
        let background = context.clone();
        // The sign-in does not wait until the backend was told of the replaced session.
        tokio::spawn(async move { background.deliver_due(&device).await });
        if established.is_err() {
            context.revoke(ended(held.id), by.device);
            return Err(voided_error(cause));
        }
        Ok(())
    }

    /// Begins a new epoch: all that was begun for the session before is over.
    fn begin(
        &self,
        attempt: AttemptId,
        user: User,
        token: RefreshToken,
        by: &SignedInWith,
    ) -> Option<UncommittedSession> {
        let mut at = self.context.shared.in_attempt(attempt)?;
        let epoch = at.begin_epoch();
        let known = at.keyring;
        let all_replaced = at.replaced();
        let replaced = at.drop_session();
        at.beginning = GrantInUse::of(Some(&token), Some(&user.id));
        Some(UncommittedSession {
            epoch,
            held: OpenSession {
                id: SessionId::new(),
                generation: Generation::FIRST,
                access: None,
                owner: Some(SessionOwner::new(user, &token)),
                token: Some(token),
                device: by.device.clone(),
                saved_generation: None,
                replaced_at: None,
                legacy_item: replaced.as_ref().and_then(|held| held.legacy_item),
                is_last_chance: false,
                replaced: all_replaced,
            },
            replaced,
            known,
            jar: by.jar.clone(),
        })
    }

    async fn establish(
        &self,
        uncommitted: UncommittedSession,
        attempt: AttemptId,
        cause: Cause,
        access: AccessToken,
    ) -> Result<(), Overtaken> {
        let context = &self.context;
        let UncommittedSession {
            epoch,
            mut held,
            replaced,
            known,
            jar,
        } = uncommitted;
        let before = context.shared.look(|inner| inner.device.clone());
        // The backend has to be told of the end of the replaced session, so its token must not be
        // lost.
        let mut known = self.revoke_replaced(replaced, &held, known).await;
        let recorded = self.record(epoch, &mut held).await?;
        if recorded.replaced_unknown_session {
            // The keyring item may belong to that session too.
            known = KeyringStatus::Unknown(None);
        }
        let (is_recorded, is_marked) = (recorded.is_written, recorded.is_marked);
        failpoint!("login.journaled");
        let token = held.token.clone().unwrap_or_default();
        let mut item = context.persistence.item(held.id, held.generation, token);
        item.until_quit = !is_recorded || is_marked;
        let saved = context
            .items
            .save(epoch, &item, known, held.legacy_item)
            .await;
        failpoint!("login.kept");
        let now = context.shared.now();
        known = KeyringStatus::after(saved, item.until_quit, now);
        held.saved_generation = saved.is_ok().then_some(held.generation);
        held.legacy_item = held.legacy_item.filter(|_| saved.is_err());
        held.set_access(access, now);
        let record =
            context
                .persistence
                .record(&held, RotationPhase::Idle, known.lasts_until_quit());
        let durability = match known {
            // If this write is lost in a crash, the next start reads the keyring once more.
            KeyringStatus::Saved => Durability::Unsynced,
            _ => Durability::Synced,
        };
        let persist = match is_recorded {
            true => Persist::Record(Box::new(record), durability),
            false => Persist::Nothing,
        };
        self.save_device(&before, &held.device).await;
        let mut closed = None;
        let change = |inner: &mut Inner, _: bool| {
            inner.begin_epoch();
            inner.replace_jar(jar);
            inner.device = held.device.clone();
            inner.keyring = known;
            inner.ignores_unnamed_marker = is_marked;
            closed = inner.close_challenge();
            inner.close_browser_flow();
            let told = held.info();
            inner.session = Some(held);
            inner.beginning = None;
            inner.mark_healthy(now);
            match told {
                Some((user, session)) => Event::SignedIn {
                    user,
                    session,
                    remembered: known.remembers(),
                },
                None => Event::OwnerUnknown,
            }
        };
        let committed = context
            .commit
            .commit_sign_in(epoch, attempt, persist, cause, change);
        committed.await?;
        failpoint!("login.recorded");
        if let Some(closed) = closed {
            let ended = context.ended_session(SessionId::new(), closed.token, None);
            context.revoke(ended, closed.device);
        }
        Ok(())
    }

    /// Hands the replaced session to the pending sign-outs, which know whether the backend is to be told
    /// of its end. Returns what is then known of the
    /// keyring: whether it may be overwritten.
    async fn revoke_replaced(
        &self,
        replaced: Option<OpenSession>,
        by: &OpenSession,
        known: KeyringStatus,
    ) -> KeyringStatus {
        let context = &self.context;
        let Some(replaced) = replaced else {
            return known;
        };
        let access = replaced.access_text();
        let Some(token) = replaced.token else {
            // The token is in a keyring that was not read.
            return KeyringStatus::Unknown(None);
        };
        if by.token.as_ref().is_some_and(|new| new.is_same(&token)) {
            // Some backends give out the same token twice: ending the replaced session would end
            // this one.
            return known;
        }
        let ended = EndedSession {
            replaced_by: Some(by.id),
            ..context.ended_session(replaced.id, token, access)
        };
        if context.pending.put(ended).await.is_ok() {
            return known;
        }
        // Neither disk nor keyring can store it. Once the backend has been told, it need not be
        // stored.
        context.pending.deliver_now(replaced.id);
        let (background, device) = (context.clone(), replaced.device);
        let told = tokio::spawn(async move { background.deliver_due(&device).await });
        let _ = tokio::time::timeout(REVOKE_TIMEOUT, told).await;
        match context.pending.ensure_stored(replaced.id).await {
            None | Some(Ok(())) => known,
            // The keyring must not be overwritten before the token is stored elsewhere.
            Some(Err(error)) => KeyringStatus::Unknown(Some(error)),
        }
    }

    /// Writes the record of this session and removes the sign-out marker of another. What the
    /// record before knew of the keyring is carried over.
    async fn record(
        &self,
        epoch: Epoch,
        held: &mut OpenSession,
    ) -> Result<RecordOutcome, Overtaken> {
        let context = &self.context;
        let mut record = context.persistence.record(held, RotationPhase::Idle, false);
        let asking = context.clone();
        let is_current = move || asking.is_current(epoch);
        let written = context.persistence.with_records(is_current, move |records| {
            let before = records.session().ok().flatten();
            let replaced_unknown_session = before.is_some_and(|before| {
                let marker = records.marker().ok().flatten();
                record.take_over(before, marker)
            });
            let written = records.write_session(&record, Durability::Synced);
            if let Err(error) = &written {
                tracing::error!(
                    kind = %error.kind(),
                    "the session's record cannot be written: the session lasts until the app quits"
                );
            }
            records.lay_marker_aside();
            let is_marked = match &written {
                Ok(()) => records.clear_marker(record.session),
                // The record of the session before stays on disk, and must not be shown as this
                // session.
                Err(_) => records.set_spare_marker(),
            };
            let recorded = RecordOutcome {
                is_written: written.is_ok(),
                is_marked,
                replaced_unknown_session,
            };
            Ok((recorded, record))
        });
        match written.await {
            Ok(Some((recorded, record))) => {
                held.replaced = record.replaced;
                held.legacy_item = record.legacy_item;
                Ok(recorded)
            }
            Ok(None) => Err(Overtaken),
            Err(_) => Ok(RecordOutcome::default()),
        }
    }

    /// Writes the device values of a sign-in to the device record if they have changed.
    async fn save_device(&self, before: &Device, device: &Device) {
        if before == device {
            return;
        }
        let (device, local_ids): (Device, LocalIds) =
            (device.clone(), self.context.persistence.local_ids);
        let written = self.context.persistence.with_records(
            || true,
            move |records| records.write_device(&device, local_ids),
        );
        // If this fails, the session's own record still has them.
        let _ = written.await;
    }
}

/// The error for an answer that arrived after its request was given up.
pub(super) fn voided_error(cause: Cause) -> AuthError {
    match cause {
        Cause::VerifyOtp => ErrorCode::NoChallenge.into(),
        Cause::Browser => ErrorCode::BrowserSignInOver.into(),
        _ => ErrorCode::NotSignedIn.into(),
    }
}
