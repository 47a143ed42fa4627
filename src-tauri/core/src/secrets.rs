//! Secrets as types, and the store that holds them.
//!
//! [`Secret`] cannot be printed or serialised; code that needs its text calls [`Secret::secret`].
//! [`SecretStore`] is the interface to the keyring.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password, a code or a token. Wiped when dropped; `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps the text.
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

/// The bytes of a stored value. Wiped when dropped.
pub type SecretBytes = Zeroizing<Vec<u8>>;

/// Why a store failed. "Absent" (`Ok(None)` on read) and "cannot tell" (these) are different
/// answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no keyring on this machine, or it cannot be reached.
    #[error("no keyring can be reached")]
    Absent,
    /// The keyring is locked, or it asks the user and gets no answer.
    #[error("the keyring is locked")]
    Locked,
    /// The keyring has no collection, so it can neither hold an item nor say that one is gone.
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
    /// A newer version of the app wrote the value, so it must not be changed.
    #[error("a newer version of the app has written the keyring item")]
    Newer,
    /// The value must not be written yet, because the value that it would replace is not stored
    /// elsewhere.
    #[error("the keyring holds another session, which is not stored elsewhere yet")]
    Occupied,
}

/// Where secrets are stored, by name. Calls block: `BoundedStore` limits how
/// long.
pub trait SecretStore: Send + Sync + 'static {
    /// The value, or `None` where the store says for certain that there is none.
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError>;
    /// Every value with that name. Some keyrings hold several after they were merged or restored;
    /// for others this need not be implemented.
    fn read_all(&self, name: &str) -> Result<Vec<SecretBytes>, StoreError> {
        Ok(self.read(name)?.into_iter().collect())
    }
    /// Replaces the value. Exactly one is there afterwards.
    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError>;
    /// Removes every value with that name; it is no error if there is none.
    fn delete(&self, name: &str) -> Result<(), StoreError>;
    /// Lets the keyring ask the user for its password, or for a new one if it has no collection. No
    /// other call does so. An error means that it is not open yet; the user may still be typing.
    fn unlock(&self) -> Result<(), StoreError> {
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
