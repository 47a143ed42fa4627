//! Stores rotated tokens, and makes a session last that was to end with the app once the keyring
//! works.

use std::sync::Arc;

use super::commit::Persist;
use super::context::Context;
use super::epoch::Epoch;
use super::inner::{EpochGuard, Inner};
use super::keyring_status::KeyringStatus;
use super::other_processes::OtherProcesses;
use super::record::{Marker, Record, RotationPhase};
use crate::identity::{Generation, SessionId};
use crate::state::Event;
use crate::storage::records::Durability;
use crate::token::RefreshToken;
use crate::wire::Cause;

/// Writes rotated tokens to the keyring, or notes in the record that the keyring did not take one.
pub(super) struct TokenKeeper {
    context: Arc<Context>,
    others: Arc<OtherProcesses>,
}

impl TokenKeeper {
    pub(super) fn new(context: Arc<Context>, others: Arc<OtherProcesses>) -> Self {
        Self { context, others }
    }

    /// Stores a rotated token. False if the session is over meanwhile, here or in another process;
    /// the token is then revoked.
    pub(super) async fn save_token(
        &self,
        epoch: Epoch,
        session: SessionId,
        generation: Generation,
        token: &RefreshToken,
    ) -> bool {
        let context = &self.context;
        let Some((known, legacy)) = context.shared.in_epoch(epoch).map(|at| {
            let legacy = at.session.as_ref().and_then(|held| held.legacy_item);
            (at.keyring, legacy)
        }) else {
            self.revoke(session, token.clone());
            return false;
        };
        let mut saved = Ok(());
        let mut over = self.marker(epoch, session).await;
        if over.is_none() {
            let mut item = context.persistence.item(session, generation, token.clone());
            // A session that was to last until the app quits stays marked until the person is told
            // otherwise.
            item.until_quit = known.lasts_until_quit();
            saved = context.items.save(epoch, &item, known, legacy).await;
            over = self.marker(epoch, session).await;
        }
        let record = {
            let mut at = match over {
                None => context.shared.in_epoch(epoch),
                Some(_) => None,
            };
            at.as_mut().and_then(|at| {
                let now = context.shared.now();
                let now_ms = context.shared.now_ms();
                at.keyring = KeyringStatus::after(saved, known.lasts_until_quit(), now);
                let held = at.session.as_mut()?;
                held.generation = generation;
                held.token = Some(token.clone());
                held.replaced_at = Some(now_ms);
                held.is_last_chance = false;
                if saved.is_ok() {
                    held.saved_generation = Some(generation);
                    held.legacy_item = None;
                }
                let record =
                    context
                        .persistence
                        .record(held, RotationPhase::Rotating, saved.is_err());
                Some(record)
            })
        };
        let Some(record) = record else {
            if let Some(marker) = over {
                // Another process, or this one a moment ago, has signed out, so the item must not
                // stay. The token is handed over before the item is deleted, so that a crash in
                // between leaves one of the two.
                let ended = context.ended_session(session, token.clone(), None);
                let safe = context.pending.put(ended).await;
                context.items.delete(epoch, None, safe).await;
                self.others.adopt_sign_out(epoch, marker.why);
            }
            self.revoke(session, token.clone());
            return false;
        };
        if saved.is_err() {
            // Only the record can say that the token in the keyring is spent.
            let persist = Persist::Record(Box::new(record), Durability::Synced);
            let told = |_: &mut Inner, _: bool| Event::Remembered(false);
            let committed = context
                .commit
                .commit(epoch, persist, Cause::Storage, told)
                .await;
            if committed.is_err() {
                self.revoke(session, token.clone());
                return false;
            }
        }
        true
    }

    /// The sign-out marker, if it is about `session`. `None` also if that is not known, and once
    /// the epoch is over, which the caller finds out by itself.
    async fn marker(&self, epoch: Epoch, session: SessionId) -> Option<Marker> {
        let context = &self.context;
        let ignores_unnamed = context.shared.in_epoch(epoch)?.ignores_unnamed_marker;
        let asking = context.clone();
        let is_current = move || asking.is_current(epoch);
        let read = context
            .persistence
            .with_records(is_current, |records| records.marker())
            .await;
        let marker = read.ok().flatten().flatten()?;
        let is_ignored = ignores_unnamed && marker.session.is_none();
        (marker.ends(session) && !is_ignored).then_some(marker)
    }

    /// The person was told that the session lasts until the app quits, and the keyring works now.
    /// Writes the item with that mark, then the record, then the item without it, and publishes the
    /// change. So if a crash comes in between, the session ends as the person was told.
    pub(super) async fn make_permanent(&self, epoch: Epoch) {
        let context = &self.context;
        let _one = context.lock.local_lock().await;
        // Checked after the lock is taken: another task may have done this meanwhile. To repeat it
        // would mark the item again, and an app that starts at that moment would end the session.
        let is_needed = |at: &EpochGuard<'_>| at.keyring.lasts_until_quit();
        let prepared = context.shared.in_epoch(epoch).filter(is_needed);
        let prepared = prepared.and_then(|at| {
            let held = at.session.clone()?;
            let item = context
                .persistence
                .item(held.id, held.generation, held.token.clone()?);
            Some((item, held, at.keyring, at.ignores_unnamed_marker))
        });
        let Some((item, mut held, known, is_marked)) = prepared else {
            return;
        };
        let mut flagged = item.clone();
        flagged.until_quit = true;
        let mut saved = match known {
            // The marked item is in the keyring already.
            KeyringStatus::UntilQuit(_) => Ok(()),
            _ => {
                context
                    .items
                    .save(epoch, &flagged, known, held.legacy_item)
                    .await
            }
        };
        held.saved_generation = match saved {
            Ok(()) => Some(held.generation),
            Err(_) => held.saved_generation,
        };
        held.legacy_item = held.legacy_item.filter(|_| saved.is_err());
        let mut is_recorded = false;
        if saved.is_ok() {
            let record = context
                .persistence
                .record(&held, RotationPhase::Idle, false);
            is_recorded = self.record_if_idle(epoch, record, is_marked).await;
            if is_recorded {
                saved = context.persistence.write_item(epoch, &item).await;
            }
        }
        let now = context.shared.now();
        let generation = held.generation;
        let change = move |inner: &mut Inner, _: bool| {
            if let Some(in_use) = &mut inner.session
                && in_use.generation == generation
            {
                in_use.saved_generation = held.saved_generation;
                in_use.legacy_item = held.legacy_item;
                inner.keyring = KeyringStatus::after(saved, !is_recorded, now);
                inner.ignores_unnamed_marker &= !is_recorded;
            }
            Event::Remembered(inner.keyring.remembers())
        };
        let _ = context
            .commit
            .commit(epoch, Persist::Nothing, Cause::Storage, change)
            .await;
    }

    /// Writes the record, unless a rotation has written a newer one; a rotation under way stays
    /// noted. Also removes a marker that the sign-in could not remove, because the next start would
    /// find the session over.
    async fn record_if_idle(&self, epoch: Epoch, record: Record, is_marked: bool) -> bool {
        let asking = self.context.clone();
        let is_current = move || asking.is_current(epoch);
        let written = self
            .context
            .persistence
            .with_records(is_current, move |records| {
                let mut record = record;
                if let Some(now) = records.session()?
                    && now.session == record.session
                {
                    if now.generation > record.generation {
                        return Ok(());
                    }
                    record.phase = now.phase;
                }
                records.write_session(&record, Durability::Synced)?;
                if is_marked && records.clear_marker(record.session) {
                    return Err(std::io::ErrorKind::Other.into());
                }
                records.lay_marker_aside();
                Ok(())
            });
        matches!(written.await, Ok(Some(())))
    }

    fn revoke(&self, session: SessionId, token: RefreshToken) {
        let device = self.context.shared.look(|inner| inner.device.clone());
        let ended = self.context.ended_session(session, token, None);
        self.context.revoke(ended, device);
    }
}
