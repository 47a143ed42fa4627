//! A session that an API call replaces: at some backends a change of the password or of the
//! second factor gives out a new session cookie and ends the one before.
//!
//! Only where calls carry the session's cookies do they bring any back. A deletion counts for
//! nothing here: whether a session is over is for a refresh to say.

use super::rotate::Start;
use super::shared::ROTATION_PATIENCE;
use super::sign_in::storage_after;
use super::{Held, Session};
use crate::backend::Head;
use crate::cookies::{Era, RefreshChange};
use crate::journal::Journal;
use crate::state::Event;
use crate::vault::Stamp;
use crate::wire::Cause;

impl Session {
    /// Keeps the session cookies that an answer to a call of the session `stamp` sets, before
    /// anything else is done with it.
    pub(super) async fn follow(&self, stamp: Stamp, head: &mut Head) {
        if !self.0.backend.profile().cookies.with_api || !head.status().is_success() {
            return;
        }
        let changes = head.take_refresh_changes();
        let set = |change: &RefreshChange| matches!(change, RefreshChange::Set(_));
        let set: Vec<_> = changes.into_iter().filter(set).collect();
        if set.is_empty() {
            return;
        }
        // In turn with the rotations of other processes; one of this process finds out.
        let Some(_rotation_lock) = self.rotation_lock(ROTATION_PATIENCE).await else {
            tracing::warn!("a new session cookie came while another process was busy");
            return;
        };
        let _settled = self.0.taking_over.lock().await;
        if self.catch_up(stamp).await.is_err() {
            return;
        }
        let Some(start) = self.held().as_of(stamp, self.0.backend.era()) else {
            return;
        };
        let mut token = start.token.clone();
        token.apply(set);
        if token == start.token {
            return;
        }
        let generation = start.generation + 1;
        if let Some(kept) = self.keep_rotated(&start, generation, &token).await {
            let bytes = self.held().lasts.then(|| token.fingerprint_bytes());
            let record = move |records: &_| {
                Journal::idle(generation, bytes.as_deref().map(Vec::as_slice)).write(records)
            };
            let _ = self.on_disk(stamp, record).await;
            let mut held = self.held();
            if held.stamp == stamp {
                let storage = Event::Storage(storage_after(&kept));
                self.publish(&mut held, Cause::Storage, storage);
            }
        }
    }
}

impl Held {
    fn as_of(&self, stamp: Stamp, era: Era) -> Option<Start> {
        let token = self.token.clone().filter(|_| self.stamp == stamp)?;
        Some(Start {
            stamp,
            generation: self.generation,
            token,
            access: self.access_text(),
            device: self.device.clone(),
            era,
        })
    }
}
