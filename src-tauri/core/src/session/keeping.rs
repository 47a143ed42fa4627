//! What is known of the keyring, as one enum. Whether a session is remembered, and how its
//! storage is, follow from it.

use std::time::Duration;

use crate::clock::SinceBoot;
use crate::secrets::StoreError;
use crate::wire::StorageStatus;

/// How long after a failed write the keyring is tried again, and how long after what is
/// obsolete could not be put away it is looked at again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What is known of the account's keyring item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyring {
    /// It was not read yet, or could not be: it may hold anything.
    Unknown(Option<StoreError>),
    /// It holds nothing of ours.
    Nothing,
    /// It holds the token in use.
    Saved,
    /// It holds the token in use, marked to last until the app quits: the records could not
    /// be written. When to try to make it last.
    UntilQuit(SinceBoot),
    /// It does not hold the token in use, and the person was told so. When to try again.
    Unsaved(StoreError, SinceBoot),
    /// It holds a session that is over. When to try again to put it away.
    Obsolete(SinceBoot),
}

impl Keyring {
    /// After a write: what it holds now.
    pub fn after(saved: Result<(), StoreError>, until_quit: bool, now: SinceBoot) -> Self {
        match saved {
            Ok(()) if until_quit => Self::UntilQuit(now + LOOK_AGAIN),
            Ok(()) => Self::Saved,
            Err(why) => Self::Unsaved(why, now + LOOK_AGAIN),
        }
    }

    /// Whether the session outlives this run.
    pub fn remembers(self) -> bool {
        self == Self::Saved
    }

    /// Whether the person was told that the session lasts until the app quits.
    pub fn lasts_until_quit(self) -> bool {
        matches!(self, Self::UntilQuit(_) | Self::Unsaved(..))
    }

    /// Whether there is nothing in it that a write could destroy unseen.
    pub fn is_clear(self) -> bool {
        matches!(self, Self::Nothing | Self::Saved | Self::UntilQuit(_))
    }

    /// When the token in use is to be offered again.
    pub fn save_due(self) -> Option<SinceBoot> {
        match self {
            Self::UntilQuit(due) | Self::Unsaved(_, due) => Some(due),
            Self::Unknown(_) | Self::Nothing | Self::Saved | Self::Obsolete(_) => None,
        }
    }

    /// When what is obsolete is to be put away.
    pub fn clear_due(self) -> Option<SinceBoot> {
        match self {
            Self::Obsolete(due) => Some(due),
            Self::Unknown(_)
            | Self::Nothing
            | Self::Saved
            | Self::UntilQuit(_)
            | Self::Unsaved(..) => None,
        }
    }

    /// The same, due at once.
    pub fn due_at(self, now: SinceBoot) -> Self {
        match self {
            Self::UntilQuit(_) => Self::UntilQuit(now),
            Self::Unsaved(why, _) => Self::Unsaved(why, now),
            Self::Obsolete(_) => Self::Obsolete(now),
            other => other,
        }
    }

    /// How the window is told.
    pub fn storage(self) -> StorageStatus {
        match self {
            Self::Unknown(Some(why)) | Self::Unsaved(why, _) => storage_of(why),
            Self::Unknown(None)
            | Self::Nothing
            | Self::Saved
            | Self::UntilQuit(_)
            | Self::Obsolete(_) => StorageStatus::Ok,
        }
    }
}

fn storage_of(error: StoreError) -> StorageStatus {
    match error {
        StoreError::Absent | StoreError::NoCollection => StorageStatus::Absent,
        StoreError::Locked | StoreError::TimedOut => StorageStatus::Locked,
        StoreError::TooLarge => StorageStatus::TooLarge,
        StoreError::Newer => StorageStatus::Newer,
        StoreError::Failed | StoreError::Occupied => StorageStatus::MemoryOnly,
    }
}
