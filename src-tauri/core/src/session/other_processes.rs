//! What other processes of this installation have done to the session that is held here: they may
//! have renewed its token, signed out or signed in.

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::epoch::Epoch;
use super::inner::EpochGuard;
use super::item::Item;
use super::keyring_status::KeyringStatus;
use super::reconcile::{DiskState, Reconciled};
use super::record::RotationPhase;
use crate::cookies::Jar;
use crate::error::{AuthError, ErrorCode};
use crate::identity::SessionId;
use crate::state::Event;
use crate::wire::{Cause, SignedOutReason};

/// Compares the session held here with what other processes have left on disk and in the keyring.
pub(super) struct OtherProcesses {
    context: Arc<Context>,
}

impl OtherProcesses {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Compares the session held here with disk and keyring, and takes over what another process
    /// has done to it.
    pub(super) async fn adopt_changes(
        &self,
        epoch: Epoch,
        disk: DiskState,
    ) -> Result<Reconciled, AuthError> {
        let shared = &self.context.shared;
        let (session, ignores_unnamed, legacy) = {
            let at = shared.in_epoch(epoch).ok_or(ErrorCode::NotSignedIn)?;
            let held = at.session.as_ref().ok_or(ErrorCode::NotSignedIn)?;
            (held.id, at.ignores_unnamed_marker, held.legacy_item)
        };
        if let Some(marker) = disk.marker
            && marker.ends(session)
            && !(ignores_unnamed && marker.session.is_none())
        {
            self.adopt_sign_out(epoch, marker.why);
            return Err(ErrorCode::NotSignedIn.into());
        }
        let items = self.context.persistence.read_items(legacy).await;
        let mut at = shared.in_epoch(epoch).ok_or(ErrorCode::NotSignedIn)?;
        let record = disk.record.as_ref();
        let interrupted = record.is_some_and(|record| {
            record.session == session && record.phase == RotationPhase::Rotating
        });
        let is_unknown = |id: SessionId| id != session && !at.over.contains(&id);
        if let Some(record) = record.filter(|record| is_unknown(record.session))
            && let Ok(items) = &items
            && items.iter().any(|item| item.session == record.session)
        {
            self.switch_session(at);
            return Err(ErrorCode::NotSignedIn.into());
        }
        let held = at.session.as_ref().ok_or(ErrorCode::NotSignedIn)?;
        let generation = held.generation;
        let newest = items.as_deref().unwrap_or_default().iter().filter(|item| {
            item.session == session
                && item.generation > generation
                && item.origin == self.context.persistence.origin
                && !item.token.is_empty()
        });
        let newest = newest.max_by_key(|item| item.generation).cloned();
        if let Some(item) = newest {
            tracing::info!(
                generation = item.generation.number(),
                "another process has renewed the token: it is used from now on"
            );
            adopt_token(&mut at, item);
        } else if record.is_some_and(|it| it.session == session && it.generation > generation) {
            // Our token was replaced, and its successor cannot be read. The backend would take ours
            // for reuse.
            drop(at);
            return Err(self.context.retry_later(epoch));
        }
        Ok(Reconciled::TokenHeld { interrupted })
    }

    /// Another process has signed out or found the session to be over, so it is over here too. The
    /// token is revoked by that process.
    pub(super) fn adopt_sign_out(&self, epoch: Epoch, why: SignedOutReason) {
        let Some(mut at) = self.context.shared.in_epoch(epoch) else {
            return;
        };
        at.begin_epoch();
        at.drop_session();
        at.keyring = KeyringStatus::Unknown(None);
        self.begin_anonymous_jar(&mut at);
        // This event leaves the code prompt of a sign-in that has begun in this process open.
        at.publish(Cause::Logout, Event::Ended(why));
    }

    /// Another process has signed in: the session held here is over, and the new one is read from
    /// disk and keyring.
    pub(super) fn switch_session(&self, mut at: EpochGuard<'_>) {
        tracing::info!(
            "another process has signed in: its session replaces the one of this process"
        );
        at.begin_epoch();
        let held = at.drop_session();
        at.keyring = KeyringStatus::Unknown(None);
        self.begin_anonymous_jar(&mut at);
        at.plan
            .try_again_in(self.context.shared.now(), Duration::ZERO);
        at.publish(Cause::Login, Event::OwnerUnknown);
        if let Some(held) = held
            && let Some(token) = &held.token
        {
            let access = held.access_text();
            let ended = self.context.ended_session(held.id, token.clone(), access);
            self.context.revoke(ended, held.device);
        }
    }

    /// The cookies and the connections of the session that is over are not used from here on.
    pub(super) fn begin_anonymous_jar(&self, at: &mut EpochGuard<'_>) {
        at.replace_jar(Jar::default());
        self.context.backend.end_connections();
    }
}

fn adopt_token(at: &mut EpochGuard<'_>, item: Item) {
    if let Some(held) = &mut at.session {
        held.generation = item.generation;
        held.saved_generation = Some(item.generation);
        held.token = Some(item.token);
        held.is_last_chance = false;
    }
    at.keyring = KeyringStatus::Saved;
}
