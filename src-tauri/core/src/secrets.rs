//! Secrets as types, and the place where they rest.
//!
//! [`Secret`] cannot be printed or serialised; whoever wants its text says so with
//! [`Secret::secret`]. [`SecretStore`] is the seam to the keyring.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password, a code or a token. Wiped when dropped; `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Bytes as a store keeps them. Wiped when dropped.
pub type SecretBytes = Zeroizing<Vec<u8>>;

/// Why a store did not do what was asked. "Absent" (`Ok(None)` on read) and
/// "cannot tell" (these) are different answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no store on this machine, or it cannot be spoken to.
    #[error("no keyring can be reached")]
    Absent,
    /// The store is there but locked, or it asks the user and gets no answer.
    #[error("the keyring is locked")]
    Locked,
    /// The store is there and holds no collection, so it cannot say that an item is gone, nor
    /// take one.
    #[error("the keyring has no collection")]
    NoCollection,
    /// The store did not answer in time.
    #[error("the keyring does not answer")]
    TimedOut,
    /// The value is larger than the store takes.
    #[error("the keyring refuses a value of this size")]
    TooLarge,
    /// Any other failure.
    #[error("the keyring failed")]
    Failed,
    /// The value is there and is not to be touched: a newer version of the app has written it.
    #[error("the keyring's item is a newer version's")]
    Newer,
    /// The value must not be written yet: what it would replace could not be put elsewhere.
    #[error("what is in the keyring has not been put away yet")]
    Occupied,
}

/// Where secrets rest, by name. Calls block: [`crate::storage::bounded_store`] bounds them.
pub trait SecretStore: Send + Sync + 'static {
    /// The value, or `None` where the store says for certain that there is none.
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError>;
    /// Every value of that name. Some keyrings hold several after they were merged or restored;
    /// others cannot, and need not implement this.
    fn read_all(&self, name: &str) -> Result<Vec<SecretBytes>, StoreError> {
        Ok(self.read(name)?.into_iter().collect())
    }
    /// Replaces the value. Exactly one is there afterwards.
    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError>;
    /// Removes every value of that name; nothing to remove is success.
    fn delete(&self, name: &str) -> Result<(), StoreError>;
    /// Lets the user be asked for what opens the store, or for a new one where there is none,
    /// which no other call does. An error means that it is not open yet; the user may still be
    /// typing.
    fn unlock(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A store that forgets when the process ends: for a machine without a keyring, and for
/// tests that need no real one.
#[derive(Default)]
pub struct MemoryStore(Mutex<HashMap<String, SecretBytes>>);

impl MemoryStore {
    /// The names of all that is there.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
