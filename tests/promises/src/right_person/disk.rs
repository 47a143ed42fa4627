//! The disk of one account: what was written, and what of it survives a power cut. It can be
//! full, or unreadable for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use uuid::Uuid;
use vestibule_core::testing::{Durability, HeldLock, RecordStore};

use super::model_process::ModelProcess;

type Files = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
struct State {
    written: Files,
    synced: Files,
    is_full: bool,
    unreadable: BTreeSet<String>,
    /// Names of records that were overwritten although they could not be read.
    written_over: Vec<String>,
    /// For each lock, the process that holds it.
    locks: BTreeMap<String, u64>,
}

impl State {
    /// A new record of this name replaces the old one and can be read.
    fn replaces(&mut self, name: &str) {
        // A sign-out is always allowed to replace the record of the one before, and a damaged record
        // the copy of the one that was laid aside before it: that copy is never read.
        let may_be_lost = name.starts_with("signed-out") || name.ends_with(".damaged");
        if self.unreadable.remove(name) && !may_be_lost {
            self.written_over.push(name.to_owned());
        }
    }
}

/// A disk and its contents: the records of one account.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk of a new account, in which the ids are that the list of accounts has given it.
    pub fn of_account(installation: Uuid) -> Self {
        let ids = json!({"format": 1, "install": installation, "account": Uuid::new_v4()});
        let ids = Files::from([("install.json".to_owned(), ids.to_string().into_bytes())]);
        let disk = Self::default();
        {
            let mut state = disk.state();
            state.written = ids.clone();
            state.synced = ids;
        }
        disk
    }

    /// The disk as this process uses it.
    pub fn of(&self, life: &Arc<ModelProcess>) -> Arc<dyn RecordStore> {
        Arc::new(Seen {
            disk: self.clone(),
            life: life.clone(),
        })
    }

    /// A process has died: its locks are free, and after a power cut only what was synced is left.
    /// Returns whether anything was lost.
    pub fn left_by(&self, process: u64, power_cut: bool) -> bool {
        let mut state = self.state();
        state.locks.retain(|_, holder| *holder != process);
        let is_lost = power_cut && state.written != state.synced;
        if power_cut {
            state.written = state.synced.clone();
        }
        is_lost
    }

    pub fn names(&self) -> Vec<String> {
        self.state().written.keys().cloned().collect()
    }

    pub fn lose(&self, name: &str) {
        let mut state = self.state();
        state.written.remove(name);
        state.synced.remove(name);
    }

    pub fn damage(&self, name: &str) {
        let mut state = self.state();
        let State {
            written, synced, ..
        } = &mut *state;
        for files in [written, synced] {
            if let Some(value) = files.get_mut(name) {
                let half = value.len() / 2;
                value.truncate(half);
            }
        }
    }

    pub fn hide(&self, name: &str) {
        self.state().unreadable.insert(name.to_owned());
    }

    /// The records that were overwritten unread since the previous call.
    pub fn written_over(&self) -> Vec<String> {
        std::mem::take(&mut self.state().written_over)
    }

    pub fn fill(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// Whether everything can be read and written.
    pub fn is_well(&self) -> bool {
        let state = self.state();
        !state.is_full && state.unreadable.is_empty()
    }

    /// Whether the session's record can be read and says that no rotation is in progress.
    pub fn is_idle(&self) -> bool {
        let state = self.state();
        let record = state.written.get("session.json");
        let record = record.and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
        record.is_some_and(|record| record["phase"] == "idle")
    }

    pub fn heal(&self) {
        let mut state = self.state();
        state.is_full = false;
        state.unreadable.clear();
    }
}

struct Seen {
    disk: Disk,
    life: Arc<ModelProcess>,
}

impl Seen {
    /// Whether the process is alive, so that its request takes effect.
    fn acts(&self) -> io::Result<()> {
        match self.life.acts() {
            true => Ok(()),
            false => Err(io::Error::other("the process is dead")),
        }
    }
}

impl RecordStore for Seen {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.life.moves();
        let state = self.disk.state();
        if state.unreadable.contains(name) {
            return Err(io::Error::other("cannot be read now"));
        }
        Ok(state.written.get(name).cloned())
    }

    fn write(&self, name: &str, value: &[u8], durability: Durability) -> io::Result<()> {
        self.acts()?;
        let mut state = self.disk.state();
        if state.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.replaces(name);
        state.written.insert(name.to_owned(), value.to_vec());
        if durability == Durability::Synced {
            state.synced.insert(name.to_owned(), value.to_vec());
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.acts()?;
        let mut state = self.disk.state();
        let value = state.written.remove(from);
        let value = value.ok_or(io::ErrorKind::NotFound)?;
        state.synced.remove(from);
        state.replaces(to);
        state.synced.insert(to.to_owned(), value.clone());
        state.written.insert(to.to_owned(), value);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.acts()?;
        let mut state = self.disk.state();
        state.unreadable.remove(name);
        state.written.remove(name);
        state.synced.remove(name);
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.life.moves();
        Ok(self.disk.names())
    }

    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn HeldLock>>> {
        self.life.moves();
        let mut state = self.disk.state();
        if state.locks.contains_key(name) {
            return Ok(None);
        }
        state.locks.insert(name.to_owned(), self.life.number);
        Ok(Some(Box::new(Held {
            disk: self.disk.clone(),
            name: name.to_owned(),
            holder: self.life.number,
        })))
    }
}

struct Held {
    disk: Disk,
    name: String,
    holder: u64,
}

impl HeldLock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        // A dead process has lost the lock already, and another process may hold it.
        if state.locks.get(&self.name) == Some(&self.holder) {
            state.locks.remove(&self.name);
        }
    }
}
