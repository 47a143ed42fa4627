use std::collections::HashMap;
use std::sync::Mutex;

use zeroize::Zeroizing;

use crate::secrets::{SecretBytes, SecretStore, StoreError};

/// A store that forgets when the process ends: for a machine without a keyring, and for
/// tests that need no real one.
#[derive(Default)]
pub struct MemoryStore(Mutex<HashMap<String, SecretBytes>>);

impl MemoryStore {
    /// The names of all values.
    pub fn names(&self) -> Vec<String> {
        let values = self.0.lock().map(|values| values.keys().cloned().collect());
        values.unwrap_or_default()
    }
}

impl SecretStore for MemoryStore {
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        let values = self.0.lock().map_err(|_| StoreError::Failed)?;
        Ok(values.get(name).cloned())
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut values = self.0.lock().map_err(|_| StoreError::Failed)?;
        values.insert(name.to_owned(), Zeroizing::new(value.to_vec()));
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        let mut values = self.0.lock().map_err(|_| StoreError::Failed)?;
        values.remove(name);
        Ok(())
    }
}
