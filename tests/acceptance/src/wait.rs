//! Waits for conditions.

use std::time::{Duration, Instant};

/// The longest wait for a condition before a test fails. Eight windows at once on a busy machine with two
/// cores are slow: one has needed more than 40 s to send 100 MB. A condition that becomes true earlier ends
/// the wait at once.
pub const CONDITION_TIMEOUT: Duration = Duration::from_secs(120);

const PAUSE: Duration = Duration::from_millis(25);

/// Asks again and again until the answer is `Ok`, and returns it.
///
/// # Panics
/// After [`CONDITION_TIMEOUT`], with the name of the condition and the last `Err`.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let limit = Instant::now() + CONDITION_TIMEOUT;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(seen) if Instant::now() > limit => {
                panic!(
                    "waited {} s for {what}; {seen}",
                    CONDITION_TIMEOUT.as_secs()
                )
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
