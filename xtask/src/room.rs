//! The room on the disk. Without it a build fails, tests fail and a keyring refuses, each in words
//! of its own, and none of them says why.

use std::path::Path;

use crate::root;

/// What a failure may come from: with less than this free, the next large file does not fit.
const SHORT: u64 = 1 << 30;

/// The room that a whole `cargo xtask test` takes where nothing is built yet.
pub const OF_ALL_TESTS: u64 = 12 << 30;

/// The bytes that may still be written where builds go; `None` if the system does not say.
pub fn for_builds() -> Option<u64> {
    free(root::root())
}

/// Says that a disk is nearly full, if one is: that of the builds or that of temporary files.
pub fn shortage() -> Option<String> {
    let places = [root::root().to_owned(), std::env::temp_dir()];
    places
        .iter()
        .find_map(|place| shortage_of(place, free(place)?))
}

fn shortage_of(place: &Path, free: u64) -> Option<String> {
    (free < SHORT).then(|| {
        format!(
            "only {} MB are free on the disk of {}; whatever failed may have failed for that",
            free >> 20,
            place.display()
        )
    })
}

#[cfg(unix)]
fn free(place: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(place).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_nearly_full_is_named() {
        let place = Path::new("here");
        assert_eq!(shortage_of(place, SHORT), None);
        let short = shortage_of(place, 287 << 20).unwrap();
        assert!(short.starts_with("only 287 MB are free on the disk of here;"));
    }

    #[cfg(unix)]
    #[test]
    fn the_system_says_how_much_is_free() {
        assert!(free(Path::new("/")).is_some_and(|free| free > 0));
        assert_eq!(free(Path::new("/nowhere")), None);
    }
}
