//! The simulated backend: available, away, and back again.

use std::fmt;
use std::time::Duration;

use super::{OUTAGE, Scenario};

/// What the backend answers while it is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// No answer, or one without `Retry-After`.
    Nothing,
    /// 503 with a fixed `Retry-After`.
    For(Duration),
    /// 503 with a `Retry-After` that names the end of the outage. All clients then come at the same
    /// moment, which is the worst case.
    UntilBack,
}

/// What the backend can do after the outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comeback {
    /// It serves every request.
    Whole,
    /// It serves a multiple of the fleet's ordinary load and refuses further requests, with 429 and
    /// this `Retry-After`, or with 503 without one.
    Limited {
        /// The multiple of the ordinary load.
        times: u32,
        /// The `Retry-After` of a refusal.
        retry_after: Option<Duration>,
    },
}

impl Comeback {
    /// Serves a multiple of the ordinary load.
    pub fn limited(times: u32, retry_after: Option<Duration>) -> Self {
        Self::Limited { times, retry_after }
    }
}

/// How the backend behaves in the outage and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What it answers while it is away.
    pub asks: Asks,
    /// What it can do afterwards.
    pub comeback: Comeback,
}

impl Outage {
    /// An outage of [`OUTAGE`].
    pub fn new(asks: Asks, comeback: Comeback) -> Self {
        Self { asks, comeback }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outage.asks {
            Asks::Nothing => f.write_str("no Retry-After")?,
            Asks::For(wait) => write!(f, "Retry-After {} s", wait.as_secs())?,
            Asks::UntilBack => f.write_str("Retry-After to the end")?,
        }
        if self.impatient_percent > 0 {
            write!(f, ", {} % click", self.impatient_percent)?;
        }
        match self.outage.comeback {
            Comeback::Whole => Ok(()),
            Comeback::Limited { times, retry_after } => match retry_after {
                Some(wait) => write!(f, ", then {times}x and 429 ({} s)", wait.as_secs()),
                None => write!(f, ", then {times}x and 503"),
            },
        }
    }
}

/// An answer to a refresh.
pub enum Answer {
    /// A new token.
    Renewed,
    /// A refusal, with its `Retry-After`.
    Refused(Option<Duration>),
}

/// The backend's behaviour over time.
pub struct World {
    outage: Outage,
    from: Duration,
    to: Duration,
    capacity: u64,
    second: u64,
    served: u64,
}

impl World {
    /// A backend that is away from `from` on.
    pub fn new(scenario: &Scenario, from: Duration) -> Self {
        let capacity = match scenario.outage.comeback {
            Comeback::Whole => u64::MAX,
            Comeback::Limited { times, .. } => {
                // On average a refresh comes at 80 % of the lifetime.
                let ordinary = f64::from(scenario.clients) / (0.8 * scenario.life.as_secs_f64());
                (f64::from(times) * ordinary).ceil() as u64
            }
        };
        Self {
            outage: scenario.outage,
            from,
            to: from + OUTAGE,
            capacity,
            second: 0,
            served: 0,
        }
    }

    /// The answer to a request at `now`. Requests must come in order of time.
    pub fn answer(&mut self, now: Duration) -> Answer {
        if now < self.from {
            return Answer::Renewed;
        }
        if now < self.to {
            return Answer::Refused(match self.outage.asks {
                Asks::Nothing => None,
                Asks::For(wait) => Some(wait),
                // The header carries whole seconds.
                Asks::UntilBack => Some(Duration::from_secs((self.to - now).as_secs() + 1)),
            });
        }
        if self.second != now.as_secs() {
            self.second = now.as_secs();
            self.served = 0;
        }
        match self.outage.comeback {
            Comeback::Limited { retry_after, .. } if self.served >= self.capacity => {
                Answer::Refused(retry_after)
            }
            Comeback::Whole | Comeback::Limited { .. } => {
                self.served += 1;
                Answer::Renewed
            }
        }
    }
}
