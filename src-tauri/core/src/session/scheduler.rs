//! The timer that keeps the user signed in: it refreshes ahead of expiry and after a failure, and
//! saves a token that the keyring could not take before.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::context::Context;
use super::inner::Inner;
use super::refresh::Refresh;
use super::refresh_reason::RefreshReason;
use super::sign_out::SignOut;
use super::token_keeper::TokenKeeper;

/// The longest sleep. After the machine was suspended, what is due is noticed within this time.
const TICK: Duration = Duration::from_secs(30);

/// Refreshes, saves tokens and delivers sign-outs when each is due.
pub(super) struct Scheduler {
    pub context: Arc<Context>,
    pub refresh: Arc<Refresh>,
    pub keeper: Arc<TokenKeeper>,
    pub sign_out: Arc<SignOut>,
}

impl Scheduler {
    /// Runs until the last handle of the session is gone.
    pub(super) async fn run(me: Weak<Self>) {
        loop {
            let (sleep, wake, clock) = {
                let Some(me) = me.upgrade() else { return };
                me.save_unsaved().await;
                me.sign_out.clear_obsolete().await;
                let shared = &me.context.shared;
                let now = shared.now();
                let (epoch, due, keyring) =
                    shared.look(|inner| (inner.epoch(), inner.plan.due_in(now), inner.keyring));
                if due == Some(Duration::ZERO) {
                    // A failed refresh plans its own next try; its outcome is for callers.
                    let _ = me.refresh.refresh(epoch, RefreshReason::Timer).await;
                    continue;
                }
                let in_use = shared.look(Inner::in_use);
                if let Some(untold) = me.context.delivery.take_due(in_use) {
                    // Not in turn: a backend that hangs must not hold up the next refresh.
                    let device = shared.look(|inner| inner.device.clone());
                    let context = me.context.clone();
                    tokio::spawn(async move { context.deliver(untold, &device).await });
                }
                // What brings the session to rest has woken this task, so nothing that does is missed.
                if me.context.is_at_rest() {
                    shared.rests.send_replace(());
                }
                let keyring = keyring.save_due().or(keyring.clear_due());
                let next = due
                    .into_iter()
                    .chain(keyring.map(|due| due.saturating_sub(now)))
                    .chain(me.context.delivery.due_in(in_use))
                    .min();
                let until = now + next.map_or(TICK, |next| next.min(TICK));
                (until, shared.wake.clone(), shared.clock.clone())
            };
            tokio::select! {
                () = clock.sleep_until(sleep) => {}
                () = wake.notified() => {}
            }
        }
    }

    /// Tries again, once that is due, to save a token that the keyring did not take.
    async fn save_unsaved(&self) {
        let now = self.context.shared.now();
        let epoch = self.context.shared.look(|inner| {
            let due = inner.keyring.save_due().is_some_and(|due| due <= now);
            (due && inner.token().is_some()).then(|| inner.epoch())
        });
        if let Some(epoch) = epoch {
            self.keeper.make_permanent(epoch).await;
        }
    }

    /// Lets the keyring ask for its password, and then does at once what had to wait for the
    /// keyring.
    ///
    /// # Errors
    /// If the keyring holds the session and the session could not be renewed.
    pub(super) async fn unlock_keyring(&self) -> Result<(), crate::error::AuthError> {
        // Whether the keyring is open now shows in what follows.
        let _ = self.context.persistence.unlock().await;
        let (epoch, is_unread) = self
            .context
            .shared
            .look(|inner| (inner.epoch(), inner.is_unread()));
        if is_unread {
            return self.refresh.refresh(epoch, RefreshReason::Page).await;
        }
        if let Some(mut at) = self.context.shared.in_epoch(epoch) {
            at.keyring = at.keyring.retry_at(self.context.shared.now());
        }
        self.sign_out.clear_obsolete().await;
        self.save_unsaved().await;
        Ok(())
    }
}
