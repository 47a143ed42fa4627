//! Sign-outs that the backend has not heard of yet. They survive restarts: the token rests
//! in a keyring item of its own, from which it can only be revoked, never used again; a
//! record without a secret says which items there are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::item::Item;
use super::outbox_record::{Entry, Record};
use crate::backend::{Backend, Untold};
use crate::clock::{Clock, SinceBoot};
use crate::device::Device;
use crate::plan::Plan;
use crate::records::Records;
use crate::secrets::{Secret, SecretStore, StoreError};
use crate::token::RefreshToken;
use crate::vault::Vault;

/// How long after the keyring could not be used it is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The undelivered sign-outs of one workspace.
pub(super) struct Outbox {
    workspace: String,
    record: Record,
    store: Arc<dyn SecretStore>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One delivery at a time.
    delivering: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    pending: Vec<Pending>,
    /// The backend's `Retry-After`: holds for all of them.
    not_before: SinceBoot,
    /// Of which origin it has heard what, although it was on no disk: another copy of that may
    /// still come here, and is not told again.
    told: Vec<(String, RefreshToken)>,
}

/// One undelivered sign-out, and how far it is.
struct Pending {
    entry: Entry,
    /// The keyring item. One for all its calls, which keeps a late one from undoing a later.
    vault: Vault,
    /// What this process put in itself: needs no keyring to be delivered.
    known: Option<Known>,
    /// Who is writing its record and its keyring item: delivered and dropped before that, they
    /// would come back.
    writers: u32,
    /// Its record is written.
    is_recorded: bool,
    /// Its keyring item is written.
    is_slotted: bool,
    /// Nothing is left to say; the keyring item is still to be deleted.
    is_settled: bool,
    plan: Plan,
}

/// What this process knows of an undelivered sign-out.
#[derive(Clone)]
struct Known {
    token: RefreshToken,
    /// For backends that want one with a sign-out. Never in the keyring.
    access: Option<Secret>,
}

/// Those whose next try is due: for one delivery, so that no two tell the same.
pub(super) struct Due(Vec<Uuid>);

/// Why a sign-out is not told.
enum Miss {
    /// Its token cannot be read.
    Keyring(StoreError),
    Backend(Untold),
}

impl Pending {
    fn new(entry: Entry, known: Option<Known>, vault: Vault) -> Self {
        Self {
            vault,
            is_recorded: known.is_none(),
            is_slotted: known.is_none(),
            entry,
            known,
            writers: 0,
            is_settled: false,
            plan: Plan::default(),
        }
    }

    fn is_of(&self, token: &RefreshToken, origin: &str) -> bool {
        let known = self.known.as_ref();
        self.entry.origin == origin && known.is_some_and(|known| known.token.is_same(token))
    }

    fn due_in(&self, now: SinceBoot) -> Option<Duration> {
        self.plan.due_in(now).filter(|_| self.writers == 0)
    }
}

impl State {
    fn of(&mut self, slot: Uuid) -> Option<&mut Pending> {
        self.pending
            .iter_mut()
            .find(|pending| pending.entry.slot == slot)
    }

    fn due_in(&self, now: SinceBoot) -> Option<Duration> {
        let dues = self.pending.iter().filter_map(|held| held.due_in(now));
        Some(dues.min()?.max(self.not_before.saturating_sub(now)))
    }
}

impl Outbox {
    /// The outbox as the last run left it.
    pub fn open(
        workspace: &str,
        records: &Records,
        store: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let record = Record::new(records);
        let pending = record.read().into_iter().map(|entry| {
            let vault = vault_of(workspace, &store, entry.slot);
            let mut pending = Pending::new(entry, None, vault);
            pending.plan.look_again(clock.since_boot(), Duration::ZERO);
            pending
        });
        let state = State {
            pending: pending.collect(),
            ..State::default()
        };
        Self {
            workspace: workspace.to_owned(),
            record,
            store,
            clock,
            state: Mutex::new(state),
            delivering: tokio::sync::Mutex::default(),
        }
    }

    /// Takes `token` over. What is here already is not taken twice.
    ///
    /// # Errors
    /// If the keyring or the disk does not take it. It is told all the same, but a restart
    /// forgets it: no other copy may be deleted yet.
    pub async fn put(
        &self,
        token: RefreshToken,
        access: Option<Secret>,
        origin: String,
    ) -> Result<(), StoreError> {
        let entry = {
            let mut state = self.state();
            let mut told = state.told.iter();
            if told.any(|(at, told)| *at == origin && told.is_same(&token)) {
                return Ok(());
            }
            let held = state
                .pending
                .iter()
                .position(|held| held.is_of(&token, &origin));
            let at = held.unwrap_or_else(|| {
                let entry = Entry::new(origin, self.clock.wall_ms());
                let known = Some(Known { token, access });
                let vault = vault_of(&self.workspace, &self.store, entry.slot);
                state.pending.push(Pending::new(entry, known, vault));
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

    /// How long until something is to be delivered; `None` when nothing is.
    pub fn due_in(&self) -> Option<Duration> {
        self.state().due_in(self.clock.since_boot())
    }

    /// What is due; its try is then taken as begun, so that only one asker delivers.
    pub fn take_due(&self) -> Option<Due> {
        let now = self.clock.since_boot();
        let mut state = self.state();
        if state.due_in(now) != Some(Duration::ZERO) {
            return None;
        }
        let mut due = Vec::new();
        for pending in &mut state.pending {
            if pending.due_in(now) == Some(Duration::ZERO) {
                pending.plan.begin(now);
                due.push(pending.entry.slot);
            }
        }
        Some(Due(due))
    }

    /// Tells the backend what it has not heard, for whoever found it due. A failure plans the
    /// next try and holds up no other, unless the backend asks to be left alone. What belongs
    /// to another origin waits until that is the backend again.
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
                Ok(()) => self.drop_entry(&entry).await,
                Err(Miss::Keyring(error)) => {
                    tracing::info!(%error, "the token of a sign-out cannot be read yet");
                    self.look_again(slot);
                }
                Err(Miss::Backend(untold)) => self.untold(entry, untold).await,
            }
        }
    }

    /// `Ok` once there is nothing left to say.
    async fn deliver_one(
        &self,
        entry: &Entry,
        backend: &Backend,
        device: &Device,
    ) -> Result<(), Miss> {
        let held = self
            .state()
            .of(entry.slot)
            .map(|held| (held.is_settled, held.known.clone()));
        let known = match held {
            Some((false, Some(known))) => known,
            Some((false, None)) => match self.stored(entry.slot).await.map_err(Miss::Keyring)? {
                Some(token) => Known {
                    token,
                    access: None,
                },
                None => return Ok(()),
            },
            Some((true, _)) | None => return Ok(()),
        };
        let told = backend.logout(&known.token, known.access.as_ref(), device);
        told.await.map_err(Miss::Backend)
    }

    /// The token in a slot; `None` if there is none.
    async fn stored(&self, slot: Uuid) -> Result<Option<RefreshToken>, StoreError> {
        let Some(vault) = self.vault(slot) else {
            return Ok(None);
        };
        let bytes = vault.read().await?;
        let item = bytes.and_then(|bytes| Item::from_bytes(&bytes));
        Ok(item.map(|item| item.token))
    }

    /// The backend has not heard it: when to tell it again, and with what.
    async fn untold(&self, entry: Entry, untold: Untold) {
        let Untold {
            fault,
            retry_after,
            token,
        } = untold;
        tracing::info!(%fault, "a sign-out is not delivered yet");
        let refill = {
            let mut state = self.state();
            let now = self.clock.since_boot();
            let Some(pending) = state.of(entry.slot) else {
                return;
            };
            let wait = pending.plan.failed(now, retry_after, rand::random());
            if let Some(token) = token {
                // Telling the backend took a new one: it is the one to tell it with from here.
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

    /// Lets an entry go that was tried in vain for too long.
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

    /// Writes what is known into the entry's keyring item; first the record, without which it
    /// would be forgotten there.
    async fn fill(&self, entry: &Entry) -> Result<(), StoreError> {
        let held = self
            .state()
            .of(entry.slot)
            .map(|held| (held.known.clone(), held.is_recorded, held.vault.clone()));
        let Some((Some(Known { token, .. }), is_recorded, vault)) = held else {
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
        let item = Item {
            generation: 0,
            origin: entry.origin.clone(),
            token,
        };
        let written = vault.write(1, 0, item.to_bytes()).await;
        if let Err(error) = &written {
            tracing::warn!(%error, "an undelivered sign-out is kept in memory only");
        }
        if let Some(pending) = self.state().of(entry.slot) {
            pending.is_slotted = written.is_ok();
        }
        written
    }

    async fn drop_entry(&self, entry: &Entry) {
        // The item first: an entry without an item does no harm.
        let Some(vault) = self.vault(entry.slot) else {
            return;
        };
        if let Err(error) = vault.delete(1).await {
            tracing::warn!(%error, "a revoked token stays in the keyring until the next try");
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
                state.told.push((entry.origin.clone(), known.token));
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

    fn vault(&self, slot: Uuid) -> Option<Vault> {
        self.state().of(slot).map(|held| held.vault.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn vault_of(workspace: &str, store: &Arc<dyn SecretStore>, slot: Uuid) -> Vault {
    Vault::new(store.clone(), format!("{workspace}.revoke.{slot}"))
}
