//! Ctrl-C: the exchange that is under way ends, no other begins, and what was signed in is
//! signed out.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

/// Someone has had enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Whether to go on.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Never asked to stop, unless through the sender.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether to go on.
    pub fn check(&self) -> Result<(), Stopped> {
        if *self.0.borrow() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Waits for `work`, but no longer than until someone has had enough.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut asked = self.0.clone();
        tokio::select! {
            Ok(_) = asked.wait_for(|stop| *stop) => Err(Stopped),
            done = work => Ok(done),
        }
    }

    /// Waits for a time.
    pub async fn sleep(&self, time: Duration) -> Result<(), Stopped> {
        self.race(tokio::time::sleep(time)).await
    }
}
