//! Runs many jobs at once: those that compute a few at a time, those that wait all together.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use vestibule_harness::Lost;

use crate::registry::Setting;

/// How many jobs that keep a processor busy run at once, for each processor: each waits a little too.
const BUSY_JOBS_BY_PROCESSOR: usize = 2;
/// How many jobs that mostly wait run at once.
const WAITING_JOBS: usize = 256;

/// How many jobs that keep a processor busy run at once on this machine. More would only wait for each
/// other, and with them the tests beside them that bound a time.
pub fn busy_jobs() -> usize {
    BUSY_JOBS_BY_PROCESSOR * std::thread::available_parallelism().map_or(2, usize::from)
}

pub struct Job {
    /// How its loss is reported.
    pub name: String,
    /// Whether it mostly waits.
    pub slow: bool,
    /// The run itself.
    pub work: Pin<Box<dyn Future<Output = Result<(), Lost>> + Send>>,
}

/// Runs all jobs and prints each loss on standard error. Returns how many ran and how many were
/// lost.
pub async fn run(subject: &str, setting: &Setting, mut jobs: Vec<Job>) -> (u64, u64) {
    // Jobs that wait start first, so that the others run meanwhile.
    jobs.sort_by_key(|job| !job.slow);
    let (busy, waiting) = (
        Arc::new(Semaphore::new(busy_jobs())),
        Arc::new(Semaphore::new(WAITING_JOBS)),
    );
    let of = jobs.len() as u64;
    let mut running = JoinSet::new();
    for job in jobs {
        let turns = if job.slow { &waiting } else { &busy }.clone();
        running.spawn(async move {
            let _turn = turns.acquire_owned().await;
            // A panic inside a job counts as its loss and does not stop the others.
            match tokio::spawn(job.work).await {
                Ok(Ok(())) => None,
                Ok(Err(lost)) => Some(format!("{}: {lost}", job.name)),
                Err(_) => Some(format!("{}: it panicked", job.name)),
            }
        });
    }
    let (mut done, mut losses) = (0, 0);
    while let Some(ended) = running.join_next().await {
        done += 1;
        if let Ok(Some(lost)) = ended {
            losses += 1;
            eprintln!("\r{subject} lost: {lost}");
        }
        if done % 20 == 0 || done == of {
            setting.progress(subject, done, of);
        }
    }
    (of, losses)
}
