//! The backend of the simulation: whole, away, and back again.

use std::fmt;
use std::time::Duration;

use super::{OUTAGE, Scenario};

/// What the backend asks for while it is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// No answer, or one without `Retry-After`.
    Nothing,
    /// 503 with a fixed `Retry-After`.
    For(Duration),
    /// 503 with a `Retry-After` that names the end of the outage: the whole crowd is told to
    /// come at the same moment, which is the worst that it can ask for.
    UntilBack,
}

/// How the backend comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comeback {
    /// It serves everyone.
    Whole,
    /// It serves some times what the fleet asks for on an ordinary day, and refuses the rest:
    /// with 429 and this `Retry-After`, or with a plain 503.
    Limited {
        /// How many times the ordinary load it serves.
        times: u32,
        /// What it tells the others.
        retry_after: Option<Duration>,
    },
}

impl Comeback {
    /// Back with a multiple of the ordinary load.
    pub fn limited(times: u32, retry_after: Option<Duration>) -> Self {
        Self::Limited { times, retry_after }
    }
}

/// What a client meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// While the backend is away.
    pub asks: Asks,
    /// Afterwards.
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
    /// Not now.
    Refused(Option<Duration>),
}

/// The backend over time.
pub struct World {
    outage: Outage,
    from: Duration,
    to: Duration,
    capacity: u64,
    second: u64,
    served: u64,
}

impl World {
    /// A backend that goes away at `from`.
    pub fn new(scenario: &Scenario, from: Duration) -> Self {
        let capacity = match scenario.outage.comeback {
            Comeback::Whole => u64::MAX,
            Comeback::Limited { times, .. } => {
                // A refresh comes at 80 % of the life on average.
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

    /// Answers a request that comes at `now`; requests come in the order of time.
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
