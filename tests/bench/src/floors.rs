//! The least that storing a session can cost: one record on the disk that survives a power cut, and
//! one write to the keyring. Neither uses the product's code.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry};

use crate::registry::Outcome;

/// The size of a stored session.
const BYTES: usize = 600;

/// Replaces a file atomically: writes a new one, syncs it, renames it, syncs the folder.
///
/// # Errors
/// If writing fails.
pub fn synced_record(folder: &Path) -> Outcome<()> {
    let beside = folder.join("record.tmp");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(&[b'x'; BYTES])?;
        file.sync_all()?;
        fs::rename(&beside, folder.join("record"))?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| format!("a synced record: {error}"))
}

/// An item in the desktop's keyring. Its connection must not be closed on a thread of a runtime;
/// dropping [`ItemInKeyring`] takes care of that.
pub struct ItemInKeyring(Option<(Arc<CredentialStore>, Entry)>);

impl ItemInKeyring {
    /// Connects to the keyring. Blocks.
    ///
    /// # Errors
    /// If there is no keyring.
    pub fn connect() -> Outcome<Self> {
        let store = zbus_secret_service_keyring_store::Store::new();
        let store: Arc<CredentialStore> = store.map_err(|error| format!("no keyring: {error}"))?;
        let entry = store.build("vestibule-bench", "floor", None);
        let entry = entry.map_err(|error| format!("no item: {}", kind(&error)))?;
        Ok(Self(Some((store, entry))))
    }

    /// Writes the item. Blocks.
    ///
    /// # Errors
    /// If the keyring refuses the write.
    pub fn write(&self) -> Outcome<()> {
        let (_, entry) = self.0.as_ref().ok_or("the keyring is not connected")?;
        let written = entry.set_secret(&[b'x'; BYTES]);
        written.map_err(|error| format!("a keyring write: {}", kind(&error)))
    }
}

impl Drop for ItemInKeyring {
    fn drop(&mut self) {
        let held = self.0.take();
        std::thread::spawn(move || drop(held));
    }
}

/// The kind of an error, without the secret's bytes that some errors contain.
fn kind(error: &keyring_core::Error) -> &'static str {
    match error {
        keyring_core::Error::PlatformFailure(_) => "the platform failed",
        keyring_core::Error::NoStorageAccess(_) => "no access",
        _ => "it failed",
    }
}
