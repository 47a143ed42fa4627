//! What every verb of a session stands on.

use std::sync::Arc;
use std::time::Duration;

use super::commit::Committer;
use super::epoch::Epoch;
use super::inner::{Core, Inner};
use super::item_keeper::ItemKeeper;
use super::pending_sign_outs::{Ended, PendingSignOuts};
use super::persistence::Persistence;
use super::process_lock::ProcessLock;
use super::sign_out_delivery::{Due, SignOutDelivery};
use crate::backend::Backend;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::identity::SessionId;
use crate::secrets::Secret;
use crate::token::RefreshToken;

/// How long after what cannot be read it is read again.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// Shared by the verbs, and knowing none of them.
pub(super) struct Base {
    pub core: Arc<Core>,
    pub persistence: Arc<Persistence>,
    pub commit: Committer,
    pub items: ItemKeeper,
    pub pending: Arc<PendingSignOuts>,
    pub delivery: SignOutDelivery,
    pub lock: ProcessLock,
    pub backend: Backend,
    pub product: String,
}

impl Base {
    /// Whether `epoch` stands.
    pub fn stands(&self, epoch: Epoch) -> bool {
        self.core.at(epoch).is_some()
    }

    /// Nothing is sent now; it is tried again soon.
    pub fn put_off(&self, epoch: Epoch) -> AuthError {
        if let Some(mut at) = self.core.at(epoch) {
            let now = self.core.now();
            at.plan.look_again(now, READ_AGAIN);
            self.core.wake.notify_one();
        }
        AuthError::with_message(
            ErrorCode::Busy,
            "This computer could not get at the session just now. The app tries it again by itself.",
        )
    }

    /// A session that is over, to be handed to the pending sign-outs.
    pub fn ended(&self, session: SessionId, token: RefreshToken, access: Option<Secret>) -> Ended {
        Ended {
            session,
            replaced_by: None,
            origin: self.persistence.origin.clone(),
            token,
            access,
        }
    }

    /// Tells the backend that `token` is not used any more, in a task of its own; again after a
    /// restart if need be.
    pub fn revoke(self: &Arc<Self>, ended: Ended, device: Device) {
        if ended.token.is_empty() {
            return;
        }
        let base = self.clone();
        tokio::spawn(async move {
            // Where neither disk nor keyring has taken it, the backend is told from memory.
            let _ = base.pending.put(ended).await;
            base.tell(&device).await;
        });
    }

    /// Tells the backend of sign-outs, unless someone is at it or a failure asks for patience.
    pub async fn tell(&self, device: &Device) {
        if let Some(due) = self.delivery.take_due(self.core.look(Inner::in_use)) {
            self.deliver(due, device).await;
        }
    }

    /// Tells the backend of the sign-outs in `due`.
    pub async fn deliver(&self, due: Due, device: &Device) {
        self.delivery.deliver(due, &self.backend, device).await;
        if self.core.look(|inner| inner.session.is_none()) {
            self.backend.hang_up();
        }
        // What was not heard has a time for its next try.
        self.core.wake.notify_one();
    }
}
