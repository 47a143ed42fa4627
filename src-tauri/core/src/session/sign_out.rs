//! The end of a session by its user: here first, at once, whatever the network does.

use super::Session;
use crate::cookies::RefreshToken;
use crate::device::Device;
use crate::journal::{Journal, LastUser, SignedOut};
use crate::state::Event;
use crate::wire::{Cause, LogoutReply, SignedOutReason};

impl Session {
    /// Ends the session here and tells the backend when it can be reached. Always
    /// succeeds; returns once the sign-out is on disk and shown.
    pub async fn logout(&self) -> LogoutReply {
        // First the marker: from here on no start is signed in, whatever comes next.
        let why = SignedOutReason::ByUser;
        let _ = self
            .on_disk(move |records| SignedOut { why }.write(records))
            .await;
        let (stamp, generation, token, device) = {
            let mut held = self.held();
            let stamp = held.supersede();
            let token = held.drop_session();
            held.challenge = None;
            self.0.backend.forget_cookies();
            self.publish(&mut held, Cause::Logout, Event::SignedOut);
            (stamp, held.generation, token, held.device.clone())
        };
        let session = self.clone();
        tokio::spawn(async move {
            if session.0.vault.delete(stamp).await.is_err() {
                tracing::warn!("the keyring item stays until the next start; the marker holds");
            }
            let _ = session
                .on_disk(move |records| {
                    LastUser::clear(records)?;
                    Journal::idle(generation, None).write(records)
                })
                .await;
        });
        if let Some(token) = token {
            self.revoke(token, device);
        }
        LogoutReply { success: true }
    }

    /// Tells the backend that `token` is not used any more; tried once, in the background.
    pub(super) fn revoke(&self, token: RefreshToken, device: Device) {
        let backend = self.0.backend.clone();
        tokio::spawn(async move {
            if let Err(fault) = backend.logout(&token, &device).await {
                tracing::warn!(%fault, "the backend was not told of the sign-out");
            }
        });
    }
}
