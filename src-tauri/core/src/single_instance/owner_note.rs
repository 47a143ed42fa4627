//! What the owner of a folder says of itself, for launches that find the folder owned. It is not in
//! the lock's own file, because on Windows no other process can read a locked file.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{ANSWER_TIMEOUT, RETRY_PAUSE};

const NAME: &str = "instance.json";
/// Longer than any note that we write.
const MAX_NOTE_BYTES: u64 = 4096;

/// The owner's computer, process and door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnerNote {
    /// The computer's name.
    pub host: String,
    pub process: u32,
    /// The address of the owner's door; `None` if it could not open one.
    pub door: Option<String>,
}

impl OwnerNote {
    pub(super) fn of_this_process(door: Option<&str>) -> Self {
        Self {
            host: host_name(),
            process: std::process::id(),
            door: door.map(Into::into),
        }
    }

    /// The note in `folder`; `None` if it cannot be read.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(NAME);
        let is_ours = fs::metadata(&path).is_ok_and(|about| about.len() <= MAX_NOTE_BYTES);
        serde_json::from_slice(&is_ours.then(|| fs::read(path).ok())??).ok()
    }

    /// Replaces the note in `folder` in one step, so that no launch reads half of it.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(NAME);
        let new = path.with_extension("json.new");
        let mut options = fs::File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&new)?.write_all(&serde_json::to_vec(self)?)?;
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        // Windows may refuse the rename while a launch has the old note open, which lasts a moment.
        loop {
            match fs::rename(&new, &path) {
                Err(_) if Instant::now() < deadline => std::thread::sleep(RETRY_PAUSE),
                written => return written,
            }
        }
    }
}

/// This computer's name.
#[cfg(unix)]
pub(super) fn host_name() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

/// This computer's name.
#[cfg(not(unix))]
pub(super) fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_nothing_else_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(OwnerNote::read(folder.path()), None);
        for door in [None, Some("somewhere")] {
            let note = OwnerNote::of_this_process(door);
            note.write(folder.path()).expect("written");
            assert_eq!(OwnerNote::read(folder.path()), Some(note));
        }
        for other in ["", "{}", "null", &" ".repeat(1 << 20)] {
            fs::write(folder.path().join(NAME), other).expect("written");
            assert_eq!(OwnerNote::read(folder.path()), None);
        }
    }
}
