//! Small files that survive a crash. They must hold no secret.
//!
//! [`RecordStore`] is the interface to the disk. "Absent" and "cannot be read" are different
//! answers everywhere: a file that could not be read is neither taken for empty nor overwritten.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use super::file_lock::FileLock;

/// The end of a temporary file's name.
const TEMPORARY: &str = ".tmp";
/// An older temporary file was left by a crash, because writing one takes milliseconds.
const ABANDONED: Duration = Duration::from_secs(60);

/// How often an operation is tried again while another program has the file open, and after how
/// long. All tries together take less time than a person notices after a click.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// Whether a write waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The value survives a crash of the machine as soon as the call has returned.
    Synced,
    /// The value survives the end of the process. After a crash of the machine the value before it
    /// may be there again, as a whole.
    Unsynced,
}

/// A lock between processes, held until it is dropped, and released when its holder dies.
pub trait HeldLock: Send + Sync {}

/// Where the records of one account are stored: whole values, by names without folders. Calls block
/// for as long as a disk does.
///
/// A model of a disk keeps two maps, what was written and what is synced: a crash of the
/// process leaves the first, a crash of the machine the second. `rename` and `remove` are
/// synced when they return, as is a write with [`Durability::Synced`].
pub trait RecordStore: Send + Sync + 'static {
    /// The value of `name`; `None` if it is certain that there is none.
    ///
    /// # Errors
    /// If it exists and cannot be read now, or if that is not known.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Replaces `name` as a whole: after a crash either the old or the new value is there.
    ///
    /// # Errors
    /// If there is no room or no permission to write. The old value then stays.
    fn write(&self, name: &str, value: &[u8], durability: Durability) -> io::Result<()>;

    /// Renames `from` to `to`, which it replaces. Needs no room on the disk.
    ///
    /// # Errors
    /// If there is no `from`, or no permission to write.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes `name`; it is no error if there is none.
    ///
    /// # Errors
    /// If it is still there.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Whether there is a record `name`, readable or not.
    ///
    /// # Errors
    /// If that is not known now.
    fn exists(&self, name: &str) -> io::Result<bool> {
        Ok(self.list()?.iter().any(|held| held == name))
    }

    /// The names of all records. A folder inside this one is none.
    ///
    /// # Errors
    /// If they cannot be listed.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Takes the lock `name` if nobody holds it, in this process or another; `None` if somebody
    /// does.
    ///
    /// # Errors
    /// If the file system has no locks.
    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn HeldLock>>>;
}

/// A folder of files: mode 0600, each written to a temporary file and renamed into place.
#[derive(Clone, Debug)]
pub struct FolderRecords(PathBuf);

impl FolderRecords {
    /// Opens the folder, creates it with mode 0700 if it does not exist, and removes the temporary
    /// files of writers that were killed.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        let records = Self(folder);
        records.clear_abandoned();
        Ok(records)
    }

    /// Removes abandoned temporary files. They are recognised by their age, because another process
    /// may be writing one now.
    fn clear_abandoned(&self) {
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let temporary = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.ends_with(TEMPORARY));
            let modified = entry.metadata().and_then(|about| about.modified());
            let age = modified.map(|then| then.elapsed().unwrap_or_default());
            if temporary && age.is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The folder itself.
    #[cfg(any(test, feature = "testing"))]
    pub fn folder(&self) -> &std::path::Path {
        &self.0
    }

    #[cfg(unix)]
    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// Windows has no call for this; the rename itself is journaled by NTFS.
    #[cfg(not(unix))]
    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }
}

impl RecordStore for FolderRecords {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match patiently(|| fs::read(self.0.join(name))) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, value: &[u8], durability: Durability) -> io::Result<()> {
        let temporary = self
            .0
            .join(format!("{name}.{}{TEMPORARY}", uuid::Uuid::new_v4()));
        let written = (|| {
            let mut options = File::options();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&temporary)?;
            file.write_all(value)?;
            if durability == Durability::Synced {
                file.sync_all()?;
            }
            patiently(|| fs::rename(&temporary, self.0.join(name)))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
        match durability {
            Durability::Synced => self.sync_folder(),
            Durability::Unsynced => Ok(()),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        patiently(|| fs::rename(self.0.join(from), self.0.join(to)))?;
        self.sync_folder()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match patiently(|| fs::remove_file(self.0.join(name))) {
            Ok(()) => self.sync_folder(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.0.join(name).try_exists()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            // A folder inside is no record: it has records of its own.
            if let Ok(name) = entry.file_name().into_string()
                && !name.ends_with(TEMPORARY)
                && !entry.file_type()?.is_dir()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn HeldLock>>> {
        let lock = FileLock::try_take(&self.0.join(name))?;
        Ok(lock.map(|lock| Box::new(lock) as Box<dyn HeldLock>))
    }
}

impl HeldLock for FileLock {}

/// Does `act`, and tries it again for a moment if another program has the file open: Windows then
/// refuses access, and virus scanners open each new file.
fn patiently<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..TRIES {
        match act() {
            Err(error) if is_in_use(&error) => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
    act()
}

#[cfg(windows)]
fn is_in_use(error: &io::Error) -> bool {
    const ERROR_ACCESS_DENIED: i32 = 5;
    const ERROR_SHARING_VIOLATION: i32 = 32;
    let code = error.raw_os_error();
    matches!(code, Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION))
}

#[cfg(not(windows))]
fn is_in_use(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(records: &FolderRecords, name: &str) -> bool {
        records.folder().join(name).exists()
    }

    #[test]
    fn a_record_comes_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let records = FolderRecords::open(folder.path().join("a/b")).unwrap();
        assert_eq!(records.read("x.json").unwrap(), None);
        records.write("x.json", b"1", Durability::Synced).unwrap();
        records.write("x.json", b"2", Durability::Unsynced).unwrap();
        assert_eq!(records.read("x.json").unwrap(), Some(b"2".to_vec()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = fs::metadata(records.folder().join("x.json")).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
            let folder = fs::metadata(records.folder()).unwrap();
            assert_eq!(folder.permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(records.list().unwrap(), ["x.json"], "no temporary file");
        records.remove("x.json").unwrap();
        records.remove("x.json").unwrap();
        assert!(!has(&records, "x.json"));
    }

    #[test]
    fn what_a_killed_writer_left_is_cleared_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let records = FolderRecords::open(folder.path()).unwrap();
        records.write("x.json", b"1", Durability::Synced).unwrap();
        let make = |name: &str, age: Duration| {
            let file = File::create(folder.path().join(name)).unwrap();
            let then = std::time::SystemTime::now() - age;
            file.set_modified(then).unwrap();
        };
        make("x.json.left.tmp", ABANDONED * 2);
        make("x.json.being-written.tmp", Duration::ZERO);
        make("x.json.damaged", ABANDONED * 2);
        FolderRecords::open(folder.path()).unwrap();
        assert!(!has(&records, "x.json.left.tmp"), "left by a crash");
        assert!(has(&records, "x.json.being-written.tmp"), "in use");
        assert!(
            has(&records, "x.json.damaged"),
            "for the person who looks into it"
        );
        assert_eq!(records.read("x.json").unwrap(), Some(b"1".to_vec()));
    }

    #[test]
    fn what_cannot_be_read_is_not_absent() {
        let folder = tempfile::tempdir().unwrap();
        let records = FolderRecords::open(folder.path()).unwrap();
        fs::create_dir(folder.path().join("x.json")).unwrap();
        records.read("x.json").expect_err("a folder in its place");
        assert_eq!(records.read("y.json").unwrap(), None);
    }
}
