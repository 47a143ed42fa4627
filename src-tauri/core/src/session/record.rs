//! What is on disk for an account: the record of its session, the sign-out marker, and the ids of
//! this installation. None of them holds a secret.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::device::Device;
use crate::identity::{AccountId, Generation, InstallId, SessionId};
use crate::storage::numbered_records::NumberedRecords;
use crate::storage::records::{Durability, RecordStore};
use crate::wire::{SignedOutReason, User};

/// How many earlier sessions a record lists.
const MAX_REPLACED: usize = 16;

const SESSION: &str = "session.json";
const SIGNED_OUT: &str = "signed-out.json";
/// Renamed to the marker if the disk has no room for a new file.
const SPARE_MARKER: &str = "signed-out.spare";
const INSTALL: &str = "install.json";
const DEVICE: &str = "device.json";

/// How far the last rotation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RotationPhase {
    /// Its answer was processed.
    Idle,
    /// A refresh was sent, and the backend may have replaced the token.
    Rotating,
}

/// The record of a session, written as a whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub session: SessionId,
    pub install: InstallId,
    pub account: AccountId,
    /// The origin that the session belongs to.
    pub origin: String,
    /// The token endpoint of the provider that renews the session; `None` where the backend does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Url>,
    /// The generation of the token in use. A keyring item with a lower one is spent.
    pub generation: Generation,
    /// The newest generation that the keyring has confirmed; `None` if it has never held a token.
    pub saved_generation: Option<Generation>,
    pub phase: RotationPhase,
    /// When an answer last replaced the token, in milliseconds since the epoch.
    pub replaced_at: Option<u64>,
    /// The user, to be shown while the backend cannot be reached.
    pub user: Option<User>,
    pub expires_at: Option<String>,
    /// The values that a backend may bind the session to. They are sent unchanged until the next
    /// sign-in.
    pub device: Device,
    /// The person was told that the session lasts until the app quits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_quit: bool,
    /// The session, this one or one before it, whose item is still under the name that commit
    /// ff703f2 used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy_item: Option<SessionId>,
    /// The sessions before this one, the newest last. This record replaced theirs, which knew which
    /// tokens are spent. Their items may still be in the keyring, or come back from a backup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
}

/// A session before the one of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Replaced {
    pub session: SessionId,
    /// The generation of its token when a sign-in replaced it: an item with a lower one is spent.
    /// `None` if it was over already, whatever becomes of the sign-in.
    pub generation: Option<Generation>,
}

impl Record {
    /// Whether the keyring may hold a session with which somebody is to be shown as signed in: this
    /// one, or one that a sign-in was to replace and did not.
    pub(super) fn may_hold_a_session(&self) -> bool {
        let goes_on = |before: &Replaced| before.generation.is_some();
        !self.until_quit && (self.saved_generation.is_some() || self.replaced.iter().any(goes_on))
    }

    /// Carries over what the record `before`, which this one replaces, knew of the keyring. Returns
    /// whether that was of a session which this record did not know.
    pub(super) fn take_over(&mut self, before: Self, marker: Option<Marker>) -> bool {
        let is_over = before.until_quit || marker.is_some_and(|it| it.ends(before.session));
        let this = Replaced {
            session: before.session,
            generation: (!is_over).then_some(before.generation),
        };
        let is_strange = before.session != self.session
            && !self.replaced.iter().any(|it| it.session == before.session);
        for one in before.replaced.into_iter().chain([this]) {
            let is_known = self.replaced.iter().any(|it| it.session == one.session);
            if one.session != self.session && !is_known {
                self.replaced.push(one);
            }
        }
        let too_many = self.replaced.len().saturating_sub(MAX_REPLACED);
        self.replaced.drain(..too_many);
        self.legacy_item = self.legacy_item.or(before.legacy_item);
        is_strange
    }
}

/// Says that the session is over, whatever else is on disk. A marker is about the session that it
/// names. One that names none, because it was damaged or written before a session was known, is
/// about the session that was there when it was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    #[serde(default)]
    pub session: Option<SessionId>,
    /// The reason, to be shown again after a restart.
    pub why: SignedOutReason,
}

impl Marker {
    /// Whether it is about this session.
    pub(super) fn ends(self, session: SessionId) -> bool {
        self.session.is_none_or(|named| named == session)
    }

    /// Whether it is about the session of the record. It is taken to be where there is no record: a
    /// sign-out removes it. If the keyring then holds another session all the same, that one goes on.
    pub(super) fn ends_last(self, record: Option<&Record>) -> bool {
        record.is_none_or(|record| self.ends(record.session))
    }
}

/// The ids of this installation and of the account. They are in two files; if both are lost, the
/// keyring item counts as another installation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LocalIds {
    pub install: InstallId,
    pub account: AccountId,
}

/// The device record, which holds the ids as well.
#[derive(Serialize, Deserialize)]
struct DeviceRecord {
    #[serde(flatten)]
    device: Device,
    /// `None` in a record of commit ff703f2.
    #[serde(flatten)]
    names: Option<LocalIds>,
}

/// The records of one account.
#[derive(Clone)]
pub(super) struct Records(NumberedRecords);

impl Deref for Records {
    type Target = NumberedRecords;

    fn deref(&self) -> &NumberedRecords {
        &self.0
    }
}

impl Records {
    pub(super) fn new(store: Arc<dyn RecordStore>) -> Self {
        Self(NumberedRecords::new(store))
    }

    /// The session's record. A damaged one is renamed and counts as lost.
    ///
    /// # Errors
    /// If it exists and cannot be read, by this version or at all.
    pub(super) fn session(&self) -> io::Result<Option<Record>> {
        self.read_or_put_aside(SESSION)
    }

    /// # Errors
    /// If it cannot be written, or the existing one cannot be read and so must not be overwritten.
    pub(super) fn write_session(&self, record: &Record, durability: Durability) -> io::Result<()> {
        self.session()?;
        self.write(SESSION, record, durability)
    }

    /// Removes the session's record. Without a marker, the spare one is removed too, because it
    /// would say that somebody was signed in.
    pub(super) fn remove_session(&self) -> io::Result<()> {
        self.store().remove(SESSION)?;
        match self.store().exists(SIGNED_OUT)? {
            true => Ok(()),
            false => self.store().remove(SPARE_MARKER),
        }
    }

    /// The sign-out marker, if it is set. One that exists and cannot be read or parsed counts as
    /// set, so that damage never undoes a sign-out.
    ///
    /// # Errors
    /// If it is not known whether it exists. Nothing may then be concluded.
    pub(super) fn marker(&self) -> io::Result<Option<Marker>> {
        let error = match self.read_as_is(SIGNED_OUT) {
            Ok(marker) => return Ok(marker),
            Err(error) => error,
        };
        if !self.store().exists(SIGNED_OUT)? {
            return Ok(None);
        }
        tracing::error!(kind = %error.kind(), "the sign-out marker is damaged: it counts as set");
        Ok(Some(Marker {
            session: None,
            why: SignedOutReason::ByUser,
        }))
    }

    /// Sets the marker. If the disk has no room, the spare marker takes its place.
    pub(super) fn write_marker(&self, marker: Marker) -> io::Result<()> {
        let Err(error) = self.write(SIGNED_OUT, &marker, Durability::Synced) else {
            return Ok(());
        };
        if marker.why != SignedOutReason::ByUser {
            return Err(error);
        }
        tracing::warn!(
            kind = %error.kind(),
            "the sign-out marker cannot be written: the spare one takes its place"
        );
        self.store().rename(SPARE_MARKER, SIGNED_OUT)
    }

    /// Makes the spare marker the marker, which takes no room on the disk. Returns whether one is
    /// set.
    pub(super) fn set_spare_marker(&self) -> bool {
        self.store().rename(SPARE_MARKER, SIGNED_OUT).is_ok()
            || matches!(self.marker(), Ok(Some(_)))
    }

    /// Writes the spare marker while there is room on the disk, so that a sign-out is possible
    /// without.
    pub(super) fn lay_marker_aside(&self) {
        if let Ok(true) = self.store().exists(SPARE_MARKER) {
            return;
        }
        let spare = Marker {
            session: None,
            why: SignedOutReason::ByUser,
        };
        if let Err(error) = self.write(SPARE_MARKER, &spare, Durability::Unsynced) {
            tracing::warn!(
                kind = %error.kind(),
                "the spare sign-out marker cannot be written: on a full disk, a sign-out may not \
                 last"
            );
        }
    }

    /// Whether somebody has signed in here and has not signed out: there is a spare marker.
    pub(super) fn has_past(&self) -> bool {
        matches!(self.store().exists(SPARE_MARKER), Ok(true))
    }

    /// Removes the marker, because a session has begun. Returns whether a marker is left that would
    /// end it.
    pub(super) fn clear_marker(&self, session: SessionId) -> bool {
        let Err(error) = self.store().remove(SIGNED_OUT) else {
            return false;
        };
        tracing::error!(
            kind = %error.kind(),
            "the sign-out marker cannot be removed: it may end the new session at the next start"
        );
        match self.read_as_is::<Marker>(SIGNED_OUT) {
            Ok(marker) => marker.is_some_and(|marker| marker.ends(session)),
            Err(_) => true,
        }
    }

    /// The ids of this installation and of the account, and the device; created and written if
    /// there are none. `copy` is a device that was stored elsewhere.
    ///
    /// # Errors
    /// If they exist and cannot be read now, or cannot be written: with new ids, the session would
    /// count as another installation's.
    pub(super) fn identify(
        &self,
        browser: &str,
        copy: impl FnOnce() -> Option<Device>,
    ) -> io::Result<(LocalIds, Device)> {
        let first: Option<LocalIds> = self.read_or_put_aside(INSTALL)?;
        let second: Option<DeviceRecord> = self.read_or_put_aside(DEVICE)?;
        let (second, device) = match second {
            Some(record) => (record.names, Some(record.device)),
            None => (None, None),
        };
        let local_ids = first.or(second).unwrap_or_else(|| LocalIds {
            install: InstallId::new(),
            account: AccountId::new(),
        });
        let is_complete = device.is_some() && second == Some(local_ids);
        let device = device
            .or_else(copy)
            .unwrap_or_else(|| Device::unrecorded(browser));
        if first != Some(local_ids) {
            self.write(INSTALL, &local_ids, Durability::Synced)?;
        }
        if !is_complete {
            self.write_device(&device, local_ids)?;
        }
        Ok((local_ids, device))
    }

    /// Whether this is the folder of an account: it has its ids, or something of its session.
    ///
    /// # Errors
    /// If that is not known now.
    pub(super) fn holds_account(&self) -> io::Result<bool> {
        for name in [INSTALL, SESSION, SIGNED_OUT] {
            if self.store().exists(name)? {
                return Ok(true);
            }
        }
        let device: Option<DeviceRecord> = self.read_as_is(DEVICE)?;
        Ok(device.is_some_and(|device| device.names.is_some()))
    }

    /// The device, if there is a record of it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn device(&self) -> io::Result<Option<Device>> {
        let record: Option<DeviceRecord> = self.read_as_is(DEVICE)?;
        Ok(record.map(|record| record.device))
    }

    /// Writes the ids and the device of a new account.
    pub(super) fn write_ids(&self, local_ids: LocalIds, device: &Device) -> io::Result<()> {
        self.write(INSTALL, &local_ids, Durability::Synced)?;
        self.write_device(device, local_ids)
    }

    /// Removes everything of the account. Its device stays, without the account's name, and so do the
    /// locks, which another process may hold.
    pub(super) fn clear_account(&self) -> io::Result<()> {
        if let Some(device) = self.device()? {
            let device = DeviceRecord {
                device,
                names: None,
            };
            self.write(DEVICE, &device, Durability::Synced)?;
        }
        let is_kept = |name: &str| name == DEVICE || name.ends_with(".lock");
        for name in self.store().list()? {
            if !is_kept(&name) {
                self.store().remove(&name)?;
            }
        }
        Ok(())
    }

    /// Writes the device values of a sign-in.
    pub(super) fn write_device(&self, device: &Device, local_ids: LocalIds) -> io::Result<()> {
        let record = DeviceRecord {
            device: device.clone(),
            names: Some(local_ids),
        };
        self.write(DEVICE, &record, Durability::Synced)
    }
}
