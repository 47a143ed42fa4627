//! Explains to the person whose computer it is why a folder cannot be used: which one, why, and
//! what to do about it. Without the folder it is not known who is signed in, so the app shows only
//! this.

use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::error::{AuthError, ErrorCode};

/// Why `folder`, in which the app keeps its records, cannot be used, and what to do.
pub fn unusable_folder(folder: &Path, error: &Error) -> AuthError {
    let (folder, advice) = (folder.display(), advice(error));
    AuthError::with_message(
        ErrorCode::CannotStart,
        format!("The folder {folder} cannot be used: {error}. {advice}"),
    )
}

fn advice(error: &Error) -> &'static str {
    if has_no_locks(error) {
        return "Its disk cannot lock files, as some network disks cannot: put the folder on a \
                disk of this computer.";
    }
    match error.kind() {
        ErrorKind::PermissionDenied => {
            "Give your own user the permission to read and write this folder and what is in it."
        }
        ErrorKind::ReadOnlyFilesystem => "Its disk is read-only: make it writable.",
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "There is a file where a folder has to be: move that file away."
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Make room on its disk.",
        _ => "Make sure that it is there and that your own user may read and write it.",
    }
}

/// `ENOLCK` has no `ErrorKind` of its own. Some network disks answer with it.
fn has_no_locks(error: &Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error()) {
        return true;
    }
    error.kind() == ErrorKind::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_advice_and_the_folder_is_named() {
        for (kind, advice) in [
            (ErrorKind::PermissionDenied, "permission to read and write"),
            (ErrorKind::ReadOnlyFilesystem, "make it writable"),
            (ErrorKind::AlreadyExists, "move that file away"),
            (ErrorKind::NotADirectory, "move that file away"),
            (ErrorKind::StorageFull, "Make room"),
            (ErrorKind::Unsupported, "cannot lock files"),
            (ErrorKind::Other, "Make sure that it is there"),
        ] {
            let error = unusable_folder(Path::new("/home/ada/data"), &kind.into());
            assert_eq!(error.code, ErrorCode::CannotStart);
            assert!(
                error
                    .message
                    .contains("The folder /home/ada/data cannot be used")
            );
            assert!(
                error.message.contains(advice),
                "{kind:?}: {}",
                error.message
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_in_the_place_of_a_folder_is_told_as_that() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = std::fs::create_dir_all(&path).unwrap_err();
            let said = unusable_folder(&path, &error).message;
            assert!(said.contains("move that file away"), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_disk_that_is_out_of_locks_is_told_as_one_without() {
        let error = Error::from_raw_os_error(rustix::io::Errno::NOLCK.raw_os_error());
        let said = unusable_folder(Path::new("/mnt/net"), &error).message;
        assert!(said.contains("cannot lock files"), "{said}");
    }
}
