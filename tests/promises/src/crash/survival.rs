//! Makes every kill on the list and counts what was lost.

use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_bus::{Bus, Keyring};
use vestibule_harness::Lost;

use super::daemon_monitor::DaemonMonitor;
use super::job_queue::Queue;
use super::kill_point::{KillPoint, Moment};
use super::worker::{KillOutcome, Worker};
use crate::carrier::{CARRIERS, Carrier};
use crate::registry::Setting;

/// What the backend does with a refresh token that is used a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// For this long it gives the same successor again.
    Forgiving(Duration),
    /// It ends the session.
    Strict,
}

/// The counted outcomes of the kills.
#[derive(Clone, Copy, Debug, Default)]
pub struct KillCounts {
    /// Kills in all.
    pub kills: u64,
    /// Those at a random moment.
    pub random: u64,
    /// Kills that lost what could have been kept, or that did not happen.
    pub losses: u64,
    /// Kills that lost the only valid token on its way to the client.
    pub in_window: u64,
    /// Kills at a random moment while rotating without pause.
    pub random_rotating: u64,
    /// How many of those were `in_window`.
    pub random_in_window: u64,
    /// The total duration of all completed rotations.
    pub rotating: Duration,
    /// The number of completed rotations.
    pub rotations: u64,
}

impl Rule {
    fn grace(self) -> Duration {
        match self {
            Self::Forgiving(grace) => grace,
            Self::Strict => Duration::ZERO,
        }
    }
}

impl KillCounts {
    /// Adds one kill.
    fn count(&mut self, kill_point: KillPoint, outcome: &Result<KillOutcome, Lost>) {
        self.kills += 1;
        self.random += u64::from(kill_point.is_random());
        let Ok(outcome) = outcome else {
            self.losses += 1;
            return;
        };
        self.in_window += u64::from(outcome.in_window);
        let (rotating, rotations) = outcome.rotated;
        self.rotating += rotating;
        self.rotations += rotations;
        if matches!(kill_point, KillPoint::Rotating(Moment::Within(_))) {
            self.random_rotating += 1;
            self.random_in_window += u64::from(outcome.in_window);
        }
    }

    /// Counts this many kills that did not happen.
    fn none_came_about(kills: u64) -> Self {
        Self {
            kills,
            losses: kills,
            ..Self::default()
        }
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.random += other.random;
        self.losses += other.losses;
        self.in_window += other.in_window;
        self.random_rotating += other.random_rotating;
        self.random_in_window += other.random_in_window;
        self.rotating += other.rotating;
        self.rotations += other.rotations;
    }
}

/// The result of a list of kills.
pub struct Kills {
    /// The counts for each of the [`CARRIERS`].
    pub counts: [KillCounts; 3],
    /// The text about broken keyring daemons; see [`DaemonMonitor::broken`].
    pub broken: String,
}

/// The kills on a list.
pub struct KillList {
    kill_points: Vec<KillPoint>,
    /// Of so many kills, one is made with a session of the browser too.
    one_in: usize,
}

impl KillList {
    /// Every kill on the list with a session of a password; of these, with a session of the browser,
    /// one in so many.
    pub fn new(kill_points: Vec<KillPoint>, one_in: usize) -> Self {
        Self {
            kill_points,
            one_in,
        }
    }

    fn jobs(&self) -> Vec<(Carrier, KillPoint)> {
        let all = self.kill_points.iter().enumerate();
        let with_each = |(at, kill_point): (usize, &KillPoint)| {
            let kill_point = *kill_point;
            let is_made = move |carrier: &Carrier| match carrier {
                Carrier::Cookie | Carrier::Body => true,
                Carrier::Provider => at % self.one_in == 0,
            };
            let carriers = CARRIERS.into_iter().filter(is_made);
            carriers.map(move |carrier| (carrier, kill_point))
        };
        all.flat_map(with_each).collect()
    }
}

/// Makes every kill on the list.
pub async fn run(
    subject: &'static str,
    setting: &Setting,
    bus: Result<Arc<Bus>, Lost>,
    kills: KillList,
    rule: Rule,
) -> Kills {
    let jobs = kills.jobs();
    let of = CARRIERS.map(|carrier| jobs.iter().filter(|(of, _)| *of == carrier).count() as u64);
    let ready = async { Ok((backends(rule.grace()).await?, bus?)) };
    let (backends, bus) = match ready.await {
        Ok(ready) => ready,
        Err::<_, Lost>(lost) => {
            eprintln!("\r{subject} lost: {lost}");
            return Kills {
                counts: of.map(KillCounts::none_came_about),
                broken: String::new(),
            };
        }
    };
    let monitor = Arc::new(DaemonMonitor::new(subject, &bus));
    let queue = Queue::new(subject, setting, jobs);
    let ends = queue
        .work_off(|queue| {
            let worker = |backend| Worker::new(setting, backend, &bus, rule);
            let mut workers = backends.each_ref().map(worker);
            let monitor = monitor.clone();
            async move {
                let mut counts = [KillCounts::default(); 3];
                while let Some((carrier, kill_point)) = queue.next() {
                    let worker: &mut Worker = &mut workers[carrier as usize];
                    let Some(outcome) = apply(worker, kill_point, carrier, &monitor).await else {
                        break;
                    };
                    if let Err(lost) = &outcome {
                        eprintln!("\r{subject} lost: {kill_point:?}, {carrier:?}: {lost}");
                        worker.start_over().await;
                    }
                    counts[carrier as usize].count(kill_point, &outcome);
                    queue.done();
                }
                counts
            }
        })
        .await;
    let mut counts = [KillCounts::default(); 3];
    for end in ends.iter().flatten() {
        for (counts, end) in counts.iter_mut().zip(end) {
            counts.add(end);
        }
    }
    // A worker that panicked loses its kills; so does a bus whose daemon is given up.
    for ((counts, carrier), of) in counts.iter_mut().zip(CARRIERS).zip(of) {
        let missing = of - counts.kills;
        if missing > 0 {
            eprintln!("\r{subject} lost: {missing} kills did not happen, {carrier:?}");
        }
        counts.add(&KillCounts::none_came_about(missing));
    }
    Kills {
        counts,
        broken: monitor.broken(),
    }
}

/// Makes one kill, again if the keyring daemon broke; `None` if that happens again and again.
async fn apply(
    worker: &mut Worker,
    kill_point: KillPoint,
    carrier: Carrier,
    monitor: &DaemonMonitor,
) -> Option<Result<KillOutcome, Lost>> {
    while !monitor.is_given_up() {
        let outcome = monitor
            .watch(worker.apply(kill_point), (kill_point, carrier))
            .await;
        if outcome.is_some() {
            return outcome;
        }
        worker.start_over().await;
    }
    None
}

/// Backends with this grace window, one for each of the [`CARRIERS`].
pub async fn backends(grace: Duration) -> Result<[(Carrier, Arc<Backend>); 3], Lost> {
    let [cookie, body, provider] = CARRIERS;
    let one = async |carrier| Ok::<_, Lost>((carrier, backend(grace, carrier).await?));
    Ok([one(cookie).await?, one(body).await?, one(provider).await?])
}

/// A backend with this grace window, whose refresh tokens travel in this carrier.
pub async fn backend(grace: Duration, carrier: Carrier) -> Result<Arc<Backend>, Lost> {
    let backend = Backend::start(Config {
        grace,
        carrier: carrier.at_the_backend(),
        ..Config::default()
    });
    let backend = backend.await;
    let backend = backend.map_err(|error| format!("no backend: {error}"))?;
    Ok(Arc::new(backend))
}

/// A bus with an open keyring.
pub fn bus() -> Result<Arc<Bus>, Lost> {
    let started = tokio::task::block_in_place(|| {
        let mut bus = Bus::start()?;
        bus.start_keyring(Keyring::Unlocked)?;
        Ok(Arc::new(bus))
    });
    started.map_err(|error: std::io::Error| error.to_string())
}
