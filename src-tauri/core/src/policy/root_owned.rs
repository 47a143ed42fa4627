//! A policy in a file that only root can have written.

use std::fs::symlink_metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use serde_json::Value;

use crate::profile::{Layer, Mistake, ProfileError};

const FILE: &str = "policy.toml";
#[cfg(target_os = "macos")]
const ABOVE: &str = "/Library/Application Support";
#[cfg(not(target_os = "macos"))]
const ABOVE: &str = "/etc";
const ROOT: u32 = 0;
/// Writable by the group, or by everybody. If an access control list lets another user write, that
/// shows in the group's bit (acl(5), "correspondence between ACL entries and file permission
/// bits").
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The folder of an app's policy.
pub(super) fn folder(identifier: &str) -> PathBuf {
    Path::new(ABOVE).join(identifier)
}

/// The policy in `folder`: its path and its values; `None` if there is none.
///
/// # Errors
/// If anybody but root can write the folder or the file, or the file cannot be read.
pub(super) fn find(folder: &Path) -> Result<Option<(String, Value)>, ProfileError> {
    let file = folder.join(FILE);
    // The folder is checked first: a user who can write in it decides which file is there.
    for (path, is_folder) in [(folder, true), (&file, false)] {
        let refused = |reason: String| {
            let place = path.display().to_string();
            Err(Mistake::new("", reason).in_place(place))
        };
        match symlink_metadata(path) {
            Ok(held) => {
                if let Some(reason) = distrust(held.uid(), held.mode(), is_folder) {
                    return refused(reason.to_owned());
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return refused(format!("cannot be read: {}", error.kind())),
        }
    }
    let layer = Layer::file(&file)?;
    Ok(Some((layer.place().to_owned(), layer.into_value())))
}

/// Why a user other than root may have written it.
fn distrust(owner: u32, mode: u32, is_folder: bool) -> Option<&'static str> {
    match (FileType::from_raw_mode(mode), is_folder) {
        (FileType::Symlink, _) => {
            return Some("is a link: put the folder or file itself there");
        }
        (FileType::Directory, true) | (FileType::RegularFile, false) => {}
        (_, true) => return Some("is not a folder"),
        (_, false) => return Some("is not a file"),
    }
    if owner != ROOT {
        return Some("does not belong to root: have the administrator own it (chown root)");
    }
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Some("can be written by others than root: remove that permission (chmod go-w)");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir, remove_dir_all, rename, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    const FOLDER: u32 = 0o040_000;
    const PLAIN: u32 = 0o100_000;
    const LINK: u32 = 0o120_000;
    const PIPE: u32 = 0o010_000;

    #[test]
    fn only_what_root_alone_can_write_is_trusted() {
        for (owner, mode, is_folder, said) in [
            (0, FOLDER | 0o755, true, None),
            (0, FOLDER | 0o700, true, None),
            (0, PLAIN | 0o644, false, None),
            (0, PLAIN | 0o400, false, None),
            (1000, FOLDER | 0o755, true, Some("does not belong to root")),
            (1000, PLAIN | 0o444, false, Some("does not belong to root")),
            (
                65_534,
                PLAIN | 0o644,
                false,
                Some("does not belong to root"),
            ),
            (0, FOLDER | 0o775, true, Some("can be written by others")),
            (0, FOLDER | 0o757, true, Some("can be written by others")),
            (0, FOLDER | 0o1777, true, Some("can be written by others")),
            (0, PLAIN | 0o664, false, Some("can be written by others")),
            (0, PLAIN | 0o646, false, Some("can be written by others")),
            (0, LINK | 0o777, true, Some("is a link")),
            (0, LINK | 0o777, false, Some("is a link")),
            (0, PLAIN | 0o644, true, Some("is not a folder")),
            (0, FOLDER | 0o755, false, Some("is not a file")),
            (0, PIPE | 0o644, false, Some("is not a file")),
        ] {
            let told = distrust(owner, mode, is_folder);
            let is_right = match (told, said) {
                (Some(told), Some(said)) => told.starts_with(said),
                (told, said) => told.is_none() && said.is_none(),
            };
            assert!(is_right, "{owner} {mode:o} {is_folder}: {told:?}");
        }
    }

    /// What `find` answers for a folder after `change`.
    fn found(change: impl FnOnce(&Path)) -> Result<Option<(String, Value)>, String> {
        let above = tempfile::tempdir().expect("a folder");
        let folder = above.path().join("dev.vestibule.desktop");
        create_dir(&folder).expect("a folder");
        write(folder.join(FILE), "schema = 1").expect("a file");
        mode(&folder, 0o755);
        mode(&folder.join(FILE), 0o644);
        change(&folder);
        find(&folder).map_err(|error| {
            let text = error.to_string();
            assert!(text.starts_with(&folder.display().to_string()), "{text}");
            text
        })
    }

    fn mode(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).expect("its owner may");
    }

    #[test]
    fn where_none_is_there_is_none() {
        let above = tempfile::tempdir().expect("a folder");
        assert_eq!(find(&above.path().join("nobody")), Ok(None));
    }

    /// For root, the file is read as long as nobody else could have written it. For any other user,
    /// the user's own file is refused at once.
    #[test]
    fn the_disk_is_asked_for_folder_and_file() {
        let untouched = found(|_| ());
        let own = tempfile::tempdir().expect("a folder");
        if symlink_metadata(own.path()).expect("its facts").uid() != ROOT {
            let said = untouched.expect_err("it is this user's");
            assert!(said.contains("does not belong to root"), "{said}");
            return;
        }
        let (place, value) = untouched.expect("it is root's").expect("it is there");
        assert!(
            place.ends_with("dev.vestibule.desktop/policy.toml"),
            "{place}"
        );
        assert_eq!(value, serde_json::json!({"schema": 1}));
        let gone = found(|folder| std::fs::remove_file(folder.join(FILE)).expect("it was there"));
        assert_eq!(gone, Ok(None));
        let theirs = |path: &Path| chown(path, Some(65_534), None).expect("root may");
        for (said, about) in [
            (found(theirs), "desktop: does not belong to root"),
            (
                found(|folder| theirs(&folder.join(FILE))),
                "policy.toml: does not belong to root",
            ),
            (
                found(|folder| mode(folder, 0o775)),
                "desktop: can be written by others",
            ),
            (
                found(|folder| mode(&folder.join(FILE), 0o666)),
                "policy.toml: can be written by others",
            ),
            (
                found(|folder| {
                    let moved = folder.join("moved");
                    rename(folder.join(FILE), &moved).expect("it moves");
                    symlink(moved, folder.join(FILE)).expect("a link");
                }),
                "policy.toml: is a link",
            ),
        ] {
            let said = said.expect_err(about);
            assert!(said.contains(about), "{said}");
        }
    }

    #[test]
    fn what_is_no_folder_is_told() {
        let said = found(|folder| {
            remove_dir_all(folder).expect("it was there");
            write(folder, "").expect("a file");
        });
        assert!(said.expect_err("a file").contains("is not a folder"));
        let said = found(|folder| {
            let moved = folder.with_extension("moved");
            rename(folder, &moved).expect("it moves");
            symlink(moved, folder).expect("a link");
        });
        assert!(said.expect_err("a link").contains("is a link"));
    }
}
