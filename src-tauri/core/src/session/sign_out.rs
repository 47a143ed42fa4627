//! The end of a session by its user: here first, at once, whatever the network does.

use super::Session;
use crate::cookies::RefreshToken;
use crate::device::Device;
use crate::journal::{Journal, LastUser, SignedOut};
use crate::state::Event;
use crate::vault::Stamp;
use crate::wire::{Cause, LogoutReply, SignedOutReason};

impl Session {
    /// Ends the session here and tells the backend when it can be reached. Always
    /// succeeds; returns once the sign-out is on disk and shown.
    pub async fn logout(&self) -> LogoutReply {
        let session = self.clone();
        let over = tokio::task::spawn_blocking(move || session.end_here()).await;
        // Only a panic or the end of the runtime could have stopped it.
        let Ok((stamp, generation, token, device)) = over else {
            return LogoutReply { success: true };
        };
        let session = self.clone();
        tokio::spawn(async move {
            if session.0.vault.delete(stamp).await.is_err() {
                tracing::warn!("the keyring item stays until the next start; the marker holds");
            }
            let _ = session
                .on_disk(stamp, move |records| {
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

    /// Marks the sign-out on disk, forgets the session and shows it. Blocks for a few file
    /// writes.
    fn end_here(&self) -> (Stamp, u64, Option<RefreshToken>, Device) {
        // A sign-in that is being written finds its stamp outdated afterwards, or has
        // removed an older marker before: either way this one stays.
        let _turn = self.writing();
        let why = SignedOutReason::ByUser;
        // First the marker: from here on no start is signed in, whatever comes next.
        if let Err(error) = (SignedOut { why }).write(&self.0.records) {
            tracing::error!(kind = %error.kind(), "the sign-out marker cannot be written");
        }
        let mut held = self.held();
        let stamp = held.supersede();
        let token = held.drop_session();
        held.challenge = None;
        held.given_up += 1;
        self.0.backend.forget_cookies();
        self.publish(&mut held, Cause::Logout, Event::SignedOut);
        (stamp, held.generation, token, held.device.clone())
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
