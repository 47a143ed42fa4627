//! The cookies by which the backend knows this device as one that its person trusts, so that a sign-in
//! needs no code (`cookies.trust`). They outlive the session: a person who signs out trusts the device
//! still. So each person has a keyring item for them, beside those of sessions. They go along when the
//! same person signs in again, and with nobody else's password.
//!
//! A keyring lists no items, so the account's records note whose there are, by a hash, before one is
//! written. An account that is removed takes those away, signed in or not.

use std::io;
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
use crate::storage::records::Durability;

use super::record::Records;

/// The record of whose items there are.
pub(super) const RECORD: &str = "trusted-device.json";
/// How many people a record lists, the newest last.
const MOST_PEOPLE: usize = 16;
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
    records: Records,
    /// Held for one change of the record at a time.
    changing: tokio::sync::Mutex<()>,
    /// The item of whoever has signed in last.
    last: Mutex<Option<TrustOf>>,
}

/// Whose items there are, by the hashes that name them.
#[derive(Default, Serialize, Deserialize)]
struct People {
    people: Vec<String>,
}

/// The keyring item of one person.
#[derive(Clone)]
struct TrustOf {
    person: String,
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
        records: Records,
    ) -> Self {
        Self {
            store,
            names: profile.cookies.trust.clone(),
            workspace: workspace.to_owned(),
            install,
            origin: profile.origin(),
            records,
            changing: tokio::sync::Mutex::default(),
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
        let person = hash(identifier);
        match self.trust_of(&person).item.read().await {
            Ok(items) => {
                let ours = items.iter().find_map(|bytes| self.ours(bytes, identifier));
                kept.cookies = ours.unwrap_or_default();
                jar.put(&kept.cookies);
                if !kept.cookies.is_empty() {
                    // Another account may have written it, and may be gone.
                    self.note(&person, true).await;
                }
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
        let person = hash(&item.identifier);
        let of = self.trust_of(&person);
        let bytes = Zeroizing::new(serde_json::to_vec(&item).expect("strings and numbers"));
        if item.cookies.is_empty() || bytes.len() > LARGEST {
            let deleted = of.delete().await;
            if deleted.is_ok() {
                self.note(&person, false).await;
            }
            return report(deleted);
        }
        // An item that no record names could not be taken away.
        if !self.note(&person, true).await {
            return;
        }
        let written = of.write(bytes).await;
        if written == Err(StoreError::Absent) && before.cookies.is_empty() {
            self.note(&person, false).await;
        }
        report(written);
    }

    /// Forgets the cookies of everybody who has signed in to this account.
    pub(super) async fn forget(&self) {
        let _one = self.changing.lock().await;
        let Some(people) = self.with_records(read).await else {
            return;
        };
        let mut left = People::default();
        for person in people.people {
            let deleted = self.trust_of(&person).delete().await;
            if deleted.is_err() {
                left.people.push(person);
            }
            report(deleted);
        }
        self.with_records(move |records| write(records, &left))
            .await;
    }

    /// Notes that there is an item of this person, or that there is none. Returns whether the record
    /// says so.
    async fn note(&self, person: &str, is_there: bool) -> bool {
        let _one = self.changing.lock().await;
        let person = person.to_owned();
        let noted = self.with_records(move |records| {
            let mut known = read(records)?;
            if is_there && known.people.last() == Some(&person) {
                return Ok(());
            }
            known.people.retain(|it| *it != person);
            known.people.extend(is_there.then_some(person));
            let too_many = known.people.len().saturating_sub(MOST_PEOPLE);
            known.people.drain(..too_many);
            write(records, &known)
        });
        noted.await.is_some()
    }

    /// Runs `work` on the records in a blocking task; `None` if it fails.
    async fn with_records<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Records) -> io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let records = self.records.clone();
        let done = tokio::task::spawn_blocking(move || work(&records)).await;
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
        let report = |error: &io::Error| {
            tracing::warn!(
                kind = %error.kind(),
                "the record of who trusts this device cannot be read or written: nothing of it is changed"
            );
        };
        done.inspect_err(report).ok()
    }

    fn trust_of(&self, person: &str) -> TrustOf {
        let mut last = lock(&self.last);
        if let Some(of) = last.as_ref().filter(|of| of.person == person) {
            return of.clone();
        }
        let name = format!("{}.trust.{}.{person}", self.workspace, self.install);
        let of = TrustOf {
            person: person.to_owned(),
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

/// What names a person's item. The name is seen without the keyring's password, so it does not have the
/// identifier itself.
fn hash(identifier: &str) -> String {
    let hash = Sha256::digest(identifier.as_bytes());
    let bytes = hash.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

fn read(records: &Records) -> io::Result<People> {
    Ok(records.read_or_put_aside(RECORD)?.unwrap_or_default())
}

fn write(records: &Records, known: &People) -> io::Result<()> {
    match known.people.is_empty() {
        true => records.store().remove(RECORD),
        false => records.write(RECORD, known, Durability::Synced),
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
