//! One process owns the windows, however many are launched.
//!
//! Eight launches of the app at once, on a desktop with a D-Bus session and on one without: one of
//! them must hold `instance.lock` and stay, with one window; the others must hand over to it and
//! exit with status 0. Then a single launch must bring the existing window to the front. In every
//! other round the eight start at the moment at which the previous owner is killed (SIGKILL), so
//! that they compete for its lock.

mod app;
mod screen;

use std::path::Path;
use std::time::{Duration, Instant};

use vestibule_backend::{Backend, Config};

use crate::registry::Setting;
use crate::report::Row;
use app::{Desk, Launch};
use vestibule_harness::Lost;

const AT_ONCE: usize = 8;
/// Longer than eight apps at once take to start on a small machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Both desktops, with and without an owner that is killed.
pub async fn short(setting: &Setting) -> Row {
    run(setting, 4).await
}

/// The long form: many rounds.
pub async fn long(setting: &Setting) -> Row {
    run(setting, 50).await
}

async fn run(setting: &Setting, rounds: u64) -> Row {
    let (runs, losses, what) = match all_rounds(setting, rounds).await {
        Ok(losses) => (
            rounds,
            losses,
            format!("{AT_ONCE} launches at once, with D-Bus and without"),
        ),
        Err(lost) => (0, 0, lost),
    };
    Row {
        what,
        runs,
        losses,
        bound: "one owner of the windows, the rest hand over",
        holds: runs > 0 && losses == 0,
    }
}

async fn all_rounds(setting: &Setting, rounds: u64) -> Result<u64, Lost> {
    let program = app::program()?;
    let backend = Backend::start(Config::default()).await;
    let backend = backend.map_err(|error| format!("no backend: {error}"))?;
    let (address, setting) = (backend.url(), setting.clone());
    let playing = tokio::task::spawn_blocking(move || play(&program, &address, &setting, rounds));
    playing.await.map_err(|error| error.to_string())?
}

/// Half of the rounds on each desktop.
fn play(program: &Path, address: &str, setting: &Setting, rounds: u64) -> Result<u64, Lost> {
    let mut losses = 0;
    let mut done = 0;
    for with_bus in [true, false] {
        let desk = Desk::new(program, address, with_bus)?;
        let mut owner = None;
        for number in 0..rounds / 2 {
            match round(&desk, owner.take(), number) {
                Ok(next) => owner = Some(next),
                Err(lost) => {
                    losses += 1;
                    let place = if with_bus {
                        "with D-Bus"
                    } else {
                        "without D-Bus"
                    };
                    eprintln!("\rlaunches lost: {place}, round {number}: {lost}");
                }
            }
            done += 1;
            setting.progress("launches", done, rounds);
        }
    }
    Ok(losses)
}

/// One round. Returns the process that owns the windows afterwards.
fn round(desk: &Desk, before: Option<Launch>, number: u64) -> Result<Launch, Lost> {
    let mut before = before;
    if number.is_multiple_of(2)
        && let Some(before) = before.take()
    {
        // The previous owner has ended before the launches.
        before.end()?;
    }
    let launches = desk.launch_at_once(AT_ONCE, before)?;
    let owner = the_one_that_stays(launches)?;
    let holders = desk.holders()?;
    if holders != [owner.id()] {
        return Err(format!(
            "process {} stays, but the lock is held by {holders:?}",
            owner.id()
        ));
    }
    let windows = until("its window", || {
        let windows = desk.screen.windows()?;
        Ok((!windows.is_empty()).then_some(windows))
    })?;
    let [window] = &windows[..] else {
        return Err(format!("there are {} windows", windows.len()));
    };
    // The launches that exited asked for the window, which may still be coming to the front.
    until("the window to lose the focus", || {
        desk.screen.look_away()?;
        Ok((desk.screen.focused()? != *window).then_some(()))
    })?;
    let caller = desk.launch()?;
    let status = until("a single launch to exit", || caller.ended())?;
    if status != Some(0) {
        return Err(format!("a single launch exited with {status:?}"));
    }
    until("the window to come to the front", || {
        Ok((desk.screen.focused()? == *window).then_some(()))
    })?;
    if desk.screen.windows()?.len() != 1 || desk.holders()? != [owner.id()] {
        return Err("a single launch changed the owner of the windows".into());
    }
    Ok(owner)
}

/// Returns the launch that does not exit; all others must exit with success.
fn the_one_that_stays(mut launches: Vec<Launch>) -> Result<Launch, Lost> {
    until("all launches but one to exit", || {
        let mut staying = Vec::new();
        for launch in launches.drain(..) {
            match launch.ended()? {
                None => staying.push(launch),
                Some(Some(0)) => {}
                Some(status) => return Err(format!("a launch exited with {status:?}")),
            }
        }
        launches = staying;
        match launches.len() {
            0 => Err("every launch exited".into()),
            1 => Ok(launches.pop()),
            _ => Ok(None),
        }
    })
}

/// Asks again until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Result<Option<T>, Lost>) -> Result<T, Lost> {
    let limit = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() > limit {
            return Err(format!("waited for {what}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
