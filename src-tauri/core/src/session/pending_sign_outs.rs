//! Keeps the sessions that have ended here and not yet at the backend, until
//! [`super::sign_out_delivery`] has told the backend. They survive a restart: the refresh token of
//! each is in a keyring item of its own, which no start takes for a session, and a record without a
//! secret lists the items.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::item::Item;
use super::pending_list::{DeliveryCondition, KnownToken, PendingList, PendingSignOut};
use super::pending_record::{PendingEntry, PendingRecord};
use super::record::{LocalIds, Records};
use crate::clock::Clock;
use crate::identity::{Generation, SessionId};
use crate::secrets::{Secret, SecretStore, StoreError};
use crate::storage::bounded_store::{BoundedStore, WriteOrder};
use crate::token::RefreshToken;

/// How long after the keyring could not be used it is tried again.
const KEYRING_RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// The epoch of all writes to an item: an item holds one session only.
const SLOT_EPOCH: u64 = 1;

/// The sign-outs of one account that the backend was not told of yet.
pub(super) struct PendingSignOuts {
    workspace: String,
    local_ids: LocalIds,
    record: PendingRecord,
    store: Arc<dyn SecretStore>,
    clock: Arc<dyn Clock>,
    state: Mutex<PendingList>,
}

/// A session that is over and is to be ended at the backend.
pub(super) struct EndedSession {
    pub session: SessionId,
    /// The id of its user, if that is known.
    pub user: Option<String>,
    /// The session whose sign-in has ended this one.
    pub replaced_by: Option<SessionId>,
    /// The origin of the backend that began the session: its token goes nowhere else.
    pub origin: String,
    pub token: RefreshToken,
    pub access: Option<Secret>,
}

impl PendingSignOuts {
    /// Reads the sign-outs that the last run has left.
    pub(super) fn open(
        workspace: &str,
        local_ids: LocalIds,
        records: &Records,
        store: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pending = Self {
            workspace: workspace.to_owned(),
            local_ids,
            record: PendingRecord::new(records.clone()),
            store,
            clock,
            state: Mutex::new(PendingList {
                is_unread: true,
                ..PendingList::default()
            }),
        };
        pending.load();
        pending
    }

    /// Reads what the last run has left, unless it was read before. Blocks for one small file.
    pub(super) fn load(&self) {
        let mut state = self.state();
        if !state.is_unread {
            return;
        }
        match self.record.read() {
            Ok(entries) => {
                state.is_unread = false;
                for entry in entries {
                    let item = item_of(&self.workspace, &self.store, entry.slot);
                    let mut pending = PendingSignOut::new(entry, None, item);
                    // It is not known yet whether the sign-in that was to replace it succeeded.
                    if pending.entry.replaced_by.is_some() {
                        pending.condition = DeliveryCondition::OnceReplaced;
                    }
                    pending
                        .plan
                        .try_again_in(self.clock.since_boot(), Duration::ZERO);
                    state.pending.push(pending);
                }
            }
            Err(error) => {
                tracing::warn!(
                    kind = %error.kind(),
                    "the record of the pending sign-outs cannot be read: they are delivered once \
                     it can"
                );
            }
        }
    }

    /// Whether there is a sign-out that the backend is to be told of, or may be one in a record that
    /// could not be read.
    pub(super) fn is_owing(&self) -> bool {
        let state = self.state();
        state.is_unread || !state.pending.is_empty()
    }

    /// The sessions that are over, each with the session that has replaced it.
    pub(super) fn sessions(&self) -> Vec<(SessionId, Option<SessionId>)> {
        let of =
            |pending: &PendingSignOut| Some((pending.entry.session?, pending.entry.replaced_by));
        self.state().pending.iter().filter_map(of).collect()
    }

    /// Makes sure that the keyring holds the token of `session` as this process knows it, so that
    /// an older copy of the token need not be kept. `None` if this process knows no token of it.
    pub(super) async fn ensure_stored(&self, session: SessionId) -> Option<Result<(), StoreError>> {
        let (entry, is_kept) = {
            let state = self.state();
            let of = |held: &&PendingSignOut| {
                held.entry.session == Some(session) && held.known.is_some()
            };
            let held = state.pending.iter().find(of)?;
            (held.entry.clone(), held.is_stored || held.is_delivered)
        };
        match is_kept {
            true => Some(Ok(())),
            false => Some(self.store_token(&entry).await),
        }
    }

    /// Takes over a session that has ended; one that is here already is not taken twice.
    ///
    /// # Errors
    /// If the keyring or the disk does not take it. The backend is told all the same, but a restart
    /// forgets it: so the caller must not delete another copy of the token yet.
    pub(super) async fn put(&self, ended: EndedSession) -> Result<(), StoreError> {
        let EndedSession {
            session,
            user,
            replaced_by,
            origin,
            token,
            access,
        } = ended;
        let entry = {
            let mut state = self.state();
            let mut delivered = state.delivered.iter();
            if delivered.any(|(at, delivered)| *at == origin && delivered.is_same(&token)) {
                return Ok(());
            }
            let held = state
                .pending
                .iter()
                .position(|held| held.is_of(session, &token, &origin));
            let at = held.unwrap_or_else(|| {
                let now_ms = self.clock.wall_ms();
                let entry = PendingEntry::new(session, user, replaced_by, origin, now_ms);
                let known = Some(KnownToken { token, access });
                let item = item_of(&self.workspace, &self.store, entry.slot);
                let mut pending = PendingSignOut::new(entry, known, item);
                if replaced_by.is_some() {
                    pending.condition = DeliveryCondition::OnceReplaced;
                }
                state.pending.push(pending);
                state.pending.len() - 1
            });
            let pending = &mut state.pending[at];
            if pending.is_stored || pending.is_delivered {
                return Ok(());
            }
            pending.writers += 1;
            pending.entry.clone()
        };
        let written = self.store_token(&entry).await;
        if let Some(pending) = self.state().of(entry.slot) {
            pending.writers -= 1;
            let now = self.clock.since_boot();
            pending.plan.try_again_in(now, Duration::ZERO);
        }
        written
    }

    /// Lets the backend be told of `session` now: the sign-in that was to replace it has ended.
    pub(super) fn deliver_now(&self, session: SessionId) {
        let now = self.clock.since_boot();
        for pending in &mut self.state().pending {
            if pending.entry.session == Some(session)
                && pending.condition == DeliveryCondition::OnceReplaced
            {
                pending.condition = DeliveryCondition::Now;
                pending.plan.try_again_in(now, Duration::ZERO);
            }
        }
    }

    /// Lets the backend be told of what the last run has left: by now keyring and records are
    /// compared, and the sessions that go on were taken back by [`Self::cancel`].
    pub(super) fn release_unclaimed(&self) {
        let now = self.clock.since_boot();
        for pending in &mut self.state().pending {
            if pending.known.is_none() && pending.condition == DeliveryCondition::OnceReplaced {
                pending.condition = DeliveryCondition::NotInUse;
                pending.plan.try_again_in(now, Duration::ZERO);
            }
        }
    }

    /// Takes back that `session` is over: the sign-in that was to replace it did not succeed.
    ///
    /// # Errors
    /// If the record cannot be changed: then the session must not be used.
    pub(super) async fn cancel(&self, session: SessionId) -> Result<(), StoreError> {
        let slots: Vec<_> = {
            let state = self.state();
            let of = |held: &&PendingSignOut| held.entry.session == Some(session);
            let slot = |held: &PendingSignOut| held.entry.slot;
            state.pending.iter().filter(of).map(slot).collect()
        };
        for slot in slots {
            if !self.record.remove(slot).await {
                return Err(StoreError::Failed);
            }
            let item = self.item(slot);
            self.state().pending.retain(|held| held.entry.slot != slot);
            if let Some(item) = item {
                // If that fails, the item does no harm: no record names it.
                let _ = item.delete(WriteOrder::delete(SLOT_EPOCH)).await;
            }
        }
        Ok(())
    }

    /// Drops an entry that was tried in vain for too long.
    pub(super) async fn drop_if_expired(&self, entry: PendingEntry) {
        let aged = match entry.clone().aged(self.clock.wall_ms()) {
            Some(aged) if aged == entry => return,
            Some(aged) => aged,
            None => return self.drop_entry(&entry).await,
        };
        if let Some(pending) = self.state().of(aged.slot) {
            pending.entry = aged.clone();
        }
        self.record.put(aged).await;
    }

    /// Writes the token into the entry's keyring item. The record comes first: a restart finds an
    /// item by it alone.
    ///
    /// # Errors
    /// If the record or the item could not be written.
    pub(super) async fn store_token(&self, entry: &PendingEntry) -> Result<(), StoreError> {
        let held = self
            .state()
            .of(entry.slot)
            .map(|held| (held.known.clone(), held.is_recorded, held.item.clone()));
        let Some((Some(KnownToken { token, .. }), is_recorded, slot)) = held else {
            return Ok(());
        };
        if !is_recorded {
            let is_recorded = self.record.put(entry.clone()).await;
            if let Some(pending) = self.state().of(entry.slot) {
                pending.is_recorded = is_recorded;
            }
            if !is_recorded {
                return Err(StoreError::Failed);
            }
        }
        let LocalIds { install, account } = self.local_ids;
        let session = entry.session.unwrap_or_else(SessionId::new);
        let (first, origin) = (Generation::FIRST, entry.origin.clone());
        let item = Item::new(session, install, account, first, origin, token);
        let written = slot
            .write(WriteOrder::write(SLOT_EPOCH, first), item.to_bytes())
            .await;
        if let Err(error) = &written {
            tracing::warn!(
                %error,
                "the keyring did not take the token of a pending sign-out: it is delivered from \
                 memory, and lost if the app quits before"
            );
        }
        if let Some(pending) = self.state().of(entry.slot) {
            pending.is_stored = written.is_ok();
        }
        written
    }

    /// Drops an entry of which nothing is left to tell.
    pub(super) async fn drop_entry(&self, entry: &PendingEntry) {
        // The item goes first: an entry without an item does no harm.
        let Some(item) = self.item(entry.slot) else {
            return;
        };
        if let Err(error) = item.delete(WriteOrder::delete(SLOT_EPOCH)).await {
            tracing::warn!(
                %error,
                "the keyring did not delete the token of a sign-out that is settled: it is \
                 deleted at the next try"
            );
            if let Some(pending) = self.state().of(entry.slot) {
                pending.is_delivered = true;
            }
            self.retry_later(entry.slot);
            return;
        }
        {
            let mut state = self.state();
            let gone = state
                .pending
                .iter()
                .position(|held| held.entry.slot == entry.slot);
            let gone = gone.map(|at| state.pending.remove(at));
            if let Some(PendingSignOut {
                is_stored: false,
                known: Some(known),
                ..
            }) = gone
            {
                state.delivered.push((entry.origin.clone(), known.token));
            }
        }
        self.record.remove(entry.slot).await;
    }

    /// Plans the next try after the keyring could not be used.
    pub(super) fn retry_later(&self, slot: Uuid) {
        let now = self.clock.since_boot();
        if let Some(pending) = self.state().of(slot) {
            pending.plan.try_again_in(now, KEYRING_RETRY_INTERVAL);
        }
    }

    /// The keyring item of an entry.
    pub(super) fn item(&self, slot: Uuid) -> Option<BoundedStore> {
        self.state().of(slot).map(|held| held.item.clone())
    }

    /// All entries, for an instant.
    pub(super) fn state(&self) -> MutexGuard<'_, PendingList> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn item_of(workspace: &str, store: &Arc<dyn SecretStore>, slot: Uuid) -> BoundedStore {
    BoundedStore::new(store.clone(), format!("{workspace}.revoke.{slot}"))
}
