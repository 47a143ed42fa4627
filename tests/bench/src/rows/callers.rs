//! A thousand callers whose access token has expired: one refresh is sent for all of them, and no
//! caller waits longer than for that refresh and its own call.
//!
//! Each round measures the same thousand calls twice, with a valid token and with an expired one,
//! and one refresh alone. The calls with a valid token plus the refresh are the floor of the calls
//! with an expired one.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use vestibule_core::testing::{ManualClock, MemoryStore};

use crate::fixture::{Connection, Fixture, Subject, fetch, sign_in, timed};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

const CALLERS: usize = 1000;
const ROUNDS: usize = 30;
/// How many times its floor the time until the last answer may be.
const MOST_OVER: f64 = 2.0;
/// Longer than the lifetime of an access token of the bundled backend.
const A_LIFE: Duration = Duration::from_secs(16 * 60);
const REFRESH: &str = "/refresh-token";

/// Measures the time until the last answer, and counts the refreshes.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    raise_limits();
    let fixture = Fixture::start(Connection::Plain, &setting.folder).await?;
    let crowd = Crowd::gather(&fixture).await?;
    // Calls once first, so that each caller has a connection.
    crowd.call(Token::Fresh).await?;
    let [mut fresh, mut alone, mut spent, mut requests] = [const { Vec::new() }; 4];
    for _ in 0..setting.rounds(ROUNDS) {
        fresh.push(crowd.call(Token::Fresh).await?);
        crowd.clock.advance(A_LIFE);
        alone.push(timed(crowd.one_call()).await? - timed(crowd.one_call()).await?);
        let before = fixture.backend.requests("POST", REFRESH);
        spent.push(crowd.call(Token::Spent).await?);
        requests.push((fixture.backend.requests("POST", REFRESH) - before) as f64);
    }
    let last = Row::new(
        "callers/last",
        "1,000 callers on a spent token, the last",
        Unit::Ms,
    )
    .this("on a spent token", spent)
    .floor("the same calls on a fresh token", fresh)
    .floor("what one call waits for its refresh", alone)
    .in_turns()
    .target(Target::OverFloor(MOST_OVER));
    let requests = Row::new(
        "callers/requests",
        "… refreshes that go out for them",
        Unit::Count,
    )
    .this("refreshes", requests)
    .target(Target::Exactly(1.0));
    Ok(vec![last, requests])
}

/// The callers' access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A token that the backend accepts.
    Fresh,
    /// A token that has expired, which these callers are the first to notice.
    Spent,
}

/// Many callers of one session, whose clock is set by hand.
pub struct Crowd {
    subject: Subject,
    clock: Arc<ManualClock>,
}

impl Crowd {
    /// Signs the session in.
    ///
    /// # Errors
    /// If the sign-in is refused.
    pub async fn gather(fixture: &Fixture) -> Outcome<Self> {
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let subject = fixture
            .subject_with(Arc::<MemoryStore>::default(), clock.clone())
            .await?;
        sign_in(&subject.session).await?;
        Ok(Self { subject, clock })
    }

    async fn one_call(&self) -> Outcome<()> {
        fetch(&self.subject.session, "/me").await
    }

    /// All call at once; the milliseconds until the last answer.
    ///
    /// # Errors
    /// If a call fails.
    pub async fn call(&self, token: Token) -> Outcome<f64> {
        let (open, gate) = watch::channel(false);
        let waiting = Arc::new(Semaphore::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (session, mut gate) = (self.subject.session.clone(), gate.clone());
            let waiting = waiting.clone();
            callers.spawn(async move {
                waiting.add_permits(1);
                let _ = gate.wait_for(|open| *open).await;
                fetch(&session, "/me").await
            });
        }
        let all = waiting.acquire_many(CALLERS as u32).await;
        all.map_err(|error| error.to_string())?.forget();
        if token == Token::Spent {
            // Only now, since the timer finds the refresh due at the same moment.
            self.clock.advance(A_LIFE);
        }
        let begun = Instant::now();
        open.send_replace(true);
        for served in callers.join_all().await {
            served?;
        }
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    }
}

/// Raises the limit of open files: a thousand callers have a thousand connections, and both ends of
/// each are in this process.
fn raise_limits() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum.map(|most| most.min(20_000)).or(Some(20_000)),
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        eprintln!("the limit of open files cannot be raised: {error}");
    }
}
