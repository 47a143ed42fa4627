//! A keyring in memory, for the sessions by which a suggestion is proved: the person's own keyring is
//! none of the doctor's business.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vestibule_core::{SecretBytes, SecretStore, StoreError};

#[derive(Default)]
pub(super) struct MemoryStore(Mutex<HashMap<String, SecretBytes>>);

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, SecretBytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another one that holds the same.
    pub(super) fn copy(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}

impl SecretStore for MemoryStore {
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        Ok(self.lock().get(name).cloned())
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.lock()
            .insert(name.to_owned(), SecretBytes::new(value.to_vec()));
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.lock().remove(name);
        Ok(())
    }
}
