//! Restores the session that was there when the app was last closed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::commit::Persist;
use super::context::Context;
use super::epoch::Epoch;
use super::open_session::OpenSession;
use super::process_lock::LocalLock;
use super::reconcile::{DiskState, Reconcile, Reconciled};
use super::refresh::Refresh;
use super::refresh_reason::RefreshReason;
use crate::error::ErrorCode;
use crate::state::Event;
use crate::wire::{Cause, SignedOutReason};

/// How long a start waits for the keyring and the first refresh before it shows the last
/// known user.
const LAST_KNOWN_USER_DELAY: Duration = Duration::from_secs(1);
/// How long until records that could not be read are read again.
const READ_RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Restores the session of the last run.
pub(super) struct Restore {
    pub context: Arc<Context>,
    pub reconcile: Arc<Reconcile>,
    pub refresh: Arc<Refresh>,
}

impl Restore {
    /// Reads the stored session and renews it. Returns once the state is known, or once a session
    /// is held and the scheduler goes on. `local_lock` keeps sign-ins waiting until it is known
    /// whether a crash has interrupted the end of a session, which has to be finished first.
    pub(super) async fn run(&self, local_lock: Option<LocalLock>) {
        let epoch = Epoch::FIRST;
        let disk = match self.reconcile.read_disk(epoch).await {
            Ok(disk) => disk,
            // Somebody has signed in or out already.
            Err(error) if error.code == ErrorCode::NotSignedIn => return,
            Err(_) => return self.retry_later(epoch),
        };
        if let Some(why) = why_over(&disk) {
            let over = |_: &mut super::inner::Inner, _: bool| Event::NothingFound(why);
            let committed = self
                .context
                .commit
                .commit(epoch, Persist::Nothing, Cause::Start, over);
            if committed.await.is_err() {
                return;
            }
            // A crash may have interrupted the end of the session.
            let found = self.reconcile.run(epoch).await;
            let device = self.context.shared.look(|inner| inner.device.clone());
            self.context.deliver_due(&device).await;
            if !matches!(found, Ok(Reconciled::TokenHeld { .. })) {
                return;
            }
            // The keyring holds the session of another sign-in than the one that the marker names.
        } else {
            self.expect_session(epoch, &disk);
        }
        drop(local_lock);
        let shown_by = Instant::now() + LAST_KNOWN_USER_DELAY;
        let refresh = self.refresh.clone();
        let first = tokio::spawn(async move { refresh.refresh(epoch, RefreshReason::Timer).await });
        // The result is in the state. If there is none yet, the scheduler waits for it.
        let _ = timeout_at(shown_by, first).await;
        self.show_last_known(epoch);
    }

    /// Expects the session of the record, whose token is in the keyring.
    fn expect_session(&self, epoch: Epoch, disk: &DiskState) {
        let origin = &self.context.persistence.origin;
        let speaks = disk.record.as_ref().filter(|record| {
            record.origin == *origin && record.saved_generation.is_some() && !record.until_quit
        });
        if let Some(record) = speaks
            && let Some(mut at) = self.context.shared.in_epoch(epoch)
            && at.session.is_none()
        {
            at.session = Some(OpenSession::of(record));
            let is_current = || true;
            let aside = |records: &super::record::Records| {
                records.lay_marker_aside();
                Ok(())
            };
            let persistence = self.context.persistence.clone();
            tokio::spawn(async move { persistence.with_records(is_current, aside).await });
        }
    }

    /// It is not known yet whether the session is over. The scheduler tries again.
    fn retry_later(&self, epoch: Epoch) {
        let shared = &self.context.shared;
        if let Some(mut at) = shared.in_epoch(epoch) {
            let now = shared.now();
            at.plan.try_again_in(now, READ_RETRY_INTERVAL);
            let outage = at.outage(shared.now_ms(), Some(now + READ_RETRY_INTERVAL));
            at.publish(Cause::Start, Event::Unreached(outage));
        }
    }

    fn show_last_known(&self, epoch: Epoch) {
        let shared = &self.context.shared;
        let Some(mut at) = shared.in_epoch(epoch) else {
            return;
        };
        let told = at.session.as_ref().and_then(OpenSession::info);
        if let Some((user, session)) = told
            && at.state().is_restoring()
        {
            let now = shared.now();
            let retry_at = at.plan.due_in(now).map(|wait| now + wait);
            let event = Event::LastKnown {
                user,
                session,
                outage: at.outage(shared.now_ms(), retry_at),
            };
            at.publish(Cause::Start, event);
        }
    }
}

/// Why the session is over, if the marker says so. While the record cannot be read, the last
/// session may be another than the one that the marker names.
fn why_over(disk: &DiskState) -> Option<SignedOutReason> {
    let marker = disk.marker.filter(|_| disk.unreadable.is_none())?;
    marker.ends_last(disk.record.as_ref()).then_some(marker.why)
}
