//! Stopping an examination: the exchange under way ends, no other begins, and the sessions that the
//! doctor has opened are signed out.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

/// The examination was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Tells an examination to stop.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Send `true` to stop the examination.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub(crate) fn check(&self) -> Result<(), Stopped> {
        if *self.0.borrow() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Waits for `work`, or until the examination is asked to stop.
    pub(crate) async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut stop = self.0.clone();
        tokio::select! {
            Ok(_) = stop.wait_for(|is_set| *is_set) => Err(Stopped),
            done = work => Ok(done),
        }
    }

    pub(crate) async fn sleep(&self, time: Duration) -> Result<(), Stopped> {
        self.race(tokio::time::sleep(time)).await
    }
}
