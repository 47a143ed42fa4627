//! The only writer: persist, then assign, then publish.

use std::sync::Arc;

use super::epoch::Epoch;
use super::inner::{Core, Inner};
use super::keeping::Keyring;
use super::persistence::Persistence;
use super::record::{Record, Records};
use crate::error::{AuthError, ErrorCode};
use crate::state::Event;
use crate::storage::records::Durability;
use crate::wire::Cause;

/// What of a change outlives the process.
pub(super) enum Persist {
    Nothing,
    /// The record, as it is from here on.
    Record(Box<Record>, Durability),
    /// There is no session to speak of.
    NoSession,
}

/// What was begun for one session came to be after that was over. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overtaken;

impl From<Overtaken> for AuthError {
    fn from(_: Overtaken) -> Self {
        ErrorCode::NotSignedIn.into()
    }
}

/// Changes a session.
pub(super) struct Committer {
    core: Arc<Core>,
    persistence: Arc<Persistence>,
}

impl Committer {
    pub fn new(core: Arc<Core>, persistence: Arc<Persistence>) -> Self {
        Self { core, persistence }
    }

    /// Makes a change come true in the name of `epoch`: on disk first, then in memory, then for
    /// all who listen. Nothing of it once the epoch is over. `change` hears whether the disk has
    /// taken it, and says what has happened.
    pub async fn commit(
        &self,
        epoch: Epoch,
        persist: Persist,
        cause: Cause,
        change: impl FnOnce(&mut Inner, bool) -> Event,
    ) -> Result<bool, Overtaken> {
        let core = self.core.clone();
        let stands = move || core.at(epoch).is_some();
        let persisted = match persist {
            Persist::Nothing => Ok(Some(())),
            persist => {
                let work = move |records: &Records| persist.write(records);
                self.persistence.on_disk(stands, work).await
            }
        };
        let is_persisted = match persisted {
            Ok(Some(())) => true,
            Ok(None) => return Err(Overtaken),
            Err(_) => false,
        };
        let mut at = self.core.at(epoch).ok_or(Overtaken)?;
        let event = change(&mut at, is_persisted);
        at.publish(cause, event);
        Ok(is_persisted)
    }
}

impl Persist {
    /// A session is over: nothing speaks of it any more, unless the keyring could not be emptied;
    /// then `record` says what it may still hold.
    pub fn end(keyring: Keyring, record: Option<Box<Record>>) -> Self {
        match record {
            Some(record) if keyring != Keyring::Nothing => {
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
