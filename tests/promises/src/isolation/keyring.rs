//! The keyring of all accounts, which notes whose each refresh token is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use vestibule_core::{SecretBytes, SecretStore, StoreError};
use vestibule_harness::TestStore;

/// A keyring that notes each token with the account that has offered it.
pub struct NotingKeyring {
    store: Arc<TestStore>,
    owners: Mutex<BTreeMap<String, String>>,
}

impl NotingKeyring {
    pub fn over(store: Arc<TestStore>) -> Self {
        Self {
            store,
            owners: Mutex::default(),
        }
    }

    /// The id of the account to which a refresh token was given.
    pub fn owner(&self, token: &str) -> Option<String> {
        self.owners().get(token).cloned()
    }

    fn owners(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for NotingKeyring {
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.store.read(name)
    }

    fn read_all(&self, name: &str) -> Result<Vec<SecretBytes>, StoreError> {
        self.store.read_all(name)
    }

    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        // Also while the keyring is locked: what it does not take is used all the same.
        if let Ok(item) = serde_json::from_slice::<Value>(value)
            && let token = &item["token"]
            // A refresh cookie, or the token of a provider.
            && let Some(token) = [&token[0]["value"], &token["provider"]["token"]]
                .into_iter()
                .find_map(Value::as_str)
            && let Some(account) = item["account"].as_str()
        {
            let mut owners = self.owners();
            owners
                .entry(token.to_owned())
                .or_insert_with(|| account.to_owned());
        }
        self.store.write(name, value)
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.store.delete(name)
    }
}
