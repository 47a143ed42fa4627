//! Small JSON files that survive a crash: written to a temporary file of mode 0600,
//! synced, renamed into place, and the folder synced. No secret belongs in one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The end of a temporary file's name.
const TEMPORARY: &str = ".tmp";
/// A temporary file that is older was left by a crash: writing one takes milliseconds.
const ABANDONED: Duration = Duration::from_secs(60);

/// How often what another program stands in the way of is tried again, and after how long. All
/// of it is less than a person waits for at a click.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// The folder of one workspace's records.
#[derive(Clone, Debug)]
pub struct Records(PathBuf);

impl Records {
    /// Opens the folder, made with mode 0700 if it is not there, and clears away what
    /// writers that were killed have left.
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

    /// Removes the temporary files that nobody will rename any more. By age, because another
    /// process may be writing one now.
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
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Reads `name`. A missing file is `None`; one that cannot be understood is put aside
    /// under another name, reported, and then `None` too: a damaged record must not keep
    /// the app from starting, and must not be overwritten unseen.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        match self.find(name) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.put_aside(name);
                None
            }
            Err(error) => {
                tracing::warn!(name, kind = %error.kind(), "a record cannot be read");
                None
            }
        }
    }

    /// Keeps a damaged record under another name, for whoever looks into it.
    pub fn put_aside(&self, name: &str) {
        tracing::warn!(name, "a record is damaged; it is put aside");
        let _ = self.rename(name, &format!("{name}.damaged"));
    }

    /// Whether `name` is there, readable or not.
    ///
    /// # Errors
    /// If that cannot be told now.
    pub fn exists(&self, name: &str) -> io::Result<bool> {
        self.0.join(name).try_exists()
    }

    /// Reads `name` in one go and changes nothing on disk. `None` means that it is not there.
    ///
    /// # Errors
    /// If it is there and cannot be read, or not be understood (`InvalidData`).
    pub fn find<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let bytes = match patiently(|| fs::read(self.0.join(name))) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let value = serde_json::from_slice(&bytes);
        value
            .map(Some)
            .map_err(|_| io::ErrorKind::InvalidData.into())
    }

    /// When `name` was last written; `None` if it is not there.
    pub fn modified(&self, name: &str) -> Option<SystemTime> {
        let about = fs::metadata(self.0.join(name)).ok()?;
        about.modified().ok()
    }

    /// Replaces `name` as a whole; after a crash either the old or the new one is there.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let bytes = serde_json::to_vec(value)?;
        let temporary = self
            .0
            .join(format!("{name}.{}{TEMPORARY}", uuid::Uuid::new_v4()));
        let written = (|| {
            let mut options = File::options();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&temporary)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            patiently(|| fs::rename(&temporary, self.0.join(name)))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
        self.sync_folder()
    }

    /// Puts the record `from` in the place of `to`, which takes no room on the disk.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        patiently(|| fs::rename(self.0.join(from), self.0.join(to)))?;
        self.sync_folder()
    }

    /// Removes `name`; nothing to remove is success.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match patiently(|| fs::remove_file(self.0.join(name))) {
            Ok(()) => self.sync_folder(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
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

/// Does `act`, again for a moment where another program has the file open: Windows then lets
/// nobody else at it, and virus scanners look at each new file.
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

    fn has(records: &Records, name: &str) -> bool {
        records.folder().join(name).exists()
    }

    #[test]
    fn a_record_comes_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path().join("a/b")).unwrap();
        assert_eq!(records.read::<Vec<u32>>("x.json"), None);
        records.write("x.json", &vec![1, 2]).unwrap();
        records.write("x.json", &vec![3]).unwrap();
        assert_eq!(records.read::<Vec<u32>>("x.json"), Some(vec![3]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = fs::metadata(records.folder().join("x.json")).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
            let folder = fs::metadata(records.folder()).unwrap();
            assert_eq!(folder.permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(
            fs::read_dir(records.folder()).unwrap().count(),
            1,
            "no temporary file stays"
        );
        records.remove("x.json").unwrap();
        records.remove("x.json").unwrap();
        assert!(!has(&records, "x.json"));
    }

    #[test]
    fn what_a_killed_writer_left_is_cleared_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        records.write("x.json", &1).unwrap();
        let make = |name: &str, age: Duration| {
            let file = File::create(folder.path().join(name)).unwrap();
            let then = std::time::SystemTime::now() - age;
            file.set_modified(then).unwrap();
        };
        make("x.json.left.tmp", ABANDONED * 2);
        make("x.json.being-written.tmp", Duration::ZERO);
        make("x.json.damaged", ABANDONED * 2);
        Records::open(folder.path()).unwrap();
        assert!(!has(&records, "x.json.left.tmp"), "left by a crash");
        assert!(has(&records, "x.json.being-written.tmp"), "in use");
        assert!(has(&records, "x.json.damaged"), "for whoever looks into it");
        assert_eq!(records.read("x.json"), Some(1));
    }

    #[test]
    fn a_damaged_record_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        fs::write(folder.path().join("x.json"), b"{\"a\":").unwrap();
        assert_eq!(records.read::<Vec<u32>>("x.json"), None);
        assert!(has(&records, "x.json.damaged"));
        records.write("x.json", &vec![1]).unwrap();
        assert_eq!(records.read::<Vec<u32>>("x.json"), Some(vec![1]));
    }
}
