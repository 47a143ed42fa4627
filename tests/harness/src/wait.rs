//! Waits for conditions, with a time limit that only a wrong state exceeds.

use std::time::{Duration, Instant};

use vestibule_core::session::Session;
use vestibule_core::wire::{SessionChanged, SessionState};

/// What did not come true or could not be done, as text.
pub type Lost = String;

/// Far longer than anything takes, including the core's own limits.
const STATE_TIMEOUT: Duration = Duration::from_secs(120);
/// How often a condition is checked whose changes nobody announces.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Waits for a snapshot that is `wanted`.
pub async fn try_until(
    session: &Session,
    what: &str,
    mut wanted: impl FnMut(&SessionChanged) -> bool,
) -> Result<SessionChanged, Lost> {
    let mut changes = session.subscribe();
    let found = tokio::time::timeout(STATE_TIMEOUT, changes.wait_for(|now| wanted(now))).await;
    match found {
        Ok(Ok(now)) => Ok(now.clone()),
        Ok(Err(_)) => Err(format!("waited for {what}, but the session was dropped")),
        Err(_) => Err(format!(
            "waited for {what}, but it is {:?}",
            session.snapshot()
        )),
    }
}

/// Waits for a state that is `wanted`.
pub async fn until(
    session: &Session,
    what: &str,
    mut wanted: impl FnMut(&SessionState) -> bool,
) -> SessionState {
    let found = try_until(session, what, |now| wanted(&now.state)).await;
    found.unwrap_or_else(|lost| panic!("{lost}")).state
}

/// Waits for a condition whose changes nobody announces, by checking it again and again.
pub async fn try_eventually(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Lost> {
    let looking = async {
        while !holds() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    let found = tokio::time::timeout(STATE_TIMEOUT, looking).await;
    found.map_err(|_| format!("waited for {what}"))
}

/// Waits for a condition whose changes nobody announces, by checking it again and again.
pub async fn eventually(what: &str, holds: impl FnMut() -> bool) {
    let found = try_eventually(what, holds).await;
    found.unwrap_or_else(|lost| panic!("{lost}"));
}

/// Waits until every task of this runtime waits for something: no worker thread has woken up between
/// two looks. For the body of a test, which runs on a thread of its own: this blocks it, since a timer
/// of the runtime would wake a worker. Work on other threads, such as the disk's, is not seen.
pub fn until_idle() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let counts = || -> Vec<u64> {
        let workers = 0..metrics.num_workers();
        let counts = workers.map(|worker| metrics.worker_park_unpark_count(worker));
        counts.collect()
    };
    let limit = Instant::now() + STATE_TIMEOUT;
    let mut before = Vec::new();
    loop {
        let now = counts();
        // An odd count is that of a worker that is parked.
        let are_parked = now.iter().all(|count| count % 2 == 1);
        if are_parked && metrics.global_queue_depth() == 0 && now == before {
            return;
        }
        assert!(Instant::now() < limit, "waited for every task to wait");
        before = now;
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Waits for `work` with a time limit.
pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(STATE_TIMEOUT, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited for {what}"),
    }
}
