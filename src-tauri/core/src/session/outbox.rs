//! Sign-outs that the backend has not heard of yet. They survive restarts: the token rests
//! in a keyring item of its own, from which it can only be revoked, never used again; a
//! record without a secret says which items there are.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::item::Item;
use crate::backend::{Backend, Fault, Untold};
use crate::clock::{Clock, SinceBoot};
use crate::device::Device;
use crate::plan::Plan;
use crate::records::Records;
use crate::secrets::{Secret, SecretStore};
use crate::token::RefreshToken;
use crate::vault::Vault;

const RECORD: &str = "outbox.json";
/// After this time the backend has long forgotten the token.
const KEPT_FOR_MS: u64 = 7 * 24 * 3600 * 1000;

/// One undelivered sign-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Names the keyring item.
    slot: Uuid,
    /// The token goes to this origin only.
    origin: String,
    /// Milliseconds since the epoch.
    since: u64,
}

/// The undelivered sign-outs of one workspace.
pub(super) struct Outbox {
    workspace: String,
    records: Records,
    store: Arc<dyn SecretStore>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One delivery at a time.
    delivering: tokio::sync::Mutex<()>,
    /// One writing of the record at a time.
    saving: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// What this process put in itself: needs no keyring to be delivered.
    tokens: HashMap<Uuid, Known>,
    /// Entries whose record and keyring item are still being written: delivered and dropped
    /// before that, they would come back.
    storing: HashSet<Uuid>,
    plan: Plan,
}

/// What this process knows of an undelivered sign-out.
#[derive(Clone)]
struct Known {
    token: RefreshToken,
    /// For backends that want one with a sign-out. Never in the keyring.
    access: Option<Secret>,
}

impl State {
    /// The entries that can be delivered.
    fn stored(&self) -> Vec<Entry> {
        let is_stored = |entry: &&Entry| !self.storing.contains(&entry.slot);
        self.entries.iter().filter(is_stored).cloned().collect()
    }

    fn due_in(&self, now: SinceBoot) -> Option<Duration> {
        if self.stored().is_empty() {
            return None;
        }
        self.plan.due_in(now)
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
        let entries: Vec<Entry> = records.read(RECORD).unwrap_or_default();
        let mut plan = Plan::default();
        if !entries.is_empty() {
            plan.look_again(clock.since_boot(), Duration::ZERO);
        }
        Self {
            workspace: workspace.to_owned(),
            records: records.clone(),
            store,
            clock,
            state: Mutex::new(State {
                entries,
                plan,
                ..State::default()
            }),
            delivering: tokio::sync::Mutex::default(),
            saving: tokio::sync::Mutex::default(),
        }
    }

    /// Takes `token` over: first the record, then the keyring item, so that none is ever
    /// forgotten there.
    pub async fn put(&self, token: RefreshToken, access: Option<Secret>, origin: String) {
        let slot = Uuid::new_v4();
        let item = Item {
            generation: 0,
            origin: origin.clone(),
            token: token.clone(),
        };
        {
            let mut state = self.state();
            state.entries.push(Entry {
                slot,
                origin,
                since: self.clock.wall_ms(),
            });
            state.tokens.insert(slot, Known { token, access });
            state.storing.insert(slot);
        }
        self.save().await;
        if let Err(error) = self.vault(slot).write(1, 0, item.to_bytes()).await {
            tracing::warn!(%error, "an undelivered sign-out is kept in memory only");
        }
        let mut state = self.state();
        state.storing.remove(&slot);
        let now = self.clock.since_boot();
        state.plan.look_again(now, Duration::ZERO);
    }

    /// How long until something is to be delivered; `None` when nothing is.
    pub fn due_in(&self) -> Option<Duration> {
        self.state().due_in(self.clock.since_boot())
    }

    /// Whether a try is due; it is then taken as begun, so that only one asker delivers.
    pub fn is_due(&self) -> bool {
        let now = self.clock.since_boot();
        let mut state = self.state();
        let due = state.due_in(now) == Some(Duration::ZERO);
        if due {
            state.plan.begin(now);
        }
        due
    }

    /// Tells the backend what it has not heard, for whoever found it due. A failure plans the
    /// next try. What belongs to another origin waits until that is the backend again.
    pub async fn deliver(&self, backend: &Backend, device: &Device) {
        let _one = self.delivering.lock().await;
        let origin = backend.profile().origin();
        let entries = self.state().stored();
        for entry in entries {
            if entry.origin != origin && !self.is_over(&entry) {
                continue;
            }
            match self.deliver_one(&entry, backend, device).await {
                Ok(()) => self.drop_entry(&entry).await,
                Err(fault) => {
                    tracing::info!(%fault, "a sign-out is not delivered yet");
                    let now = self.clock.since_boot();
                    self.state().plan.failed(now, None, rand::random());
                    return;
                }
            }
        }
    }

    fn is_over(&self, entry: &Entry) -> bool {
        self.clock.wall_ms().saturating_sub(entry.since) > KEPT_FOR_MS
    }

    /// `Ok` once there is nothing left to say.
    async fn deliver_one(
        &self,
        entry: &Entry,
        backend: &Backend,
        device: &Device,
    ) -> Result<(), Fault> {
        if self.is_over(entry) {
            return Ok(());
        }
        let known = self.state().tokens.get(&entry.slot).cloned();
        let known = match known {
            Some(known) => known,
            None => match self.vault(entry.slot).read().await {
                Ok(bytes) => match bytes.and_then(|bytes| Item::from_bytes(&bytes)) {
                    Some(item) => Known {
                        token: item.token,
                        access: None,
                    },
                    None => return Ok(()),
                },
                Err(_) => return Err(Fault::Unreachable),
            },
        };
        let told = backend.logout(&known.token, known.access.as_ref(), device);
        match told.await {
            Ok(()) => Ok(()),
            Err(Untold { fault, token }) => {
                if let Some(token) = token {
                    self.replace(entry, token).await;
                }
                Err(fault)
            }
        }
    }

    /// Telling the backend took a new token: it is the one to tell it with from here.
    async fn replace(&self, entry: &Entry, token: RefreshToken) {
        let item = Item {
            generation: 0,
            origin: entry.origin.clone(),
            token: token.clone(),
        };
        let known = Known {
            token,
            access: None,
        };
        self.state().tokens.insert(entry.slot, known);
        if let Err(error) = self.vault(entry.slot).write(1, 0, item.to_bytes()).await {
            tracing::warn!(%error, "an undelivered sign-out is kept in memory only");
        }
    }

    async fn drop_entry(&self, entry: &Entry) {
        // The item first: an entry without an item does no harm.
        if let Err(error) = self.vault(entry.slot).delete(1).await {
            tracing::warn!(%error, "a revoked token stays in the keyring until the next try");
            return;
        }
        {
            let mut state = self.state();
            state.entries.retain(|held| held.slot != entry.slot);
            state.tokens.remove(&entry.slot);
        }
        self.save().await;
    }

    async fn save(&self) {
        // One at a time, so that the last to be written is the newest.
        let _one = self.saving.lock().await;
        let entries = self.state().entries.clone();
        let records = self.records.clone();
        let saved = tokio::task::spawn_blocking(move || {
            if entries.is_empty() {
                records.remove(RECORD)
            } else {
                records.write(RECORD, &entries)
            }
        });
        if !matches!(saved.await, Ok(Ok(()))) {
            tracing::error!("the record of undelivered sign-outs cannot be written");
        }
    }

    fn vault(&self, slot: Uuid) -> Vault {
        Vault::new(
            self.store.clone(),
            format!("{}.revoke.{slot}", self.workspace),
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
