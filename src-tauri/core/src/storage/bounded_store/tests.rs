//! How long a call waits for a store that does not answer, and what becomes of it then.

use std::sync::Condvar;

use zeroize::Zeroizing;

use super::*;
use crate::testing::MemoryStore;

fn write(epoch: u64, generation: u64) -> WriteOrder {
    WriteOrder::write(epoch, generation.into())
}

fn bytes(text: &str) -> SecretBytes {
    Zeroizing::new(text.as_bytes().to_vec())
}

#[tokio::test]
async fn an_older_change_is_dropped() {
    let held = async |store: &BoundedStore| {
        let values = store.read().await.unwrap();
        values.first().map(|value| value.to_vec())
    };
    let store = BoundedStore::new(Arc::new(MemoryStore::default()), "a");
    store.write(write(2, 6), bytes("new")).await.unwrap();
    store.write(write(1, 9), bytes("old")).await.unwrap();
    store.write(write(2, 5), bytes("older")).await.unwrap();
    assert_eq!(held(&store).await.unwrap(), b"new");
    store.write(write(2, 6), bytes("flagged")).await.unwrap();
    assert_eq!(held(&store).await.unwrap(), b"flagged", "as old, but later");
    store.delete(WriteOrder::delete(1)).await.unwrap();
    assert!(held(&store).await.is_some());
    store.delete(WriteOrder::delete(3)).await.unwrap();
    assert!(held(&store).await.is_none());
}

/// Takes as long for each read as the test sets.
struct Slow {
    inner: MemoryStore,
    pause: Duration,
    reads: AtomicUsize,
}

impl SecretStore for Slow {
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(self.pause);
        self.inner.read(name)
    }
    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.inner.write(name, value)
    }
    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.inner.delete(name)
    }
}

#[tokio::test]
async fn a_late_answer_to_a_read_counts_unless_something_newer_was_asked_for() {
    let slow = Arc::new(Slow {
        inner: MemoryStore::default(),
        pause: Duration::from_millis(120),
        reads: AtomicUsize::new(0),
    });
    slow.write("a", b"first").unwrap();
    let limit = Duration::from_millis(50);
    let store = BoundedStore::with_limit(slow.clone(), "a", limit);
    assert_eq!(store.read().await.unwrap_err(), StoreError::TimedOut);
    store.wait_for_late_read().await;
    assert_eq!(store.read().await.unwrap()[0].as_slice(), b"first");
    assert_eq!(slow.reads.load(Ordering::SeqCst), 1, "asked once");

    assert_eq!(store.read().await.unwrap_err(), StoreError::TimedOut);
    store.write(write(1, 1), bytes("second")).await.unwrap();
    assert_eq!(
        store.read().await.unwrap_err(),
        StoreError::TimedOut,
        "what was asked before the write says nothing"
    );
    store.wait_for_late_read().await;
    assert_eq!(store.read().await.unwrap()[0].as_slice(), b"second");
}

/// Hangs on the first and the third write, each until the test lets it continue.
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
    fn read(&self, name: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.inner.read(name)
    }
    fn write(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut gate = self.gate.lock().unwrap();
        gate.begun += 1;
        let me = gate.begun;
        self.bell.notify_all();
        let hangs = |gate: &mut Passed| matches!(me, 1 | 3) && !gate.released.contains(&me);
        drop(self.bell.wait_while(gate, hangs).unwrap());
        self.inner.write(name, value)
    }
    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.inner.delete(name)
    }
}

async fn until_no_call_is_late(store: &BoundedStore) {
    while Arc::strong_count(&store.0) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_late_write_does_not_land_over_a_newer_one() {
    let hanging = Arc::new(Hanging::default());
    let store = BoundedStore::with_limit(hanging.clone(), "a", Duration::from_millis(50));
    let late = store.write(write(1, 1), bytes("first")).await;
    assert_eq!(late, Err(StoreError::TimedOut));
    store.write(write(2, 2), bytes("second")).await.unwrap();
    // The late thread writes "first" and begins to correct that; meanwhile the third write
    // comes.
    hanging.release(1);
    hanging.wait_for(3);
    store.write(write(3, 3), bytes("third")).await.unwrap();
    hanging.release(3);
    until_no_call_is_late(&store).await;
    assert_eq!(store.read().await.unwrap()[0].as_slice(), b"third");
}
