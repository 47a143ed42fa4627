//! Ten minutes in which nobody does anything: how much of a core the app takes, and how often a
//! thread of ours wakes. A blank window idles beside it, on a desktop of its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use vestibule_acceptance::{Desktop, Stage};
use vestibule_backend::Config;

use crate::built;
use crate::instruments::paint::PaintWatch;
use crate::instruments::threads::{self, Thread, Threads};
use crate::launch::{Launch, idle, shipped_signed_in};
use crate::memory;
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

/// What a start leaves to be done is over by then.
const SETTLE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(600);
/// The most of a core that the app may take, in hundredths.
const CORE: f64 = 0.1;
/// Each thread of ours may wake once in so many seconds.
const EVERY: f64 = 15.0;
/// The runtime's threads are called so in both; in the app it is our own.
const RUNTIME: &str = "tokio";

/// Measures it.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let stage = Stage::new("bench-idle", Config::default()).await;
    let shipped = shipped_signed_in(&stage).await?;
    let beside = Desktop::open();
    let mut app = Launch::of(&shipped, &stage.desktop);
    let mut blank = Launch::of(&built::blank_window()?, &beside);
    app.to_content(&PaintWatch::of(&stage.desktop)?)?;
    blank.to_content(&PaintWatch::of(&beside)?)?;
    idle(SETTLE, setting.is_short()).await;
    let processes = [app.process(), blank.process()];
    let before = [look(processes[0])?, look(processes[1])?];
    let begun = Instant::now();
    idle(IDLE, setting.is_short()).await;
    let seconds = begun.elapsed().as_secs_f64();
    let since = |which: usize| -> Outcome<Vec<Vec<Thread>>> {
        let after = look(processes[which])?;
        let nothing = Threads::new();
        let since = |(id, after): &(u32, Threads)| {
            let then = before[which].iter().find(|(known, _)| known == id);
            threads::between(then.map_or(&nothing, |(_, threads)| threads), after)
        };
        Ok(after.iter().map(since).collect())
    };
    let (app, blank) = (since(0)?, since(1)?);
    let of_core = |processes: &[Vec<Thread>]| {
        let ran: f64 = processes.iter().flatten().map(|thread| thread.ran).sum();
        ran / seconds * 100.0
    };
    let figure = "idle for ten minutes: of a core, all processes";
    let core = Row::new("idle/core", figure, Unit::Percent)
        .this("the app, signed in", vec![of_core(&app)])
        .floor("a blank window", vec![of_core(&blank)])
        .target(Target::AtMost(CORE));
    let not_ours = names(&blank[0]);
    let (ours, others): (Vec<&Thread>, Vec<&Thread>) = app[0]
        .iter()
        .skip(1)
        .partition(|thread| !not_ours.contains(thread.name.as_str()));
    let most = ours.iter().map(|thread| thread.woken).max().unwrap_or(0);
    let figure = "idle for ten minutes: wake-ups of the busiest thread of ours";
    let wakes = Row::new("idle/wakes", figure, Unit::Count)
        .this("the app, signed in", vec![most as f64])
        .target(Target::AtMost((seconds / EVERY).floor()))
        .note(format!(
            "ours: {}; as any Tauri app's: {}",
            told(&ours),
            told(&others)
        ));
    Ok(vec![core, wakes])
}

/// The threads of a process and of all that it started, the process first.
fn look(process: u32) -> Outcome<Vec<(u32, Threads)>> {
    let look = |id| Ok((id, threads::of(id)?));
    memory::tree(process).into_iter().map(look).collect()
}

/// The names of a blank window's threads, which are not ours where the app has them too.
fn names(threads: &[Thread]) -> BTreeSet<&str> {
    let names = threads.iter().map(|thread| thread.name.as_str());
    names.filter(|name| !name.starts_with(RUNTIME)).collect()
}

fn told(threads: &[&Thread]) -> String {
    let told = threads
        .iter()
        .map(|thread| format!("{} {}", thread.name, thread.woken));
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        "none".into()
    } else {
        told.join(", ")
    }
}
