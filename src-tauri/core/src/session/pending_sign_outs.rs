//! Sign-outs that the backend was not told of yet. They survive restarts: each token is in a
//! keyring item of its own, from which it is only revoked, never used again; a record without a
//! secret lists these items.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use uuid::Uuid;

use super::epoch::InUse;
use super::item::{Item, Stored};
use super::pending_list::{Known, List, Pending, When};
use super::pending_record::{Entry, PendingRecord};
use super::record::{Names, Records};
use crate::backend::{Backend, Fault, Told, Untold};
use crate::clock::Clock;
use crate::device::Device;
use crate::identity::{Generation, SessionId};
use crate::secrets::{Secret, SecretStore, StoreError};
use crate::storage::bounded_store::{BoundedStore, Order};
use crate::token::RefreshToken;

/// How long after the keyring could not be used it is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How many answers have to say, by their status alone, that there is nothing left to end before
/// this is believed: a gateway with a problem gives the same answers.
const BELIEVED: u32 = 3;
/// The epoch for the writes to a slot. One is enough, because a slot belongs to one sign-out.
const EPOCH: u64 = 1;

/// The sign-outs of one account that the backend was not told of yet.
pub(super) struct PendingSignOuts {
    workspace: String,
    names: Names,
    record: PendingRecord,
    store: Arc<dyn SecretStore>,
    clock: Arc<dyn Clock>,
    state: Mutex<List>,
    /// Held for one delivery at a time.
    delivering: tokio::sync::Mutex<()>,
}

/// The slots of the sign-outs whose next try is due. One delivery takes them, so that no two
/// deliver the same.
pub(super) struct Due(Vec<Uuid>);

/// Why a sign-out was not delivered.
enum Miss {
    /// Its token could not be read.
    Keyring(StoreError),
    Backend(Untold),
}

/// A session that is over, as it is handed in.
pub(super) struct Ended {
    pub session: SessionId,
    /// The session whose sign-in has ended it.
    pub replaced_by: Option<SessionId>,
    pub origin: String,
    pub token: RefreshToken,
    pub access: Option<Secret>,
}

impl PendingSignOuts {
    /// Opens the sign-outs that the last run left.
    pub fn open(
        workspace: &str,
        names: Names,
        records: &Records,
        store: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pending = Self {
            workspace: workspace.to_owned(),
            names,
            record: PendingRecord::new(records.clone()),
            store,
            clock,
            state: Mutex::new(List {
                is_unread: true,
                ..List::default()
            }),
            delivering: tokio::sync::Mutex::default(),
        };
        pending.load();
        pending
    }

    /// Reads what the last run left, unless that is done. Blocks while it reads one small file.
    fn load(&self) {
        let mut state = self.state();
        if !state.is_unread {
            return;
        }
        match self.record.read() {
            Ok(entries) => {
                state.is_unread = false;
                for entry in entries {
                    let item = item_of(&self.workspace, &self.store, entry.slot);
                    let mut pending = Pending::new(entry, None, item);
                    // It is not known yet whether the sign-in that was to replace it was completed.
                    if pending.entry.replaced_by.is_some() {
                        pending.when = When::OnceReplaced;
                    }
                    pending
                        .plan
                        .look_again(self.clock.since_boot(), Duration::ZERO);
                    state.pending.push(pending);
                }
            }
            Err(error) => {
                tracing::warn!(
                    kind = %error.kind(),
                    "the pending sign-outs cannot be read: they are read again before the next \
                     delivery"
                );
            }
        }
    }

    /// The sessions that are over, each with the one that replaced it.
    pub fn sessions(&self) -> Vec<(SessionId, Option<SessionId>)> {
        let of = |pending: &Pending| Some((pending.entry.session?, pending.entry.replaced_by));
        self.state().pending.iter().filter_map(of).collect()
    }

    /// Stores what this process knows of `session`, so that no older copy of its token is needed;
    /// `None` if it knows nothing.
    pub async fn keep(&self, session: SessionId) -> Option<Result<(), StoreError>> {
        let (entry, is_kept) = {
            let state = self.state();
            let of = |held: &&Pending| held.entry.session == Some(session) && held.known.is_some();
            let held = state.pending.iter().find(of)?;
            (held.entry.clone(), held.is_slotted || held.is_settled)
        };
        match is_kept {
            true => Some(Ok(())),
            false => Some(self.fill(&entry).await),
        }
    }

    /// Takes over a session that has ended. One that is here already is not added again.
    ///
    /// # Errors
    /// If keyring or disk cannot store it. The backend is told all the same, but a restart would
    /// forget it, so no other copy may be deleted yet.
    pub async fn put(&self, ended: Ended) -> Result<(), StoreError> {
        let Ended {
            session,
            replaced_by,
            origin,
            token,
            access,
        } = ended;
        let entry = {
            let mut state = self.state();
            let mut heard = state.heard.iter();
            if heard.any(|(at, heard)| *at == origin && heard.is_same(&token)) {
                return Ok(());
            }
            let held = state
                .pending
                .iter()
                .position(|held| held.is_of(session, &token, &origin));
            let at = held.unwrap_or_else(|| {
                let now_ms = self.clock.wall_ms();
                let entry = Entry::new(Some(session), replaced_by, origin, now_ms);
                let known = Some(Known { token, access });
                let item = item_of(&self.workspace, &self.store, entry.slot);
                let mut pending = Pending::new(entry, known, item);
                if replaced_by.is_some() {
                    pending.when = When::OnceReplaced;
                }
                state.pending.push(pending);
                state.pending.len() - 1
            });
            let pending = &mut state.pending[at];
            if pending.is_slotted || pending.is_settled {
                return Ok(());
            }
            pending.writers += 1;
            pending.entry.clone()
        };
        let written = self.fill(&entry).await;
        if let Some(pending) = self.state().of(entry.slot) {
            pending.writers -= 1;
            let now = self.clock.since_boot();
            pending.plan.look_again(now, Duration::ZERO);
        }
        written
    }

    /// The session that replaces `session` is established, or has failed to be: the backend may be
    /// told now.
    pub fn release(&self, session: SessionId) {
        let now = self.clock.since_boot();
        for pending in &mut self.state().pending {
            if pending.entry.session == Some(session) && pending.when == When::OnceReplaced {
                pending.when = When::Now;
                pending.plan.look_again(now, Duration::ZERO);
            }
        }
    }

    /// Keyring and records have been sorted: the backend may be told of what the last run left.
    pub fn release_left(&self) {
        let now = self.clock.since_boot();
        for pending in &mut self.state().pending {
            if pending.known.is_none() && pending.when == When::OnceReplaced {
                pending.when = When::NotInUse;
                pending.plan.look_again(now, Duration::ZERO);
            }
        }
    }

    /// Undoes the end of a session, because the sign-in that was to replace it was never completed.
    ///
    /// # Errors
    /// If that cannot be written to disk. The session must then not be used.
    pub async fn cancel(&self, session: SessionId) -> Result<(), StoreError> {
        let slots: Vec<_> = {
            let state = self.state();
            let of = |held: &&Pending| held.entry.session == Some(session);
            let slot = |held: &Pending| held.entry.slot;
            state.pending.iter().filter(of).map(slot).collect()
        };
        for slot in slots {
            if !self.record.remove(slot).await {
                return Err(StoreError::Failed);
            }
            let item = self.item(slot);
            self.state().pending.retain(|held| held.entry.slot != slot);
            if let Some(item) = item {
                // An item that no record lists does no harm.
                let _ = item.delete(Order::delete(EPOCH)).await;
            }
        }
        Ok(())
    }

    /// How long until something is to be delivered; `None` if nothing is. A session that is in use
    /// waits until it no longer is.
    pub fn due_in(&self, in_use: InUse) -> Option<Duration> {
        self.state().due_in(self.clock.since_boot(), in_use)
    }

    /// What is due. Its tries then count as begun, so that only one caller delivers them.
    pub fn take_due(&self, in_use: InUse) -> Option<Due> {
        self.load();
        let now = self.clock.since_boot();
        let mut state = self.state();
        if state.due_in(now, in_use) != Some(Duration::ZERO) {
            return None;
        }
        let mut due = Vec::new();
        for pending in &mut state.pending {
            if pending.due_in(now, in_use) == Some(Duration::ZERO) {
                pending.plan.begin(now);
                due.push(pending.entry.slot);
            }
        }
        Some(Due(due))
    }

    /// Tells the backend of the sign-outs in `due`. A failure plans the next try of that sign-out
    /// and delays no other, unless the backend asks for a pause. A token of another origin waits
    /// until that is the backend again.
    pub async fn deliver(&self, due: Due, backend: &Backend, device: &Device) {
        let _one = self.delivering.lock().await;
        let origin = backend.profile().origin();
        for slot in due.0 {
            let now = self.clock.since_boot();
            let entry = {
                let mut state = self.state();
                let is_asked_to_wait = state.not_before > now;
                let Some(pending) = state.of(slot) else {
                    continue;
                };
                if is_asked_to_wait && !pending.is_settled {
                    pending.plan.look_again(now, Duration::ZERO);
                    continue;
                }
                pending.entry.clone()
            };
            if entry.origin != origin {
                self.age(entry).await;
                continue;
            }
            match self.deliver_one(&entry, backend, device).await {
                Ok(Told::AlreadyByStatus(status)) if !self.is_believed(slot, status) => {
                    let untold = Untold::from(Fault::Status(status));
                    self.untold(entry, untold).await;
                }
                Ok(_) => self.drop_entry(&entry).await,
                Err(Miss::Keyring(error)) => {
                    tracing::info!(
                        %error,
                        "the token of a pending sign-out cannot be read from the keyring: it is \
                         tried again"
                    );
                    self.look_again(slot);
                }
                Err(Miss::Backend(untold)) => self.untold(entry, untold).await,
            }
        }
    }

    /// Counts an answer that says, by its status alone, that there is nothing left to end. Returns
    /// whether that was said often enough.
    fn is_believed(&self, slot: Uuid, status: StatusCode) -> bool {
        let mut state = self.state();
        let Some(pending) = state.of(slot) else {
            return true;
        };
        let count = match pending.refused {
            Some((before, count)) if before == status => count + 1,
            Some(_) | None => 1,
        };
        pending.refused = Some((status, count));
        count >= BELIEVED
    }

    /// `Ok` once the backend need not be told any more.
    async fn deliver_one(
        &self,
        entry: &Entry,
        backend: &Backend,
        device: &Device,
    ) -> Result<Told, Miss> {
        let held = self
            .state()
            .of(entry.slot)
            .map(|held| (held.is_settled, held.known.clone()));
        let known = match held {
            Some((false, Some(known))) => known,
            Some((false, None)) => match self.stored(entry).await.map_err(Miss::Keyring)? {
                Some(token) => Known {
                    token,
                    access: None,
                },
                None => return Ok(Told::Already),
            },
            Some((true, _)) | None => return Ok(Told::Already),
        };
        if self.state().of(entry.slot).is_none() {
            // The end was undone while the keyring was read: the session continues.
            return Ok(Told::Already);
        }
        let told = backend.logout(&known.token, known.access.as_ref(), device);
        told.await.map_err(Miss::Backend)
    }

    /// The token in an entry's slot; `None` if there is none of the entry's session.
    async fn stored(&self, entry: &Entry) -> Result<Option<RefreshToken>, StoreError> {
        let Some(item) = self.item(entry.slot) else {
            return Ok(None);
        };
        let stored = item.read().await?;
        let token = |bytes: &crate::secrets::SecretBytes| match Stored::of(bytes) {
            // The item of another session, as after a keyring was restored in part. It must not be
            // ended.
            Stored::Ours(item) if entry.session.is_some_and(|of| of != item.session) => None,
            Stored::Ours(item) => Some(item.token),
            Stored::Legacy(item) => Some(item.token),
            Stored::Newer | Stored::Unknown => None,
        };
        Ok(stored.iter().find_map(token))
    }

    /// Plans the next try of a sign-out that could not be delivered, with a new token if there is
    /// one.
    async fn untold(&self, entry: Entry, untold: Untold) {
        let Untold {
            fault,
            retry_after,
            token,
        } = untold;
        tracing::info!(%fault, "a sign-out could not be delivered: it is tried again");
        let refill = {
            let mut state = self.state();
            let now = self.clock.since_boot();
            let Some(pending) = state.of(entry.slot) else {
                return;
            };
            let wait = pending.plan.failed(now, retry_after, rand::random());
            if let Some(token) = token {
                // The backend replaced the token while it was told: the next try needs the new one.
                let access = None;
                pending.known = Some(Known { token, access });
                pending.is_slotted = false;
            }
            let refill = !pending.is_slotted;
            if retry_after.is_some() {
                state.not_before = now + wait;
            }
            refill
        };
        if refill {
            let _ = self.fill(&entry).await;
        }
        self.age(entry).await;
    }

    /// Drops an entry that was tried without success for too long.
    async fn age(&self, entry: Entry) {
        let aged = match entry.clone().aged(self.clock.wall_ms()) {
            Ok(aged) if aged == entry => return,
            Ok(aged) => aged,
            Err(over) => return self.drop_entry(&over).await,
        };
        if let Some(pending) = self.state().of(aged.slot) {
            pending.entry = aged.clone();
        }
        self.record.put(aged).await;
    }

    /// Writes the token into the entry's keyring item. The record is written first: without it, a
    /// restart would not know of the item.
    async fn fill(&self, entry: &Entry) -> Result<(), StoreError> {
        let held = self
            .state()
            .of(entry.slot)
            .map(|held| (held.known.clone(), held.is_recorded, held.item.clone()));
        let Some((Some(Known { token, .. }), is_recorded, slot)) = held else {
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
        let Names { install, account } = self.names;
        let session = entry.session.unwrap_or_else(SessionId::new);
        let (first, origin) = (Generation::FIRST, entry.origin.clone());
        let item = Item::new(session, install, account, first, origin, token);
        let written = slot
            .write(Order::write(EPOCH, first), item.to_bytes())
            .await;
        if let Err(error) = &written {
            tracing::warn!(
                %error,
                "the keyring did not take the token of a sign-out: it is kept in memory only"
            );
        }
        if let Some(pending) = self.state().of(entry.slot) {
            pending.is_slotted = written.is_ok();
        }
        written
    }

    async fn drop_entry(&self, entry: &Entry) {
        // The item is deleted first: an entry without an item does no harm.
        let Some(item) = self.item(entry.slot) else {
            return;
        };
        if let Err(error) = item.delete(Order::delete(EPOCH)).await {
            tracing::warn!(
                %error,
                "a revoked token could not be deleted from the keyring: it is tried again"
            );
            if let Some(pending) = self.state().of(entry.slot) {
                pending.is_settled = true;
            }
            self.look_again(entry.slot);
            return;
        }
        {
            let mut state = self.state();
            let gone = state
                .pending
                .iter()
                .position(|held| held.entry.slot == entry.slot);
            let gone = gone.map(|at| state.pending.remove(at));
            if let Some(Pending {
                is_slotted: false,
                known: Some(known),
                ..
            }) = gone
            {
                state.heard.push((entry.origin.clone(), known.token));
            }
        }
        self.record.remove(entry.slot).await;
    }

    fn look_again(&self, slot: Uuid) {
        let now = self.clock.since_boot();
        if let Some(pending) = self.state().of(slot) {
            pending.plan.look_again(now, LOOK_AGAIN);
        }
    }

    fn item(&self, slot: Uuid) -> Option<BoundedStore> {
        self.state().of(slot).map(|held| held.item.clone())
    }

    fn state(&self) -> MutexGuard<'_, List> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn item_of(workspace: &str, store: &Arc<dyn SecretStore>, slot: Uuid) -> BoundedStore {
    BoundedStore::new(store.clone(), format!("{workspace}.revoke.{slot}"))
}
