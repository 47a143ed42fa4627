//! Whose turn it is, among processes and within this one.
//!
//! Locks are taken in this order, and none is waited for while a later one is held:
//! 1. the sign-in under way (`sign_in`), for as long as a person's sign-in takes;
//! 2. the right to replace the token, among processes (a file lock), shared within this one;
//! 3. the turn, within this process: held while a new session is written, so that no rotation
//!    starts from what it replaces, and while an ended one is put away, so that none is written
//!    over it;
//! 4. the records' (`Persistence::writing`), for a few file writes;
//! 5. [`super::inner::Core`], for an instant; then the jar's and the snapshot's, likewise.
//!
//! The pending sign-outs have two of their own (one delivery, one change of their record),
//! under which none of these is taken.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

use super::record::Records;
use crate::storage::records::{HeldLock, RecordStore};

const LOCK: &str = "rotation.lock";
/// How long a rotation waits for another process's: longer than a request may take.
pub(super) const ROTATION_LIMIT: Duration = Duration::from_secs(40);
/// How long a sign-in waits for it. A person is waiting; what it writes is newer anyway.
pub(super) const SIGN_IN_LIMIT: Duration = Duration::from_secs(5);

/// The locks of one account.
pub(super) struct ProcessLock {
    records: Records,
    /// The file lock, while anyone here holds it.
    shared: Mutex<Weak<Held>>,
    turn: Arc<Mutex<()>>,
}

struct Held(#[expect(dead_code, reason = "held for its lock")] Box<dyn HeldLock>);

/// The right to replace the token: no other process has it.
#[derive(Clone)]
pub(super) struct Right(#[expect(dead_code, reason = "held for its lock")] Arc<Held>);

/// The right and the turn, for what is always done under both.
pub(super) struct Exclusive {
    /// None where another process keeps it for too long.
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

    /// The right to replace the token; `None` if it is not to be had within `limit`. Shared
    /// within this process, where epochs keep order.
    pub async fn right(&self, limit: Duration) -> Option<Right> {
        let until = Instant::now() + limit;
        // Another rotation of this process may be waiting for another process meanwhile.
        let Ok(mut shared) = timeout_at(until, self.shared.lock()).await else {
            tracing::warn!("another rotation waits for the lock");
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
                tracing::warn!("another process keeps the rotation lock");
                None
            }
            Err(error) => {
                tracing::error!(kind = %error.kind(), "the rotation lock cannot be used");
                None
            }
        }
    }

    /// The turn within this process, for whoever has the right or changes nothing elsewhere.
    pub async fn turn(&self) -> Turn {
        self.turn.clone().lock_owned().await
    }

    /// The turn, if nobody has it.
    pub fn turn_now(&self) -> Option<Turn> {
        self.turn.clone().try_lock_owned().ok()
    }

    /// The right to replace the token, where it is to be had within `limit`, and the turn.
    pub async fn exclusive(&self, limit: Duration) -> Exclusive {
        Exclusive {
            right: self.right(limit).await,
            _turn: self.turn().await,
        }
    }
}

/// Waits for the lock `name` until `until`; `None` if it was not to be had by then.
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
