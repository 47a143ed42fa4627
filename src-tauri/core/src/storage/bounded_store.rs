//! A secret store with a time limit on every call.
//!
//! A keyring call blocks: for milliseconds, or for ever if the keyring hangs. So calls run on
//! threads of their own, and a caller waits for at most [`STORE_CALL_TIMEOUT`]. A call that is late
//! cannot be cancelled and may still take effect; its thread is abandoned and another one started.
//! After a late write, the newest value is written again. The answer to a late read is kept for the
//! next reader: a keyring that takes four seconds each time is slow, not locked. There are never
//! more than [`MAX_THREADS`] threads.
//!
//! Every change has a [`WriteOrder`]. A change that is older than the newest is dropped, so that a
//! late rotation can never overwrite a newer sign-in or sign-out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::identity::Generation;
use crate::secrets::{SecretBytes, SecretStore, StoreError};

/// The longest that a caller waits for the store.
pub(crate) const STORE_CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The most threads, including those that hang. If this many calls hang, the keyring is left alone
/// until one of them ends.
pub const MAX_THREADS: usize = 8;

/// How long the answer to a late read can be used. If another process has written since, the record
/// shows that the answer is old, but a new answer is better.
const LATE_READ_MAX_AGE: Duration = Duration::from_secs(20);

/// Orders changes: by epoch first, then by generation; a deletion is the last of its epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriteOrder {
    epoch: u64,
    generation: u64,
    /// Counts the writes of one generation, which differ in their flags.
    round: u64,
}

impl WriteOrder {
    /// The order of a write of this generation, in the epoch of this number.
    pub fn write(epoch: u64, generation: Generation) -> Self {
        Self {
            epoch,
            generation: generation.number(),
            round: 0,
        }
    }

    /// The order of the deletion at the end of an epoch.
    pub fn delete(epoch: u64) -> Self {
        Self {
            epoch,
            generation: u64::MAX,
            round: 0,
        }
    }
}

/// What the store should hold.
#[derive(Clone)]
enum DesiredValue {
    Value(Arc<SecretBytes>),
    Nothing,
}

type Read = Result<Vec<SecretBytes>, StoreError>;

enum Call {
    Read(watch::Sender<Option<Arc<Read>>>),
    Settle(oneshot::Sender<Result<(), StoreError>>),
    Unlock(oneshot::Sender<Result<(), StoreError>>),
}

struct Inner {
    store: Arc<dyn SecretStore>,
    name: String,
    limit: Duration,
    wanted: Mutex<DesiredState>,
    calls: Mutex<mpsc::Sender<Call>>,
    /// A read that was late, and since when. It can be used until a change is requested.
    late: Mutex<Option<LateRead>>,
    threads: Arc<AtomicUsize>,
}

struct DesiredState {
    order: WriteOrder,
    wanted: Option<DesiredValue>,
}

#[derive(Clone)]
struct LateRead {
    answer: watch::Receiver<Option<Arc<Read>>>,
    given_up: Instant,
}

/// One item in the store, by its name.
#[derive(Clone)]
pub struct BoundedStore(Arc<Inner>);

impl BoundedStore {
    /// The item `name` in `store`.
    pub fn new(store: Arc<dyn SecretStore>, name: impl Into<String>) -> Self {
        Self::with_limit(store, name, STORE_CALL_TIMEOUT)
    }

    /// The same with another bound, for tests.
    pub fn with_limit(
        store: Arc<dyn SecretStore>,
        name: impl Into<String>,
        limit: Duration,
    ) -> Self {
        // The receiver is dropped at once: the first call finds it closed and starts a thread.
        let (calls, _) = mpsc::channel();
        Self(Arc::new(Inner {
            store,
            name: name.into(),
            limit,
            wanted: Mutex::new(DesiredState {
                order: WriteOrder::default(),
                wanted: None,
            }),
            calls: Mutex::new(calls),
            late: Mutex::default(),
            threads: Arc::default(),
        }))
    }

    /// What the store holds: nothing, one value, or several if the keyring has several.
    ///
    /// # Errors
    /// If the store fails or does not answer in time.
    pub async fn read(&self) -> Result<Vec<SecretBytes>, StoreError> {
        let late = lock(&self.0.late).take();
        let late = late.filter(|late| {
            late.answer.borrow().is_none() || late.given_up.elapsed() < LATE_READ_MAX_AGE
        });
        let mut answer = match late {
            Some(late) => late.answer,
            None => {
                let (asked, answer) = watch::channel(None);
                self.hand_over(Call::Read(asked))?;
                answer
            }
        };
        let later = answer.clone();
        let waited = tokio::time::timeout(self.0.limit, answer.wait_for(Option::is_some)).await;
        match waited {
            Ok(Ok(read)) => match read.as_deref() {
                Some(Ok(values)) => Ok(values.clone()),
                Some(Err(error)) => Err(*error),
                None => Err(StoreError::Failed),
            },
            Ok(Err(_)) => Err(StoreError::Failed),
            Err(_) => {
                self.abandon_thread();
                *lock(&self.0.late) = Some(LateRead {
                    answer: later,
                    given_up: Instant::now(),
                });
                Err(StoreError::TimedOut)
            }
        }
    }

    /// Waits for the answer to a late read. Returns at once if there is none.
    pub async fn wait_for_late_read(&self) {
        let late = lock(&self.0.late).clone();
        if let Some(mut late) = late {
            let _ = late.answer.wait_for(Option::is_some).await;
        }
    }

    /// Writes `value`, unless a change that is newer than `order` was requested meanwhile. That
    /// counts as success, because the newer change is the one that is wanted.
    ///
    /// # Errors
    /// If it is not certain in time that the value was written.
    pub async fn write(&self, order: WriteOrder, value: SecretBytes) -> Result<(), StoreError> {
        self.settle(order, DesiredValue::Value(Arc::new(value)))
            .await
    }

    /// Removes the item, in the same way.
    ///
    /// # Errors
    /// If it is not certain in time that the item is gone.
    pub async fn delete(&self, order: WriteOrder) -> Result<(), StoreError> {
        self.settle(order, DesiredValue::Nothing).await
    }

    /// Lets the keyring ask the user for its password. An error means that it is not open yet; the
    /// user may still be typing.
    ///
    /// # Errors
    /// While it is not open.
    pub async fn unlock(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        // A thread of its own, so that reads and writes do not wait for a person.
        let thread = self.start_thread()?;
        let asked = thread.send(Call::Unlock(answer));
        asked.map_err(|_| StoreError::Failed)?;
        match tokio::time::timeout(self.0.limit, answered).await {
            Ok(result) => result.unwrap_or(Err(StoreError::Failed)),
            Err(_) => Err(StoreError::TimedOut),
        }
    }

    async fn settle(&self, order: WriteOrder, wanted: DesiredValue) -> Result<(), StoreError> {
        {
            let mut newest = lock(&self.0.wanted);
            let round = newest.order.round;
            let held = WriteOrder {
                round: 0,
                ..newest.order
            };
            if order < held {
                return Ok(());
            }
            *newest = DesiredState {
                order: WriteOrder {
                    round: round + 1,
                    ..order
                },
                wanted: Some(wanted),
            };
        }
        // What was read before this change is outdated.
        lock(&self.0.late).take();
        let (answer, answered) = oneshot::channel();
        self.hand_over(Call::Settle(answer))?;
        match tokio::time::timeout(self.0.limit, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Failed),
            Err(_) => {
                self.abandon_thread();
                Err(StoreError::TimedOut)
            }
        }
    }

    fn hand_over(&self, call: Call) -> Result<(), StoreError> {
        let mut calls = lock(&self.0.calls);
        if let Err(mpsc::SendError(call)) = calls.send(call) {
            *calls = self.start_thread()?;
            calls.send(call).map_err(|_| StoreError::Failed)?;
        }
        Ok(())
    }

    /// The next call gets a new thread; see [`Inner::serve`].
    fn abandon_thread(&self) {
        let (closed, _) = mpsc::channel();
        *lock(&self.0.calls) = closed;
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
                // Even if it is late: the next reader may use the answer.
                answer.send_replace(Some(Arc::new(self.store.read_all(&self.name))));
            }
            Call::Unlock(answer) => {
                let _ = answer.send(self.store.unlock());
            }
            Call::Settle(answer) => {
                let result = self.settle_newest();
                // The call was late and nobody receives its result, so the item is checked.
                if answer.is_closed() && !self.holds_newest() {
                    let _ = self.settle_newest();
                }
                let _ = answer.send(result);
            }
        }
    }

    /// Repeats until what it wrote is still what is wanted: while a call hung, another thread may
    /// have written a newer value, which this call has just overwritten.
    fn settle_newest(&self) -> Result<(), StoreError> {
        loop {
            let (order, wanted) = self.newest();
            let result = match wanted {
                Some(DesiredValue::Value(value)) => self.store.write(&self.name, &value),
                Some(DesiredValue::Nothing) => self.store.delete(&self.name),
                None => Ok(()),
            };
            if self.newest().0 == order {
                return result;
            }
        }
    }

    /// Whether the store holds the newest value; `true` if it cannot tell.
    fn holds_newest(&self) -> bool {
        let Ok(held) = self.store.read(&self.name) else {
            return true;
        };
        match self.newest().1 {
            Some(DesiredValue::Value(value)) => held.as_ref() == Some(&*value),
            Some(DesiredValue::Nothing) => held.is_none(),
            None => true,
        }
    }

    fn newest(&self) -> (WriteOrder, Option<DesiredValue>) {
        let newest = lock(&self.wanted);
        (newest.order, newest.wanted.clone())
    }
}

/// A thread that counts towards [`MAX_THREADS`].
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one_more(threads: &Arc<AtomicUsize>) -> Option<Self> {
        let more = |held| (held < MAX_THREADS).then_some(held + 1);
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
mod tests;
