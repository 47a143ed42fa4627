//! Writes, replaces and empties the keyring item. Before an item of a session that is over is
//! overwritten or deleted, its token goes to the pending sign-outs, from which the backend is told,
//! however long the keyring stays locked.

use std::sync::Arc;

use super::epoch::Epoch;
use super::inner::{Inner, Shared};
use super::item::Item;
use super::keyring_status::KeyringStatus;
use super::pending_sign_outs::{EndedSession, PendingSignOuts};
use super::persistence::Persistence;
use crate::failpoints::failpoint;
use crate::identity::SessionId;
use crate::secrets::StoreError;

/// Writes and deletes the keyring item of one account.
pub(super) struct ItemKeeper {
    shared: Arc<Shared>,
    persistence: Arc<Persistence>,
    pending: Arc<PendingSignOuts>,
    /// Held by one writer at a time: a second one would take the item of the first for an obsolete
    /// one.
    settling: tokio::sync::Mutex<()>,
}

impl ItemKeeper {
    pub(super) fn new(
        shared: Arc<Shared>,
        persistence: Arc<Persistence>,
        pending: Arc<PendingSignOuts>,
    ) -> Self {
        Self {
            shared,
            persistence,
            pending,
            settling: tokio::sync::Mutex::default(),
        }
    }

    /// Writes `item`. If the keyring may hold another session's token, it is read first and that
    /// token is handed to the pending sign-outs; if that fails, nothing is written. `legacy` is the
    /// session, if any, whose item is still under the name that commit ff703f2 used.
    ///
    /// # Errors
    /// If it is not certain that the item was written.
    pub(super) async fn save(
        &self,
        epoch: Epoch,
        item: &Item,
        known: KeyringStatus,
        legacy: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let is_anothers = |legacy: SessionId| legacy != item.session;
        if !known.is_clear() || legacy.is_some_and(is_anothers) {
            let _one = self.settling.lock().await;
            self.hand_others_to_pending(epoch, item, legacy).await?;
        }
        self.persistence.write_item(epoch, item).await?;
        if legacy.is_some() {
            failpoint!("takeover.item_written");
            self.persistence.delete_legacy_item(epoch).await?;
            failpoint!("takeover.item_deleted");
        }
        Ok(())
    }

    /// Hands the tokens that the keyring holds of sessions other than `kept` to the pending
    /// sign-outs.
    async fn hand_others_to_pending(
        &self,
        epoch: Epoch,
        kept: &Item,
        legacy: Option<SessionId>,
    ) -> Result<(), StoreError> {
        for item in self.persistence.read_items(legacy).await? {
            // Some backends give out the same token twice: ending the other session would end this
            // one.
            if item.session != kept.session && !item.token.is_same(&kept.token) {
                self.hand_to_pending(epoch, item).await?;
            }
        }
        Ok(())
    }

    /// Hands the token of an obsolete item to the pending sign-outs, on behalf of `epoch`: if that
    /// is over, the item may be the next session's.
    ///
    /// # Errors
    /// If they cannot store it. The item must then not be overwritten or deleted.
    pub(super) async fn hand_to_pending(&self, epoch: Epoch, item: Item) -> Result<(), StoreError> {
        if self.shared.in_epoch(epoch).is_none() {
            return Err(StoreError::Occupied);
        }
        if item.token.is_empty() {
            return Ok(());
        }
        // To a backend, a sign-out with an older copy of the token would look like theft.
        if let Some(kept) = self.pending.ensure_stored(item.session).await {
            return kept;
        }
        let user = |inner: &Inner| inner.user_of(item.session).map(str::to_owned);
        let ended = EndedSession {
            session: item.session,
            user: self.shared.look(user),
            replaced_by: None,
            origin: item.origin,
            token: item.token,
            access: None,
        };
        self.pending.put(ended).await
    }

    /// Hands everything that the keyring holds to the pending sign-outs and empties the keyring.
    /// Must not be called while a session of this epoch may be written. Returns what is then known
    /// of the keyring.
    pub(super) async fn empty_keyring(
        &self,
        epoch: Epoch,
        legacy: Option<SessionId>,
    ) -> KeyringStatus {
        let emptied = match self.hand_all_to_pending(epoch, legacy).await {
            // The next epoch is responsible for the keyring: what it holds may be that epoch's
            // session.
            Ok(()) if self.shared.in_epoch(epoch).is_none() => return KeyringStatus::Unknown(None),
            Ok(()) => self.persistence.delete_items(epoch, legacy.is_some()).await,
            Err(error) => Err(error),
        };
        self.status_after(emptied)
    }

    /// Empties the keyring, once what it held is stored elsewhere.
    pub(super) async fn delete(
        &self,
        epoch: Epoch,
        legacy: Option<SessionId>,
        safe: Result<(), StoreError>,
    ) -> KeyringStatus {
        let emptied = match safe {
            Ok(()) => self.persistence.delete_items(epoch, legacy.is_some()).await,
            Err(error) => Err(error),
        };
        self.status_after(emptied)
    }

    async fn hand_all_to_pending(
        &self,
        epoch: Epoch,
        legacy: Option<SessionId>,
    ) -> Result<(), StoreError> {
        for item in self.persistence.read_items(legacy).await? {
            self.hand_to_pending(epoch, item).await?;
        }
        Ok(())
    }

    fn status_after(&self, emptied: Result<(), StoreError>) -> KeyringStatus {
        match emptied {
            Ok(()) => KeyringStatus::Nothing,
            // The item belongs to another session or to a newer version, so it must stay.
            Err(error @ (StoreError::Newer | StoreError::Occupied)) => {
                KeyringStatus::Unknown(Some(error))
            }
            Err(error) => {
                tracing::warn!(
                    %error,
                    "the keyring item could not be deleted: the sign-out marker keeps its session \
                     ended, and it is tried again"
                );
                KeyringStatus::Obsolete(
                    self.shared.now() + super::keyring_status::KEYRING_RETRY_INTERVAL,
                )
            }
        }
    }
}
