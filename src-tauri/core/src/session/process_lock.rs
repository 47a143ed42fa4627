//! Locks among processes and within this one.
//!
//! Locks are taken in this order. A task that holds one never waits for an earlier one:
//! 1. the sign-in under way (`sign_in`), for as long as a person's sign-in takes;
//! 2. the rotation lock, among processes (a file lock): the right to replace the token, shared
//!    within this process;
//! 3. the local lock, within this process: held while a new session is written, so that no
//!    rotation starts from the session that it replaces, and while the token of an ended session
//!    is handed to the pending sign-outs, so that no new session overwrites it before;
//! 4. the records' (`Persistence::lock_records`), for a few file writes;
//! 5. [`super::inner::Shared`], for an instant; then the jar's and the snapshot's, likewise.
//!
//! The pending sign-outs have two locks of their own (for one delivery, and for one change of their
//! record). A task that holds one of them takes none of the others.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

use super::record::Records;
use crate::storage::records::{HeldLock, RecordStore};

const LOCK: &str = "rotation.lock";
/// How long a rotation waits for that of another process. Longer than a request may take.
pub(super) const ROTATION_LOCK_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a sign-in waits for it. A person is waiting, and what the sign-in writes is newer
/// anyway.
pub(super) const SIGN_IN_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The locks of one account.
pub(super) struct ProcessLock {
    records: Records,
    /// The file lock, while a task of this process holds it.
    shared: Mutex<Weak<LockFile>>,
    local_lock: Arc<Mutex<()>>,
}

struct LockFile(#[expect(dead_code, reason = "held for its lock")] Box<dyn HeldLock>);

/// The right to replace the token. No other process has it meanwhile.
#[derive(Clone)]
pub(super) struct RotationLock(#[expect(dead_code, reason = "held for its lock")] Arc<LockFile>);

/// The rotation lock and the local lock, for what needs both.
pub(super) struct BothLocks {
    /// `None` if another process holds it for too long.
    pub rotation_lock: Option<RotationLock>,
    _local_lock: LocalLock,
}

/// The lock within this process.
pub(super) type LocalLock = OwnedMutexGuard<()>;

impl ProcessLock {
    pub(super) fn new(records: Records) -> Self {
        Self {
            records,
            shared: Mutex::default(),
            local_lock: Arc::default(),
        }
    }

    /// The right to replace the token; `None` if it is not free within `limit`. Tasks of this
    /// process share it: among them, epochs keep the order.
    pub(super) async fn rotation_lock(&self, limit: Duration) -> Option<RotationLock> {
        let until = Instant::now() + limit;
        // Another rotation of this process may hold this lock while it waits for another process.
        let Ok(mut shared) = timeout_at(until, self.shared.lock()).await else {
            tracing::warn!(
                "the rotation lock was not free in time: another rotation of this process waits \
                 for it"
            );
            return None;
        };
        if let Some(held) = shared.upgrade() {
            return Some(RotationLock(held));
        }
        match acquire(self.records.store(), LOCK, until).await {
            Ok(Some(lock)) => {
                let held = Arc::new(LockFile(lock));
                *shared = Arc::downgrade(&held);
                Some(RotationLock(held))
            }
            Ok(None) => {
                tracing::warn!("the rotation lock was not free in time: another process holds it");
                None
            }
            Err(error) => {
                tracing::error!(
                    kind = %error.kind(),
                    "the file of the rotation lock cannot be locked"
                );
                None
            }
        }
    }

    /// The lock within this process, for a task that has the rotation lock or changes nothing that
    /// other processes see.
    pub(super) async fn local_lock(&self) -> LocalLock {
        self.local_lock.clone().lock_owned().await
    }

    /// The lock within this process, if it is free.
    pub(super) fn try_local_lock(&self) -> Option<LocalLock> {
        self.local_lock.clone().try_lock_owned().ok()
    }

    /// The rotation lock, if it is free within `limit`, and the local lock.
    pub(super) async fn both_locks(&self, limit: Duration) -> BothLocks {
        BothLocks {
            rotation_lock: self.rotation_lock(limit).await,
            _local_lock: self.local_lock().await,
        }
    }
}

/// Waits for the lock `name` until `until`; `None` if it was not free by then.
pub(super) async fn acquire(
    records: &dyn RecordStore,
    name: &str,
    until: Instant,
) -> std::io::Result<Option<Box<dyn HeldLock>>> {
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(lock) = records.try_lock(name)? {
            return Ok(Some(lock));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
