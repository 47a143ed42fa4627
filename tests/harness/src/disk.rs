//! A full disk, and records that cannot be read for a moment; for any user, also root, and without
//! mounting anything.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

/// The names of the records in a folder, without lock files.
pub fn files_of(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.into_string().expect("a plain name"))
        .filter(|name| !name.ends_with(".lock") && !name.ends_with(".tmp"))
        .collect();
    names.sort();
    names
}

/// A record that is replaced by a symbolic link to itself: it exists and cannot be read, and a
/// write replaces the link.
#[cfg(unix)]
pub struct Unreadable {
    path: PathBuf,
    away: PathBuf,
}

#[cfg(unix)]
impl Unreadable {
    /// Makes the record of this name unreadable.
    pub fn make(folder: &Path, name: &str) -> Self {
        let path = folder.join(name);
        let away = folder.with_file_name(format!("{name}.away"));
        fs::rename(&path, &away).expect("a record");
        std::os::unix::fs::symlink(&path, &path).expect("a link");
        Self { path, away }
    }

    /// Whether the record was overwritten.
    pub fn is_written_over(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|about| about.is_file())
    }

    /// Makes the record readable again, unless it was overwritten.
    pub fn heal(self) {
        if !self.is_written_over() {
            let _ = fs::remove_file(&self.path);
            fs::rename(&self.away, &self.path).expect("back again");
        }
    }
}

/// A folder that behaves as on a full disk: files can be read, renamed and removed, but not
/// written, since the path of a file being written would be too long.
#[cfg(target_os = "linux")]
pub struct Cramped {
    usual: PathBuf,
    /// Where the records are now.
    pub records: PathBuf,
}

/// Longer than the name of any record, shorter than that of any file being written.
#[cfg(target_os = "linux")]
const LONGEST_NAME: usize = 30;
#[cfg(target_os = "linux")]
const LONGEST_PATH: usize = 4095;

#[cfg(target_os = "linux")]
impl Cramped {
    /// Moves the records into such a folder.
    pub fn move_in(usual: &Path) -> Self {
        let mut records = usual.with_file_name("cramped");
        let length = LONGEST_PATH - LONGEST_NAME - 1;
        while let left @ 2.. = length.saturating_sub(records.as_os_str().len()) {
            records.push("x".repeat((left - 1).min(200)));
        }
        let parent = records.parent().expect("a folder");
        fs::create_dir_all(parent).expect("folders");
        fs::rename(usual, &records).expect("moved");
        Self {
            usual: usual.to_owned(),
            records,
        }
    }

    /// Moves the records back, so that they can be written again.
    pub fn move_out(self) {
        fs::rename(&self.records, &self.usual).expect("moved back");
    }
}
