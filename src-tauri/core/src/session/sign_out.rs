//! The end of a session by its user: here first, at once, whatever the network does. The
//! token goes to the outbox, from which the backend is told when it can be reached.

use super::outbox::Due;
use super::{Held, Session};
use crate::device::Device;
use crate::journal::{Journal, LastUser, SignedOut};
use crate::secrets::Secret;
use crate::state::Event;
use crate::steps::step;
use crate::token::RefreshToken;
use crate::vault::Stamp;
use crate::wire::{Cause, LogoutReply, SignedOutReason};

/// What is left of a session: its refresh token, and an access token if there was one.
type Left = (RefreshToken, Option<Secret>);

impl Held {
    fn left(&self) -> Option<Left> {
        let token = self.token.clone()?;
        Some((token, self.access_text()))
    }
}

impl Session {
    /// Ends the session here and tells the backend when it can be reached. Always
    /// succeeds; returns once the sign-out is on disk and shown.
    pub async fn logout(&self) -> LogoutReply {
        let session = self.clone();
        let over = tokio::task::spawn_blocking(move || session.end_here()).await;
        // Only a panic or the end of the runtime could have stopped it.
        let Ok((stamp, generation, left, device)) = over else {
            return LogoutReply { success: true };
        };
        step!("logout.shown");
        let session = self.clone();
        tokio::spawn(async move {
            // Until the token is in its slot no sign-in may write over the keyring's item.
            let settled = session.0.taking_over.lock().await;
            let is_replaced = session.held().left_over.is_some();
            let is_known = left.is_some() && !is_replaced;
            let mut safe = match left {
                Some((token, access)) => {
                    session.0.outbox.put(token, access, session.origin()).await
                }
                None => Ok(()),
            };
            if !is_known {
                // The click came before the keyring was read, or it holds another session yet.
                safe = safe.and(session.revoke_stored(stamp).await);
            }
            step!("logout.slotted");
            session.empty_keyring(stamp, safe).await;
            drop(settled);
            step!("logout.deleted");
            let _ = session
                .on_disk(stamp, move |records| {
                    LastUser::clear(records)?;
                    Journal::idle(generation, None).write(records)
                })
                .await;
            session.tell(&device).await;
            step!("logout.told");
        });
        LogoutReply { success: true }
    }

    /// Marks the sign-out on disk, forgets the session and shows it. Blocks for a few file
    /// writes.
    fn end_here(&self) -> (Stamp, u64, Option<Left>, Device) {
        // A rotation that finds the marker before this has ended the session ends it itself,
        // and takes it for another process's to revoke.
        let seen = self.held().left();
        // First the marker, and it waits for nobody: from here on no start is signed in.
        self.mark_signed_out();
        step!("logout.marked");
        let _turn = self.writing();
        // A sign-in that was being written may have removed it at its end. The next to be
        // written finds its stamp outdated, so this one stays.
        if !matches!(SignedOut::read(&self.0.records), Ok(Some(_))) {
            self.mark_signed_out();
        }
        let mut held = self.held();
        let stamp = held.supersede();
        let left = held.left().or(seen);
        held.drop_session();
        held.challenge = None;
        held.given_up += 1;
        self.0.backend.forget();
        self.publish(&mut held, Cause::Logout, Event::SignedOut);
        (stamp, held.generation, left, held.device.clone())
    }

    fn mark_signed_out(&self) {
        if let Err(error) = SignedOut::write_by_user(&self.0.records) {
            tracing::error!(kind = %error.kind(), "the sign-out marker cannot be written");
        }
    }

    /// Tells the backend that `token` is not used any more; again after a restart if need be.
    pub(super) fn revoke(&self, token: RefreshToken, access: Option<Secret>, device: Device) {
        let session = self.clone();
        tokio::spawn(async move {
            let origin = session.origin();
            // It is told at once, from memory if need be.
            let _ = session.0.outbox.put(token, access, origin).await;
            session.tell(&device).await;
        });
    }

    /// Tells the backend of sign-outs, unless someone is at it or a failure asks for patience.
    async fn tell(&self, device: &Device) {
        if let Some(due) = self.0.outbox.take_due() {
            self.deliver(due, device).await;
        }
    }

    /// Tells it, for whoever found it due.
    pub(super) async fn deliver(&self, due: Due, device: &Device) {
        self.0.outbox.deliver(due, &self.0.backend, device).await;
        if self.held().token.is_none() {
            self.0.backend.hang_up();
        }
        // What was not heard has a time for its next try.
        self.0.wake.notify_one();
    }

    /// Another process has signed out: so has this one. The token is that one's to revoke.
    pub(super) fn follow_sign_out(&self, stamp: Stamp, why: SignedOutReason) {
        let mut held = self.held();
        if held.stamp != stamp {
            return;
        }
        held.supersede();
        held.drop_session();
        self.0.backend.forget();
        let event = match why {
            SignedOutReason::ByUser => Event::SignedOut,
            why => Event::Ended(why),
        };
        self.publish(&mut held, Cause::Logout, event);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::time::Duration;

    use vestibule_backend::Backend;

    use super::*;
    use crate::profile::Profile;
    use crate::secrets::MemoryStore;
    use crate::session::Config;
    use crate::wire::LoginInput;

    /// Longer than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(20);

    async fn signed_in(backend: &Backend, folder: &tempfile::TempDir) -> Session {
        let session = Session::open(Config {
            workspace: "default".into(),
            profile: Profile::from_json(serde_json::json!({"backend": backend.url()})).unwrap(),
            folder: folder.path().to_owned(),
            store: Arc::new(MemoryStore::default()),
            product: "Vestibule 0.1.0".into(),
        })
        .unwrap();
        let input = LoginInput::new("demo@vestibule.test", "vestibule-demo");
        session.login(input).await.unwrap();
        session
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_marker_waits_for_no_lock_and_outlasts_who_holds_it() {
        let backend = Backend::start(vestibule_backend::Config::default());
        let backend = backend.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let session = signed_in(&backend, &folder).await;
        let records = session.0.records.clone();
        let (marked, seen) = mpsc::channel();
        let (clicked, click) = mpsc::channel();
        let writer = session.clone();
        let runtime = tokio::runtime::Handle::current();
        // A sign-in at its writes: slow, and at the end it removes the marker.
        let held = std::thread::spawn(move || {
            let turn = writer.writing();
            clicked.send(()).unwrap();
            let limit = std::time::Instant::now() + PATIENCE;
            while SignedOut::read(&writer.0.records).unwrap().is_none() {
                if std::time::Instant::now() > limit {
                    marked.send(false).unwrap();
                    return;
                }
                std::thread::yield_now();
            }
            SignedOut::clear(&writer.0.records).unwrap();
            marked.send(true).unwrap();
            drop(turn);
        });
        click.recv().unwrap();
        let leaving = session.clone();
        let over = runtime.spawn(async move { leaving.logout().await });
        let marked = tokio::task::spawn_blocking(move || seen.recv().unwrap());
        assert!(marked.await.unwrap(), "the marker was held up by a lock");
        over.await.unwrap();
        held.join().unwrap();
        assert!(
            SignedOut::read(&records).unwrap().is_some(),
            "and it stands"
        );
    }
}
