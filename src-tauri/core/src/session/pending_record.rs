//! The record of pending sign-outs: which keyring items there are, of which session, and since
//! when. It holds no secret. Several processes may share it, so each changes only its own entries,
//! one process at a time. A record that cannot be read is neither taken for empty nor overwritten.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::process_lock::acquire;
use super::record::Records;
use crate::identity::SessionId;
use crate::storage::records::Durability;

pub(super) const RECORD: &str = "pending-sign-outs.json";
/// Not the rotation's lock, which may be held for as long as a request takes.
const LOCK: &str = "pending-sign-outs.lock";
/// How long to wait for another process's change, which takes milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// After this time the backend has long forgotten the token, so the entry is dropped.
const MAX_AGE_MS: u64 = 7 * 24 * 3600 * 1000;
/// An entry that is found too old is kept for this much longer, once: the clock may have been wrong
/// when it was written, or may be wrong now.
const EXTRA_AGE_MS: u64 = 24 * 3600 * 1000;

/// One pending sign-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingEntry {
    /// Identifies the keyring item.
    pub slot: Uuid,
    /// The session that is over; `None` in an entry of commit ff703f2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The id of its user, if that is known: a provider may revoke all tokens of one user together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The session whose sign-in has ended it. If that sign-in was never completed, this session is
    /// not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<SessionId>,
    /// The token is sent to this origin only.
    pub origin: String,
    /// Milliseconds since the epoch.
    since: u64,
    /// When an entry that was found too old is dropped, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

/// The whole record; commit ff703f2 wrote only the list.
#[derive(Deserialize)]
#[serde(untagged)]
enum RecordContent {
    Numbered { entries: Vec<PendingEntry> },
    List(Vec<PendingEntry>),
}

#[derive(Serialize)]
struct PendingEntries<'a> {
    entries: &'a [PendingEntry],
}

impl PendingEntry {
    pub(super) fn new(
        session: SessionId,
        user: Option<String>,
        replaced_by: Option<SessionId>,
        origin: String,
        now_ms: u64,
    ) -> Self {
        Self {
            slot: Uuid::new_v4(),
            session: Some(session),
            user,
            replaced_by,
            origin,
            since: now_ms,
            until: None,
        }
    }

    /// After one more failed try: the entry to be kept; `None` once its time is over.
    pub(super) fn aged(mut self, now_ms: u64) -> Option<Self> {
        match self.until {
            Some(until) if now_ms > until => return None,
            None if now_ms.saturating_sub(self.since) > MAX_AGE_MS => {
                self.until = Some(now_ms.saturating_add(EXTRA_AGE_MS));
            }
            Some(_) | None => {}
        }
        Some(self)
    }
}

/// The record on disk.
pub(super) struct PendingRecord {
    records: Records,
    /// Held for one change at a time in this process.
    changing: tokio::sync::Mutex<()>,
}

impl PendingRecord {
    pub(super) fn new(records: Records) -> Self {
        Self {
            records,
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// The entries of all processes.
    ///
    /// # Errors
    /// If the record exists and cannot be read now.
    pub(super) fn read(&self) -> io::Result<Vec<PendingEntry>> {
        read(&self.records)
    }

    /// Adds an entry, or replaces the one of this slot. Returns whether it is on disk.
    pub(super) async fn put(&self, entry: PendingEntry) -> bool {
        let slot = entry.slot;
        self.change(slot, Some(entry)).await
    }

    /// Removes the entry of this slot. Returns whether that is on disk.
    pub(super) async fn remove(&self, slot: Uuid) -> bool {
        self.change(slot, None).await
    }

    async fn change(&self, slot: Uuid, entry: Option<PendingEntry>) -> bool {
        let _one = self.changing.lock().await;
        let until = Instant::now() + LOCK_TIMEOUT;
        let lock = acquire(self.records.store(), LOCK, until).await;
        if !matches!(lock, Ok(Some(_))) {
            // Losing this sign-out would be worse than losing an entry of another process.
            tracing::warn!(
                "the record of pending sign-outs could not be locked in time: it is changed \
                 without the lock"
            );
        }
        let records = self.records.clone();
        let saved = tokio::task::spawn_blocking(move || {
            let _lock = lock;
            let mut entries = read(&records)?;
            entries.retain(|held| held.slot != slot);
            entries.extend(entry);
            if entries.is_empty() {
                records.store().remove(RECORD)
            } else {
                let entries = PendingEntries { entries: &entries };
                records.write(RECORD, &entries, Durability::Synced)
            }
        });
        let saved = saved
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        if let Err(error) = &saved {
            tracing::error!(
                kind = %error.kind(),
                "the record of pending sign-outs cannot be written: a restart may forget a \
                 sign-out, or send it again"
            );
        }
        saved.is_ok()
    }
}

fn read(records: &Records) -> io::Result<Vec<PendingEntry>> {
    let stored = match records.store().read(RECORD)? {
        Some(bytes) if bytes.trim_ascii_start().starts_with(b"[") => {
            serde_json::from_slice(&bytes).map(RecordContent::List).ok()
        }
        Some(_) | None => None,
    };
    let stored = match stored {
        Some(list) => Some(list),
        None => records.read_or_put_aside(RECORD)?,
    };
    Ok(match stored {
        Some(RecordContent::Numbered { entries } | RecordContent::List(entries)) => entries,
        None => Vec::new(),
    })
}
