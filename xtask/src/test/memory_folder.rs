//! A folder in memory for what tests write. They sync small files tens of thousands of times, which
//! takes minutes where a disk is slow. No test is about the disk itself: a process that is killed
//! leaves the same in memory.
//!
//! The folder has this process's id in its name. So the next run finds and removes what a killed run
//! has left; otherwise it would take up memory until the system restarts.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::parent;

/// Where Linux has a file system in memory.
const PLACE: &str = "/dev/shm";
/// With the process id a short name, because a socket's path has at most 107 bytes.
const PREFIX: &str = "vestibule-";

/// The folder, removed when it is dropped. Drop it after the processes that write into it have ended.
pub struct MemoryFolder {
    folder: TempDir,
    /// Locked until the folder is removed.
    _lock: File,
}

impl MemoryFolder {
    /// Makes one where there is room in memory. `None` means that the system's folder for temporary
    /// files has to do.
    pub fn make() -> Option<Self> {
        let place = Path::new(PLACE);
        // First, since what a killed run has left takes up the room that this run needs.
        remove_left(place);
        imp::has_room(place).then(|| Self::make_in(place).ok())?
    }

    fn make_in(place: &Path) -> io::Result<Self> {
        let name = format!("{PREFIX}{}", std::process::id());
        let mut exactly = tempfile::Builder::new();
        let folder = exactly.prefix(&name).rand_bytes(0).tempdir_in(place)?;
        let lock = File::open(folder.path())?;
        lock.lock()?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders that killed runs have left. Containers may share memory without seeing each
/// other's processes, so a folder whose process seems to be gone must also be unlocked.
fn remove_left(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let owner = owner.and_then(|id| id.parse().ok());
        // This process has made none yet: one with its id is of an earlier process.
        let is_gone = owner.is_some_and(|id| id == std::process::id() || !parent::is_alive(id));
        let path = entry.path();
        if is_gone && File::open(&path).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::fs;
    use std::path::Path;

    use rustix::fs::{StatVfsMountFlags, statfs, statvfs};

    /// `TMPFS_MAGIC` of `linux/magic.h`.
    pub const TMPFS: i128 = 0x0102_1994;
    /// What tests need at most, by far. Containers often have only 64 MB.
    pub const NEEDED: u64 = 4 << 30;

    /// What the system says of a place and of its memory.
    #[derive(Clone, Copy, Debug)]
    pub struct Facts {
        /// The kind of the file system. Its type in C differs between machines.
        pub kind: i128,
        pub is_noexec: bool,
        /// The free bytes of the file system.
        pub room: u64,
        /// The bytes of memory that programs can get. A file system in memory may be larger.
        pub memory: u64,
    }

    pub fn has_room(place: &Path) -> bool {
        facts(place).is_some_and(is_usable)
    }

    /// Whether it is in memory, programs may run from it, and there is enough for the tests.
    pub fn is_usable(facts: Facts) -> bool {
        facts.kind == TMPFS && !facts.is_noexec && facts.room >= NEEDED && facts.memory >= NEEDED
    }

    fn facts(place: &Path) -> Option<Facts> {
        let about = statvfs(place).ok()?;
        Some(Facts {
            kind: i128::from(statfs(place).ok()?.f_type),
            is_noexec: about.f_flag.contains(StatVfsMountFlags::NOEXEC),
            room: about.f_bavail.saturating_mul(about.f_frsize),
            memory: available(&fs::read_to_string("/proc/meminfo").ok()?)?,
        })
    }

    /// The bytes of `MemAvailable` in the text of `/proc/meminfo`.
    pub fn available(text: &str) -> Option<u64> {
        let rest = text
            .lines()
            .find_map(|line| line.strip_prefix("MemAvailable:"))?;
        let kilobytes: u64 = rest.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes.saturating_mul(1024))
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    pub fn has_room(_: &std::path::Path) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::imp::{Facts, NEEDED, TMPFS, available, has_room, is_usable};
    use super::*;

    #[test]
    fn a_place_must_be_in_memory_run_programs_and_have_room_in_both() {
        let enough = Facts {
            kind: TMPFS,
            is_noexec: false,
            room: NEEDED,
            memory: NEEDED,
        };
        assert!(is_usable(enough));
        let less = NEEDED - 1;
        let ext4 = Facts {
            kind: 0xef53,
            ..enough
        };
        let noexec = Facts {
            is_noexec: true,
            ..enough
        };
        let small = Facts {
            room: less,
            ..enough
        };
        let without_memory = Facts {
            memory: less,
            ..enough
        };
        for facts in [ext4, noexec, small, without_memory] {
            assert!(!is_usable(facts), "{facts:?}");
        }
    }

    #[test]
    fn other_file_systems_and_missing_folders_have_no_room() {
        assert!(!has_room(Path::new("/proc")));
        assert!(!has_room(Path::new("/there/is/no/such/folder")));
    }

    #[test]
    fn available_memory_is_read_in_bytes() {
        let text = "MemTotal:       32000000 kB\nMemFree:  9 kB\nMemAvailable:   22974776 kB\n";
        assert_eq!(available(text), Some(22_974_776 * 1024));
        assert_eq!(available("MemTotal:       32000000 kB\n"), None);
        let here = fs::read_to_string("/proc/meminfo").unwrap();
        assert!(available(&here).is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn it_is_removed_when_it_is_dropped() {
        let place = tempfile::tempdir().unwrap();
        let folder = MemoryFolder::make_in(place.path()).unwrap();
        let path = folder.path().to_owned();
        assert_eq!(path.parent(), Some(place.path()));
        fs::write(path.join("left"), "by a test").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    /// The id of a process that is gone.
    fn gone() -> u32 {
        let mut process = Command::new("true").spawn().unwrap();
        process.wait().unwrap();
        process.id()
    }

    #[test]
    fn what_killed_runs_have_left_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: String| -> PathBuf {
            let path = place.path().join(name);
            fs::create_dir_all(path.join("data")).unwrap();
            path
        };
        let left = make(format!("{PREFIX}{}", gone()));
        let with_our_id = make(format!("{PREFIX}{}", std::process::id()));
        let others = [
            make(format!("{PREFIX}1")),
            make(format!("{PREFIX}data")),
            make(format!("other-{}", gone())),
        ];
        remove_left(place.path());
        assert!(!left.exists() && !with_our_id.exists());
        for other in others {
            assert!(other.exists(), "{}", other.display());
        }
    }

    #[test]
    fn a_locked_folder_stays_though_its_process_is_not_seen() {
        let place = tempfile::tempdir().unwrap();
        // The id is ours, and `remove_left` takes it for that of an earlier process.
        let folder = MemoryFolder::make_in(place.path()).unwrap();
        remove_left(place.path());
        assert!(folder.path().exists());
    }
}
