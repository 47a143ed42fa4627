//! Many kills, a few at a time: each waits for disks and processes more than it computes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use crate::registry::Setting;

/// How many go on at once.
pub const LANES: usize = 6;

/// What is worked off, one after the other, by whoever is free.
pub struct Queue<J> {
    promise: &'static str,
    setting: Setting,
    jobs: Mutex<(VecDeque<J>, u64)>,
    of: u64,
}

impl<J: Send + 'static> Queue<J> {
    /// All of them.
    pub fn new(promise: &'static str, setting: &Setting, jobs: Vec<J>) -> Arc<Self> {
        Arc::new(Self {
            promise,
            setting: setting.clone(),
            of: jobs.len() as u64,
            jobs: Mutex::new((jobs.into(), 0)),
        })
    }

    /// The next.
    pub fn next(&self) -> Option<J> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.0.pop_front()
    }

    /// One is over.
    pub fn done(&self) {
        let done = {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.1 += 1;
            jobs.1
        };
        if done.is_multiple_of(20) || done == self.of {
            self.setting.progress(self.promise, done, self.of);
        }
    }

    /// Works everything off in lanes, each of which does what `lane` makes. Answers what
    /// they have come to; `None` for one that panicked.
    pub async fn work_off<T, F>(self: &Arc<Self>, lane: impl Fn(Arc<Self>) -> F) -> Vec<Option<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut lanes = JoinSet::new();
        for _ in 0..LANES.min(usize::try_from(self.of).unwrap_or(LANES)) {
            lanes.spawn(lane(self.clone()));
        }
        let mut ends = Vec::new();
        while let Some(end) = lanes.join_next().await {
            ends.push(end.ok());
        }
        ends
    }
}
