//! A secret store behind its own thread, with a bound on every call.
//!
//! A keyring call blocks: for milliseconds, or for ever when the keyring hangs. So each call
//! runs on a thread of the vault's and the caller waits [`CALL_LIMIT`] at most. A call that is
//! late cannot be cancelled and may still land; the thread is then abandoned for a new one,
//! and when the late call ends the newest value is written again. No more than [`THREADS`]
//! are ever at it.
//!
//! Every change carries a [`Stamp`], and a token its generation; one that is older than the
//! newest is dropped, so a late rotation can never overwrite a newer sign-in or sign-out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::secrets::{SecretBytes, SecretStore, StoreError};

/// The longest that a caller waits for the store.
pub const CALL_LIMIT: Duration = Duration::from_secs(3);

/// The most threads, hung ones included. A keyring that has hung this many calls is left
/// alone until one of them ends.
pub const THREADS: usize = 8;

/// Orders changes: a sign-in, a sign-out and an end each take a higher one.
pub type Stamp = u64;

/// What the store should hold.
#[derive(Clone)]
enum Wanted {
    Value(Arc<SecretBytes>),
    Nothing,
}

enum Call {
    Read(oneshot::Sender<Result<Option<SecretBytes>, StoreError>>),
    Settle(oneshot::Sender<Result<(), StoreError>>),
    Unlock(oneshot::Sender<Result<(), StoreError>>),
}

struct Inner {
    store: Arc<dyn SecretStore>,
    account: String,
    limit: Duration,
    wanted: Mutex<Newest>,
    calls: Mutex<mpsc::Sender<Call>>,
    threads: Arc<AtomicUsize>,
}

struct Newest {
    /// Stamp and generation.
    order: (Stamp, u64),
    wanted: Option<Wanted>,
}

/// One workspace's item in the store.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

impl Vault {
    /// A vault for `account` in `store`.
    pub fn new(store: Arc<dyn SecretStore>, account: impl Into<String>) -> Self {
        Self::with_limit(store, account, CALL_LIMIT)
    }

    /// The same with another bound, for tests.
    pub fn with_limit(
        store: Arc<dyn SecretStore>,
        account: impl Into<String>,
        limit: Duration,
    ) -> Self {
        // The receiver is dropped at once: the first call finds it closed and starts a thread.
        let (calls, _) = mpsc::channel();
        Self(Arc::new(Inner {
            store,
            account: account.into(),
            limit,
            wanted: Mutex::new(Newest {
                order: (0, 0),
                wanted: None,
            }),
            calls: Mutex::new(calls),
            threads: Arc::default(),
        }))
    }

    /// What the store holds.
    pub async fn read(&self) -> Result<Option<SecretBytes>, StoreError> {
        self.call(Call::Read).await
    }

    /// Writes `value` unless something newer than `stamp` and `generation` was asked for
    /// meanwhile; that counts as success, since the newer wish is the one that holds.
    pub async fn write(
        &self,
        stamp: Stamp,
        generation: u64,
        value: SecretBytes,
    ) -> Result<(), StoreError> {
        let wanted = Wanted::Value(Arc::new(value));
        self.settle((stamp, generation), wanted).await
    }

    /// Removes the item, likewise.
    pub async fn delete(&self, stamp: Stamp) -> Result<(), StoreError> {
        self.settle((stamp, u64::MAX), Wanted::Nothing).await
    }

    /// Lets the user be asked for what opens the store. An error means that it is not open
    /// yet; the user may still be typing.
    pub async fn unlock(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        // A thread of its own: whoever reads or writes meanwhile does not wait for a person.
        let thread = self.start_thread()?;
        let asked = thread.send(Call::Unlock(answer));
        asked.map_err(|_| StoreError::Failed)?;
        match tokio::time::timeout(self.0.limit, answered).await {
            Ok(result) => result.unwrap_or(Err(StoreError::Failed)),
            Err(_) => Err(StoreError::TimedOut),
        }
    }

    async fn settle(&self, order: (Stamp, u64), wanted: Wanted) -> Result<(), StoreError> {
        {
            let mut newest = lock(&self.0.wanted);
            if order < newest.order {
                return Ok(());
            }
            *newest = Newest {
                order,
                wanted: Some(wanted),
            };
        }
        self.call(Call::Settle).await
    }

    async fn call<T>(
        &self,
        make: impl Fn(oneshot::Sender<Result<T, StoreError>>) -> Call,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        {
            let mut calls = lock(&self.0.calls);
            if let Err(mpsc::SendError(call)) = calls.send(make(answer)) {
                *calls = self.start_thread()?;
                calls.send(call).map_err(|_| StoreError::Failed)?;
            }
        }
        match tokio::time::timeout(self.0.limit, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Failed),
            Err(_) => {
                // Whatever comes next gets a thread of its own; see `Inner::serve`.
                let (closed, _) = mpsc::channel();
                *lock(&self.0.calls) = closed;
                Err(StoreError::TimedOut)
            }
        }
    }

    fn start_thread(&self) -> Result<mpsc::Sender<Call>, StoreError> {
        let counted = Counted::one_more(&self.0.threads).ok_or(StoreError::TimedOut)?;
        let (calls, inbox) = mpsc::channel();
        let inner = Arc::downgrade(&self.0);
        std::thread::Builder::new()
            .name("keyring".into())
            .spawn(move || {
                let _counted = counted;
                while let Ok(call) = inbox.recv() {
                    let Some(inner) = inner.upgrade() else { return };
                    inner.serve(call);
                }
            })
            .map_err(|_| StoreError::Failed)?;
        Ok(calls)
    }
}

impl Inner {
    fn serve(&self, call: Call) {
        match call {
            Call::Read(answer) => {
                // Nobody waits for a late read, and it changes nothing.
                let _ = answer.send(self.store.read(&self.account));
            }
            Call::Unlock(answer) => {
                let _ = answer.send(self.store.unlock());
            }
            Call::Settle(answer) => {
                let result = self.settle_newest();
                // Late: nobody is told how it went, so it is looked at.
                if answer.is_closed() && !self.holds_newest() {
                    let _ = self.settle_newest();
                }
                let _ = answer.send(result);
            }
        }
    }

    /// Goes on until what it wrote is still what is wanted: while a call hung, another thread
    /// may have written something newer, and this one has just landed over it.
    fn settle_newest(&self) -> Result<(), StoreError> {
        loop {
            let (order, wanted) = self.newest();
            let result = match wanted {
                Some(Wanted::Value(value)) => self.store.write(&self.account, &value),
                Some(Wanted::Nothing) => self.store.delete(&self.account),
                None => Ok(()),
            };
            if self.newest().0 == order {
                return result;
            }
        }
    }

    /// Whether the store says so; `true` where it says nothing.
    fn holds_newest(&self) -> bool {
        let Ok(held) = self.store.read(&self.account) else {
            return true;
        };
        match self.newest().1 {
            Some(Wanted::Value(value)) => held.as_ref() == Some(&*value),
            Some(Wanted::Nothing) => held.is_none(),
            None => true,
        }
    }

    fn newest(&self) -> ((Stamp, u64), Option<Wanted>) {
        let newest = lock(&self.wanted);
        (newest.order, newest.wanted.clone())
    }
}

/// A thread among those that are allowed.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one_more(threads: &Arc<AtomicUsize>) -> Option<Self> {
        let more = |held| (held < THREADS).then_some(held + 1);
        threads
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .is_ok()
            .then(|| Self(threads.clone()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;

    use zeroize::Zeroizing;

    use super::*;
    use crate::secrets::MemoryStore;

    fn bytes(text: &str) -> SecretBytes {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn an_older_stamp_is_dropped() {
        let vault = Vault::new(Arc::new(MemoryStore::default()), "a");
        vault.write(2, 6, bytes("new")).await.unwrap();
        vault.write(1, 9, bytes("old")).await.unwrap();
        vault.write(2, 5, bytes("older")).await.unwrap();
        assert_eq!(vault.read().await.unwrap().unwrap().as_slice(), b"new");
        vault.delete(1).await.unwrap();
        assert!(vault.read().await.unwrap().is_some());
        vault.delete(3).await.unwrap();
        assert!(vault.read().await.unwrap().is_none());
    }

    /// Hangs on the first and the third write, each until told to go on.
    #[derive(Default)]
    struct Hanging {
        inner: MemoryStore,
        gate: Mutex<Passed>,
        bell: Condvar,
    }

    #[derive(Default)]
    struct Passed {
        begun: usize,
        released: Vec<usize>,
    }

    impl Hanging {
        fn release(&self, write: usize) {
            self.gate.lock().unwrap().released.push(write);
            self.bell.notify_all();
        }

        fn wait_for(&self, write: usize) {
            let gate = self.gate.lock().unwrap();
            drop(
                self.bell
                    .wait_while(gate, |gate| gate.begun < write)
                    .unwrap(),
            );
        }
    }

    impl SecretStore for Hanging {
        fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
            self.inner.read(account)
        }
        fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
            let mut gate = self.gate.lock().unwrap();
            gate.begun += 1;
            let me = gate.begun;
            self.bell.notify_all();
            let hangs = |gate: &mut Passed| matches!(me, 1 | 3) && !gate.released.contains(&me);
            drop(self.bell.wait_while(gate, hangs).unwrap());
            self.inner.write(account, value)
        }
        fn delete(&self, account: &str) -> Result<(), StoreError> {
            self.inner.delete(account)
        }
    }

    async fn until_no_call_is_late(vault: &Vault) {
        while Arc::strong_count(&vault.0) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_late_write_does_not_land_over_a_newer_one() {
        let store = Arc::new(Hanging::default());
        let vault = Vault::with_limit(store.clone(), "a", Duration::from_millis(50));
        let late = vault.write(1, 1, bytes("first")).await;
        assert_eq!(late, Err(StoreError::TimedOut));
        vault.write(2, 2, bytes("second")).await.unwrap();
        // The late thread lands "first" and sets out to mend that; meanwhile a third comes.
        store.release(1);
        store.wait_for(3);
        vault.write(3, 3, bytes("third")).await.unwrap();
        store.release(3);
        until_no_call_is_late(&vault).await;
        assert_eq!(vault.read().await.unwrap().unwrap().as_slice(), b"third");
    }
}
