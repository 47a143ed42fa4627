//! P5: makes every kill on the list and counts what was lost.

use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::{Backend, Carrier, Config};
use vestibule_bus::{Bus, Keyring};

use super::blow::{Blow, Moment};
use super::instrument::Instrument;
use super::lane::{Fate, Lane};
use super::side_by_side::Queue;
use crate::carrier::CARRIERS;
use crate::registry::Setting;
use crate::rig::Lost;

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
pub struct Toll {
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

impl Toll {
    /// Adds one kill.
    fn count(&mut self, blow: Blow, fate: &Result<Fate, Lost>) {
        self.kills += 1;
        self.random += u64::from(blow.is_random());
        let Ok(fate) = fate else {
            self.losses += 1;
            return;
        };
        self.in_window += u64::from(fate.in_window);
        let (rotating, rotations) = fate.rotated;
        self.rotating += rotating;
        self.rotations += rotations;
        if matches!(blow, Blow::Rotating(Moment::Within(_))) {
            self.random_rotating += 1;
            self.random_in_window += u64::from(fate.in_window);
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

    /// Adds another toll.
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
    /// One toll for each of the [`CARRIERS`].
    pub tolls: [Toll; 2],
    /// The text about broken keyring daemons; see [`Instrument::broken`].
    pub broken: String,
}

/// Makes every kill on the list, with each of the [`CARRIERS`].
pub async fn run(
    promise: &'static str,
    setting: &Setting,
    bus: Result<Arc<Bus>, Lost>,
    blows: Vec<Blow>,
    rule: Rule,
) -> Kills {
    let of = blows.len() as u64;
    let world = async { Ok((backends(rule.grace()).await?, bus?)) };
    let (backends, bus) = match world.await {
        Ok(world) => world,
        Err::<_, Lost>(lost) => {
            eprintln!("\r{promise} lost: {lost}");
            return Kills {
                tolls: [Toll::none_came_about(of); 2],
                broken: String::new(),
            };
        }
    };
    let instrument = Arc::new(Instrument::new(promise, &bus));
    let with_both = |blow| CARRIERS.map(|carrier| (carrier, blow));
    let jobs = blows.into_iter().flat_map(with_both).collect();
    let queue = Queue::new(promise, setting, jobs);
    let ends = queue
        .work_off(|queue| {
            let lane = |backend| Lane::new(setting, backend, &bus, rule);
            let mut lanes = backends.each_ref().map(lane);
            let instrument = instrument.clone();
            async move {
                let mut tolls = [Toll::default(); 2];
                while let Some((carrier, blow)) = queue.next() {
                    let lane: &mut Lane = &mut lanes[carrier as usize];
                    let Some(fate) = suffer(lane, blow, carrier, &instrument).await else {
                        break;
                    };
                    if let Err(lost) = &fate {
                        eprintln!("\r{promise} lost: {blow:?}, {carrier:?}: {lost}");
                        lane.start_over().await;
                    }
                    tolls[carrier as usize].count(blow, &fate);
                    queue.done();
                }
                tolls
            }
        })
        .await;
    let mut tolls = [Toll::default(); 2];
    for end in ends.iter().flatten() {
        tolls[0].add(&end[0]);
        tolls[1].add(&end[1]);
    }
    // A worker that panicked loses its kills; so does an instrument that is given up.
    for (toll, carrier) in tolls.iter_mut().zip(CARRIERS) {
        let missing = of - toll.kills;
        if missing > 0 {
            eprintln!("\r{promise} lost: {missing} kills did not happen, {carrier:?}");
        }
        toll.add(&Toll::none_came_about(missing));
    }
    Kills {
        tolls,
        broken: instrument.broken(),
    }
}

/// Makes one kill, again if the keyring daemon broke; `None` if that happens again and again.
async fn suffer(
    lane: &mut Lane,
    blow: Blow,
    carrier: Carrier,
    instrument: &Instrument,
) -> Option<Result<Fate, Lost>> {
    while !instrument.is_given_up() {
        let fate = instrument.watch(lane.suffer(blow), (blow, carrier)).await;
        if fate.is_some() {
            return fate;
        }
        lane.start_over().await;
    }
    None
}

/// Two backends with this grace window, one for each of the [`CARRIERS`].
pub async fn backends(grace: Duration) -> Result<[Arc<Backend>; 2], Lost> {
    let [cookie, body] = CARRIERS;
    Ok([backend(grace, cookie).await?, backend(grace, body).await?])
}

/// A backend with this grace window, whose refresh tokens travel in this carrier.
pub async fn backend(grace: Duration, carrier: Carrier) -> Result<Arc<Backend>, Lost> {
    let backend = Backend::start(Config {
        grace,
        carrier,
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
