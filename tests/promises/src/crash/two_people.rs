//! In addition to the model of the right person: one person signs in over another, with a real disk and a real
//! keyring, and the process is killed at every step of that, and at random moments. The person whom
//! the next start shows must own the token that it sends, from the first moment on.

use std::sync::Arc;
use std::time::Duration;

use vestibule_backend::{Backend, Effect, Fault};
use vestibule_bus::Bus;
use vestibule_core::testing::FAILPOINTS;
use vestibule_harness::{Lost, account, is_fresh, why};

use super::daemon_monitor::DaemonMonitor;
use super::job_queue::Queue;
use super::kill_point::Moment;
use super::survival::{backend, bus};
use super::worker::kill_at;
use crate::app::{App, AppHome, Command};
use crate::carrier::{CARRIERS, Carrier};
use crate::registry::Setting;
use crate::report::Row;

/// The grace window that the README asks of a backend.
const GRACE: Duration = Duration::from_secs(60);
/// Milliseconds; longer than a start waits for its first refresh before it shows the stored user.
const SLOW: u64 = 1_200;
/// Slightly more than a sign-in and the end of the earlier session take.
const SIGN_IN: Duration = Duration::from_millis(80);
/// How many kills the long form makes at each step or random moment.
const LONG_ROUNDS: u64 = 11;

/// A backend, and what the profile says about it.
#[derive(Clone)]
struct ReplacementCase {
    backend: Arc<Backend>,
    carrier: Carrier,
    user_from: &'static str,
}

/// A kill that happened.
#[derive(Clone, Copy, Debug, Default)]
struct KillOutcome {
    is_second: bool,
    is_nobody: bool,
}

/// Every step once.
pub async fn short(setting: &Setting) -> Row {
    run(setting, 1, false).await
}

/// The long form: each moment [`LONG_ROUNDS`] times.
pub async fn long(setting: &Setting) -> Row {
    run(setting, LONG_ROUNDS, true).await
}

async fn run(setting: &Setting, rounds: u64, is_whole: bool) -> Row {
    let (kinds, bus) = match backends_and_bus(is_whole).await {
        Ok(cases) => cases,
        Err(lost) => {
            eprintln!("\rtwo people lost: {lost}");
            return row(0, 1, [0; 2], "");
        }
    };
    let monitor = Arc::new(DaemonMonitor::new("two people", &bus));
    let mut jobs = Vec::new();
    for _ in 0..rounds {
        for kind in 0..kinds.len() {
            for moment in moments() {
                jobs.push((kind, moment));
            }
        }
    }
    let of = jobs.len() as u64;
    let queue = Queue::new("two people", setting, jobs);
    let ends = queue
        .work_off(|queue| {
            let (kinds, bus, setting) = (kinds.clone(), bus.clone(), setting.clone());
            let monitor = monitor.clone();
            async move {
                let (mut kills, mut losses, mut ends) = (0_u64, 0_u64, [0_u64; 2]);
                while let Some((kind, moment)) = queue.next() {
                    let kind = &kinds[kind];
                    let outcome = watched(&monitor, moment, || apply(&setting, kind, &bus, moment));
                    let Some(outcome) = outcome.await else { break };
                    kills += 1;
                    match outcome {
                        Ok(outcome) => {
                            ends[0] += u64::from(outcome.is_second);
                            ends[1] += u64::from(outcome.is_nobody);
                        }
                        Err(lost) => {
                            losses += 1;
                            let ReplacementCase {
                                carrier, user_from, ..
                            } = kind;
                            eprintln!(
                                "\rtwo people lost: {moment:?}, {carrier:?}, {user_from}: {lost}"
                            );
                        }
                    }
                    queue.done();
                }
                (kills, losses, ends)
            }
        })
        .await;
    let (mut kills, mut losses, mut who) = (0, 0, [0; 2]);
    for (killed, lost, [second, nobody]) in ends.into_iter().flatten() {
        kills += killed;
        losses += lost;
        who[0] += second;
        who[1] += nobody;
    }
    // A worker that panicked loses its kills.
    row(kills, losses + (of - kills), who, &monitor.broken())
}

/// Makes one kill, again if the keyring daemon ended by itself meanwhile; `None` if that happens
/// again and again.
async fn watched<F>(
    monitor: &DaemonMonitor,
    moment: Moment,
    kill: impl Fn() -> F,
) -> Option<Result<KillOutcome, Lost>>
where
    F: Future<Output = Result<KillOutcome, Lost>>,
{
    while !monitor.is_given_up() {
        if let Some(outcome) = monitor.watch(kill(), moment).await {
            return Some(outcome);
        }
    }
    None
}

fn row(kills: u64, losses: u64, [second, nobody]: [u64; 2], broken: &str) -> Row {
    Row {
        what: format!(
            "SIGKILL at every step and at random while one person signs in over another: the next \
             start shows the second {second} times, nobody {nobody} times, else the first{broken}"
        ),
        runs: kills,
        losses,
        bound: "who is shown owns the token",
        holds: losses == 0 && second > 0 && kills > 0,
    }
}

/// The backends: they differ in the carrier of the token, in where the user comes from, and in
/// whether a start waits for it. Unless it `is_whole`, one of them is a provider: the slow one that names
/// the user only at the sign-in.
async fn backends_and_bus(is_whole: bool) -> Result<(Vec<ReplacementCase>, Arc<Bus>), Lost> {
    let mut kinds = Vec::new();
    for carrier in CARRIERS {
        for user_from in ["refresh", "login"] {
            for is_slow in [false, true] {
                let is_sampled = is_slow && user_from == "login";
                if carrier == Carrier::Provider && !is_whole && !is_sampled {
                    continue;
                }
                let backend = backend(GRACE, carrier).await?;
                if is_slow {
                    let slow = Effect::Delay { ms: SLOW };
                    backend
                        .faults()
                        .add(Fault::on("POST", carrier.refresh_path(), slow));
                }
                kinds.push(ReplacementCase {
                    backend,
                    carrier,
                    user_from,
                });
            }
        }
    }
    Ok((kinds, bus()?))
}

/// Every step of a sign-in over another session, and as many random moments.
fn moments() -> Vec<Moment> {
    let steps = FAILPOINTS.iter().filter(|step| step.starts_with("login."));
    let steps = steps.map(|step| Moment::Step(step, 1));
    steps
        .flat_map(|moment| [moment, Moment::Within(SIGN_IN)])
        .collect()
}

async fn apply(
    setting: &Setting,
    kind: &ReplacementCase,
    bus: &Arc<Bus>,
    moment: Moment,
) -> Result<KillOutcome, Lost> {
    let (first, second) = (account(&kind.backend)?, account(&kind.backend)?);
    let carrier = format!("{}:{}", kind.carrier.word(), kind.user_from);
    let address = kind.backend.url();
    let home = AppHome::new(setting, bus, address, carrier, first);
    let mut app = home.start(bus)?;
    app.until("the first start", |heard| {
        heard.is(|now| why(now).is_some())
    })
    .await?;
    app.ask(Command::SignIn(None)).await?;
    if let Moment::Step(step, passing) = moment {
        app.ask(Command::DieAt(step.to_owned(), passing)).await?;
    }
    app.tell(&Command::SignIn(Some(second.clone()))).await?;
    let dead = kill_at(app, moment).await?;
    let mut app = home.start(bus)?;
    let risen = app.until_started().await;
    let risen = risen.map_err(|lost| format!("after {}: {lost}", dead.step))?;
    let outcome = look(&mut app, &second, risen.is(is_fresh)).await;
    // A keyring that fills up becomes slow. If this one cannot be emptied, the test goes on.
    let _ = app.ask(Command::DeleteItem).await;
    let _ = app.kill().await;
    outcome.map_err(|lost| format!("after {}: {lost}", dead.step))
}

/// Checks that everybody who was shown during this start owns the token that it holds.
async fn look(app: &mut App, second: &str, is_signed_in: bool) -> Result<KillOutcome, Lost> {
    if !is_signed_in {
        return Ok(KillOutcome {
            is_nobody: true,
            ..KillOutcome::default()
        });
    }
    let asked = app.ask(Command::AskOwner).await?;
    let heard = app.heard();
    let whose = asked
        .owner
        .ok_or("the backend named no owner of the token")?;
    if heard.people.iter().any(|shown| *shown != whose) {
        return Err(format!(
            "{:?} were shown, but the token belongs to {whose}",
            heard.people
        ));
    }
    Ok(KillOutcome {
        is_second: whose == second,
        is_nobody: false,
    })
}
