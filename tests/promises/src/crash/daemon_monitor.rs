//! Guards the keyring daemon, on which these tests depend. A client's session is in its keyring:
//! when the daemon has crashed, every kill looks like a lost session, and none of them is one.
//!
//! So each run is watched. If the daemon ends by itself, the result of the run means nothing: the
//! run is aborted, reported, and repeated by a new client with a new daemon. Runs go on side by
//! side on one bus, so this applies to every run in progress. This must not hide a core that
//! crashes the daemon: after a number of repairs no more are made, and the runs that are missing
//! count as lost.
//!
//! What is known of the cause, with gnome-keyring 42.1 and glib 2.74: the daemon ended with a trap
//! in glib (SIGTRAP), which is how `g_error` ends a process. A killed client leaves no connection,
//! file or thread behind. Each session that a client opens with an encrypted transport leaves 0.2
//! to 0.4 KB of locked memory, closed or not: 1.3 MB after 6,000 runs of `secret-tool`, 4,800 of
//! them killed, six at a time, which did not end the daemon. Its source calls `g_error` in one
//! place: where the daemon has no session of its own for the client that asks, it answers
//! `OpenSession` without a value (gnome-keyring's issues 190, 196 and 199 describe that). Whether
//! this was the cause is not known; the daemon's last output, which [`vestibule_bus::Ended`]
//! keeps, will show it.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::block_in_place;
use vestibule_bus::Bus;
use vestibule_harness::Lost;

/// How many daemons may be replaced in one test.
const REPAIRS: u64 = 20;
/// How often the daemon is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The keyring daemon of one test.
pub struct DaemonMonitor {
    subject: &'static str,
    bus: Arc<Bus>,
    repeated: AtomicU64,
    given_up: AtomicBool,
}

impl DaemonMonitor {
    /// Guards the daemon on this bus.
    pub fn new(subject: &'static str, bus: &Arc<Bus>) -> Self {
        Self {
            subject,
            bus: bus.clone(),
            repeated: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    /// Runs something; `None` if the daemon ended by itself meanwhile. Then a new daemon has been
    /// started, unless the limit of repairs [is reached](Self::is_given_up).
    pub async fn watch<T>(
        &self,
        run: impl Future<Output = Result<T, Lost>>,
        what: impl Debug,
    ) -> Option<Result<T, Lost>> {
        let before = self.repairs();
        let outcome = tokio::select! {
            outcome = run => Some(outcome),
            // Without a keyring, some of the events that a run waits for never happen.
            () = self.break_after(before) => None,
        };
        if let Some(Err(_)) = outcome {
            // A daemon that is about to crash has ended once this call returns.
            block_in_place(|| self.bus.keyring_answers());
        }
        if outcome.is_some() && self.is_whole_since(before) {
            return outcome;
        }
        self.repeated.fetch_add(1, Ordering::Relaxed);
        self.repair(&what);
        None
    }

    /// Whether no more runs are made, because the daemon ended too often.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// For the text of a row: how many daemons broke and how many runs were repeated, if any.
    pub fn broken(&self) -> String {
        let repeated = self.repeated.load(Ordering::Relaxed);
        if repeated == 0 {
            return String::new();
        }
        let times = self.repairs() + u64::from(self.is_given_up());
        let end = if self.is_given_up() {
            ", then given up"
        } else {
            ""
        };
        format!("; broken keyring daemons: {times}, runs repeated: {repeated}{end}")
    }

    async fn break_after(&self, before: u64) {
        while self.is_whole_since(before) {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn is_whole_since(&self, before: u64) -> bool {
        self.repairs() == before && block_in_place(|| matches!(self.bus.ended(), Ok(None)))
    }

    /// The number of repairs; waits for one that is in progress.
    fn repairs(&self) -> u64 {
        block_in_place(|| self.bus.repairs())
    }

    /// Starts a new daemon if there is none, and prints why `what` is repeated.
    fn repair(&self, what: &impl Debug) {
        let subject = self.subject;
        if self.repairs() >= REPAIRS
            && let Ok(Some(ended)) = block_in_place(|| self.bus.ended())
        {
            if !self.given_up.swap(true, Ordering::AcqRel) {
                eprintln!(
                    "\r{subject}: {ended} after {REPAIRS} others; no more daemons are started"
                );
            }
            return;
        }
        let why = match block_in_place(|| self.bus.repair()) {
            Ok(Some(ended)) => ended.to_string(),
            Ok(None) => "the keyring daemon was replaced".to_owned(),
            Err(error) => {
                self.given_up.store(true, Ordering::Release);
                eprintln!("\r{subject}: no keyring daemon starts any more: {error}");
                return;
            }
        };
        eprintln!("\r{subject}: {why} during {what:?}; the run is repeated");
    }
}
