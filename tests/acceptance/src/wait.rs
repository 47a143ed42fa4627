//! Waits for conditions.

use std::time::{Duration, Instant};

/// The longest wait for a condition before a test fails. A busy machine with two cores starts a
/// browser engine slowly; a condition that becomes true earlier ends the wait at once.
pub const CONDITION_TIMEOUT: Duration = Duration::from_secs(40);

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
