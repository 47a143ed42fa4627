//! The sign-outs that the backend does not know of yet, in memory: how far each is and when it is
//! due.

use std::time::Duration;

use reqwest::StatusCode;
use uuid::Uuid;

use super::epoch::InUse;
use super::pending_record::PendingEntry;
use crate::clock::SinceBoot;
use crate::identity::SessionId;
use crate::plan::Plan;
use crate::secrets::Secret;
use crate::storage::bounded_store::BoundedStore;
use crate::token::RefreshToken;

#[derive(Default)]
pub(super) struct PendingList {
    pub pending: Vec<PendingSignOut>,
    /// The record could not be read yet, so there may be more.
    pub is_unread: bool,
    /// The end of the backend's `Retry-After`, which applies to all of them.
    pub not_before: SinceBoot,
    /// Tokens whose end the backend knows although they were on no disk, by origin. If another copy
    /// of one of them is handed in, the backend is not told again.
    pub delivered: Vec<(String, RefreshToken)>,
}

/// When the backend may be told that a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeliveryCondition {
    /// While it is neither shown nor being restored.
    NotInUse,
    /// Not before the session that replaces it is established.
    OnceReplaced,
    /// At once: it is replaced, even if it is still shown.
    Now,
}

/// One undelivered sign-out, and how far it is.
pub(super) struct PendingSignOut {
    pub entry: PendingEntry,
    /// The keyring item. All calls use this one handle, so that a late call cannot undo a later
    /// one.
    pub item: BoundedStore,
    /// What this process handed in. It can be delivered without the keyring.
    pub known: Option<KnownToken>,
    /// How many tasks are writing its record and its keyring item. It must not be delivered and
    /// dropped before they are done, or they would write it again.
    pub writers: u32,
    /// Its record is written.
    pub is_recorded: bool,
    /// Its keyring item is written.
    pub is_stored: bool,
    pub condition: DeliveryCondition,
    /// The backend was told; the keyring item is still to be deleted.
    pub is_delivered: bool,
    /// How often the backend has answered, by this status alone, that there is nothing left to end.
    pub refused: Option<(StatusCode, u32)>,
    pub plan: Plan,
}

/// What this process knows of an undelivered sign-out.
#[derive(Clone)]
pub(super) struct KnownToken {
    pub token: RefreshToken,
    /// For backends that need one for a sign-out. Never in the keyring.
    pub access: Option<Secret>,
}

impl PendingSignOut {
    pub(super) fn new(entry: PendingEntry, known: Option<KnownToken>, item: BoundedStore) -> Self {
        Self {
            item,
            is_recorded: known.is_none(),
            is_stored: known.is_none(),
            entry,
            known,
            writers: 0,
            condition: DeliveryCondition::NotInUse,
            is_delivered: false,
            refused: None,
            plan: Plan::default(),
        }
    }

    pub(super) fn is_of(&self, session: SessionId, token: &RefreshToken, origin: &str) -> bool {
        let known = self.known.as_ref();
        self.entry.session == Some(session)
            && self.entry.origin == origin
            && known.is_some_and(|known| known.token.is_same(token))
    }

    pub(super) fn due_in(&self, now: SinceBoot, in_use: InUse) -> Option<Duration> {
        let may = match self.condition {
            DeliveryCondition::NotInUse => {
                let session = self.entry.session;
                !session.is_some_and(|session| in_use.is(session))
            }
            DeliveryCondition::OnceReplaced => false,
            DeliveryCondition::Now => true,
        };
        self.plan.due_in(now).filter(|_| may && self.writers == 0)
    }
}

impl PendingList {
    pub(super) fn of(&mut self, slot: Uuid) -> Option<&mut PendingSignOut> {
        self.pending
            .iter_mut()
            .find(|pending| pending.entry.slot == slot)
    }

    pub(super) fn due_in(&self, now: SinceBoot, in_use: InUse) -> Option<Duration> {
        let dues = self.pending.iter();
        let dues = dues.filter_map(|held| held.due_in(now, in_use));
        Some(dues.min()?.max(self.not_before.saturating_sub(now)))
    }
}
