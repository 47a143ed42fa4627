//! Waiting for a condition, never for time.

use std::time::{Duration, Instant};

/// How long anything may take before a test fails. Long, because a busy machine with two
/// cores starts a browser engine slowly; a condition that holds is seen at once.
pub const PATIENCE: Duration = Duration::from_secs(40);

const PAUSE: Duration = Duration::from_millis(25);

/// Asks until the answer is `Ok`, and answers with it.
///
/// # Panics
/// When [`PATIENCE`] is over: with `what` was waited for and the last `Err`.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let limit = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(seen) if Instant::now() > limit => {
                panic!("waited {} s for {what}; {seen}", PATIENCE.as_secs())
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
