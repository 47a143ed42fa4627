//! A transient failure never signs anyone out.
//!
//! Every row of [`crate::network_faults`] at every moment at which a refresh can meet it. A run is
//! lost if anybody is signed out who did not ask for it, if the keyring's item is deleted, if the
//! session is another one than before, or if it has no new token once the fault is over. The session
//! is one of a password, and one that the browser has begun, whose refreshes meet the fault at the
//! provider's token endpoint. Sockets are real, and so are the core's limits: what takes 30 s takes 30 s, so many such runs go on at
//! once.

mod moment;
mod origins;

use std::sync::Arc;

use vestibule_backend::{Backend, Config};

use crate::carrier::Carrier;
use crate::network_faults::{self, NetworkFault};
use crate::pool::{self, Job};
use crate::registry::{Form, Setting};
use crate::report::Row;
use moment::{MOMENTS, Moment};
use origins::{Origins, Trap};

/// How often the long form runs the whole table.
const ROUNDS: u64 = 4;
/// The sessions: of a password, and of the browser. A token in bodies meets these faults as one in a
/// cookie does.
const SESSIONS: [Carrier; 2] = [Carrier::Cookie, Carrier::Provider];

/// Each row of the table at one moment; every third row with a session of the browser too.
pub async fn short(setting: &Setting) -> Row {
    let some = |carrier: Carrier, row: usize, moment: usize, slow: bool| match carrier {
        Carrier::Provider => !slow && row.is_multiple_of(3) && moment == row / 3 % 5,
        Carrier::Cookie | Carrier::Body => moment == row % 5,
    };
    run("transient faults", setting, 1, some).await.row()
}

/// Each row at each moment, several times, with different numbers of failed refreshes.
pub async fn long(setting: &Setting) -> Row {
    run("transient faults", setting, ROUNDS, |_, _, _, _| true)
        .await
        .row()
}

/// The same runs for another promise, which searches their log. The short form leaves out the rows
/// that take as long as the core's limits; they log nothing that the others do not.
pub async fn matrix(subject: &str, setting: &Setting, form: Form) -> Came {
    match form {
        Form::Short => {
            let quick = |carrier, row: usize, moment: usize, slow: bool| match carrier {
                Carrier::Provider => !slow && row % 6 == 1 && moment == row / 6 % 5,
                Carrier::Cookie | Carrier::Body => !slow && moment == (row + 2) % 5,
            };
            run(subject, setting, 1, quick).await
        }
        Form::Long => run(subject, setting, ROUNDS, |_, _, _, _| true).await,
    }
}

/// The result of the runs.
pub struct Came {
    rows: usize,
    /// How many runs there were.
    pub runs: u64,
    /// How many of them had a session that the browser has begun.
    of_browser: usize,
    /// How many were lost.
    pub losses: u64,
}

impl Came {
    fn row(self) -> Row {
        let (rows, of_browser) = (self.rows, self.of_browser);
        Row {
            what: format!(
                "{rows} transient faults × start, idle, wake, call, sign-out; {of_browser} of them with \
                 a session of the browser"
            ),
            runs: self.runs,
            losses: self.losses,
            bound: "0 sign-outs, 0 deletions",
            holds: self.losses == 0,
        }
    }
}

/// What all runs share.
struct Servers {
    backend: Backend,
    origins: Origins,
}

/// Runs every row of the table at every moment that is chosen, by the carrier, the row, the moment, and
/// whether the row is slow.
async fn run(
    subject: &str,
    setting: &Setting,
    rounds: u64,
    chosen: impl Fn(Carrier, usize, usize, bool) -> bool,
) -> Came {
    let backend = Backend::start(Config::default()).await;
    let backend = backend.expect("the bundled backend starts on a free port");
    let trap = Trap::start().await.expect("a port for the trap");
    let origins = Origins::start().await.expect("ports for the origins");
    let servers = Arc::new(Servers { backend, origins });
    let table = network_faults::all(trap.address());
    let mut jobs = Vec::new();
    let mut of_browser = 0;
    for seed in 0..rounds {
        for (row, fault) in table.iter().enumerate() {
            for (at, moment) in MOMENTS.into_iter().enumerate() {
                for carrier in SESSIONS {
                    if chosen(carrier, row, at, fault.slow) {
                        of_browser += usize::from(carrier == Carrier::Provider);
                        let seed = seed + row as u64;
                        jobs.push(job(&servers, carrier, fault.clone(), moment, seed));
                    }
                }
            }
        }
    }
    let rows = table.len();
    let (runs, mut losses) = pool::run(subject, setting, jobs).await;
    let led = trap.arrivals() + servers.origins.requests();
    if led > 0 {
        eprintln!("{subject}: {led} connections followed a redirect or trusted a certificate");
        losses += led;
    }
    Came {
        rows,
        runs,
        of_browser,
        losses,
    }
}

fn job(
    servers: &Arc<Servers>,
    carrier: Carrier,
    fault: NetworkFault,
    moment: Moment,
    seed: u64,
) -> Job {
    let servers = servers.clone();
    Job {
        name: format!("{} at {moment:?}, {carrier:?}, {seed}", fault.name),
        slow: fault.slow,
        work: Box::pin(async move { moment::run(&servers, carrier, &fault, moment, seed).await }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network_faults::FaultKind;
    use crate::proxy::{Act, Script};

    /// The control: a run reports a loss where the answer does end the session.
    #[test]
    fn a_run_notices_a_session_that_ends() {
        crate::registry::runtime().block_on(async {
            let backend = Backend::start(Config::default()).await.expect("a backend");
            let origins = Origins::start().await.expect("ports");
            let servers = Servers { backend, origins };
            let all = SESSIONS.map(|carrier| MOMENTS.map(|moment| (carrier, moment)));
            for (carrier, moment) in all.into_iter().flatten() {
                let (status, says) = match carrier {
                    Carrier::Provider => ("400 Bad Request", r#"{"error":"invalid_grant"}"#),
                    Carrier::Cookie | Carrier::Body => (
                        "401 Unauthorized",
                        r#"{"message":"no","code":"SESSION_REVOKED"}"#,
                    ),
                };
                let refusal = Script::answer(status, "", says);
                let fault = NetworkFault {
                    name: "a refusal".into(),
                    kind: FaultKind::Way(Act::Instead(refusal)),
                    slow: false,
                };
                let found = moment::run(&servers, carrier, &fault, moment, 1).await;
                assert_eq!(
                    found.is_err(),
                    moment != Moment::SignOut,
                    "{carrier:?}, {moment:?}: {found:?}"
                );
            }
        });
    }
}
