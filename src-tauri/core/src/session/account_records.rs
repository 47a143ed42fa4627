//! What is on disk of an account whose session need not be open: its ids, its last user and device; and
//! how its folder is made and removed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::legacy;
use super::pending_record;
use super::provider_grant::GrantInUse;
use super::record::{LocalIds, Records};
use super::trusted_device;
use crate::device::Device;
use crate::identity::{AccountId, InstallId};
use crate::storage::records::FolderRecords;
use crate::wire::{SignedOutReason, User};

/// The records of one account.
pub(crate) struct AccountRecords {
    folder: PathBuf,
    records: Records,
}

/// How the account's session was last known to stand.
pub(crate) struct LastKnown {
    /// The user of its session.
    pub user: Option<User>,
    /// Why the session is over. `None` as long as it may go on.
    pub over: Option<SignedOutReason>,
}

impl AccountRecords {
    /// Opens the account's folder, which is created if there is none.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            records: Records::new(Arc::new(FolderRecords::open(folder)?)),
        })
    }

    /// Names a new account, and gives it the device of its workspace.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub(crate) fn create(
        &self,
        install: InstallId,
        account: AccountId,
        device: Option<Device>,
        product: &str,
    ) -> io::Result<()> {
        let device = device.unwrap_or_else(|| Device::unrecorded(product));
        self.records
            .write_ids(LocalIds { install, account }, &device)
    }

    /// The ids of the installation and of the account; `None` where the folder holds no account.
    ///
    /// # Errors
    /// If they exist and cannot be read now.
    pub(crate) fn ids(&self, product: &str) -> io::Result<Option<(InstallId, AccountId)>> {
        if !self.records.holds_account()? && !legacy::is_there(&self.records)? {
            return Ok(None);
        }
        let (ids, _) = identify(&self.records, product)?;
        Ok(Some((ids.install, ids.account)))
    }

    /// The device, if there is one that can be read.
    pub(crate) fn device(&self) -> Option<Device> {
        self.records.device().ok().flatten()
    }

    /// How the session stands, as far as the records say.
    pub(crate) fn last_known(&self) -> LastKnown {
        let record = self.records.session();
        let over = self.sign_out().or(match &record {
            Ok(Some(record)) if record.until_quit => Some(SignedOutReason::Missing),
            // The keyring may hold its token, also where a crash came before the record said so.
            Ok(Some(_)) => None,
            // The record was lost, or is an older version's.
            Ok(None) if self.records.has_past() => None,
            Ok(None) if matches!(legacy::is_there(&self.records), Ok(true)) => None,
            Ok(None) => Some(SignedOutReason::Never),
            // One that cannot be read may be that of a session.
            Err(_) => None,
        });
        LastKnown {
            over,
            user: record.ok().flatten().and_then(|record| record.user),
        }
    }

    /// The grant of the account's session, if it may go on and a provider renews it.
    pub(crate) fn grant(&self) -> Option<GrantInUse> {
        let LastKnown { user, over: None } = self.last_known() else {
            return None;
        };
        let record = self.records.session().ok().flatten()?;
        let user = user.map(|user| user.id);
        Some(GrantInUse::recorded(record.provider?, user))
    }

    /// Why the last session is over, if a marker says so.
    pub(crate) fn sign_out(&self) -> Option<SignedOutReason> {
        // Without a marker, which is the common case, this looks at one name.
        let marker = self.records.marker().ok().flatten()?;
        let record = self.records.session().ok().flatten();
        marker.ends_last(record.as_ref()).then_some(marker.why)
    }

    /// Whether the records leave no doubt that the keyring holds nothing of this account, and that the
    /// backend knows of every sign-out. The record of a session goes last, once its end is on its way.
    pub(crate) fn is_settled(&self) -> bool {
        let is_absent = |name| matches!(self.records.store().exists(name), Ok(false));
        let is_told = is_absent(pending_record::RECORD) && is_absent(legacy::OUTBOX);
        is_told && matches!(self.records.session(), Ok(None)) && self.last_known().over.is_some()
    }

    /// Whether the keyring may hold by what the backend trusts this device.
    pub(crate) fn trusts_device(&self) -> bool {
        !matches!(
            self.records.store().exists(trusted_device::RECORD),
            Ok(false)
        )
    }

    /// Removes the account's folder.
    ///
    /// # Errors
    /// If some of it is still there.
    pub(crate) fn remove(self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.folder)
    }

    /// Removes everything of the account but the device, which is its workspace's.
    ///
    /// # Errors
    /// If some of it is still there.
    pub(crate) fn clear(self) -> io::Result<()> {
        self.records.clear_account()
    }
}

/// The ids and the device of an account's folder, created and written if there are none.
///
/// # Errors
/// If they exist and cannot be read now, or cannot be written.
pub(super) fn identify(records: &Records, product: &str) -> io::Result<(LocalIds, Device)> {
    let copy = || match records.session() {
        Ok(Some(record)) => Some(record.device),
        _ => legacy::device(records),
    };
    records.identify(product, copy)
}
