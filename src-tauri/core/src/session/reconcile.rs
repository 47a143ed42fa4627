//! Compares disk and keyring with memory: at a start, and under the lock before each rotation.
//!
//! Other processes of this installation may have renewed the token, signed out or signed in; a
//! crash may have left an item and a record of different sessions; a keyring may have been restored
//! from a backup. Memory is changed only on behalf of the epoch that the caller gives.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use super::commit::Persist;
use super::context::Context;
use super::epoch::Epoch;
use super::inner::EpochGuard;
use super::item_selection::{SelectedItem, Selection, StoredState};
use super::keyring_status::{KEYRING_RETRY_INTERVAL, KeyringStatus};
use super::open_session::OpenSession;
use super::other_processes::OtherProcesses;
use super::record::{Marker, Record, RotationPhase};
use crate::cookies::Jar;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::mutant;
use crate::identity::SessionId;
use crate::profile::UserFrom;
use crate::secrets::StoreError;
use crate::state::Event;
use crate::wire::{Cause, SignedOutReason};

/// How long until records or a keyring that could not be read are read again.
const READ_RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The content of the records.
pub(super) struct DiskState {
    pub marker: Option<Marker>,
    pub record: Option<Record>,
    /// The record exists and cannot be read, by this version or at all. It is not overwritten, and
    /// nothing is concluded from it.
    pub unreadable: Option<StoreError>,
    /// Somebody has signed in here, and nothing says that the session is over.
    pub has_past: bool,
}

/// The result of comparing disk and keyring with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reconciled {
    /// A token is held.
    TokenHeld {
        /// The last rotation, here or in another process, was never finished.
        interrupted: bool,
    },
    /// Nobody is signed in.
    SignedOut,
    /// The keyring cannot be read now. It is tried again.
    Unreadable,
}

/// Updates memory from disk and keyring, under the process lock.
pub(super) struct Reconcile {
    context: Arc<Context>,
    others: Arc<OtherProcesses>,
}

impl Reconcile {
    pub(super) fn new(context: Arc<Context>, others: Arc<OtherProcesses>) -> Self {
        Self { context, others }
    }

    /// Reads the records on behalf of `epoch`.
    ///
    /// # Errors
    /// Once the epoch is over, or while it is not known whether somebody has signed out.
    pub(super) async fn read_disk(&self, epoch: Epoch) -> Result<DiskState, AuthError> {
        let context = self.context.clone();
        let is_current = move || context.is_current(epoch);
        let read = self
            .context
            .persistence
            .with_records(is_current, |records| {
                let marker = records.marker()?;
                let has_past = marker.is_none() && records.has_past();
                Ok(match records.session() {
                    Ok(record) => DiskState {
                        marker,
                        record,
                        unreadable: None,
                        has_past,
                    },
                    Err(error) => {
                        tracing::warn!(
                            kind = %error.kind(),
                            "the session's record cannot be read: it is left as it is"
                        );
                        let is_newer = error.kind() == ErrorKind::Unsupported;
                        DiskState {
                            marker,
                            record: None,
                            unreadable: Some(match is_newer {
                                true => StoreError::Newer,
                                false => StoreError::Failed,
                            }),
                            has_past,
                        }
                    }
                })
            });
        let disk = read.await?.ok_or(ErrorCode::NotSignedIn)?;
        if let Some(record) = &disk.record
            && let Some(user) = &record.user
            && let Some(mut at) = self.context.shared.in_epoch(epoch)
        {
            at.note_owner(record.session, &user.id);
        }
        Ok(disk)
    }

    /// Reads disk and keyring, under the lock, and takes over what other processes have done.
    ///
    /// # Errors
    /// If nothing may be sent now: the session is over, there is another one, or the token in
    /// memory may be outdated.
    pub(super) async fn run(&self, epoch: Epoch) -> Result<Reconciled, AuthError> {
        let disk = match self.read_disk(epoch).await {
            Ok(disk) => disk,
            Err(error) if error.code == ErrorCode::NotSignedIn => return Err(error),
            // It is not known now whether somebody has signed out.
            Err(_) => return Err(self.context.retry_later(epoch)),
        };
        let shared = &self.context.shared;
        let holds_token = shared.look(|inner| inner.token().is_some());
        if holds_token {
            return self.others.adopt_changes(epoch, disk).await;
        }
        self.start(epoch, disk).await
    }

    /// Finds out what disk and keyring hold, while no token is in memory yet.
    async fn start(&self, epoch: Epoch, disk: DiskState) -> Result<Reconciled, AuthError> {
        if let Some(error) = disk.unreadable {
            return Ok(self.unread(epoch, error, None));
        }
        let context = &self.context;
        let legacy = disk.record.as_ref().and_then(|record| record.legacy_item);
        let items = match context.persistence.read_items(legacy).await {
            Ok(items) => items,
            Err(error) => {
                let speaks = |record: &Record| match disk.marker {
                    Some(marker) => !marker.ends(record.session),
                    None => record.may_hold_a_session(),
                };
                let is_expected = disk.record.as_ref().map_or(disk.has_past, speaks);
                let was_to_end =
                    |record: &Record| record.until_quit && record.saved_generation.is_some();
                let was_to_end = disk.record.as_ref().is_some_and(was_to_end);
                let why = match (is_expected, was_to_end) {
                    (true, _) => None,
                    (false, true) => Some(SignedOutReason::Missing),
                    (false, false) => Some(SignedOutReason::Never),
                };
                let standing = self.unread(epoch, error, why);
                let left = disk.record.iter().flat_map(|record| {
                    let before = record.replaced.iter().map(|it| it.session);
                    before.chain([record.session])
                });
                if (disk.marker.is_some() || disk.record.is_some())
                    && !is_expected
                    && let Some(mut at) = context.shared.in_epoch(epoch)
                {
                    // The keyring may still hold a session that was signed out of, or one that was
                    // to last until the app quit.
                    at.over.extend(left);
                    at.keyring =
                        KeyringStatus::Obsolete(context.shared.now() + KEYRING_RETRY_INTERVAL);
                    context.shared.wake.notify_one();
                }
                return Ok(standing);
            }
        };
        let profile = context.backend.profile();
        let found = StoredState {
            record: disk.record.as_ref(),
            marker: disk.marker,
            items,
            pending: &context.pending.sessions(),
            origin: &context.persistence.origin,
            grace: Duration::from_secs(profile.session.grace_s),
            can_ask: profile.session.user_from != UserFrom::Login
                || profile.endpoints.me.get().is_some(),
            now_ms: context.shared.now_ms(),
        };
        let selection = found.select();
        self.take_over(epoch, disk, selection, legacy).await
    }

    async fn take_over(
        &self,
        epoch: Epoch,
        disk: DiskState,
        selection: Selection,
        legacy: Option<SessionId>,
    ) -> Result<Reconciled, AuthError> {
        let context = &self.context;
        if !context.is_current(epoch) {
            // What was read may be the next session's by now.
            return Err(ErrorCode::NotSignedIn.into());
        }
        for session in selection.revived {
            // While it is listed there, this session would be revoked although it continues.
            if let Err(error) = context.pending.cancel(session).await {
                return Ok(self.unread(epoch, error, None));
            }
        }
        let mut safe = Ok(());
        let has_several_items = !selection.over.is_empty();
        let mut ended: Vec<_> = Vec::new();
        for item in selection.over {
            ended.push(item.session);
            safe = safe.and(context.items.hand_to_pending(epoch, item).await);
        }
        let Some(selected) = selection.session else {
            let keyring = match (selection.others_stay, has_several_items) {
                (true, _) => KeyringStatus::Unknown(None),
                (false, false) => KeyringStatus::Nothing,
                (false, true) => context.items.delete(epoch, legacy, safe).await,
            };
            let record = disk.record.as_ref();
            let ours = record.filter(|record| record.origin == context.persistence.origin);
            ended.extend(ours.map(|record| record.session));
            if let Some(record) = ours
                && disk.marker.is_none()
                && has_several_items
            {
                // If an item of this session comes back, as from a backup, the marker says that it
                // is over.
                let marker = Marker {
                    session: Some(record.session),
                    why: selection.why,
                };
                let asking = context.clone();
                let is_current = move || asking.is_current(epoch);
                let marked = context
                    .persistence
                    .with_records(is_current, move |records| records.write_marker(marker));
                let _ = marked.await;
            }
            // Otherwise the record is kept, because it says what the keyring still holds.
            let persist = match ours.is_some() && keyring == KeyringStatus::Nothing {
                true => Persist::NoSession,
                false => Persist::Nothing,
            };
            let committed = context
                .commit
                .commit(epoch, persist, Cause::Start, |inner, _| {
                    if inner.drop_session().is_some() {
                        // Calls that were begun for the session must not continue without it.
                        inner.begin_epoch();
                    }
                    inner.over.extend(ended);
                    inner.keyring = keyring;
                    // If somebody was shown already, their session ends; otherwise there was none.
                    match inner.state().is_restoring() {
                        true => Event::NothingFound(selection.why),
                        false => Event::Ended(selection.why),
                    }
                });
            committed.await.map_err(AuthError::from)?;
            context.pending.release_unclaimed();
            if has_several_items {
                let device = context.shared.look(|inner| inner.device.clone());
                context.deliver_due(&device).await;
            }
            return Ok(Reconciled::SignedOut);
        };
        let interrupted = disk
            .record
            .as_ref()
            .is_some_and(|record| record.phase == RotationPhase::Rotating);
        let keyring = match (has_several_items, safe) {
            (false, _) => KeyringStatus::Saved,
            (true, Ok(())) => {
                // After this write the keyring holds exactly one item.
                let written = context.persistence.write_item(epoch, &selected.item).await;
                KeyringStatus::after(written, false, context.shared.now())
            }
            (true, Err(why)) => {
                KeyringStatus::Unsaved(why, context.shared.now() + KEYRING_RETRY_INTERVAL)
            }
        };
        let mut at = context
            .shared
            .in_epoch(epoch)
            .ok_or(ErrorCode::NotSignedIn)?;
        let is_another =
            |shown| shown != selected.item.session && !mutant!("without.items_session");
        if at.session_id().is_some_and(is_another) {
            // What was begun for the user who was shown must not be continued for another.
            self.others.switch_session(at);
            return Err(ErrorCode::NotSignedIn.into());
        }
        at.keyring = keyring;
        self.adopt(at, disk.record, selected);
        context.pending.release_unclaimed();
        context.shared.wake.notify_one();
        Ok(Reconciled::TokenHeld { interrupted })
    }

    /// Takes the token that was found at a start into memory.
    fn adopt(&self, mut at: EpochGuard<'_>, record: Option<Record>, selected: SelectedItem) {
        let SelectedItem {
            item,
            is_of_record,
            is_last_chance,
        } = selected;
        let same =
            |record: &Record| record.session == item.session || mutant!("without.items_session");
        let record = record.filter(same);
        let mut held = match &record {
            Some(record) => OpenSession::of(record),
            None => OpenSession {
                id: item.session,
                generation: item.generation,
                token: None,
                access: None,
                owner: None,
                device: at.device.clone(),
                saved_generation: Some(item.generation),
                replaced_at: None,
                legacy_item: None,
                is_last_chance: false,
                replaced: Vec::new(),
            },
        };
        held.generation = held.generation.max(item.generation);
        held.saved_generation = Some(item.generation);
        held.token = Some(item.token);
        held.is_last_chance = is_last_chance;
        at.replace_jar(Jar::default());
        at.session = Some(held);
        if !is_of_record {
            tracing::warn!(
                "the record is not of the keyring's session: no user is shown until the backend \
                 has named one"
            );
        }
        let event = match is_of_record && at.state().may_have_session() {
            true => Event::Remembered(true),
            // Where windows show a sign-in form, they show from here on that a session is restored.
            false => Event::OwnerUnknown,
        };
        at.publish(Cause::Start, event);
    }

    /// The keyring or the record cannot be read. Nothing is concluded from that and it is read
    /// again, unless `why` says why there can be no session in it.
    fn unread(&self, epoch: Epoch, error: StoreError, why: Option<SignedOutReason>) -> Reconciled {
        tracing::warn!(%error, "the stored session cannot be read");
        let shared = &self.context.shared;
        let Some(mut at) = shared.in_epoch(epoch) else {
            return Reconciled::Unreadable;
        };
        at.keyring = KeyringStatus::Unknown(Some(error));
        let now = shared.now();
        if let Some(why) = why {
            at.publish(Cause::Storage, Event::NothingFound(why));
            return Reconciled::SignedOut;
        }
        at.plan.try_again_in(now, READ_RETRY_INTERVAL);
        let outage = at.outage(shared.now_ms(), Some(now + READ_RETRY_INTERVAL));
        at.publish(Cause::Storage, Event::Unreached(outage));
        if error == StoreError::TimedOut {
            self.read_when_answered(epoch);
        }
        Reconciled::Unreadable
    }

    /// A keyring that did not answer in time is slow, not locked, so it is read again once it
    /// answers.
    fn read_when_answered(&self, epoch: Epoch) {
        let context = self.context.clone();
        tokio::spawn(async move {
            context.persistence.wait_for_late_read().await;
            if let Some(mut at) = context.shared.in_epoch(epoch)
                && at.token().is_none()
            {
                at.plan.try_again_in(context.shared.now(), Duration::ZERO);
                context.shared.wake.notify_one();
            }
        });
    }
}
