//! The end of a session by its user. It ends here at once, whatever the network does. Its token
//! goes to the pending sign-outs, from which the backend is told when it can be reached.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::commit::Persist;
use super::context::Context;
use super::epoch::Epoch;
use super::keyring_status::{KEYRING_RETRY_INTERVAL, KeyringStatus};
use super::open_session::{OpenChallenge, OpenSession};
use super::other_processes::OtherProcesses;
use super::reconcile::{DiskState, Reconcile};
use super::record::{Marker, Record};
use crate::failpoints::failpoint;
use crate::identity::SessionId;
use crate::secrets::Secret;
use crate::state::Event;
use crate::token::RefreshToken;
use crate::wire::{Cause, LogoutReply, SignedOutReason};

/// Signs the user out.
pub(super) struct SignOut {
    pub context: Arc<Context>,
    pub reconcile: Arc<Reconcile>,
    pub others: Arc<OtherProcesses>,
}

/// What the backend needs to be told of a session that has ended.
struct Left {
    session: SessionId,
    token: RefreshToken,
    access: Option<Secret>,
}

/// A sign-out that is shown, and what is still to be done about it.
struct Shown {
    epoch: Epoch,
    left: Option<Left>,
    /// The session, if any, whose item may still be under the name that commit ff703f2 used.
    legacy: Option<SessionId>,
    /// What is known of the keyring, to be written if it could not be emptied.
    record: Option<Box<Record>>,
    challenge: Option<OpenChallenge>,
}

impl Left {
    fn of(held: &OpenSession) -> Option<Self> {
        Some(Self {
            session: held.id,
            token: held.token.clone()?,
            access: held.access_text(),
        })
    }
}

impl SignOut {
    /// Ends the session here, and tells the backend when it can be reached. Always succeeds;
    /// returns once the sign-out is on disk and shown.
    pub(super) async fn run(self: &Arc<Self>) -> LogoutReply {
        let me = self.clone();
        let shown = tokio::task::spawn_blocking(move || me.end_here()).await;
        // Only a panic or the end of the runtime can have stopped it.
        if let Ok(shown) = shown {
            failpoint!("logout.shown");
            let me = self.clone();
            tokio::spawn(async move { me.finish(shown).await });
        }
        LogoutReply { success: true }
    }

    /// The same for a person who has clicked: where the profile says so, the browser opens the provider's
    /// page that ends the provider's own session.
    pub(super) async fn run_by_person(self: &Arc<Self>) -> LogoutReply {
        let page = self.provider_page();
        let reply = self.run().await;
        if let Some(page) = page {
            let desktop = self.context.desktop.clone();
            // The sign-out does not wait for a browser.
            tokio::task::spawn_blocking(move || {
                if let Err(error) = desktop.open(&page) {
                    tracing::warn!(%error, "the provider's page that ends its own session could not be opened");
                }
            });
        }
        reply
    }

    /// The provider's page that ends its own session, where the session is a provider's and the profile
    /// wants it.
    fn provider_page(&self) -> Option<Url> {
        let (token, id_token) = self.context.shared.look(|inner| {
            let held = inner.session.as_ref()?;
            let access = held.access.as_ref();
            let id_token = access.and_then(|access| access.token.id_token.clone());
            Some((held.token.as_ref()?.provider()?.clone(), id_token))
        })?;
        let backend = &self.context.backend;
        backend.end_session_page(&token, id_token.as_ref())
    }

    /// Writes the sign-out marker, forgets the session and publishes that. Blocks for a few file
    /// writes.
    fn end_here(&self) -> Shown {
        let context = &self.context;
        // The session is read before the marker is written: a rotation that finds the marker first
        // ends the session itself and leaves the token to be revoked here.
        let (seen, session) = context.shared.look(|inner| {
            let held = inner.session.as_ref();
            (held.and_then(Left::of), inner.session_id())
        });
        // The marker comes first and waits for no lock: from here on no start finds anybody signed
        // in.
        self.mark(session);
        failpoint!("logout.marked");
        let _records_lock = context.persistence.lock_records();
        // A sign-in that was being written may have removed the marker. The next one finds its
        // epoch over, so a second marker stays.
        let is_current = context.shared.look(super::inner::Inner::session_id);
        let marker = context.persistence.records().marker();
        if is_current != session || !matches!(marker, Ok(Some(_))) {
            self.mark(is_current);
        }
        let mut at = context.shared.end_all();
        let held = at.drop_session();
        let left = held.as_ref().and_then(Left::of).or(seen);
        let challenge = at.void_attempts();
        let record = held.as_ref().map(|held| {
            let until_quit = at.keyring.lasts_until_quit();
            Box::new(context.persistence.ended_record(held, until_quit))
        });
        let legacy = held.and_then(|held| held.legacy_item);
        at.keyring = KeyringStatus::Obsolete(context.shared.now() + KEYRING_RETRY_INTERVAL);
        self.others.begin_anonymous_jar(&mut at);
        let epoch = at.epoch();
        at.publish(Cause::Logout, Event::SignedOut);
        Shown {
            epoch,
            left,
            legacy,
            record,
            challenge,
        }
    }

    async fn finish(&self, shown: Shown) {
        let context = &self.context;
        let Shown {
            epoch,
            left,
            legacy,
            record,
            challenge,
        } = shown;
        // Until the token is in its slot, no sign-in may overwrite the keyring item.
        let local_lock = context.lock.local_lock().await;
        if let Some(left) = left {
            let ended = context.ended_session(left.session, left.token, left.access);
            // Before anything is deleted, it is checked once more whether the token is stored.
            let _ = context.pending.put(ended).await;
        }
        failpoint!("logout.slotted");
        // The keyring may hold another session too, which then is ended as well.
        let keyring = match self.reconcile.read_disk(epoch).await {
            Ok(disk) => self.empty_keyring(epoch, &disk, legacy).await,
            Err(_) => KeyringStatus::Obsolete(context.shared.now() + KEYRING_RETRY_INTERVAL),
        };
        context.pending.release_unclaimed();
        if let Some(mut at) = context.shared.in_epoch(epoch) {
            at.keyring = keyring;
            context.shared.wake.notify_one();
        }
        drop(local_lock);
        failpoint!("logout.deleted");
        // A new sign-in may have begun meanwhile. This event leaves its code prompt, or its wait for the
        // browser, open.
        let over = |_: &mut super::inner::Inner, _: bool| Event::Ended(SignedOutReason::ByUser);
        let persist = match keyring {
            // The keyring item is another process's, and so is the record.
            KeyringStatus::Unknown(None) => Persist::Nothing,
            keyring => Persist::end(keyring, record),
        };
        let _ = context
            .commit
            .commit(epoch, persist, Cause::Logout, over)
            .await;
        let device = context.shared.look(|inner| inner.device.clone());
        if let Some(challenge) = challenge {
            let ended = context.ended_session(SessionId::new(), challenge.token, None);
            context.revoke(ended, challenge.device);
        }
        context.deliver_due(&device).await;
        failpoint!("logout.told");
    }

    fn mark(&self, session: Option<SessionId>) {
        let marker = Marker {
            session,
            why: SignedOutReason::ByUser,
        };
        if let Err(error) = self.context.persistence.records().write_marker(marker) {
            tracing::error!(
                kind = %error.kind(),
                "the sign-out marker cannot be written: until the keyring is emptied, a restart \
                 may bring the session back"
            );
        }
    }

    /// Hands what the keyring holds to the pending sign-outs and empties it. If another process has
    /// signed in, the item is left alone. Returns what is then known of the keyring.
    async fn empty_keyring(
        &self,
        epoch: Epoch,
        disk: &DiskState,
        legacy: Option<SessionId>,
    ) -> KeyringStatus {
        let context = &self.context;
        let is_over = |record: &Record| {
            context
                .shared
                .look(|inner| inner.over.contains(&record.session))
                || disk.marker.is_some_and(|it| it.ends(record.session))
        };
        let record = disk.record.as_ref();
        if record.is_some_and(|record| !is_over(record)) {
            return KeyringStatus::Unknown(None);
        }
        let legacy = legacy.or(record.and_then(|record| record.legacy_item));
        context.items.empty_keyring(epoch, legacy).await
    }

    /// Tries again, if that is due, to remove what the keyring holds of a session that is over.
    pub(super) async fn clear_obsolete(&self) {
        let context = &self.context;
        let now = context.shared.now();
        let epoch = context.shared.look(|inner| {
            let due = inner.keyring.clear_due().is_some_and(|due| due <= now);
            (due && inner.session.is_none()).then(|| inner.epoch())
        });
        let Some(epoch) = epoch else { return };
        if let Some(mut at) = context.shared.in_epoch(epoch) {
            at.keyring = KeyringStatus::Obsolete(now + KEYRING_RETRY_INTERVAL);
        }
        // Not while another process may be signing in.
        let locks = context.lock.both_locks(Duration::ZERO).await;
        if locks.rotation_lock.is_none() {
            return;
        }
        let Ok(disk) = self.reconcile.read_disk(epoch).await else {
            return;
        };
        let keyring = self.empty_keyring(epoch, &disk, None).await;
        context.pending.release_unclaimed();
        let persist = match disk.record.is_some() && keyring == KeyringStatus::Nothing {
            true => Persist::NoSession,
            false => Persist::Nothing,
        };
        let emptied = |inner: &mut super::inner::Inner, _: bool| {
            inner.keyring = keyring;
            Event::Remembered(false)
        };
        let _ = context
            .commit
            .commit(epoch, persist, Cause::Storage, emptied)
            .await;
    }
}
