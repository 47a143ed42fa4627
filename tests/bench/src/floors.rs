//! The least that persisting a session can cost: one record on the disk that survives a
//! power cut, and one write to the keyring. Neither goes through the product's code.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry};

use crate::registry::Outcome;

/// As long as what a session keeps.
const BYTES: usize = 600;

/// Replaces a file as a whole: written beside it, synced, renamed, the folder synced.
///
/// # Errors
/// If the disk does not take it.
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

/// One item in the desktop's keyring. Its connection must not be closed on a thread of a
/// runtime; [`ItemInKeyring`] sees to that.
pub struct ItemInKeyring(Option<(Arc<CredentialStore>, Entry)>);

impl ItemInKeyring {
    /// Connects. Blocks.
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

    /// Writes it. Blocks.
    ///
    /// # Errors
    /// If the keyring does not take it.
    pub fn write(&self) -> Outcome<()> {
        let (_, entry) = self.0.as_ref().ok_or("the keyring is gone")?;
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

/// Without what some of these errors hold: the secret's bytes.
fn kind(error: &keyring_core::Error) -> &'static str {
    match error {
        keyring_core::Error::PlatformFailure(_) => "the platform failed",
        keyring_core::Error::NoStorageAccess(_) => "no access",
        _ => "it failed",
    }
}
