//! What is known of the keyring item, as one enum. Whether a session is remembered and which
//! storage state windows show follow from it.

use std::time::Duration;

use crate::clock::SinceBoot;
use crate::secrets::StoreError;
use crate::wire::StorageStatus;

/// How long after a failed write the keyring is tried again, and how long after an obsolete item
/// could not be removed this is tried again.
pub(super) const KEYRING_RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// What is known of the account's keyring item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyringStatus {
    /// It was not read yet, or could not be read, so it may hold anything.
    Unknown(Option<StoreError>),
    /// It holds nothing of ours.
    Nothing,
    /// It holds the token in use.
    Saved,
    /// It holds the token in use, marked to last until the app quits, because the records could not
    /// be written. With the time of the next try to write them.
    UntilQuit(SinceBoot),
    /// It does not hold the token in use, and the person was told so. With the time of the next
    /// try.
    Unsaved(StoreError, SinceBoot),
    /// It holds a session that is over. With the time of the next try to remove it.
    Obsolete(SinceBoot),
}

impl KeyringStatus {
    /// What it holds after a write.
    pub(super) fn after(saved: Result<(), StoreError>, until_quit: bool, now: SinceBoot) -> Self {
        match saved {
            Ok(()) if until_quit => Self::UntilQuit(now + KEYRING_RETRY_INTERVAL),
            Ok(()) => Self::Saved,
            Err(why) => Self::Unsaved(why, now + KEYRING_RETRY_INTERVAL),
        }
    }

    /// Whether the session survives the end of the process.
    pub(super) fn remembers(self) -> bool {
        self == Self::Saved
    }

    /// Whether the person was told that the session lasts until the app quits.
    pub(super) fn lasts_until_quit(self) -> bool {
        matches!(self, Self::UntilQuit(_) | Self::Unsaved(..))
    }

    /// Whether a write cannot destroy an unknown item.
    pub(super) fn is_clear(self) -> bool {
        matches!(self, Self::Nothing | Self::Saved | Self::UntilQuit(_))
    }

    /// When to try again to save the token in use.
    pub(super) fn save_due(self) -> Option<SinceBoot> {
        match self {
            Self::UntilQuit(due) | Self::Unsaved(_, due) => Some(due),
            Self::Unknown(_) | Self::Nothing | Self::Saved | Self::Obsolete(_) => None,
        }
    }

    /// When to try again to remove what is obsolete.
    pub(super) fn clear_due(self) -> Option<SinceBoot> {
        match self {
            Self::Obsolete(due) => Some(due),
            Self::Unknown(_)
            | Self::Nothing
            | Self::Saved
            | Self::UntilQuit(_)
            | Self::Unsaved(..) => None,
        }
    }

    /// The same, with the next try at `now`.
    pub(super) fn retry_at(self, now: SinceBoot) -> Self {
        match self {
            Self::UntilQuit(_) => Self::UntilQuit(now),
            Self::Unsaved(why, _) => Self::Unsaved(why, now),
            Self::Obsolete(_) => Self::Obsolete(now),
            other => other,
        }
    }

    /// The storage state that windows show.
    pub(super) fn storage(self) -> StorageStatus {
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
