//! Runs many kills, a few at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use crate::pool;
use crate::registry::Setting;

/// The jobs that are left; a worker that is free takes the next one.
pub struct Queue<J> {
    subject: &'static str,
    setting: Setting,
    jobs: Mutex<(VecDeque<J>, u64)>,
    of: u64,
}

impl<J: Send + 'static> Queue<J> {
    /// A queue of these jobs.
    pub fn new(subject: &'static str, setting: &Setting, jobs: Vec<J>) -> Arc<Self> {
        Arc::new(Self {
            subject,
            setting: setting.clone(),
            of: jobs.len() as u64,
            jobs: Mutex::new((jobs.into(), 0)),
        })
    }

    /// Takes the next job.
    pub fn next(&self) -> Option<J> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.0.pop_front()
    }

    /// Counts one job as done, and shows the progress.
    pub fn done(&self) {
        let done = {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.1 += 1;
            jobs.1
        };
        if done.is_multiple_of(20) || done == self.of {
            self.setting.progress(self.subject, done, self.of);
        }
    }

    /// Works through all jobs with workers that `worker` makes. Returns the result of each worker;
    /// `None` for one that panicked.
    pub async fn work_off<T, F>(self: &Arc<Self>, worker: impl Fn(Arc<Self>) -> F) -> Vec<Option<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut workers = JoinSet::new();
        let at_once = pool::busy_jobs();
        for _ in 0..at_once.min(usize::try_from(self.of).unwrap_or(at_once)) {
            workers.spawn(worker(self.clone()));
        }
        let mut ends = Vec::new();
        while let Some(end) = workers.join_next().await {
            ends.push(end.ok());
        }
        ends
    }
}
