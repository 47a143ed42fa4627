//! Compares disk and keyring with memory: at a start, and under the lock before each rotation.
//!
//! Other processes of this installation may have renewed the token, signed out or signed in; a
//! crash may have left an item and a record of different sessions; a keyring may have been restored
//! from a backup. Memory is changed only on behalf of the epoch that the caller gives.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use super::base::Base;
use super::commit::Persist;
use super::epoch::Epoch;
use super::inner::{At, Held};
use super::keeping::{Keyring, LOOK_AGAIN};
use super::other_processes::OtherProcesses;
use super::record::{Marker, Phase, Record};
use super::sorting::{Chosen, Found, Sorted};
use crate::cookies::Jar;
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::mutant;
use crate::identity::SessionId;
use crate::profile::UserFrom;
use crate::secrets::StoreError;
use crate::state::Event;
use crate::wire::{Cause, SignedOutReason};

/// How long until records or a keyring that could not be read are read again.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// The content of the records.
pub(super) struct OnDisk {
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
pub(super) enum Standing {
    /// A token is held.
    Held {
        /// The last rotation, here or in another process, was never finished.
        interrupted: bool,
    },
    /// Nobody is signed in.
    Nobody,
    /// The keyring cannot be read now. It is tried again.
    Unread,
}

/// Updates memory from disk and keyring, under the process lock.
pub(super) struct Reconcile {
    base: Arc<Base>,
    others: Arc<OtherProcesses>,
}

impl Reconcile {
    pub fn new(base: Arc<Base>, others: Arc<OtherProcesses>) -> Self {
        Self { base, others }
    }

    /// Reads the records on behalf of `epoch`.
    ///
    /// # Errors
    /// Once the epoch is over, or while it is not known whether somebody has signed out.
    pub async fn read_disk(&self, epoch: Epoch) -> Result<OnDisk, AuthError> {
        let base = self.base.clone();
        let stands = move || base.stands(epoch);
        let read = self.base.persistence.on_disk(stands, |records| {
            let marker = records.marker()?;
            let has_past = marker.is_none() && records.has_past();
            Ok(match records.session() {
                Ok(record) => OnDisk {
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
                    OnDisk {
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
        read.await?.ok_or(ErrorCode::NotSignedIn.into())
    }

    /// Reads disk and keyring, under the lock, and takes over what other processes have done.
    ///
    /// # Errors
    /// If nothing may be sent now: the session is over, there is another one, or the token in
    /// memory may be outdated.
    pub async fn run(&self, epoch: Epoch) -> Result<Standing, AuthError> {
        let disk = match self.read_disk(epoch).await {
            Ok(disk) => disk,
            Err(error) if error.code == ErrorCode::NotSignedIn => return Err(error),
            // It is not known now whether somebody has signed out.
            Err(_) => return Err(self.base.put_off(epoch)),
        };
        let core = &self.base.core;
        let holds_token = core.look(|inner| inner.token().is_some());
        if holds_token {
            return self.others.follow(epoch, disk).await;
        }
        self.start(epoch, disk).await
    }

    /// Finds out what disk and keyring hold, while no token is in memory yet.
    async fn start(&self, epoch: Epoch, disk: OnDisk) -> Result<Standing, AuthError> {
        if let Some(error) = disk.unreadable {
            return Ok(self.unread(epoch, error, None));
        }
        let base = &self.base;
        let legacy = disk.record.as_ref().and_then(|record| record.legacy_item);
        let items = match base.persistence.read_items(legacy).await {
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
                    && let Some(mut at) = base.core.at(epoch)
                {
                    // The keyring may still hold a session that was signed out of, or one that was
                    // to last until the app quit.
                    at.over.extend(left);
                    at.keyring = Keyring::Obsolete(base.core.now() + LOOK_AGAIN);
                    base.core.wake.notify_one();
                }
                return Ok(standing);
            }
        };
        let profile = base.backend.profile();
        let found = Found {
            record: disk.record.as_ref(),
            marker: disk.marker,
            items,
            pending: &base.pending.sessions(),
            origin: &base.persistence.origin,
            grace: Duration::from_secs(profile.session.grace_s),
            can_ask: profile.session.user_from != UserFrom::Login
                || profile.endpoints.me.get().is_some(),
            now_ms: base.core.now_ms(),
        };
        let sorted = found.sort();
        self.take_over(epoch, disk, sorted, legacy).await
    }

    async fn take_over(
        &self,
        epoch: Epoch,
        disk: OnDisk,
        sorted: Sorted,
        legacy: Option<SessionId>,
    ) -> Result<Standing, AuthError> {
        let base = &self.base;
        if !base.stands(epoch) {
            // What was read may be the next session's by now.
            return Err(ErrorCode::NotSignedIn.into());
        }
        for session in sorted.revived {
            // While it is listed there, this session would be revoked although it continues.
            if let Err(error) = base.pending.cancel(session).await {
                return Ok(self.unread(epoch, error, None));
            }
        }
        let mut safe = Ok(());
        let is_crowded = !sorted.over.is_empty();
        let mut ended: Vec<_> = Vec::new();
        for item in sorted.over {
            ended.push(item.session);
            safe = safe.and(base.items.put_away(epoch, item).await);
        }
        let Some(chosen) = sorted.session else {
            let keyring = match (sorted.others_stay, is_crowded) {
                (true, _) => Keyring::Unknown(None),
                (false, false) => Keyring::Nothing,
                (false, true) => base.items.delete(epoch, legacy, safe).await,
            };
            let record = disk.record.as_ref();
            let ours = record.filter(|record| record.origin == base.persistence.origin);
            ended.extend(ours.map(|record| record.session));
            if let Some(record) = ours
                && disk.marker.is_none()
                && is_crowded
            {
                // If an item of this session comes back, as from a backup, the marker says that it
                // is over.
                let marker = Marker {
                    session: Some(record.session),
                    why: sorted.why,
                };
                let asking = base.clone();
                let stands = move || asking.stands(epoch);
                let marked = base
                    .persistence
                    .on_disk(stands, move |records| records.write_marker(marker));
                let _ = marked.await;
            }
            // Otherwise the record is kept, because it says what the keyring still holds.
            let persist = match ours.is_some() && keyring == Keyring::Nothing {
                true => Persist::NoSession,
                false => Persist::Nothing,
            };
            let committed = base
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
                        true => Event::NothingHeld(sorted.why),
                        false => Event::Ended(sorted.why),
                    }
                });
            committed.await.map_err(AuthError::from)?;
            base.pending.release_left();
            if is_crowded {
                let device = base.core.look(|inner| inner.device.clone());
                base.tell(&device).await;
            }
            return Ok(Standing::Nobody);
        };
        let interrupted = disk
            .record
            .as_ref()
            .is_some_and(|record| record.phase == Phase::Rotating);
        let keyring = match (is_crowded, safe) {
            (false, _) => Keyring::Saved,
            (true, Ok(())) => {
                // After this write the keyring holds exactly one item.
                let written = base.persistence.write_item(epoch, &chosen.item).await;
                Keyring::after(written, false, base.core.now())
            }
            (true, Err(why)) => Keyring::Unsaved(why, base.core.now() + LOOK_AGAIN),
        };
        let mut at = base.core.at(epoch).ok_or(ErrorCode::NotSignedIn)?;
        let is_another = |shown| shown != chosen.item.session && !mutant!("without.items_session");
        if at.session_id().is_some_and(is_another) {
            // What was begun for the user who was shown must not be continued for another.
            self.others.hand_over(at);
            return Err(ErrorCode::NotSignedIn.into());
        }
        at.keyring = keyring;
        self.adopt(at, disk.record, chosen);
        base.pending.release_left();
        base.core.wake.notify_one();
        Ok(Standing::Held { interrupted })
    }

    /// Takes the token that was found at a start into memory.
    fn adopt(&self, mut at: At<'_>, record: Option<Record>, chosen: Chosen) {
        let Chosen {
            item,
            is_of_record,
            is_last_chance,
        } = chosen;
        let same =
            |record: &Record| record.session == item.session || mutant!("without.items_session");
        let record = record.filter(same);
        let mut held = match &record {
            Some(record) => Held::of(record),
            None => Held {
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
        let event = match is_of_record {
            true => Event::Remembered(true),
            false => {
                tracing::warn!(
                    "the record is not of the keyring's session: no user is shown until the \
                     backend has named one"
                );
                Event::OwnerUnknown
            }
        };
        at.publish(Cause::Start, event);
    }

    /// The keyring or the record cannot be read. Nothing is concluded from that and it is read
    /// again, unless `why` says why there can be no session in it.
    fn unread(&self, epoch: Epoch, error: StoreError, why: Option<SignedOutReason>) -> Standing {
        tracing::warn!(%error, "the stored session cannot be read");
        let core = &self.base.core;
        let Some(mut at) = core.at(epoch) else {
            return Standing::Unread;
        };
        at.keyring = Keyring::Unknown(Some(error));
        let now = core.now();
        if let Some(why) = why {
            at.publish(Cause::Storage, Event::NothingHeld(why));
            return Standing::Nobody;
        }
        at.plan.look_again(now, READ_AGAIN);
        let outage = at.outage(core.now_ms(), Some(now + READ_AGAIN));
        at.publish(Cause::Storage, Event::Unreached(outage));
        if error == StoreError::TimedOut {
            self.read_when_answered(epoch);
        }
        Standing::Unread
    }

    /// A keyring that did not answer in time is slow, not locked, so it is read again once it
    /// answers.
    fn read_when_answered(&self, epoch: Epoch) {
        let base = self.base.clone();
        tokio::spawn(async move {
            base.persistence.late_answer().await;
            if let Some(mut at) = base.core.at(epoch)
                && at.token().is_none()
            {
                at.plan.look_again(base.core.now(), Duration::ZERO);
                base.core.wake.notify_one();
            }
        });
    }
}
