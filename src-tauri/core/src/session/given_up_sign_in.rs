//! A sign-in that was given up while its session was being written: by a cancel, or because another sign-in
//! has begun. The session never began here, so what was written of it is taken back.

use std::sync::Arc;

use super::commit::Persist;
use super::context::Context;
use super::epoch::Epoch;
use super::inner::Inner;
use super::keyring_status::{KEYRING_RETRY_INTERVAL, KeyringStatus};
use super::open_session::OpenSession;
use super::pending_sign_outs::EndedSession;
use super::record::Marker;
use crate::cookies::Jar;
use crate::state::Event;
use crate::wire::{Cause, SignedOutReason};

/// Takes back what was written of this session, and hands `ended` to the pending sign-outs before the keyring
/// is emptied. Does nothing once `epoch` is over: then a sign-out, or another sign-in, has done so.
///
/// A session that was in use before this sign-in ends too: its token may have been overwritten in the keyring,
/// and a sign-in over a session ends that session.
pub(super) async fn take_back(
    context: &Arc<Context>,
    epoch: Epoch,
    held: &OpenSession,
    ended: EndedSession,
) {
    let next = {
        let Some(mut at) = context.shared.in_epoch(epoch) else {
            return;
        };
        let next = at.begin_epoch();
        at.drop_session();
        at.over.insert(held.id);
        // The cookies and the connections are still those of the session before.
        at.replace_jar(Jar::default());
        context.backend.close_idle_connections();
        at.keyring = KeyringStatus::Obsolete(context.shared.now() + KEYRING_RETRY_INTERVAL);
        next
    };
    tracing::info!("a sign-in was given up while it was being written: its session is taken back");
    // From here on no start takes it for a session.
    let marker = Marker {
        session: Some(held.id),
        why: SignedOutReason::ByUser,
    };
    let asking = context.clone();
    let is_current = move || asking.is_current(next);
    let marked = context
        .persistence
        .with_records(is_current, move |records| records.write_marker(marker));
    let _ = marked.await;
    let _ = context.pending.put(ended).await;
    let keyring = context.items.empty_keyring(next, held.legacy_item).await;
    let record = context.persistence.ended_record(held, false);
    let persist = Persist::end(keyring, Some(Box::new(record)));
    let change = |inner: &mut Inner, _: bool| {
        inner.keyring = keyring;
        Event::Ended(SignedOutReason::ByUser)
    };
    let _ = context
        .commit
        .commit(next, persist, Cause::Logout, change)
        .await;
}
