//! The session among processes: one rotates at a time, and each looks first at what the
//! others have left.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Session;
use super::item::Item;
use crate::error::{AuthError, ErrorCode};
use crate::journal::{Journal, SignedOut, Step};
use crate::lock::Lock;
use crate::vault::Stamp;

const LOCK: &str = "rotation.lock";
/// How long a rotation waits for another process's: longer than a request may take.
pub(super) const ROTATION_PATIENCE: Duration = Duration::from_secs(40);
/// How long a sign-in waits for it. A person is waiting; what it writes is newer anyway.
pub(super) const SIGN_IN_PATIENCE: Duration = Duration::from_secs(5);
/// How long after a lock that could not be had the next try is.
const TRY_AGAIN: Duration = Duration::from_secs(5);

impl Session {
    /// The right to replace the token; `None` if it is not to be had in `patience`. Shared
    /// within this process, where stamps keep order.
    pub(super) async fn rotation_lock(&self, patience: Duration) -> Option<Arc<Lock>> {
        let until = Instant::now() + patience;
        // Another rotation of this process may be waiting for another process meanwhile.
        let Ok(mut here) = timeout_at(until, self.0.rotation_lock.lock()).await else {
            tracing::warn!("another rotation waits for the lock");
            return None;
        };
        if let Some(lock) = here.upgrade() {
            return Some(lock);
        }
        let path = self.0.records.folder().join(LOCK);
        match Lock::take(&path, until.saturating_duration_since(Instant::now())).await {
            Ok(Some(lock)) => {
                let lock = Arc::new(lock);
                *here = Arc::downgrade(&lock);
                Some(lock)
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

    /// Without the lock nothing is sent; it is tried again soon.
    pub(super) fn put_off(&self, stamp: Stamp) -> AuthError {
        let mut held = self.held();
        if held.stamp == stamp {
            held.plan.look_again(self.now(), TRY_AGAIN);
            self.0.wake.notify_one();
        }
        ErrorCode::Unreachable.into()
    }

    /// Under the rotation lock: takes over what another process has done to the session.
    /// `Ok(true)` if the last rotation, here or there, was never finished.
    pub(super) async fn catch_up(&self, stamp: Stamp) -> Result<bool, AuthError> {
        let left = self.held().left_marker;
        let read = self
            .on_disk(stamp, move |records| {
                let marker = SignedOut::read_after(records, left)?;
                Ok((marker, Journal::read(records)))
            })
            .await;
        let (marker, journal) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(false),
            // Whether someone has signed out cannot be told now.
            Err(_) => return Err(self.put_off(stamp)),
        };
        if let Some(SignedOut { why }) = marker {
            self.follow_sign_out(stamp, why);
            return Err(ErrorCode::NotSignedIn.into());
        }
        let interrupted = journal.step == Step::Rotating;
        if self.held().unread {
            self.read_keyring(stamp).await;
            return Ok(interrupted);
        }
        let stored = self.0.vault.read().await;
        let origin = self.origin();
        let mut held = self.held();
        if held.stamp != stamp {
            return Ok(false);
        }
        if let Ok(Some(bytes)) = &stored
            && let Some(item) = Item::from_bytes(bytes)
            && item.origin == origin
            && item.generation > held.generation
            && !item.token.is_empty()
        {
            tracing::info!(
                generation = item.generation,
                "another process has renewed the token"
            );
            held.generation = item.generation;
            held.token = Some(item.token);
            held.saved(self.now(), &Ok(()));
        } else if stored.is_err() && journal.generation > held.generation {
            // Ours was replaced, and by what cannot be read now: to send it would be reuse.
            drop(held);
            return Err(self.put_off(stamp));
        }
        Ok(interrupted)
    }

    /// The sign-out marker, whoever set it; `None` too where that cannot be told, and once
    /// `stamp` is outdated, which the caller finds out by itself.
    pub(super) async fn marker(&self, stamp: Stamp) -> Option<SignedOut> {
        let left = self.held().left_marker;
        let read = self
            .on_disk(stamp, move |records| SignedOut::read_after(records, left))
            .await;
        read.ok().flatten().flatten()
    }
}
