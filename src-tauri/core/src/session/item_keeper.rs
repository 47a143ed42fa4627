//! The keyring item as it is written, replaced and emptied. What it holds of a session that is
//! over is told to the backend before anything is written over it or deleted, however long the
//! keyring stays closed.

use std::sync::Arc;

use super::epoch::Epoch;
use super::inner::Core;
use super::item::Item;
use super::keeping::Keyring;
use super::pending_sign_outs::{Ended, PendingSignOuts};
use super::persistence::Persistence;
use crate::failpoints::step;
use crate::identity::SessionId;
use crate::secrets::StoreError;

/// Writes and deletes the keyring item of one account.
pub(super) struct ItemKeeper {
    core: Arc<Core>,
    persistence: Arc<Persistence>,
    pending: Arc<PendingSignOuts>,
    /// One at a time: the next would take for left over what the first has written.
    settling: tokio::sync::Mutex<()>,
}

impl ItemKeeper {
    pub fn new(
        core: Arc<Core>,
        persistence: Arc<Persistence>,
        pending: Arc<PendingSignOuts>,
    ) -> Self {
        Self {
            core,
            persistence,
            pending,
            settling: tokio::sync::Mutex::default(),
        }
    }

    /// Writes `item`. What the keyring is known to hold says whether it has to be read before:
    /// another session's token is put away first, or nothing is written. `legacy` is the
    /// session, if any, whose item still lies where commit ff703f2 had it.
    ///
    /// # Errors
    /// If it is not known to be there.
    pub async fn save(
        &self,
        epoch: Epoch,
        item: &Item,
        known: Keyring,
        legacy: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let is_anothers = |legacy: SessionId| legacy != item.session;
        if !known.is_clear() || legacy.is_some_and(is_anothers) {
            let _one = self.settling.lock().await;
            self.put_away_others(epoch, item, legacy).await?;
        }
        self.persistence.write_item(epoch, item).await?;
        if legacy.is_some() {
            step!("takeover.item_written");
            self.persistence.delete_legacy_item(epoch).await?;
            step!("takeover.item_deleted");
        }
        Ok(())
    }

    /// Puts away what the keyring holds of other sessions than `kept`.
    async fn put_away_others(
        &self,
        epoch: Epoch,
        kept: &Item,
        legacy: Option<SessionId>,
    ) -> Result<(), StoreError> {
        for item in self.persistence.read_items(legacy).await? {
            // Some backends give out one token twice: to end the one would end the other.
            if item.session != kept.session && !item.token.is_same(&kept.token) {
                self.put_away(epoch, item).await?;
            }
        }
        Ok(())
    }

    /// Hands the token of an item that is over to the pending sign-outs, in the name of `epoch`:
    /// what was read for a session that is over by now may be the next one's.
    ///
    /// # Errors
    /// If they cannot keep it: then it must not be written over or deleted.
    pub async fn put_away(&self, epoch: Epoch, item: Item) -> Result<(), StoreError> {
        if self.core.at(epoch).is_none() {
            return Err(StoreError::Occupied);
        }
        if item.token.is_empty() {
            return Ok(());
        }
        // To tell the backend of an older copy as well would be taken for a theft.
        if let Some(kept) = self.pending.keep(item.session).await {
            return kept;
        }
        let ended = Ended {
            session: item.session,
            replaced_by: None,
            origin: item.origin,
            token: item.token,
            access: None,
        };
        self.pending.put(ended).await
    }

    /// Puts away whatever the keyring holds, and empties it. Not to be called while a session
    /// of this epoch may be written; answers what is known of the keyring then.
    pub async fn empty(&self, epoch: Epoch, legacy: Option<SessionId>) -> Keyring {
        let emptied = match self.put_all_away(epoch, legacy).await {
            // Whoever came later looks after the keyring: what it holds may be alive.
            Ok(()) if self.core.at(epoch).is_none() => return Keyring::Unknown(None),
            Ok(()) => self.persistence.delete_items(epoch, legacy.is_some()).await,
            Err(error) => Err(error),
        };
        self.emptied(emptied)
    }

    /// Empties it, once what it held is safe elsewhere.
    pub async fn delete(
        &self,
        epoch: Epoch,
        legacy: Option<SessionId>,
        safe: Result<(), StoreError>,
    ) -> Keyring {
        let emptied = match safe {
            Ok(()) => self.persistence.delete_items(epoch, legacy.is_some()).await,
            Err(error) => Err(error),
        };
        self.emptied(emptied)
    }

    async fn put_all_away(
        &self,
        epoch: Epoch,
        legacy: Option<SessionId>,
    ) -> Result<(), StoreError> {
        for item in self.persistence.read_items(legacy).await? {
            self.put_away(epoch, item).await?;
        }
        Ok(())
    }

    fn emptied(&self, emptied: Result<(), StoreError>) -> Keyring {
        match emptied {
            Ok(()) => Keyring::Nothing,
            // Another's, or a newer version's: there is nothing to be done about it.
            Err(error @ (StoreError::Newer | StoreError::Occupied)) => {
                Keyring::Unknown(Some(error))
            }
            Err(error) => {
                tracing::warn!(%error, "the keyring item stays for now; the marker holds");
                Keyring::Obsolete(self.core.now() + super::keeping::LOOK_AGAIN)
            }
        }
    }
}
