//! What a crash may interrupt, on disk: the rotation journal, the sign-out marker and the
//! last known user. None of them holds a secret; the token appears as a hash.

use std::io;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::device::Device;
use crate::records::Records;
use crate::wire::{SessionInfo, SignedOutReason, User};

const JOURNAL: &str = "journal.json";
const SIGNED_OUT: &str = "signed-out.json";
/// Becomes the marker where the disk has no room for one.
const SPARE_MARKER: &str = "signed-out.spare";
const LAST_USER: &str = "user.json";

/// What was under way when the journal was last written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Nothing.
    #[default]
    Idle,
    /// A sign-in was answered and is being written.
    Login,
    /// A refresh was sent; the backend may have rotated the token.
    Rotating,
}

/// The rotation journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Grows by one with each token that was taken into use.
    pub generation: u64,
    /// What was under way.
    pub step: Step,
    /// SHA-256 of the token that is held or was sent, in hexadecimal; none where the keyring
    /// has never held it.
    pub token_hash: Option<String>,
    /// Which attempt.
    pub attempt: Option<Uuid>,
    /// When it began, in milliseconds since the epoch.
    pub started_at: Option<u64>,
}

impl Journal {
    /// The journal on disk; a missing one is idle at generation 0.
    pub fn read(records: &Records) -> Self {
        records.read(JOURNAL).unwrap_or_default()
    }

    /// At rest with `token` in use.
    pub fn idle(generation: u64, token: Option<&[u8]>) -> Self {
        Self {
            generation,
            token_hash: token.map(hash),
            ..Self::default()
        }
    }

    /// About to send or write `token`.
    pub fn begun(generation: u64, step: Step, token: Option<&[u8]>, now_ms: u64) -> Self {
        Self {
            generation,
            step,
            token_hash: token.map(hash),
            attempt: Some(Uuid::new_v4()),
            started_at: Some(now_ms),
        }
    }

    /// Written through to the disk.
    pub fn write(&self, records: &Records) -> io::Result<()> {
        records.write(JOURNAL, self)
    }
}

fn hash(token: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(token)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The session is over, whatever else is on disk: only a sign-in removes this marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {
    /// Why, to be said again after a restart.
    pub why: SignedOutReason,
}

impl SignedOut {
    /// The marker, if it is set. One that is there and cannot be read or understood counts as
    /// set: a sign-out is never undone by damage. Nothing is written: a sign-in may remove it at
    /// any moment, and what it removed stays removed.
    ///
    /// # Errors
    /// If it cannot be told whether it is there: then nothing may be concluded.
    pub fn read(records: &Records) -> io::Result<Option<Self>> {
        let error = match records.find(SIGNED_OUT) {
            Ok(marker) => return Ok(marker),
            Err(error) => error,
        };
        if !records.exists(SIGNED_OUT)? {
            return Ok(None);
        }
        tracing::error!(kind = %error.kind(), "the sign-out marker is damaged; it counts");
        let why = SignedOutReason::ByUser;
        Ok(Some(Self { why }))
    }

    /// The marker, unless it is the one of [`Self::stands`] that a sign-in could not remove;
    /// that one it tries to remove again.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_after(records: &Records, left: Option<SystemTime>) -> io::Result<Option<Self>> {
        if left.is_some() && Self::stands(records) == left {
            let _ = Self::clear(records);
            return Ok(None);
        }
        Self::read(records)
    }

    /// Since when the marker has been set, by the file system's clock: to tell one from a
    /// later one, and for nothing else.
    pub fn stands(records: &Records) -> Option<SystemTime> {
        records.modified(SIGNED_OUT)
    }

    /// Sets the marker.
    pub fn write(self, records: &Records) -> io::Result<()> {
        records.write(SIGNED_OUT, &self)
    }

    /// Sets the marker for a person who signs out, for which [`Self::lay_aside`] has left one
    /// that takes no room.
    pub fn write_by_user(records: &Records) -> io::Result<()> {
        let why = SignedOutReason::ByUser;
        let Err(error) = (Self { why }).write(records) else {
            return Ok(());
        };
        tracing::warn!(kind = %error.kind(), "the sign-out marker is the one that was laid aside");
        records.rename(SPARE_MARKER, SIGNED_OUT)
    }

    /// Lays a marker aside while there is room on the disk: a sign-out must be possible without.
    pub fn lay_aside(records: &Records) {
        let why = SignedOutReason::ByUser;
        let laid = match records.exists(SPARE_MARKER) {
            Ok(true) => Ok(()),
            _ => records.write(SPARE_MARKER, &Self { why }),
        };
        if let Err(error) = laid {
            tracing::warn!(kind = %error.kind(), "no sign-out marker can be laid aside");
        }
    }

    /// A sign-in succeeded.
    pub fn clear(records: &Records) -> io::Result<()> {
        records.remove(SIGNED_OUT)
    }
}

/// Whom to show while the backend cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUser {
    /// The origin that this user belongs to.
    pub origin: String,
    /// Who.
    pub user: User,
    /// Their session.
    pub session: SessionInfo,
    /// The device that the session is bound to, should its own record get lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
}

impl LastUser {
    /// The last user of `origin`.
    pub fn read(records: &Records, origin: &str) -> Option<Self> {
        records
            .read(LAST_USER)
            .filter(|last: &Self| last.origin == origin)
    }

    /// A user for whom no record was found: the session gets a new id here.
    pub fn first_seen(origin: &str, user: &User) -> Self {
        Self {
            origin: origin.to_owned(),
            user: user.clone(),
            session: SessionInfo {
                id: Uuid::new_v4(),
                user_id: user.id.clone(),
                expires_at: None,
            },
            device: None,
        }
    }

    /// The device of whoever is signed in, at whichever origin.
    pub fn device(records: &Records) -> Option<Device> {
        records.read(LAST_USER).and_then(|last: Self| last.device)
    }

    /// Remembers them.
    pub fn write(&self, records: &Records) -> io::Result<()> {
        records.write(LAST_USER, self)
    }

    /// Forgets them, at sign-out.
    pub fn clear(records: &Records) -> io::Result<()> {
        records.remove(LAST_USER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_holds_a_hash_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        assert_eq!(Journal::read(&records), Journal::default());
        let journal = Journal::begun(7, Step::Rotating, Some(b"refresh-secret"), 1);
        journal.write(&records).unwrap();
        assert_eq!(Journal::read(&records), journal);
        let text = std::fs::read_to_string(folder.path().join(JOURNAL)).unwrap();
        assert!(!text.contains("refresh-secret"));
    }

    #[test]
    fn a_damaged_marker_still_means_signed_out() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        assert_eq!(SignedOut::read(&records).unwrap(), None);
        std::fs::write(folder.path().join(SIGNED_OUT), b"").unwrap();
        assert!(SignedOut::read(&records).unwrap().is_some());
        assert!(
            SignedOut::read(&records).unwrap().is_some(),
            "and at the next start too"
        );
    }

    #[test]
    fn a_marker_that_cannot_be_read_counts_and_one_that_cannot_be_seen_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        let marker = folder.path().join(SIGNED_OUT);
        std::fs::create_dir(&marker).unwrap();
        assert!(SignedOut::read(&records).unwrap().is_some());
        std::fs::remove_dir(&marker).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&marker, &marker).unwrap();
            SignedOut::read(&records).expect_err("it leads round in a circle");
        }
    }

    #[test]
    fn reading_a_damaged_marker_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        std::fs::write(folder.path().join(SIGNED_OUT), b"{").unwrap();
        assert!(SignedOut::read(&records).unwrap().is_some());
        let text = std::fs::read(folder.path().join(SIGNED_OUT)).unwrap();
        assert_eq!(text, b"{", "to write it could undo another's sign-in");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Nothing is written where a path would be too long for the name of a file being written, but
    /// not for the marker's own: as on a full disk, what is there can still be renamed.
    #[cfg(target_os = "linux")]
    #[test]
    fn where_no_marker_can_be_written_the_one_laid_aside_is_set() {
        const LONGEST_PATH: usize = 4095;
        let folder = tempfile::tempdir().unwrap();
        let mut place = folder.path().to_owned();
        let length = LONGEST_PATH - SPARE_MARKER.len() - 10;
        while let left @ 2.. = length - place.as_os_str().len() {
            place.push("x".repeat((left - 1).min(200)));
        }
        let records = Records::open(&place).unwrap();
        let written = SignedOut {
            why: SignedOutReason::ByUser,
        }
        .write(&records);
        written.expect_err("nothing can be written");
        SignedOut::write_by_user(&records).expect_err("and nothing was laid aside");
        assert_eq!(SignedOut::read(&records).unwrap(), None);

        std::fs::write(place.join(SPARE_MARKER), r#"{"why":"by_user"}"#).unwrap();
        SignedOut::write_by_user(&records).unwrap();
        assert!(SignedOut::read(&records).unwrap().is_some());
        assert!(!records.exists(SPARE_MARKER).unwrap());
    }

    #[test]
    fn a_look_never_brings_a_marker_back() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        SignedOut::read(&records).unwrap();
                    }
                });
            }
            let marker = SignedOut {
                why: SignedOutReason::ByUser,
            };
            let signing_in = || {
                marker.write(&records)?;
                SignedOut::clear(&records)?;
                std::thread::sleep(std::time::Duration::from_micros(200));
                SignedOut::read(&records)
            };
            let back: io::Result<Vec<_>> = (0..300).map(|_| signing_in()).collect();
            // Whatever came of it: the others look until then.
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            let back = back.unwrap().into_iter().flatten().count();
            assert_eq!(back, 0, "of 300 sign-ins so many were undone");
        });
    }
}
