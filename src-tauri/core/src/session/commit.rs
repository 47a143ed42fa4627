//! The only writer: persist, then assign, then publish.

use std::sync::Arc;

use super::epoch::{AttemptId, Epoch};
use super::inner::{EpochGuard, Inner, Shared};
use super::keyring_status::KeyringStatus;
use super::persistence::Persistence;
use super::record::{Record, Records};
use crate::error::{AuthError, ErrorCode};
use crate::state::Event;
use crate::storage::records::Durability;
use crate::wire::Cause;

/// The part of a change that is written to disk.
pub(super) enum Persist {
    Nothing,
    /// The new record.
    Record(Box<Record>, Durability),
    /// The record is removed, because there is no session.
    NoSession,
}

/// The epoch or the sign-in for which a change was begun is over. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overtaken;

impl From<Overtaken> for AuthError {
    fn from(_: Overtaken) -> Self {
        ErrorCode::NotSignedIn.into()
    }
}

/// For what a change was begun.
#[derive(Clone, Copy)]
struct Begun {
    epoch: Epoch,
    /// The sign-in, if it is one.
    attempt: Option<AttemptId>,
}

impl Begun {
    fn access(self, shared: &Shared) -> Option<EpochGuard<'_>> {
        match self.attempt {
            None => shared.in_epoch(self.epoch),
            Some(attempt) => shared.in_sign_in(self.epoch, attempt),
        }
    }
}

/// Applies changes to a session.
pub(super) struct Committer {
    shared: Arc<Shared>,
    persistence: Arc<Persistence>,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, persistence: Arc<Persistence>) -> Self {
        Self {
            shared,
            persistence,
        }
    }

    /// Applies a change for `epoch`: first on disk, then in memory, then for all subscribers. Does
    /// nothing once the epoch is over. `change` learns whether the disk write succeeded, and
    /// returns the event to publish.
    pub(super) async fn commit(
        &self,
        epoch: Epoch,
        persist: Persist,
        cause: Cause,
        change: impl FnOnce(&mut Inner, bool) -> Event,
    ) -> Result<bool, Overtaken> {
        let begun = Begun {
            epoch,
            attempt: None,
        };
        self.commit_for(begun, persist, cause, change).await
    }

    /// The same for the session of a sign-in, which is not to begin once the sign-in was given up.
    pub(super) async fn commit_sign_in(
        &self,
        epoch: Epoch,
        attempt: AttemptId,
        persist: Persist,
        cause: Cause,
        change: impl FnOnce(&mut Inner, bool) -> Event,
    ) -> Result<bool, Overtaken> {
        let begun = Begun {
            epoch,
            attempt: Some(attempt),
        };
        self.commit_for(begun, persist, cause, change).await
    }

    async fn commit_for(
        &self,
        begun: Begun,
        persist: Persist,
        cause: Cause,
        change: impl FnOnce(&mut Inner, bool) -> Event,
    ) -> Result<bool, Overtaken> {
        let shared = self.shared.clone();
        let is_current = move || begun.access(&shared).is_some();
        let persisted = match persist {
            Persist::Nothing => Ok(Some(())),
            persist => {
                let work = move |records: &Records| persist.write(records);
                self.persistence.with_records(is_current, work).await
            }
        };
        let is_persisted = match persisted {
            Ok(Some(())) => true,
            Ok(None) => return Err(Overtaken),
            Err(_) => false,
        };
        let mut at = begun.access(&self.shared).ok_or(Overtaken)?;
        let event = change(&mut at, is_persisted);
        at.publish(cause, event);
        Ok(is_persisted)
    }
}

impl Persist {
    /// For a session that is over: removes its record. If the keyring could not be emptied, writes
    /// `record` instead, which says what the keyring may still hold.
    pub(super) fn end(keyring: KeyringStatus, record: Option<Box<Record>>) -> Self {
        match record {
            Some(record) if keyring != KeyringStatus::Nothing => {
                Self::Record(record, Durability::Unsynced)
            }
            Some(_) | None => Self::NoSession,
        }
    }

    fn write(self, records: &Records) -> std::io::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Record(record, durability) => records.write_session(&record, durability),
            Self::NoSession => records.remove_session(),
        }
    }
}
