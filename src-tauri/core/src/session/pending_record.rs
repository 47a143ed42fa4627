//! The record of pending sign-outs: which keyring items there are, of which session, and since
//! when. No secret. Several processes may share it, so each changes only what is its own, one
//! at a time. What cannot be read is not taken for empty, and not written over.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::process_lock::take;
use super::record::Records;
use crate::identity::SessionId;
use crate::storage::records::Durability;

pub(super) const RECORD: &str = "pending-sign-outs.json";
/// Not the rotation's: that one may be held for as long as a request takes.
const LOCK: &str = "pending-sign-outs.lock";
/// How long another process's change is waited for; it takes milliseconds.
const LOCK_LIMIT: Duration = Duration::from_secs(3);
/// After this time the backend has long forgotten the token.
const KEPT_FOR_MS: u64 = 7 * 24 * 3600 * 1000;
/// What is found too old gets so much more, once: the clock may have been wrong when it was
/// written, or be wrong now.
const MORE_MS: u64 = 24 * 3600 * 1000;

/// One pending sign-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Names the keyring item.
    pub slot: Uuid,
    /// The session that is over. None in an entry of commit ff703f2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The session whose sign-in has ended it: where that sign-in never came about, this one
    /// is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<SessionId>,
    /// The token goes to this origin only.
    pub origin: String,
    /// Milliseconds since the epoch.
    since: u64,
    /// Milliseconds since the epoch: when it is let go after all, once it was found too old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

/// The whole record; commit ff703f2 wrote the list alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Numbered { entries: Vec<Entry> },
    List(Vec<Entry>),
}

#[derive(Serialize)]
struct Entries<'a> {
    entries: &'a [Entry],
}

impl Entry {
    pub fn new(
        session: Option<SessionId>,
        replaced_by: Option<SessionId>,
        origin: String,
        now_ms: u64,
    ) -> Self {
        Self {
            slot: Uuid::new_v4(),
            session,
            replaced_by,
            origin,
            since: now_ms,
            until: None,
        }
    }

    /// After one more try in vain: the entry to be kept, or `Err` with one whose time is over.
    pub fn aged(mut self, now_ms: u64) -> Result<Self, Self> {
        match self.until {
            Some(until) if now_ms > until => return Err(self),
            None if now_ms.saturating_sub(self.since) > KEPT_FOR_MS => {
                self.until = Some(now_ms.saturating_add(MORE_MS));
            }
            Some(_) | None => {}
        }
        Ok(self)
    }
}

/// The record on disk.
pub(super) struct PendingRecord {
    records: Records,
    /// One change at a time in this process.
    changing: tokio::sync::Mutex<()>,
}

impl PendingRecord {
    pub fn new(records: Records) -> Self {
        Self {
            records,
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Whoever's they are.
    ///
    /// # Errors
    /// If they are there and cannot be read now.
    pub fn read(&self) -> io::Result<Vec<Entry>> {
        read(&self.records)
    }

    /// Adds an entry, or replaces the one of this slot. Answers whether it is on disk.
    pub async fn put(&self, entry: Entry) -> bool {
        let slot = entry.slot;
        self.change(slot, Some(entry)).await
    }

    /// Removes the entry of this slot. Answers whether that is on disk.
    pub async fn remove(&self, slot: Uuid) -> bool {
        self.change(slot, None).await
    }

    async fn change(&self, slot: Uuid, entry: Option<Entry>) -> bool {
        let _one = self.changing.lock().await;
        let until = Instant::now() + LOCK_LIMIT;
        let lock = take(self.records.store(), LOCK, until).await;
        if !matches!(lock, Ok(Some(_))) {
            // A sign-out that is on no disk is worse than one that another is not on.
            tracing::warn!("the record of pending sign-outs is changed without its lock");
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
                let entries = Entries { entries: &entries };
                records.write(RECORD, &entries, Durability::Synced)
            }
        });
        let saved = saved
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        if let Err(error) = &saved {
            tracing::error!(kind = %error.kind(), "the record of pending sign-outs is not changed");
        }
        saved.is_ok()
    }
}

fn read(records: &Records) -> io::Result<Vec<Entry>> {
    let stored = match records.store().read(RECORD)? {
        Some(bytes) if bytes.trim_ascii_start().starts_with(b"[") => {
            serde_json::from_slice(&bytes).map(Stored::List).ok()
        }
        Some(_) | None => None,
    };
    let stored = match stored {
        Some(list) => Some(list),
        None => records.read_or_put_aside(RECORD)?,
    };
    Ok(match stored {
        Some(Stored::Numbered { entries } | Stored::List(entries)) => entries,
        None => Vec::new(),
    })
}
