//! A fleet of clients in an outage of ten minutes, in simulated time.
//!
//! Each client is the real [`vestibule_core::testing::Plan`], which decides in the app when the next
//! request is sent and which clicks may send one earlier. Everything else is simulated: a backend
//! that fails and comes back ([`world`]), clocks, and chance. There are no threads and no sockets,
//! so that a million clients take seconds. What one client sends over the network is tested by
//! the other promises.

mod chance;
mod figures;
mod plot;
mod simulation;
mod world;

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::registry::Setting;
use crate::report::Row;

pub use figures::{Figures, Share};
pub use simulation::run;
pub use world::{Asks, Comeback, Outage};

/// How long the backend is away.
pub const OUTAGE: Duration = Duration::from_secs(600);
/// The promise: no second has requests of more than this share of the fleet, where tokens live
/// for [`PROMISED_LIFE`].
pub const PEAK_BOUND: f64 = 0.01;
/// The token life that the promise is made for.
pub const PROMISED_LIFE: Duration = Duration::from_secs(5 * 3600);
/// Lifetimes of access tokens: the promised one, and two that many backends use.
pub const LIVES: [Duration; 3] = [
    PROMISED_LIFE,
    Duration::from_secs(30 * 60),
    Duration::from_secs(15 * 60),
];

/// One run of the simulation.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// How many clients there are.
    pub clients: u32,
    /// How long an access token lives.
    pub life: Duration,
    /// How the backend behaves in the outage and after it.
    pub outage: Outage,
    /// How many of 100 clients have a user who clicks "try again" (or a page that calls with an
    /// expired token) as often as the app allows.
    pub impatient_percent: u8,
    /// Runs with the same seed have the same result.
    pub seed: u64,
}

/// Ten thousand clients.
pub async fn short(_setting: &Setting) -> Row {
    row(&of(&[10_000]).await)
}

/// Ten thousand, a hundred thousand and a million clients. Prints every figure on standard error
/// and writes a plot of the million next to the program.
pub async fn long(setting: &Setting) -> Row {
    let results = of(&[10_000, 100_000, 1_000_000]).await;
    eprintln!("{}", table(&results));
    let plot = setting.program.with_file_name("fleet.svg");
    match draw(&results, &plot) {
        Ok(()) => eprintln!("fleet: drawn to {}", plot.display()),
        Err(error) => eprintln!("fleet: no plot at {}: {error}", plot.display()),
    }
    row(&results)
}

/// Runs a survey. It only computes, so it gets a blocking thread where the runtime allows that.
async fn of(sizes: &'static [u32]) -> Vec<(Scenario, Figures)> {
    tokio::task::spawn_blocking(|| survey(sizes))
        .await
        .unwrap_or_default()
}

fn row(results: &[(Scenario, Figures)]) -> Row {
    let broken = broken(results);
    for line in &broken {
        eprintln!("fleet: {line}");
    }
    let peak = |life: Duration| {
        let of_life = results.iter().filter(|(scenario, _)| scenario.life == life);
        let peaks = of_life.map(|(_, figures)| figures.peak().0 * 100.0);
        format!("{:.1} %", peaks.fold(0.0, f64::max))
    };
    let clients = |pick: fn(u32, u32) -> u32| {
        let sizes = results.iter().map(|(scenario, _)| scenario.clients);
        sizes.reduce(pick).unwrap_or_default()
    };
    Row {
        what: format!(
            "{} to {} clients, outage of 10 min; peak a second with everybody clicking: {} at \
             5 h, {} at 30 min, {} at 15 min",
            clients(u32::min),
            clients(u32::max),
            peak(LIVES[0]),
            peak(LIVES[1]),
            peak(LIVES[2]),
        ),
        runs: results.len() as u64,
        losses: broken.len() as u64,
        bound: "≤ 1 % of clients a second at 5 h, never before Retry-After",
        holds: broken.is_empty() && !results.is_empty(),
    }
}

/// The outages, in the order of the table and of the plot.
pub fn outages() -> Vec<(Outage, u8)> {
    let all = Comeback::Whole;
    let ten = Duration::from_secs(10);
    vec![
        (Outage::new(Asks::Nothing, all), 0),
        (Outage::new(Asks::For(Duration::from_secs(120)), all), 0),
        (Outage::new(Asks::UntilBack, all), 0),
        (Outage::new(Asks::Nothing, all), 100),
        (Outage::new(Asks::UntilBack, all), 100),
        (
            Outage::new(Asks::Nothing, Comeback::limited(2, Some(ten))),
            0,
        ),
        (Outage::new(Asks::Nothing, Comeback::limited(2, None)), 0),
    ]
}

/// Every outage with every lifetime, for a fleet of each of these sizes.
pub fn survey(sizes: &[u32]) -> Vec<(Scenario, Figures)> {
    let mut results = Vec::new();
    for &clients in sizes {
        for life in LIVES {
            for (outage, impatient_percent) in outages() {
                let scenario = Scenario {
                    clients,
                    life,
                    outage,
                    impatient_percent,
                    seed: 13,
                };
                results.push((scenario, run(&scenario)));
            }
        }
    }
    results
}

/// The table of a survey, as text.
pub fn table(results: &[(Scenario, Figures)]) -> String {
    figures::table(results)
}

/// Writes a plot of the largest fleet of a survey.
pub fn draw(results: &[(Scenario, Figures)], to: &Path) -> io::Result<()> {
    let largest = results.iter().map(|(scenario, _)| scenario.clients).max();
    let shown: Vec<_> = results
        .iter()
        .filter(|(scenario, _)| Some(scenario.clients) == largest)
        .collect();
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(to, plot::svg(&shown))
}

/// The runs that broke the promise: too many requests in a second where tokens live for
/// [`PROMISED_LIFE`], a request before its `Retry-After`, or a client without a token at the end.
pub fn broken(results: &[(Scenario, Figures)]) -> Vec<String> {
    let mut broken = Vec::new();
    for (scenario, figures) in results {
        let mut complain = |what: String| broken.push(format!("{scenario}: {what}"));
        let peak = figures.peak().0;
        if scenario.life == PROMISED_LIFE && peak > PEAK_BOUND {
            complain(format!("{} of the fleet in one second", figures.peak()));
        }
        if figures.early > 0 {
            complain(format!("{} requests before Retry-After", figures.early));
        }
        if figures.lost > 0 {
            complain(format!("{} clients never got a new token", figures.lost));
        }
    }
    broken
}
