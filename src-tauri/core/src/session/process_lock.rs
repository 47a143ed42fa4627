//! Locks among processes and within this one.
//!
//! Locks are taken in this order. A task that holds one never waits for an earlier one:
//! 1. the sign-in under way (`sign_in`), for as long as a person's sign-in takes;
//! 2. the right to replace the token, among processes (a file lock), shared within this one;
//! 3. the turn, within this process: held while a new session is written, so that no rotation
//!    starts from the session that it replaces, and while the token of an ended session is handed
//!    to the pending sign-outs, so that no new session overwrites it before;
//! 4. the records' (`Persistence::writing`), for a few file writes;
//! 5. [`super::inner::Core`], for an instant; then the jar's and the snapshot's, likewise.
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
pub(super) const ROTATION_LIMIT: Duration = Duration::from_secs(40);
/// How long a sign-in waits for it. A person is waiting, and what the sign-in writes is newer
/// anyway.
pub(super) const SIGN_IN_LIMIT: Duration = Duration::from_secs(5);

/// The locks of one account.
pub(super) struct ProcessLock {
    records: Records,
    /// The file lock, while a task of this process holds it.
    shared: Mutex<Weak<Held>>,
    turn: Arc<Mutex<()>>,
}

struct Held(#[expect(dead_code, reason = "held for its lock")] Box<dyn HeldLock>);

/// The right to replace the token. No other process has it meanwhile.
#[derive(Clone)]
pub(super) struct Right(#[expect(dead_code, reason = "held for its lock")] Arc<Held>);

/// The right and the turn, for what needs both.
pub(super) struct Exclusive {
    /// `None` if another process holds it for too long.
    pub right: Option<Right>,
    _turn: Turn,
}

/// The turn within this process.
pub(super) type Turn = OwnedMutexGuard<()>;

impl ProcessLock {
    pub fn new(records: Records) -> Self {
        Self {
            records,
            shared: Mutex::default(),
            turn: Arc::default(),
        }
    }

    /// The right to replace the token; `None` if it is not free within `limit`. Tasks of this
    /// process share it: among them, epochs keep the order.
    pub async fn right(&self, limit: Duration) -> Option<Right> {
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
            return Some(Right(held));
        }
        match take(self.records.store(), LOCK, until).await {
            Ok(Some(lock)) => {
                let held = Arc::new(Held(lock));
                *shared = Arc::downgrade(&held);
                Some(Right(held))
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

    /// The turn within this process, for a task that has the right or changes nothing that other
    /// processes see.
    pub async fn turn(&self) -> Turn {
        self.turn.clone().lock_owned().await
    }

    /// The turn, if it is free.
    pub fn turn_now(&self) -> Option<Turn> {
        self.turn.clone().try_lock_owned().ok()
    }

    /// The right to replace the token, if it is free within `limit`, and the turn.
    pub async fn exclusive(&self, limit: Duration) -> Exclusive {
        Exclusive {
            right: self.right(limit).await,
            _turn: self.turn().await,
        }
    }
}

/// Waits for the lock `name` until `until`; `None` if it was not free by then.
pub(super) async fn take(
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
