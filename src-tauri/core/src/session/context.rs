//! What all verbs of a session share.

use std::sync::Arc;
use std::time::Duration;

use super::commit::Committer;
use super::epoch::Epoch;
use super::inner::{Inner, Shared};
use super::item_keeper::ItemKeeper;
use super::pending_sign_outs::{EndedSession, PendingSignOuts};
use super::persistence::Persistence;
use super::process_lock::ProcessLock;
use super::sign_out_delivery::{DueSignOuts, SignOutDelivery};
use super::trusted_device::TrustedDevice;
use crate::backend::Backend;
use crate::browser::Desktop;
use crate::cookies::Jar;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::identity::SessionId;
use crate::secrets::Secret;
use crate::token::RefreshToken;

/// How long until records or a keyring that could not be read are read again.
const READ_RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Shared by the verbs. It calls none of them.
pub(super) struct Context {
    pub shared: Arc<Shared>,
    pub persistence: Arc<Persistence>,
    pub commit: Committer,
    pub items: ItemKeeper,
    pub pending: Arc<PendingSignOuts>,
    pub delivery: SignOutDelivery,
    pub trusted: TrustedDevice,
    pub lock: ProcessLock,
    pub backend: Backend,
    pub product: String,
    pub desktop: Arc<dyn Desktop>,
}

impl Context {
    /// Whether `epoch` is still the current one.
    pub(super) fn is_current(&self, epoch: Epoch) -> bool {
        self.shared.in_epoch(epoch).is_some()
    }

    /// The backend for a sign-in, with a jar of its own: it is the session's once the sign-in is
    /// taken into use, and lost if it is not. It begins with the cookies of nobody's jar. Where
    /// somebody is signed in it begins empty: the cookies of one person do not go along with the
    /// sign-in of another.
    pub(super) fn backend_for_sign_in(&self) -> Backend {
        let jar = self.shared.look(|inner| match inner.session {
            None => inner.jar().copy(),
            Some(_) => Jar::default(),
        });
        self.backend.with_jar(jar)
    }

    /// Whether closing the session now would lose nothing: see [`super::Session::is_at_rest`].
    pub(super) fn is_at_rest(&self) -> bool {
        self.shared.look(Inner::is_at_rest) && !self.pending.is_owing()
    }

    /// The error of a request that is not sent now. Plans another try soon.
    pub(super) fn retry_later(&self, epoch: Epoch) -> AuthError {
        if let Some(mut at) = self.shared.in_epoch(epoch) {
            let now = self.shared.now();
            at.plan.try_again_in(now, READ_RETRY_INTERVAL);
            self.shared.wake.notify_one();
        }
        AuthError::with_message(
            ErrorCode::Busy,
            "The app could not read the session on this computer just now. It tries again by \
             itself.",
        )
    }

    /// A session that is over, for the pending sign-outs. Not to be called while a guard of the shared
    /// state is held: whose session it was is looked up there.
    pub(super) fn ended_session(
        &self,
        session: SessionId,
        token: RefreshToken,
        access: Option<Secret>,
    ) -> EndedSession {
        let user = |inner: &Inner| inner.user_of(session).map(str::to_owned);
        EndedSession {
            session,
            user: self.shared.look(user),
            replaced_by: None,
            origin: self.persistence.origin.clone(),
            token,
            access,
        }
    }

    /// Tells the backend that `token` is no longer used, in a task of its own; if that fails, also
    /// after a restart.
    pub(super) fn revoke(self: &Arc<Self>, ended: EndedSession, device: Device) {
        if ended.token.is_empty() {
            return;
        }
        let context = self.clone();
        tokio::spawn(async move {
            // If neither disk nor keyring has stored it, the backend is still told, from memory.
            let _ = context.pending.put(ended).await;
            context.deliver_due(&device).await;
        });
    }

    /// Delivers the pending sign-outs that are due to the backend.
    pub(super) async fn deliver_due(&self, device: &Device) {
        if let Some(due) = self.delivery.take_due(self.shared.look(Inner::in_use)) {
            self.deliver(due, device).await;
        }
    }

    /// Delivers the sign-outs in `due` to the backend.
    pub(super) async fn deliver(&self, due: DueSignOuts, device: &Device) {
        let in_use = || self.shared.look(Inner::grant_in_use);
        self.delivery
            .deliver(due, &self.backend, device, in_use)
            .await;
        if self.shared.look(|inner| inner.session.is_none()) {
            self.backend.end_connections();
        }
        // A sign-out that could not be delivered has a time for its next try, which the scheduler
        // has to know.
        self.shared.wake.notify_one();
    }
}
