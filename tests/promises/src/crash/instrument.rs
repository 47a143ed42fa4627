//! The keyring daemon as what these tests measure with. A client's session is in its keyring:
//! with a daemon that has crashed every kill looks like a loss, and none of them is one.
//!
//! So each run is watched. If the daemon ends by itself meanwhile, whatever the run came to
//! says nothing: it is broken off, said so, and to be done again, by a client of its own, with
//! a new daemon. Runs go on side by side on one bus, so that goes for all that were under way.
//! A core that makes the daemon crash must not hide in this: after a number of broken daemons
//! the instrument is given up, and what was not measured counts as lost.
//!
//! What is known of the cause, with gnome-keyring 42.1 and glib 2.74: the daemon ended with a
//! trap in glib (SIGTRAP), which is how `g_error` ends a process. A client that is killed
//! leaves no connection, file or thread behind. Each session that a client opens with an
//! encrypted transport leaves 0.2 to 0.4 KB of locked memory, closed or not: 1.3 MB after 6,000
//! runs of `secret-tool`, 4,800 of them killed, six at a time, which did not end the daemon.
//! Its source has one way into `g_error`: where it has no session of its own for the client
//! that asks, `OpenSession` is answered with no value at all (gnome-keyring's issues 190, 196
//! and 199 are that). Whether it was this one is not known; the daemon's last words, which
//! [`vestibule_bus::Ended`] keeps, will say.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::block_in_place;
use vestibule_bus::Bus;

use crate::rig::Lost;

/// So many daemons in one test may be replaced.
const REPAIRS: u64 = 20;
/// Between two looks at the daemon.
const LOOK: Duration = Duration::from_millis(100);

/// The keyring daemon of one test.
pub struct Instrument {
    promise: &'static str,
    bus: Arc<Bus>,
    repeated: AtomicU64,
    given_up: AtomicBool,
}

impl Instrument {
    /// The one on this bus.
    pub fn new(promise: &'static str, bus: &Arc<Bus>) -> Self {
        Self {
            promise,
            bus: bus.clone(),
            repeated: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    /// What a run comes to; `None` if the daemon ended by itself meanwhile. There is a new one
    /// then, unless it is [given up](Self::is_given_up).
    pub async fn watch<T>(
        &self,
        run: impl Future<Output = Result<T, Lost>>,
        what: impl Debug,
    ) -> Option<Result<T, Lost>> {
        let before = self.repairs();
        let outcome = tokio::select! {
            outcome = run => Some(outcome),
            // Some of what a run waits for never comes without a keyring.
            () = self.break_after(before) => None,
        };
        if let Some(Err(_)) = outcome {
            // A daemon that is about to end has ended after this.
            block_in_place(|| self.bus.keyring_answers());
        }
        if outcome.is_some() && self.is_whole_since(before) {
            return outcome;
        }
        self.repeated.fetch_add(1, Ordering::Relaxed);
        self.repair(&what);
        None
    }

    /// Whether nothing more can be measured, because the daemon ended too often.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// For the text of a row: how often it broke and what was repeated, if it did.
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
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_whole_since(&self, before: u64) -> bool {
        self.repairs() == before && block_in_place(|| matches!(self.bus.ended(), Ok(None)))
    }

    /// A repair that is under way is waited for.
    fn repairs(&self) -> u64 {
        block_in_place(|| self.bus.repairs())
    }

    /// Sees to it that there is a daemon, and says why `what` is done again.
    fn repair(&self, what: &impl Debug) {
        let promise = self.promise;
        if self.repairs() >= REPAIRS
            && let Ok(Some(ended)) = block_in_place(|| self.bus.ended())
        {
            if !self.given_up.swap(true, Ordering::AcqRel) {
                eprintln!("\r{promise}: {ended} after {REPAIRS} others: it is given up");
            }
            return;
        }
        let why = match block_in_place(|| self.bus.repair()) {
            Ok(Some(ended)) => ended.to_string(),
            Ok(None) => "the keyring daemon was replaced".to_owned(),
            Err(error) => {
                self.given_up.store(true, Ordering::Release);
                eprintln!("\r{promise}: no keyring daemon starts any more: {error}");
                return;
            }
        };
        eprintln!("\r{promise}: {why} during {what:?}; the run is repeated");
    }
}
