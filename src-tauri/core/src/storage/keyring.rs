//! The operating system's keyring: Secret Service, macOS Keychain, Windows Credential
//! Manager, as the `keyring` crate reaches them.
//!
//! This module opens the platform's store itself, and opens it again after a failure.
//! `keyring::Entry::new` is never used, because it remembers a failed first start for the whole
//! process.

#[cfg(target_os = "linux")]
mod secret_service;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyring_core::{CredentialStore, Error};
use zeroize::Zeroizing;

use crate::secrets::{SecretBytes, SecretStore, StoreError};

/// The most bytes of a value. Windows takes no credential over `CRED_MAX_CREDENTIAL_BLOB_SIZE`,
/// 5 times 512; the others name no limit, and no header that could carry more gets here.
pub const VALUE_LIMIT: usize = if cfg!(windows) { 2560 } else { 64 << 10 };

/// One service's items in the platform's keyring.
pub struct Keyring {
    service: String,
    /// `None` while a call uses it: a call that hangs keeps it, and the next call opens another.
    store: Mutex<Option<Arc<CredentialStore>>>,
    #[cfg(target_os = "linux")]
    secret_service: secret_service::SecretService,
}

impl Keyring {
    /// Items are filed under `service`; nothing is opened before the first call.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            store: Mutex::new(None),
            #[cfg(target_os = "linux")]
            secret_service: secret_service::SecretService::default(),
        }
    }

    /// Fails if the keyring would hang, or ask its user something, before it answers.
    #[cfg(target_os = "linux")]
    fn look(&self, account: &str) -> Result<(), StoreError> {
        self.secret_service.check(&secret_service::ItemQuery {
            service: &self.service,
            account: Some(account),
        })
    }

    /// The stores of other systems need no such check.
    #[cfg(not(target_os = "linux"))]
    fn look(&self, _account: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Runs `work` on the entry. After a failure it is tried once more on a new connection: a
    /// restarted keyring daemon leaves the old connection dead, and another process may delete an
    /// item after it was found and before it was read.
    fn with_entry<T>(
        &self,
        account: &str,
        work: impl Fn(&keyring::Entry) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let made_earlier = self.slot().take();
        match self.try_entry(made_earlier, account, &work) {
            Err(Error::PlatformFailure(_)) => self.try_entry(None, account, &work),
            result => result,
        }
    }

    fn try_entry<T>(
        &self,
        store: Option<Arc<CredentialStore>>,
        account: &str,
        work: impl Fn(&keyring::Entry) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = match store {
            Some(store) => store,
            None => platform_store()?,
        };
        let result = store
            .build(&self.service, account, modifiers().as_ref())
            .and_then(|inner| work(&keyring::Entry { inner }));
        if matches!(result, Ok(_) | Err(Error::NoEntry)) {
            *self.slot() = Some(store);
        }
        result
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<CredentialStore>>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Keyring {
    /// Closing a connection blocks, which panics on a thread of an async runtime.
    fn drop(&mut self) {
        let store = self.slot().take();
        #[cfg(target_os = "linux")]
        let store = (store, self.secret_service.close());
        std::thread::spawn(move || drop(store));
    }
}

#[cfg(target_os = "linux")]
fn platform_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn platform_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn platform_store() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

/// By default Windows lets credentials roam with the user's profile, and another machine would find
/// this one's session.
fn modifiers() -> Option<HashMap<&'static str, &'static str>> {
    cfg!(windows).then(|| HashMap::from([("persistence", "Local")]))
}

impl SecretStore for Keyring {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.look(account)?;
        match self.with_entry(account, keyring::Entry::get_secret) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(store_error(error)),
        }
    }

    fn read_all(&self, account: &str) -> Result<Vec<SecretBytes>, StoreError> {
        self.look(account)?;
        let read = |entry: &keyring::Entry| match entry.get_secret() {
            Ok(bytes) => Ok(vec![Zeroizing::new(bytes)]),
            Err(Error::NoEntry) => Ok(Vec::new()),
            Err(Error::Ambiguous(entries)) => {
                let all = entries.iter().map(keyring_core::Entry::get_secret);
                all.map(|bytes| bytes.map(Zeroizing::new)).collect()
            }
            Err(error) => Err(error),
        };
        self.with_entry(account, read).map_err(store_error)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > VALUE_LIMIT {
            return Err(StoreError::TooLarge);
        }
        self.look(account)?;
        let write = |entry: &keyring::Entry| match entry.set_secret(value) {
            Err(Error::Ambiguous(entries)) => {
                // Exactly one of them must be left.
                let (kept, others) = entries.split_first().ok_or(Error::NoEntry)?;
                kept.set_secret(value)?;
                others.iter().try_for_each(delete_one)
            }
            written => written,
        };
        self.with_entry(account, write).map_err(store_error)
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.look(account)?;
        let delete = |entry: &keyring::Entry| match entry.delete_credential() {
            Err(Error::Ambiguous(entries)) => entries.iter().try_for_each(delete_one),
            deleted => deleted,
        };
        match self.with_entry(account, delete) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(store_error(error)),
        }
    }

    #[cfg(target_os = "linux")]
    fn unlock(&self) -> Result<(), StoreError> {
        self.secret_service.unlock(&secret_service::ItemQuery {
            service: &self.service,
            account: None,
        })
    }
}

fn delete_one(entry: &keyring_core::Entry) -> Result<(), Error> {
    match entry.delete_credential() {
        Err(Error::NoEntry) => Ok(()),
        deleted => deleted,
    }
}

/// The only function that looks inside a keyring error. Some errors hold the secret's bytes in
/// their `Debug`, so only the name of the variant leaves this function.
fn store_error(error: Error) -> StoreError {
    let (kind, mapped) = match error {
        Error::NoStorageAccess(_) => ("no access", StoreError::Locked),
        Error::PlatformFailure(_) => ("platform failure", StoreError::Absent),
        Error::TooLong(..) => ("too long", StoreError::TooLarge),
        Error::NoDefaultStore => ("no store", StoreError::Absent),
        Error::NotSupportedByStore(_) => ("not supported", StoreError::Failed),
        Error::NoEntry => ("no entry", StoreError::Failed),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            ("malformed", StoreError::Failed)
        }
        Error::Invalid(..) => ("invalid attribute", StoreError::Failed),
        Error::Ambiguous(_) => ("ambiguous", StoreError::Failed),
        // The enum is non-exhaustive: a later version of the crate may add variants.
        _ => ("unknown", StoreError::Failed),
    };
    tracing::warn!(kind, "a keyring call failed");
    mapped
}
