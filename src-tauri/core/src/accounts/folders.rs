//! Where the records of each account are, below the folder of all workspaces:
//!
//! - `WORKSPACE/` holds the first account of a workspace and the workspace's device;
//! - `WORKSPACE/accounts/ID/` holds each further account.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::index::{Entry, Index, Owner};
use crate::device::Device;
use crate::identity::{AccountId, InstallId};
use crate::session::{AccountRecords, GrantInUse, LastKnown};

/// The folder of further accounts in a workspace's folder.
const ACCOUNTS: &str = "accounts";

/// The folders of all accounts.
pub(super) struct Folders {
    root: PathBuf,
    product: String,
}

impl Folders {
    pub(super) fn new(root: PathBuf, product: String) -> Self {
        Self { root, product }
    }

    /// The folder of an account's records.
    pub(super) fn of(&self, entry: &Entry) -> PathBuf {
        let workspace = self.root.join(&entry.workspace);
        match entry.at_root {
            true => workspace,
            false => workspace.join(ACCOUNTS).join(entry.id.to_string()),
        }
    }

    /// The records of an account.
    ///
    /// # Errors
    /// If its folder cannot be made.
    pub(super) fn records(&self, entry: &Entry) -> io::Result<AccountRecords> {
        AccountRecords::open(&self.of(entry))
    }

    /// Makes the folder of a new account. All accounts of a workspace have one device, so that its
    /// backend knows them as sessions of one computer. Where the workspace's own folder holds an account
    /// that the index does not know, that one is returned.
    ///
    /// # Errors
    /// If the disk does not take it, or it is not known now whether that folder holds an account: with
    /// the folder in question.
    pub(super) fn create(
        &self,
        workspace: &str,
        index: &Index,
    ) -> Result<Entry, (PathBuf, io::Error)> {
        let mut of_workspace = index.accounts.iter().filter(|it| it.workspace == workspace);
        let at_root = of_workspace.all(|entry| !entry.at_root);
        let entry = Entry::blank(AccountId::new(), workspace, at_root);
        let folder = self.of(&entry);
        let made = (|| {
            if at_root && let Some((_, found)) = self.find(&folder, workspace, None)? {
                return Ok(found);
            }
            let device = self.device(workspace, index);
            let records = self.records(&entry)?;
            let made = records.create(index.install, entry.id, device, &self.product);
            made.inspect_err(|_| self.take_back(&entry)).map(|()| entry)
        })();
        made.map_err(|error| (folder, error))
    }

    /// Removes the folder of a new account that could not be listed. In a workspace's own folder it is
    /// found again.
    pub(super) fn take_back(&self, entry: &Entry) {
        if !entry.at_root {
            let _ = fs::remove_dir_all(self.of(entry));
        }
    }

    fn device(&self, workspace: &str, index: &Index) -> Option<Device> {
        let root = Entry::blank(AccountId::new(), workspace, true);
        let of_workspace = index.accounts.iter().filter(|it| it.workspace == workspace);
        let mut known = [&root].into_iter().chain(of_workspace);
        known.find_map(|entry| {
            let folder = self.of(entry);
            // Looking must not make a folder.
            let records = folder.is_dir().then(|| AccountRecords::open(&folder))?;
            records.ok()?.device()
        })
    }

    /// Removes everything of an account. The device stays where its workspace has it.
    ///
    /// # Errors
    /// If some of it is still there.
    pub(super) fn remove(&self, entry: &Entry) -> io::Result<()> {
        if is_gone(&self.of(entry)) {
            return Ok(());
        }
        let records = self.records(entry)?;
        match entry.at_root {
            true => records.clear(),
            false => records.remove(),
        }
    }

    /// Finds accounts that the index does not know: all of them where there is no index, otherwise one
    /// that was made just before a crash. `index` learns of them.
    pub(super) fn add_unknown(&self, index: &mut Index) {
        for workspace in folders_in(&self.root) {
            let Some(name) = name_of(&workspace) else {
                continue;
            };
            if !index
                .accounts
                .iter()
                .any(|it| it.at_root && it.workspace == name)
            {
                self.add_found(&workspace, &name, None, index);
            }
            for folder in folders_in(&workspace.join(ACCOUNTS)) {
                let id = name_of(&folder).and_then(|name| name.parse::<AccountId>().ok());
                let Some(id) = id else {
                    continue;
                };
                if index.of(id).is_none() {
                    self.add_found(&folder, &name, Some(id), index);
                }
            }
        }
    }

    fn add_found(&self, folder: &Path, workspace: &str, id: Option<AccountId>, index: &mut Index) {
        match self.find(folder, workspace, id) {
            Ok(Some((install, entry))) => {
                if index.accounts.is_empty() {
                    index.install = install;
                }
                index.accounts.push(entry);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(
                    kind = %error.kind(),
                    workspace,
                    "an account's folder cannot be read: the account is not in the list until it can"
                );
            }
        }
    }

    /// The account of a folder, if it holds one. Without an `id` it is that of a workspace's own folder.
    fn find(
        &self,
        folder: &Path,
        workspace: &str,
        id: Option<AccountId>,
    ) -> io::Result<Option<(InstallId, Entry)>> {
        let records = AccountRecords::open(folder)?;
        let Some((install, own)) = records.ids(&self.product)? else {
            return Ok(None);
        };
        let LastKnown { user, over } = records.last_known();
        let mut entry = Entry::blank(id.unwrap_or(own), workspace, id.is_none());
        entry.owner = user.as_ref().map(Owner::of);
        entry.over = over;
        entry.forget_unremembered();
        Ok(Some((install, entry)))
    }

    /// Corrects what the index says by what the folders say: somebody signed in or out just before a
    /// crash, or an account's folder is gone.
    pub(super) fn check(&self, index: &mut Index) {
        index.accounts.retain(|entry| !is_gone(&self.of(entry)));
        for entry in &mut index.accounts {
            let Ok(records) = self.records(entry) else {
                continue;
            };
            if entry.over.is_none() {
                entry.over = records.sign_out();
            } else if let LastKnown { user, over: None } = records.last_known() {
                entry.over = None;
                entry.owner = user.as_ref().map(Owner::of).filter(|_| !entry.leaving);
            }
            entry.forget_unremembered();
        }
    }

    /// The grant that the account's session uses, as far as its records say.
    pub(super) fn grant(&self, entry: &Entry) -> Option<GrantInUse> {
        if is_gone(&self.of(entry)) {
            return None;
        }
        self.records(entry).ok()?.grant()
    }

    /// Whether nothing of the account would be left in the keyring or at the backend without its records,
    /// except that a person who only signs out still trusts this device.
    pub(super) fn is_settled(&self, entry: &Entry) -> bool {
        let is_settled = |records: AccountRecords| records.is_settled();
        self.records(entry).is_ok_and(is_settled) && !self.holds_trust(entry)
    }

    /// Whether the account leaves, and the keyring may still hold by what the backend trusts this device.
    pub(super) fn holds_trust(&self, entry: &Entry) -> bool {
        let trusts = |records: AccountRecords| records.trusts_device();
        entry.leaving && !is_gone(&self.of(entry)) && self.records(entry).is_ok_and(trusts)
    }
}

/// Whether there is certainly no such folder.
fn is_gone(folder: &Path) -> bool {
    matches!(fs::metadata(folder), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// The folders in a folder, by name; none where it cannot be read.
fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

fn name_of(folder: &Path) -> Option<String> {
    folder.file_name()?.to_str().map(str::to_owned)
}
