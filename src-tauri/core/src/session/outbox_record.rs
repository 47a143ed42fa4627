//! The record of undelivered sign-outs: which keyring items there are, whose, and since when.
//! No secret. Several processes may share it, so each changes only what is its own, one at a
//! time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::lock::Lock;
use crate::records::Records;

const RECORD: &str = "outbox.json";
/// Not the rotation's: that one may be held for as long as a request takes.
const LOCK: &str = "outbox.lock";
/// How long another process's change is waited for; it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);
/// After this time the backend has long forgotten the token.
const KEPT_FOR_MS: u64 = 7 * 24 * 3600 * 1000;
/// What is found too old gets so much more, once: the clock may have been wrong when it was
/// written, or be wrong now.
const MORE_MS: u64 = 24 * 3600 * 1000;

/// One undelivered sign-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Names the keyring item.
    pub slot: Uuid,
    /// The token goes to this origin only.
    pub origin: String,
    /// Milliseconds since the epoch.
    since: u64,
    /// Milliseconds since the epoch: when it is let go after all, once it was found too old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

impl Entry {
    pub fn new(origin: String, now_ms: u64) -> Self {
        Self {
            slot: Uuid::new_v4(),
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
pub(super) struct Record {
    records: Records,
    /// One change at a time in this process.
    changing: tokio::sync::Mutex<()>,
}

impl Record {
    pub fn new(records: &Records) -> Self {
        Self {
            records: records.clone(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Whoever's they are.
    pub fn read(&self) -> Vec<Entry> {
        self.records.read(RECORD).unwrap_or_default()
    }

    /// Adds an entry, or replaces the one of this slot. Answers whether it is on disk.
    pub async fn put(&self, entry: Entry) -> bool {
        let slot = entry.slot;
        self.change(slot, Some(entry)).await
    }

    /// Removes the entry of this slot.
    pub async fn remove(&self, slot: Uuid) {
        self.change(slot, None).await;
    }

    async fn change(&self, slot: Uuid, entry: Option<Entry>) -> bool {
        let _one = self.changing.lock().await;
        let lock = Lock::take(&self.records.folder().join(LOCK), PATIENCE).await;
        if !matches!(lock, Ok(Some(_))) {
            // A sign-out that is on no disk is worse than one that another is not on.
            tracing::warn!("the record of undelivered sign-outs is changed without its lock");
        }
        let records = self.records.clone();
        let saved = tokio::task::spawn_blocking(move || {
            let _lock = lock;
            let mut entries: Vec<Entry> = records.read(RECORD).unwrap_or_default();
            entries.retain(|held| held.slot != slot);
            entries.extend(entry);
            if entries.is_empty() {
                records.remove(RECORD)
            } else {
                records.write(RECORD, &entries)
            }
        });
        let is_saved = matches!(saved.await, Ok(Ok(())));
        if !is_saved {
            tracing::error!("the record of undelivered sign-outs cannot be written");
        }
        is_saved
    }
}
