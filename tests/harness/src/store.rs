//! A keyring that fails or hangs when a test asks for it, and counts calls.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use vestibule_core::testing::MemoryStore;
use vestibule_core::{SecretBytes, SecretStore, StoreError};

use crate::WORKSPACE;

/// What a blocked call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Fail with this error.
    Fail(StoreError),
    /// Wait until [`TestStore::heal`].
    Hang,
}

/// A [`MemoryStore`] whose calls can be blocked.
#[derive(Default)]
pub struct TestStore {
    inner: MemoryStore,
    /// Every account that was ever written.
    accounts: Mutex<BTreeSet<String>>,
    /// Further values of accounts, as merging keyrings leaves them.
    twins: Mutex<Vec<(String, SecretBytes)>>,
    gate: Mutex<Option<Block>>,
    /// An account whose item cannot be read.
    unreadable: Mutex<Option<String>>,
    /// The most bytes of an item; no bound where it is 0.
    largest: AtomicUsize,
    bell: Condvar,
    reads: AtomicUsize,
    writes: AtomicUsize,
    deletes: AtomicUsize,
    session_deletes: AtomicUsize,
    waiting: AtomicUsize,
}

impl TestStore {
    /// Makes every call do this from now on.
    pub fn block(&self, how: Block) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
    }

    /// Lets calls succeed again, those that hang too.
    pub fn heal(&self) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.unreadable() = None;
        self.bell.notify_all();
    }

    /// Refuses items of more bytes than this, as a keyring does.
    pub fn set_largest(&self, bytes: usize) {
        self.largest.store(bytes, Ordering::SeqCst);
    }

    /// Makes only this account's item unreadable.
    pub fn block_account(&self, account: String) {
        *self.unreadable() = Some(account);
    }

    /// All accounts with their values.
    pub fn items(&self) -> Vec<(String, SecretBytes)> {
        let accounts = self.accounts.lock();
        let accounts = accounts.unwrap_or_else(PoisonError::into_inner);
        let held = accounts.iter().filter_map(|account| {
            let value = self.inner.read(account).expect("a memory store")?;
            Some((account.clone(), value))
        });
        held.collect()
    }

    /// Stores an item, even while calls are blocked.
    pub fn put(&self, account: &str, value: &[u8]) {
        self.note(account);
        self.inner.write(account, value).expect("a memory store");
    }

    /// Adds another item with the same name.
    pub fn add_twin(&self, account: &str, value: &[u8]) {
        let value = SecretBytes::new(value.to_vec());
        self.twins_of_all().push((account.to_owned(), value));
    }

    /// How many items there are in addition to the first of each name.
    pub fn twins(&self) -> usize {
        self.twins_of_all().len()
    }

    fn twins_of_all(&self) -> MutexGuard<'_, Vec<(String, SecretBytes)>> {
        self.twins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_twins(&self, account: &str) {
        self.twins_of_all().retain(|(held, _)| held != account);
    }

    fn note(&self, account: &str) {
        let accounts = self.accounts.lock();
        let mut accounts = accounts.unwrap_or_else(PoisonError::into_inner);
        accounts.insert(account.to_owned());
    }

    fn unreadable(&self) -> MutexGuard<'_, Option<String>> {
        self.unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The store without blocking.
    pub fn bare(&self) -> &MemoryStore {
        &self.inner
    }

    /// How many reads there were, failed ones too.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// How many writes there were, failed ones too.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// How many deletions have succeeded or were refused.
    pub fn deletes(&self) -> usize {
        self.deletes.load(Ordering::SeqCst)
    }

    /// How many deletions of a session's item there were; a pending sign-out has an item of its own.
    pub fn session_deletes(&self) -> usize {
        self.session_deletes.load(Ordering::SeqCst)
    }

    /// Whether it holds the item of a session.
    pub fn holds_a_session(&self) -> bool {
        let names = self.inner.names();
        names.iter().any(|name| is_session_item(name))
    }

    /// How many calls hang now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    fn pass(&self) -> Result<(), StoreError> {
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *gate {
                None => return Ok(()),
                Some(Block::Fail(error)) => return Err(error),
                Some(Block::Hang) => {
                    self.waiting.fetch_add(1, Ordering::SeqCst);
                    gate = self.bell.wait(gate).unwrap_or_else(PoisonError::into_inner);
                    self.waiting.fetch_sub(1, Ordering::SeqCst);
                }
            }
        }
    }
}

impl SecretStore for TestStore {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.pass()?;
        if self.unreadable().as_deref() == Some(account) {
            return Err(StoreError::Failed);
        }
        self.inner.read(account)
    }

    fn read_all(&self, account: &str) -> Result<Vec<SecretBytes>, StoreError> {
        // A later item comes first, as it can in a keyring.
        let twins = self.twins_of_all().clone();
        let twins = twins.into_iter().filter(|(held, _)| held == account);
        let twins = twins.map(|(_, value)| value);
        let first = self.read(account)?;
        Ok(twins.chain(first).collect())
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.pass()?;
        let largest = self.largest.load(Ordering::SeqCst);
        if largest > 0 && value.len() > largest {
            return Err(StoreError::TooLarge);
        }
        self.note(account);
        self.forget_twins(account);
        self.inner.write(account, value)
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        let open = self.pass();
        self.deletes.fetch_add(1, Ordering::SeqCst);
        let session = usize::from(is_session_item(account));
        self.session_deletes.fetch_add(session, Ordering::SeqCst);
        open?;
        self.forget_twins(account);
        self.inner.delete(account)
    }
}

/// Whether an item of this name belongs to a session, and not to a pending sign-out or to the trust in
/// this device.
pub fn is_session_item(name: &str) -> bool {
    name.starts_with(WORKSPACE)
        && ![".revoke.", ".trust."]
            .iter()
            .any(|part| name.contains(part))
}
