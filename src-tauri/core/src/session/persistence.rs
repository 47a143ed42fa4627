//! The keyring item and the records of one account, and the lock under which the records change.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::epoch::Epoch;
use super::item::{Item, ItemContent};
use super::open_session::OpenSession;
use super::record::{LocalIds, Record, Records, RotationPhase};
use crate::error::{AuthError, ErrorCode};
use crate::failpoints::mutant;
use crate::identity::{Generation, SessionId};
use crate::secrets::{SecretStore, StoreError};
use crate::storage::bounded_store::{BoundedStore, WriteOrder};
use crate::token::RefreshToken;

/// What is stored beyond the end of the process.
pub(super) struct Persistence {
    pub local_ids: LocalIds,
    pub origin: String,
    records: Records,
    item: BoundedStore,
    #[cfg(any(test, feature = "testing"))]
    item_name: String,
    /// The item under the name that commit ff703f2 used.
    legacy_item: BoundedStore,
    /// Held for a few file writes while the records are changed.
    writing: Mutex<()>,
}

impl Persistence {
    pub(super) fn new(
        workspace: &str,
        local_ids: LocalIds,
        origin: String,
        records: Records,
        store: &Arc<dyn SecretStore>,
    ) -> Self {
        let item_name = match mutant!("without.items_install") {
            true => workspace.to_owned(),
            false => Item::name(workspace, local_ids.install, local_ids.account),
        };
        Self {
            local_ids,
            origin,
            records,
            item: BoundedStore::new(store.clone(), item_name.clone()),
            #[cfg(any(test, feature = "testing"))]
            item_name,
            legacy_item: BoundedStore::new(store.clone(), workspace),
            writing: Mutex::default(),
        }
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn item_name(&self) -> &str {
        &self.item_name
    }

    pub(super) fn records(&self) -> &Records {
        &self.records
    }

    /// The lock for changing the records. It is taken before [`super::inner::Shared`] is asked
    /// whether the epoch of the change is still current.
    pub(super) fn lock_records(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the records in a blocking task. Writes are serialised, so the newest state is
    /// the one on disk. Does nothing and returns `Ok(None)` if `is_current` answers false by then.
    pub(super) async fn with_records<T: Send + 'static>(
        self: &Arc<Self>,
        is_current: impl FnOnce() -> bool + Send + 'static,
        work: impl FnOnce(&Records) -> io::Result<T> + Send + 'static,
    ) -> Result<Option<T>, AuthError> {
        let me = self.clone();
        let result = tokio::task::spawn_blocking(move || {
            let _local_lock = me.lock_records();
            if !is_current() {
                return Ok(None);
            }
            work(&me.records).map(Some)
        });
        match result.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(
                    kind = %error.kind(),
                    "a record cannot be read or written: the operation fails"
                );
                Err(ErrorCode::Internal.into())
            }
            Err(_) => Err(ErrorCode::Internal.into()),
        }
    }

    /// The record that `held` should have now.
    pub(super) fn record(
        &self,
        held: &OpenSession,
        phase: RotationPhase,
        until_quit: bool,
    ) -> Record {
        // A session that the keyring never held cannot be shown at a start, so its user is not
        // stored.
        let is_shown = !until_quit || held.saved_generation.is_some();
        let owner = held.owner.as_ref().filter(|_| is_shown);
        let provider = held.token.as_ref().and_then(RefreshToken::provider);
        Record {
            session: held.id,
            install: self.local_ids.install,
            account: self.local_ids.account,
            origin: self.origin.clone(),
            provider: provider.map(|held| held.endpoint.clone()),
            generation: held.generation,
            saved_generation: held.saved_generation,
            phase,
            replaced_at: held.replaced_at,
            user: owner.map(|owner| owner.user.clone()),
            expires_at: owner.and_then(|owner| owner.expires_at.clone()),
            device: held.device.clone(),
            until_quit,
            legacy_item: held.legacy_item,
            replaced: held.replaced.clone(),
        }
    }

    /// The record of a session that is over and whose item is still in the keyring. It says what is
    /// known of the keyring, and names no user.
    pub(super) fn ended_record(&self, held: &OpenSession, until_quit: bool) -> Record {
        Record {
            user: None,
            expires_at: None,
            ..self.record(held, RotationPhase::Idle, until_quit)
        }
    }

    /// An item of this account.
    pub(super) fn item(
        &self,
        session: SessionId,
        generation: Generation,
        token: RefreshToken,
    ) -> Item {
        let LocalIds { install, account } = self.local_ids;
        Item::new(
            session,
            install,
            account,
            generation,
            self.origin.clone(),
            token,
        )
    }

    /// Every item of this account that the keyring holds. `legacy` is the session, if any, whose
    /// item may still be under the name that commit ff703f2 used.
    ///
    /// # Errors
    /// If the keyring cannot tell, or an item cannot be read by this version or is of another
    /// installation or account. Such an item must be left alone.
    pub(super) async fn read_items(
        &self,
        legacy: Option<SessionId>,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        for bytes in self.item.read().await? {
            match ItemContent::of(&bytes) {
                ItemContent::Ours(item) if !self.is_ours(&item) => {
                    tracing::warn!(
                        "the keyring item is of another installation or account: it is left alone"
                    );
                    return Err(StoreError::Occupied);
                }
                ItemContent::Ours(item) => items.push(*item),
                ItemContent::Newer => return Err(StoreError::Newer),
                ItemContent::Legacy(_) | ItemContent::Unknown => {
                    tracing::warn!(
                        "the keyring item is not one that this app has written: it is ignored"
                    );
                }
            }
        }
        let Some(session) = legacy else {
            return Ok(items);
        };
        for bytes in self.legacy_item.read().await? {
            if let ItemContent::Legacy(old) = ItemContent::of(&bytes)
                && !items.iter().any(|item| item.session == session)
            {
                let mut item = self.item(session, old.generation, old.token);
                item.origin = old.origin;
                items.push(item);
            }
        }
        Ok(items)
    }

    /// Whether an item under this account's name holds what this account has written: a keyring that was
    /// merged or restored may have mixed up its items.
    fn is_ours(&self, item: &Item) -> bool {
        let LocalIds { install, account } = self.local_ids;
        if mutant!("without.items_install") {
            return true;
        }
        let is_the_accounts = item.account == account || mutant!("without.items_account");
        item.install == install && is_the_accounts
    }

    /// Waits until a keyring call that took too long has returned.
    pub(super) async fn wait_for_late_read(&self) {
        self.item.wait_for_late_read().await;
    }

    /// Lets the keyring ask the user for its password.
    pub(super) async fn unlock(&self) -> Result<(), StoreError> {
        self.item.unlock().await
    }

    /// Writes the item, unless a newer write or deletion was requested.
    pub(super) async fn write_item(&self, epoch: Epoch, item: &Item) -> Result<(), StoreError> {
        let order = WriteOrder::write(epoch.number(), item.generation);
        self.item.write(order, item.to_bytes()).await
    }

    /// Removes the item, and the one under the old name if there may be one.
    pub(super) async fn delete_items(
        &self,
        epoch: Epoch,
        with_legacy: bool,
    ) -> Result<(), StoreError> {
        let order = WriteOrder::delete(epoch.number());
        if with_legacy {
            self.legacy_item.delete(order).await?;
        }
        self.item.delete(order).await
    }

    /// Deletes the item under the old name, after the new one was written.
    pub(super) async fn delete_legacy_item(&self, epoch: Epoch) -> Result<(), StoreError> {
        self.legacy_item
            .delete(WriteOrder::delete(epoch.number()))
            .await
    }
}
