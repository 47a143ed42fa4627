//! A folder in memory for what tests write. They sync small files some forty thousand times, which
//! takes minutes where a disk is slow. No test is about the disk itself: a process that is killed
//! leaves the same in memory.

use std::path::Path;

use tempfile::TempDir;

/// Where Linux has a file system in memory.
const PLACE: &str = "/dev/shm";
/// What tests need at most, by far. Containers often have only 64 MB.
const NEEDED: u64 = 4 << 30;

/// The folder, removed when it is dropped.
pub struct MemoryFolder(TempDir);

impl MemoryFolder {
    /// Makes one where there is a large enough file system in memory. `None` means that the system's
    /// folder for temporary files has to do.
    pub fn make() -> Option<Self> {
        if room_in_memory(PLACE)? < NEEDED {
            return None;
        }
        // A short name, because a socket's path has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("v").tempdir_in(PLACE);
        folder.ok().map(Self)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The free bytes of the file system at `place`, if it is one in memory from which programs may run.
#[cfg(target_os = "linux")]
fn room_in_memory(place: &str) -> Option<u64> {
    use rustix::fs::{StatVfsMountFlags, statfs, statvfs};

    /// `TMPFS_MAGIC` of `linux/magic.h`.
    const TMPFS: i64 = 0x0102_1994;
    let is_in_memory = statfs(place).ok()?.f_type == TMPFS;
    let about = statvfs(place).ok()?;
    let runs_programs = !about.f_flag.contains(StatVfsMountFlags::NOEXEC);
    (is_in_memory && runs_programs).then(|| about.f_bavail * about.f_frsize)
}

#[cfg(not(target_os = "linux"))]
fn room_in_memory(_: &str) -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_system_in_memory_counts() {
        assert_eq!(room_in_memory("/proc"), None);
        assert_eq!(room_in_memory("/there/is/no/such/folder"), None);
        let Some(folder) = MemoryFolder::make() else {
            return;
        };
        let path = folder.path().to_owned();
        assert!(path.starts_with(PLACE) && path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
