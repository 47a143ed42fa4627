//! One process owns a folder, and with it the windows. A file lock decides which: the kernel
//! releases it when its holder dies, however that happens. Nothing else makes an owner, and only
//! the owner has a door: a later launch knocks there, so that the owner shows itself, and leaves.
//! Whoever knocks registers nothing. So two that meet can never both leave, as they could with a
//! name in the system that each of them takes while the other one does.
//!
//! The owner leaves a note beside the lock: where its door is, and which process on which computer
//! it is, for the words of a launch that gets no answer. A home folder on a file server is shared
//! by computers. There the lock may be held by another computer, which no launch can knock at.

#[cfg_attr(unix, path = "door_unix.rs")]
#[cfg_attr(windows, path = "door_windows.rs")]
mod door;
mod note;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::storage::file_lock::FileLock;

use self::door::Door;
use self::note::Note;

/// What a later launch says, and what it is answered.
const KNOCK: &[u8] = b"show\n";
const ANSWER: &[u8] = b"ok\n";
/// How long either side waits for the other's words.
const LIMIT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// What is done when somebody knocks.
pub type Shown = Arc<dyn Fn() + Send + Sync>;

/// This process owns the folder, until this is dropped or the process ends.
pub struct Owner {
    // In this order: nobody finds a door whose owner has let go of the lock.
    door: Option<Door>,
    _lock: FileLock,
}

/// What came of a claim.
pub enum Claim {
    /// This process owns the folder.
    Owned(Owner),
    /// Another one does and was asked to show itself: this process has nothing left to do.
    HandedOver,
    /// Another one does and does not answer.
    Unanswered(Unanswered),
}

/// What is known of an owner that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered(Option<Note>);

/// Makes this process the owner of `folder`, or asks the owner to show itself. Tries both for as
/// long as `patience`: an owner may be just ending or beginning.
///
/// # Errors
/// If the folder cannot be used, or its file system has no locks.
pub fn claim(folder: &Path, patience: Duration, shown: &Shown) -> io::Result<Claim> {
    std::fs::create_dir_all(folder)?;
    let deadline = Instant::now() + patience;
    loop {
        if let Some(lock) = FileLock::try_take(&folder.join("instance.lock"))? {
            return Ok(Claim::Owned(own(folder, lock, shown)));
        }
        let note = Note::read(folder);
        if let Some(address) = note.as_ref().and_then(|note| note.door.as_deref())
            && door::knock(address)
        {
            return Ok(Claim::HandedOver);
        }
        if Instant::now() >= deadline {
            return Ok(Claim::Unanswered(Unanswered(note)));
        }
        std::thread::sleep(PAUSE);
    }
}

/// The lock makes the owner. Without a door or a note nobody can knock, but nobody has to.
fn own(folder: &Path, lock: FileLock, shown: &Shown) -> Owner {
    if let Some(address) = Note::read(folder).and_then(|note| note.door) {
        door::remove(&address);
    }
    let door = Door::open(folder, shown.clone());
    let door = door
        .inspect_err(|error| {
            tracing::warn!(%error, "a second launch cannot bring this one to the front");
        })
        .ok();
    let note = Note::of_this_process(door.as_ref().map(Door::address));
    if let Err(error) = note.write(folder) {
        tracing::warn!(%error, "a second launch cannot find this one");
    }
    Owner { door, _lock: lock }
}

impl Owner {
    /// Whether a later launch can have this one shown.
    pub fn has_a_door(&self) -> bool {
        self.door.is_some()
    }
}

impl Unanswered {
    /// Why the app of this name cannot start, and who can mend it how.
    pub fn words(&self, app: &str) -> String {
        let Some(note) = &self.0 else {
            return format!(
                "{app} is already running and does not answer. End that process, or sign out of \
                 this computer and in again."
            );
        };
        let Note {
            host,
            process,
            door,
        } = note;
        if *host != note::host() {
            return format!(
                "{app} is running on the computer \"{host}\", which has the same home folder as \
                 this one. End it there, then try again. If that computer was switched off \
                 without ending it, the file server keeps it in mind for a few minutes."
            );
        }
        match door {
            Some(_) => format!(
                "{app} is already running, as process {process}, and does not answer. End that \
                 process, or sign out of this computer and in again."
            ),
            None => format!(
                "{app} is already running, as process {process}, and cannot be brought to the \
                 front from here: look for its window, or end that process."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unanswered(host: &str, door: Option<&str>) -> String {
        let note = Note {
            host: host.into(),
            process: 4711,
            door: door.map(Into::into),
        };
        Unanswered(Some(note)).words("Vestibule")
    }

    #[test]
    fn the_words_name_who_has_to_be_ended_and_where() {
        let here = note::host();
        for (words, says) in [
            (
                unanswered(&here, Some("x")),
                "process 4711, and does not answer",
            ),
            (unanswered(&here, None), "look for its window"),
            (
                unanswered("otherhost", Some("x")),
                "on the computer \"otherhost\"",
            ),
            (Unanswered(None).words("Vestibule"), "End that process"),
        ] {
            assert!(
                words.starts_with("Vestibule is ") && words.contains(says),
                "{words}"
            );
        }
    }
}
