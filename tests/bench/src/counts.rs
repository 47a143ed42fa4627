//! What a piece of work costs beside time: requests that the backend hears, calls of the
//! keyring, changes on the disk.
//!
//! Each is counted from outside the session: at the backend, in the store that the session is
//! given, and by the kernel (inotify) in the folder of its records. The last hears a record
//! that is renamed into place, a file that is removed, and a file that is written where it
//! is. It does not hear the syncs themselves; the records' own code syncs file and folder
//! once for each rename, and the folder for each removal.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use vestibule_backend::Backend;
use vestibule_core::secrets::{SecretBytes, SecretStore, StoreError};

use crate::registry::Outcome;

/// What one piece of work came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that the backend received, to whichever endpoint.
    pub requests: usize,
    /// Calls of the keyring that read.
    pub reads: usize,
    /// Calls of the keyring that write.
    pub writes: usize,
    /// Calls of the keyring that delete.
    pub deletions: usize,
    /// Records that were renamed into place.
    pub replaced: usize,
    /// Files that were removed, temporary ones apart.
    pub removed: usize,
    /// Files that were written where they are.
    pub in_place: usize,
}

impl Counts {
    /// For a row: what there was of each, what there was none of apart.
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

/// Counts what `work` makes a session do that was given `store` and keeps its records in
/// `folder`.
///
/// # Errors
/// As the work, or if the folder cannot be watched.
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
    /// Before another store.
    #[must_use]
    pub fn before(inner: Arc<dyn SecretStore>) -> Self {
        Self {
            inner,
            calls: Default::default(),
        }
    }

    /// Reads, writes and deletions so far.
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

/// The kernel's account of what changes in a folder and in the folders below it that are
/// there when it begins to listen.
pub struct Disk(OwnedFd);

impl Disk {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the kernel does not let us.
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

    /// What has changed since then; only the fields of the disk are set.
    ///
    /// # Errors
    /// If the kernel has lost count.
    pub fn heard(self) -> Outcome<Counts> {
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let mut counts = Counts::default();
        let mut written: Vec<std::ffi::CString> = Vec::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::WOULDBLOCK) => break,
                Err(error) => return Err(format!("the kernel's account: {error}")),
            };
            let kind = event.events();
            let name = event.file_name().unwrap_or_default();
            if kind.contains(ReadFlags::QUEUE_OVERFLOW) {
                return Err("more has changed on the disk than the kernel keeps count of".into());
            } else if kind.contains(ReadFlags::MODIFY) {
                if !written.iter().any(|one| one.as_c_str() == name) {
                    written.push(name.to_owned());
                }
            } else if kind.contains(ReadFlags::MOVED_TO) {
                counts.replaced += 1;
            } else if kind.contains(ReadFlags::MOVED_FROM) {
                // What was written under a name of its own, for this.
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
