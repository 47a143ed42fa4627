//! The timer that keeps someone signed in: ahead of expiry, after a failure, and when the
//! keyring could not take the token.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::rotate::Asked;
use super::sign_in::storage_after;
use super::{Held, Session, Shared};
use crate::clock::{Clock, SinceBoot};
use crate::error::AuthError;
use crate::journal::{Journal, LastUser, Step};
use crate::secrets::StoreError;
use crate::state::Event;
use crate::token::RefreshToken;
use crate::vault::Stamp;
use crate::wire::Cause;

/// The longest sleep: a machine that was suspended notices within this time.
const TICK: Duration = Duration::from_secs(30);
/// How long after a failed write the keyring is tried again.
const SAVE_AGAIN: Duration = Duration::from_secs(10);

/// Runs until the last handle of the session is gone.
pub(super) async fn run(shared: Weak<Shared>, wake: Arc<Notify>, clock: Arc<dyn Clock>) {
    loop {
        let until = {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let session = Session(shared);
            session.save_unsaved().await;
            session.look_at_left_over().await;
            let now = session.now();
            let (due, save_due, left_over_due) = {
                let held = session.held();
                (
                    held.plan.due_in(now),
                    held.save_due.map(|due| due.saturating_sub(now)),
                    held.left_over_due().map(|due| due.saturating_sub(now)),
                )
            };
            if due == Some(Duration::ZERO) {
                // A failure plans the next try itself; the result is for callers.
                let _ = session.fly(Asked::Timer).await;
                continue;
            }
            if let Some(untold) = session.0.outbox.take_due() {
                // Not in turn: a backend that hangs must not hold up the next refresh.
                let device = session.held().device.clone();
                let session = session.clone();
                tokio::spawn(async move { session.deliver(untold, &device).await });
            }
            due.into_iter()
                .chain(save_due)
                .chain(left_over_due)
                .chain(session.0.outbox.due_in())
                .min()
                .map_or(now + TICK, |next| now + next.min(TICK))
        };
        tokio::select! {
            () = clock.sleep_until(until) => {}
            () = wake.notified() => {}
        }
    }
}

impl Session {
    /// Tries again to put a token into the keyring that it would not take, once that is due.
    async fn save_unsaved(&self) {
        let due = self.held().save_due;
        if due.is_some_and(|due| due <= self.now()) {
            self.save_now().await;
        }
    }

    /// The same at once.
    pub(super) async fn save_now(&self) {
        let (stamp, generation, token, last_user) = {
            let held = self.held();
            match &held.token {
                Some(token) if !held.is_saved() => (
                    held.stamp,
                    held.generation,
                    token.clone(),
                    held.last_user.clone(),
                ),
                _ => return,
            }
        };
        let kept = self.keep(stamp, generation, &token).await;
        let recorded = match (&kept, last_user) {
            (Ok(()), Some(last_user)) => {
                let bytes = token.fingerprint_bytes();
                let written = self.on_disk(stamp, move |records| {
                    last_user.write(records)?;
                    match Journal::read(records) {
                        // A rotation is under way, or has been meanwhile: its word counts.
                        Journal {
                            step: Step::Rotating,
                            ..
                        } => Ok(()),
                        journal if journal.generation > generation => Ok(()),
                        _ => Journal::idle(generation, Some(&bytes)).write(records),
                    }
                });
                written.await.map(drop)
            }
            _ => Ok(()),
        };
        let mut held = self.held();
        if held.stamp == stamp && held.generation == generation {
            held.saved(self.now(), &kept);
            held.state.apply(Event::Storage(storage_after(&kept)));
            let remembered = kept.is_ok() && recorded.is_ok();
            self.publish(&mut held, Cause::Storage, Event::Remembered(remembered));
        }
    }

    /// What a later start finds beside the keyring's item: whose it is, and that nothing is
    /// under way.
    pub(super) async fn record(
        &self,
        stamp: Stamp,
        generation: u64,
        token: &RefreshToken,
        last_user: LastUser,
    ) -> Result<(), AuthError> {
        let bytes = token.fingerprint_bytes();
        let written = self.on_disk(stamp, move |records| {
            last_user.write(records)?;
            Journal::idle(generation, Some(&bytes)).write(records)
        });
        written.await.map(drop)
    }
}

impl Held {
    /// Notes whether the keyring holds the token, and when to try again if not.
    pub(super) fn saved(&mut self, now: SinceBoot, kept: &Result<(), StoreError>) {
        self.save_due = kept.is_err().then_some(now + SAVE_AGAIN);
        self.lasts |= kept.is_ok();
    }

    /// Whether the session outlives this run.
    pub(super) fn is_saved(&self) -> bool {
        self.save_due.is_none()
    }
}
