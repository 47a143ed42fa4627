//! The keyring, which all accounts share. It can be locked, fail, or answer late: then a call
//! hangs and takes effect when the keyring answers again, even if the process that made it is dead.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use vestibule_core::{SecretBytes, SecretStore, StoreError};

use super::model_process::ModelProcess;

/// The condition of the keyring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyringMode {
    #[default]
    Open,
    Fails(StoreError),
    /// Calls hang until the condition changes.
    Late,
}

pub type Items = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
struct State {
    items: Items,
    mode: KeyringMode,
    hanging: usize,
    /// The world ends: no call may hang any more.
    over: bool,
}

#[derive(Clone, Default)]
pub struct Keyring(Arc<(Mutex<State>, Condvar)>);

impl Keyring {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keyring as this process uses it.
    pub fn of(&self, life: &Arc<ModelProcess>) -> Arc<dyn SecretStore> {
        Arc::new(Seen {
            keyring: self.clone(),
            life: life.clone(),
        })
    }

    pub fn set_mode(&self, mode: KeyringMode) {
        self.state().mode = mode;
        self.0.1.notify_all();
    }

    /// Whether calls are answered at once, with success or not.
    pub fn is_quick(&self) -> bool {
        self.state().mode != KeyringMode::Late
    }

    /// How many calls hang.
    pub fn hanging(&self) -> usize {
        self.state().hanging
    }

    pub fn items(&self) -> Items {
        self.state().items.clone()
    }

    /// Stores items, as a program that synchronises keyrings does.
    pub fn put(&self, items: impl IntoIterator<Item = (String, Vec<u8>)>) {
        self.state().items.extend(items);
    }

    /// Lets every call return, because the world ends.
    pub fn end(&self) {
        let mut state = self.state();
        state.over = true;
        state.mode = KeyringMode::Open;
        drop(state);
        self.0.1.notify_all();
    }

    /// Waits while the keyring is late; returns its state then.
    fn answer(&self, life: &ModelProcess) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.state();
        if state.mode == KeyringMode::Late && !state.over {
            state.hanging += 1;
            // The call hangs, so it no longer counts as being answered.
            life.call_ends();
            let late = |state: &mut State| state.mode == KeyringMode::Late && !state.over;
            state = self
                .0
                .1
                .wait_while(state, late)
                .unwrap_or_else(PoisonError::into_inner);
            life.call_begins();
            state.hanging -= 1;
        }
        match state.mode {
            KeyringMode::Fails(error) => Err(error),
            KeyringMode::Open | KeyringMode::Late => Ok(state),
        }
    }
}

struct Seen {
    keyring: Keyring,
    life: Arc<ModelProcess>,
}

impl Seen {
    fn call<T>(
        &self,
        is_change: bool,
        work: impl FnOnce(&mut State) -> T,
    ) -> Result<T, StoreError> {
        // A change that was asked for by a living process takes effect, even if that process dies.
        let is_asked = match is_change {
            true => self.life.acts(),
            false => !self.life.is_dead(),
        };
        if !is_asked {
            return Err(StoreError::Failed);
        }
        self.life.call_begins();
        let result = self
            .keyring
            .answer(&self.life)
            .map(|mut state| work(&mut state));
        self.life.call_ends();
        result
    }
}

impl SecretStore for Seen {
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        let found = self.call(false, |state| state.items.get(name).cloned())?;
        Ok(found.map(SecretBytes::new))
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.call(true, |state| {
            state.items.insert(name.to_owned(), value.to_vec());
        })
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.call(true, |state| {
            state.items.remove(name);
        })
    }
}
