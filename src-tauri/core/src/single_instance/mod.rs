//! One process owns a folder, and with it the windows. A file lock decides which: the kernel
//! releases it when its holder dies, however that happens. Only the owner listens, on a socket or
//! pipe (its door). A later launch connects there, so that the owner shows its window, hands over its
//! arguments, and then exits. A later launch registers nothing. So two processes that start at once cannot both exit,
//! which happens with a name in the system that each of them takes while the other one does.
//!
//! The owner writes a note beside the lock: the address of its door, its process id and the name of
//! its computer, for the message of a launch that gets no answer. Several computers may share a
//! home folder on a file server. Another computer may then hold the lock, and no launch here can
//! reach its door.

mod handed_over;
#[cfg_attr(unix, path = "listener_unix.rs")]
#[cfg_attr(windows, path = "listener_windows.rs")]
mod listener;
mod owner_note;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::storage::file_lock::FileLock;

pub use self::handed_over::{Arguments, LONGEST_ARGUMENT, MOST_ARGUMENTS};
use self::listener::Listener;
use self::owner_note::OwnerNote;

/// What a later launch sends, and what the owner answers.
const SHOW_REQUEST: &[u8; 5] = b"show\n";
const SHOWN_ANSWER: &[u8; 3] = b"ok\n";
/// How long either side waits for the other's message.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// What the owner does when a later launch asks it to show itself, with what that launch hands over.
pub type OnLaunch = Arc<dyn Fn(Arguments) + Send + Sync>;

/// This process owns the folder, until this is dropped or the process ends.
pub struct InstanceOwner {
    // The door is dropped before the lock, so that no launch finds the door of a process that is no
    // longer the owner.
    door: Option<Listener>,
    _lock: FileLock,
}

/// The result of [`claim`].
pub enum Claim {
    /// This process owns the folder.
    Owned(InstanceOwner),
    /// Another process owns it and was asked to show itself, so this process can exit.
    HandedOver,
    /// Another process owns it and does not answer.
    Unresponsive(UnresponsiveOwner),
}

/// What is known of an owner that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnresponsiveOwner(Option<OwnerNote>);

/// Makes this process the owner of `folder`, or asks the owner to show itself and hands `arguments` over
/// to it. Tries both for as long as `timeout`, because an owner may be just starting or ending.
///
/// # Errors
/// If the folder cannot be used, or its file system has no locks.
pub fn claim(
    folder: &Path,
    timeout: Duration,
    arguments: &Arguments,
    launched: &OnLaunch,
) -> io::Result<Claim> {
    std::fs::create_dir_all(folder)?;
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(lock) = FileLock::try_take(&folder.join("instance.lock"))? {
            return Ok(Claim::Owned(become_owner(folder, lock, launched)));
        }
        let note = OwnerNote::read(folder);
        if let Some(address) = note.as_ref().and_then(|note| note.door.as_deref())
            && listener::hand_over(address, arguments)
        {
            return Ok(Claim::HandedOver);
        }
        if Instant::now() >= deadline {
            return Ok(Claim::Unresponsive(UnresponsiveOwner(note)));
        }
        std::thread::sleep(RETRY_PAUSE);
    }
}

/// Logs that the owner shows itself and has not confirmed what was handed over: it may be of a version
/// that takes nothing. It is not sent again, because it may have arrived.
fn log_unconfirmed(error: &io::Error) {
    tracing::warn!(
        %error,
        "the running process has not confirmed the arguments of this launch; they may be lost"
    );
}

/// Holding the lock makes this process the owner. It also works without a door or a note, so a
/// failure there is only logged.
fn become_owner(folder: &Path, lock: FileLock, launched: &OnLaunch) -> InstanceOwner {
    if let Some(address) = OwnerNote::read(folder).and_then(|note| note.door) {
        listener::remove(&address);
    }
    let door = Listener::open(folder, launched.clone());
    let door = door
        .inspect_err(|error| {
            tracing::warn!(
                %error,
                "no door for later launches could be opened: they cannot bring this window to the \
                 front"
            );
        })
        .ok();
    let note = OwnerNote::of_this_process(door.as_ref().map(Listener::address));
    if let Err(error) = note.write(folder) {
        tracing::warn!(
            %error,
            "the note for later launches could not be written: they cannot bring this window to \
             the front"
        );
    }
    InstanceOwner { door, _lock: lock }
}

impl InstanceOwner {
    /// Whether a later launch can ask this process to show itself.
    pub fn has_listener(&self) -> bool {
        self.door.is_some()
    }
}

impl UnresponsiveOwner {
    /// Why the app with this name cannot start, and what to do about it.
    pub fn words(&self, app: &str) -> String {
        let Some(note) = &self.0 else {
            return format!(
                "{app} is already running and does not answer. End that process, or sign out of \
                 this computer and in again."
            );
        };
        let OwnerNote {
            host,
            process,
            door,
        } = note;
        if *host != owner_note::host_name() {
            return format!(
                "{app} is running on the computer \"{host}\", which has the same home folder as \
                 this one. End it there, then try again. If that computer was switched off \
                 without ending it, the file server keeps its lock for a few minutes."
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
        let note = OwnerNote {
            host: host.into(),
            process: 4711,
            door: door.map(Into::into),
        };
        UnresponsiveOwner(Some(note)).words("Vestibule")
    }

    #[test]
    fn the_words_name_who_has_to_be_ended_and_where() {
        let here = owner_note::host_name();
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
            (
                UnresponsiveOwner(None).words("Vestibule"),
                "End that process",
            ),
        ] {
            assert!(
                words.starts_with("Vestibule is ") && words.contains(says),
                "{words}"
            );
        }
    }
}
