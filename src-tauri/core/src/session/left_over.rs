//! What an ended session has left in the keyring: told to the backend before anything is
//! written over it, however long the keyring stays closed.

use std::time::Duration;

use super::item::Item;
use super::{Held, Session};
use crate::clock::SinceBoot;
use crate::journal::Journal;
use crate::secrets::StoreError;
use crate::vault::Stamp;

/// How long after the keyring could not be emptied it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl Session {
    /// What the keyring still holds is revoked, not used. To be called with `taking_over`
    /// held, or by whoever writes over it.
    ///
    /// # Errors
    /// If it cannot be read, if its token cannot be kept elsewhere, or if it is of a session
    /// newer than `stamp`: then nothing may be deleted, or the backend would never hear of it.
    pub(super) async fn revoke_stored(&self, stamp: Stamp) -> Result<(), StoreError> {
        let stored = self.0.vault.read().await?;
        if self.held().stamp != stamp {
            return Err(StoreError::Failed);
        }
        if let Some(item) = stored.and_then(|bytes| Item::from_bytes(&bytes))
            && !item.token.is_empty()
        {
            self.0.outbox.put(item.token, None, item.origin).await?;
        }
        Ok(())
    }

    /// Deletes the item of an ended session, once its token is safe elsewhere; until both have
    /// come to pass it is left over.
    pub(super) async fn empty_keyring(&self, stamp: Stamp, safe: Result<(), StoreError>) {
        let emptied = match safe {
            Ok(()) => self.0.vault.delete(stamp).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &emptied {
            tracing::warn!(%error, "the keyring item stays for now; the marker holds");
        }
        let again = self.now() + LOOK_AGAIN;
        let mut held = self.held();
        // Whoever came later looks after the keyring: what it holds may be alive.
        if held.stamp == stamp {
            held.left_over = emptied.is_err().then_some(again);
            self.0.wake.notify_one();
        }
    }

    /// Makes sure that nothing is left over, for whoever is about to write to the keyring.
    ///
    /// # Errors
    /// If something is, and cannot be told elsewhere: then it must not be written over.
    pub(super) async fn settle_left_over(&self, stamp: Stamp) -> Result<(), StoreError> {
        // One at a time: the next would take for left over what the first has written.
        let _turn = self.0.settling.lock().await;
        if self.held().left_over.is_some() {
            self.revoke_stored(stamp).await?;
            self.held().left_over = None;
        }
        Ok(())
    }

    /// Looks again at what is left over, when that is due.
    pub(super) async fn look_at_left_over(&self) {
        let now = self.now();
        {
            let mut held = self.held();
            if held.left_over_due().is_none_or(|due| due > now) {
                return;
            }
            held.left_over = Some(now + LOOK_AGAIN);
        }
        // Not while another process may be signing in.
        let Some(_rotation_lock) = self.rotation_lock(Duration::ZERO).await else {
            return;
        };
        let _settled = self.0.taking_over.lock().await;
        let (stamp, generation) = {
            let held = self.held();
            if held.left_over_due().is_none() {
                return;
            }
            (held.stamp, held.generation)
        };
        let journal = self.on_disk(stamp, |records| Ok(Journal::read(records)));
        let Ok(Some(journal)) = journal.await else {
            return;
        };
        if journal.generation > generation {
            // Another process has signed in: what the keyring holds is that one's.
            let mut held = self.held();
            if held.stamp == stamp {
                held.left_over = None;
            }
            return;
        }
        let safe = self.revoke_stored(stamp).await;
        self.empty_keyring(stamp, safe).await;
    }
}

impl Held {
    /// When to look at what is left over. Under a session that is for the next write to the
    /// keyring to do.
    pub(super) fn left_over_due(&self) -> Option<SinceBoot> {
        self.left_over.filter(|_| self.token.is_none())
    }
}
