//! What a piece of work costs besides time: requests to the backend, calls of the keyring, changes
//! on the disk.
//!
//! Each is counted outside of the session: at the backend, in the store that the session is given,
//! and by the kernel (inotify) in the folder of its records. The kernel reports a record that is
//! renamed into place, a file that is removed, and a file that is written in place. It does not
//! report syncs; the code of the records syncs file and folder once for each rename, and the folder
//! for each removal.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use vestibule_backend::Backend;
use vestibule_core::{SecretBytes, SecretStore, StoreError};

use crate::registry::Outcome;

/// The counts of one piece of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that the backend received, to any endpoint.
    pub requests: usize,
    /// Calls of the keyring that read.
    pub reads: usize,
    /// Calls of the keyring that write.
    pub writes: usize,
    /// Calls of the keyring that delete.
    pub deletions: usize,
    /// Records that were renamed into place.
    pub replaced: usize,
    /// Files that were removed, except temporary ones.
    pub removed: usize,
    /// Files that were written in place.
    pub in_place: usize,
}

impl Counts {
    /// The counts for a row, without those that are zero.
    #[must_use]
    pub fn told(&self) -> Vec<(String, f64)> {
        [
            (self.requests, "requests"),
            (self.reads, "keyring reads"),
            (self.writes, "keyring writes"),
            (self.deletions, "keyring deletions"),
            (self.replaced, "records put in place"),
            (self.removed, "files removed"),
            (self.in_place, "files written in place"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| (what.to_owned(), count as f64))
        .collect()
    }
}

/// Counts what `work` makes a session do whose store is `store` and whose records are in `folder`.
///
/// # Errors
/// If the work fails, or if the folder cannot be watched.
pub async fn counted(
    backend: &Backend,
    store: &CountingStore,
    folder: &Path,
    work: impl Future<Output = Outcome<()>>,
) -> Outcome<Counts> {
    let disk = Disk::watch(folder)?;
    let (requests, before) = (backend.all_requests(), store.counts());
    work.await?;
    let after = store.counts();
    let mut counts = disk.heard()?;
    counts.requests = backend.all_requests() - requests;
    [counts.reads, counts.writes, counts.deletions] =
        std::array::from_fn(|kind| after[kind] - before[kind]);
    Ok(counts)
}

/// A store that counts its calls.
pub struct CountingStore {
    inner: Arc<dyn SecretStore>,
    calls: [AtomicUsize; 3],
}

impl CountingStore {
    /// Wraps another store.
    #[must_use]
    pub fn before(inner: Arc<dyn SecretStore>) -> Self {
        Self {
            inner,
            calls: Default::default(),
        }
    }

    /// The numbers of reads, writes and deletions so far.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        std::array::from_fn(|kind| self.calls[kind].load(Ordering::SeqCst))
    }

    fn one_more(&self, kind: usize) {
        self.calls[kind].fetch_add(1, Ordering::SeqCst);
    }
}

impl SecretStore for CountingStore {
    fn read(&self, account: &str) -> Result<Option<SecretBytes>, StoreError> {
        self.one_more(0);
        self.inner.read(account)
    }

    fn write(&self, account: &str, value: &[u8]) -> Result<(), StoreError> {
        self.one_more(1);
        self.inner.write(account, value)
    }

    fn delete(&self, account: &str) -> Result<(), StoreError> {
        self.one_more(2);
        self.inner.delete(account)
    }
}

/// Changes in a folder and in the folders that are below it at the start, as the kernel reports
/// them.
pub struct Disk(OwnedFd);

impl Disk {
    /// Starts watching.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn watch(folder: &Path) -> Outcome<Self> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
        let kernel = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let disk = Self(kernel.map_err(|error| failed(&error))?);
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let heard = WatchFlags::MOVE | WatchFlags::DELETE | WatchFlags::MODIFY;
            inotify::add_watch(&disk.0, &folder, heard).map_err(|error| failed(&error))?;
            let inside = std::fs::read_dir(&folder).map_err(|error| failed(&error))?;
            folders.extend(
                inside
                    .flatten()
                    .map(|one| one.path())
                    .filter(|path| path.is_dir()),
            );
        }
        Ok(disk)
    }

    /// What has changed since the start; only the fields of the disk are set.
    ///
    /// # Errors
    /// If the kernel has dropped reports.
    pub fn heard(self) -> Outcome<Counts> {
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let mut counts = Counts::default();
        let mut written: Vec<std::ffi::CString> = Vec::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::WOULDBLOCK) => break,
                Err(error) => return Err(format!("the kernel's reports cannot be read: {error}")),
            };
            let kind = event.events();
            let name = event.file_name().unwrap_or_default();
            if kind.contains(ReadFlags::QUEUE_OVERFLOW) {
                return Err("the kernel has dropped reports of changes on the disk".into());
            } else if kind.contains(ReadFlags::MODIFY) {
                if !written.iter().any(|one| one.as_c_str() == name) {
                    written.push(name.to_owned());
                }
            } else if kind.contains(ReadFlags::MOVED_TO) {
                counts.replaced += 1;
            } else if kind.contains(ReadFlags::MOVED_FROM) {
                // The temporary file that was renamed to this one.
                written.retain(|one| one.as_c_str() != name);
            } else if kind.contains(ReadFlags::DELETE) {
                let was_written = written.iter().any(|one| one.as_c_str() == name);
                written.retain(|one| one.as_c_str() != name);
                counts.removed += usize::from(!was_written || !is_temporary(name));
            }
        }
        counts.in_place = written.len();
        Ok(counts)
    }
}

fn is_temporary(name: &CStr) -> bool {
    name.to_bytes().ends_with(b".tmp")
}
