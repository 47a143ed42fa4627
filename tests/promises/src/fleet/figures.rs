//! The figures of a simulation, and how they are printed.

use std::fmt::{self, Write};
use std::time::Duration;

use super::{OUTAGE, Scenario};

/// How much of the time before the outage is recorded.
pub const BEFORE: Duration = Duration::from_secs(120);

/// A share of the fleet, printed in percent.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} %", self.0 * 100.0)
    }
}

/// The figures of one run.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Requests in each second from [`BEFORE`] the outage on, as a share of the fleet.
    pub seconds: Vec<Share>,
    /// The ordinary load in a second.
    pub ordinary: Share,
    /// The busiest second of the outage.
    pub peak_during: Share,
    /// The busiest second after it.
    pub peak_after: Share,
    /// How much of the fleet had no valid token when the backend came back.
    pub stale: Share,
    /// After which time 50, 95 and 99 % of those clients had a new token.
    pub recovered: [Duration; 3],
    /// Requests of one client from the start of the outage to the end of the run: mean and maximum.
    pub requests: (f64, u32),
    /// Requests sent before the time that a `Retry-After` named.
    pub early: u64,
    /// Clients without a valid token at the end of the run, or with no refresh planned.
    pub lost: usize,
}

impl Figures {
    /// The busiest second of the run.
    pub fn peak(&self) -> Share {
        Share(self.peak_during.0.max(self.peak_after.0))
    }
}

/// Collects the figures while the simulation runs.
pub struct Ledger {
    clients: u32,
    from: Duration,
    seconds: Vec<u32>,
    early: u64,
    stale: usize,
    stale_at_end: usize,
    recovered: Vec<Duration>,
}

impl Ledger {
    pub fn new(clients: u32, from: Duration, end: Duration) -> Self {
        let seconds = (end - from + BEFORE).as_secs() as usize + 1;
        Self {
            clients,
            from,
            seconds: vec![0; seconds],
            early: 0,
            stale: 0,
            stale_at_end: 0,
            recovered: Vec::new(),
        }
    }

    /// Whether a request belongs to the outage or its aftermath.
    pub fn counts(&self, now: Duration) -> bool {
        now >= self.from
    }

    pub fn request(&mut self, now: Duration, early: bool) {
        self.early += u64::from(early);
        if let Some(since) = (now + BEFORE).checked_sub(self.from)
            && let Some(count) = self.seconds.get_mut(since.as_secs() as usize)
        {
            *count += 1;
        }
    }

    pub fn stale(&mut self, now: Duration) {
        if now < self.from + OUTAGE {
            self.stale += 1;
            self.stale_at_end = self.stale;
        }
    }

    /// Counts a client that has a new token after refusals from `since` on. A client whose first
    /// refusal came after the outage does not count: a weak backend refuses some on any day.
    pub fn fresh_again(&mut self, since: Duration, now: Duration) {
        let back = self.from + OUTAGE;
        if since < back {
            self.recovered.push(now - back);
        }
    }

    pub fn close(mut self, lost: usize, requests: impl Iterator<Item = u32>) -> Figures {
        let fleet = f64::from(self.clients);
        let seconds: Vec<Share> = self
            .seconds
            .iter()
            .map(|count| Share(f64::from(*count) / fleet))
            .collect();
        let (before, rest) = seconds.split_at(BEFORE.as_secs() as usize);
        let (during, after) = rest.split_at(OUTAGE.as_secs() as usize);
        let peak = |part: &[Share]| Share(part.iter().map(|share| share.0).fold(0.0, f64::max));
        self.recovered.sort_unstable();
        let quantile = |percent: usize| {
            let index = (self.recovered.len() * percent / 100).min(self.recovered.len().max(1) - 1);
            self.recovered.get(index).copied().unwrap_or_default()
        };
        let (mut sum, mut most) = (0_u64, 0);
        for count in requests {
            sum += u64::from(count);
            most = most.max(count);
        }
        Figures {
            ordinary: Share(before.iter().map(|share| share.0).sum::<f64>() / before.len() as f64),
            peak_during: peak(during),
            peak_after: peak(after),
            stale: Share(self.stale_at_end as f64 / fleet),
            recovered: [quantile(50), quantile(95), quantile(99)],
            requests: (sum as f64 / fleet, most),
            early: self.early,
            lost,
            seconds,
        }
    }
}

/// The table of a survey.
pub fn table(results: &[(Scenario, Figures)]) -> String {
    let mut text = String::new();
    let mut heading = None;
    for (scenario, figures) in results {
        let group = (scenario.clients, scenario.life);
        if heading.replace(group) != Some(group) {
            let _ = writeln!(
                text,
                "\n{} clients, token life {} min, ordinary load {} a second\n{:<42} {:>9} {:>9} {:>8} {:>20} {:>12} {:>6}",
                scenario.clients,
                scenario.life.as_secs() / 60,
                figures.ordinary,
                "outage of 10 min",
                "peak in",
                "after",
                "stale",
                "50/95/99 % fresh, s",
                "requests",
                "early",
            );
        }
        let recovered = figures.recovered.map(|time| time.as_secs().to_string());
        let _ = writeln!(
            text,
            "{:<42} {:>9} {:>9} {:>8} {:>20} {:>12} {:>6}",
            scenario.to_string(),
            figures.peak_during.to_string(),
            figures.peak_after.to_string(),
            format!("{:.1} %", figures.stale.0 * 100.0),
            recovered.join("/"),
            format!("{:.2}, max {}", figures.requests.0, figures.requests.1),
            figures.early,
        );
    }
    text
}
