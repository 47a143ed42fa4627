//! The cookies by which the backend knows this device as one that its person trusts, so that a sign-in
//! needs no code (`cookies.trust`). They outlive the session and its account: a person who signs out trusts
//! the device still. So each person has a keyring item for them, beside those of sessions. They go along
//! when the same person signs in again, and with nobody else's password.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::cookies::{Jar, RefreshCookie};
use crate::identity::{Generation, InstallId};
use crate::profile::Profile;
use crate::secrets::{SecretBytes, SecretStore, StoreError};
use crate::storage::bounded_store::{BoundedStore, WriteOrder};

/// The format that this version writes and reads.
const FORMAT: u32 = 1;
/// The most bytes of an item: Windows takes 2560 of a credential.
const LARGEST: usize = 2048;

/// Whether this device is trusted, as the keyring has it.
pub(super) struct TrustedDevice {
    store: Arc<dyn SecretStore>,
    /// The names of the cookies; if there are none, nothing is read or written.
    names: Vec<String>,
    workspace: String,
    install: InstallId,
    origin: String,
    /// The item of whoever has signed in last.
    last: Mutex<Option<TrustOf>>,
}

/// The keyring item of one person.
#[derive(Clone)]
struct TrustOf {
    identifier: String,
    item: BoundedStore,
    /// Orders the changes of the item.
    changes: Arc<AtomicU64>,
}

/// The item. It has no `Debug`, because it is secret.
#[derive(Serialize, Deserialize)]
struct TrustItem {
    format: u32,
    install: InstallId,
    /// The cookies are sent to no other origin.
    origin: String,
    /// Who was signing in, as they typed it.
    identifier: String,
    cookies: Vec<RefreshCookie>,
}

/// The cookies with which one sign-in has begun.
pub(super) struct KeptTrust {
    identifier: String,
    cookies: Vec<RefreshCookie>,
}

impl TrustedDevice {
    pub(super) fn new(
        workspace: &str,
        install: InstallId,
        profile: &Profile,
        store: Arc<dyn SecretStore>,
    ) -> Self {
        Self {
            store,
            names: profile.cookies.trust.clone(),
            workspace: workspace.to_owned(),
            install,
            origin: profile.origin(),
            last: Mutex::default(),
        }
    }

    /// Puts the cookies of this person, if there are some, into the jar of a sign-in.
    pub(super) async fn put_into(&self, jar: &Jar, identifier: &str) -> KeptTrust {
        let mut kept = KeptTrust {
            identifier: identifier.to_owned(),
            cookies: Vec::new(),
        };
        if self.names.is_empty() {
            return kept;
        }
        match self.trust_of(identifier).item.read().await {
            Ok(items) => {
                let ours = items.iter().find_map(|bytes| self.ours(bytes, identifier));
                kept.cookies = ours.unwrap_or_default();
                jar.put(&kept.cookies);
            }
            Err(error) => tracing::warn!(
                ?error,
                "the keyring does not say whether this device is trusted: the sign-in may need a code"
            ),
        }
        kept
    }

    /// The cookies that the jar of a sign-in has now.
    pub(super) fn found_in(&self, jar: &Jar, identifier: &str) -> KeptTrust {
        KeptTrust {
            identifier: identifier.to_owned(),
            cookies: jar.named(&self.names),
        }
    }

    /// Stores what an answer has changed of the cookies.
    pub(super) async fn keep(&self, before: KeptTrust, jar: &Jar) {
        let cookies = jar.named(&self.names);
        if cookies == before.cookies {
            return;
        }
        let item = TrustItem {
            format: FORMAT,
            install: self.install,
            origin: self.origin.clone(),
            identifier: before.identifier,
            cookies,
        };
        let of = self.trust_of(&item.identifier);
        let bytes = Zeroizing::new(serde_json::to_vec(&item).expect("strings and numbers"));
        let changed = match item.cookies.is_empty() || bytes.len() > LARGEST {
            true => of.delete().await,
            false => of.write(bytes).await,
        };
        report(changed);
    }

    /// Forgets the cookies of whoever has signed in last, and of a person with one of these
    /// identifiers.
    pub(super) async fn forget(&self, identifiers: &[String]) {
        if self.names.is_empty() {
            return;
        }
        let last = lock(&self.last).clone();
        if let Some(last) = last {
            report(last.delete().await);
        }
        for identifier in identifiers {
            report(self.trust_of(identifier).delete().await);
        }
    }

    fn trust_of(&self, identifier: &str) -> TrustOf {
        let mut last = lock(&self.last);
        if let Some(of) = last.as_ref().filter(|of| of.identifier == identifier) {
            return of.clone();
        }
        // The name is seen without the keyring's password, so it does not have the identifier itself.
        let hash = Sha256::digest(identifier.as_bytes());
        let hash: String = hash
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = format!("{}.trust.{}.{hash}", self.workspace, self.install);
        let of = TrustOf {
            identifier: identifier.to_owned(),
            item: BoundedStore::new(self.store.clone(), name),
            changes: Arc::default(),
        };
        *last = Some(of.clone());
        of
    }

    fn ours(&self, bytes: &[u8], identifier: &str) -> Option<Vec<RefreshCookie>> {
        let item: TrustItem = serde_json::from_slice(bytes).ok()?;
        let is_here = item.install == self.install && item.origin == self.origin;
        let is_ours = item.format == FORMAT && is_here;
        (is_ours && item.identifier == identifier).then_some(item.cookies)
    }
}

impl TrustOf {
    async fn write(&self, bytes: SecretBytes) -> Result<(), StoreError> {
        let order = WriteOrder::write(self.next_change(), Generation::FIRST);
        self.item.write(order, bytes).await
    }

    async fn delete(&self) -> Result<(), StoreError> {
        self.item
            .delete(WriteOrder::delete(self.next_change()))
            .await
    }

    fn next_change(&self) -> u64 {
        1 + self.changes.fetch_add(1, Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(changed: Result<(), StoreError>) {
    if let Err(error) = changed {
        tracing::warn!(
            ?error,
            "the keyring does not keep whether this device is trusted: the next sign-in may need a code"
        );
    }
}
