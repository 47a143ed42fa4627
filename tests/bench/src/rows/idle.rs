//! Ten idle minutes: how much of a core the app uses, and how often a thread of the product wakes
//! up. A blank window idles at the same time, on a desktop of its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use vestibule_acceptance::Desktop;

use crate::instruments::paint::PaintWatch;
use crate::instruments::threads::{self, Thread, Threads};
use crate::launch::{Launch, idle};
use crate::memory;
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

/// After this time the work that a start leaves is done.
const SETTLE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(600);
/// The largest share of a core that the app may use, in percent.
const CORE: f64 = 0.1;
/// Each thread of the product may wake up once in this many seconds.
const EVERY: f64 = 15.0;
/// The name of the runtime's threads in both; in the app they belong to the product.
const RUNTIME: &str = "tokio";

/// Measures both.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let shipped = setting.shipped().await?;
    let screen = shipped.screen()?;
    let beside = Desktop::open();
    let mut app = Launch::of(&shipped.app, &shipped.stage.desktop);
    let mut blank = Launch::of(&shipped.blank, &beside);
    app.to_content(&screen)?;
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
    let since = [since(0)?, since(1)?];
    app.end(&screen).await?;
    let [app, blank] = since;
    let of_core = |processes: &[Vec<Thread>]| {
        let ran: f64 = processes.iter().flatten().map(|thread| thread.ran).sum();
        ran / seconds * 100.0
    };
    let figure = "idle for ten minutes: of a core, all processes";
    let core = Row::new("idle/core", figure, Unit::Percent)
        .this("the app, signed in", vec![of_core(&app)])
        .floor("a blank window", vec![of_core(&blank)])
        .target(Target::AtMost(CORE));
    let not_ours: BTreeSet<_> = blank[0]
        .iter()
        .map(|thread| kind(&blank[0], thread))
        .collect();
    let is_ours = |thread: &&Thread| {
        let kind = kind(&app[0], thread);
        kind.starts_with(RUNTIME) || !not_ours.contains(&kind)
    };
    let (ours, others): (Vec<&Thread>, Vec<&Thread>) = app[0].iter().partition(is_ours);
    let most = ours.iter().map(|thread| thread.woken).max().unwrap_or(0);
    let together: u64 = ours.iter().map(|thread| thread.woken).sum();
    let figure = "idle for ten minutes: wake-ups of the busiest thread of ours";
    let wakes = Row::new("idle/wakes", figure, Unit::Count)
        .this("the app, signed in", vec![most as f64])
        .count("wake-ups of all of ours together", together as f64)
        .target(Target::AtMost((seconds / EVERY).floor()))
        .note(format!(
            "ours: {}; as any Tauri app's: {}",
            told(&ours),
            told(&others)
        ));
    Ok(vec![core, wakes])
}

/// The threads of a process and of all processes that it started, that process first.
fn look(process: u32) -> Outcome<Vec<(u32, Threads)>> {
    let look = |id| Ok((id, threads::of(id)?));
    memory::tree(process).into_iter().map(look).collect()
}

/// The name of a thread, or what it is if it has its process's name, which the first of `threads`
/// has.
fn kind(threads: &[Thread], thread: &Thread) -> String {
    let own = threads.first().map_or("", |first| first.name.as_str());
    let start = &own[..own.len().min(7)];
    match start {
        _ if thread.name.starts_with("pool-") => "pool".into(),
        "" => thread.name.clone(),
        start => thread
            .name
            .replace(own, "the app")
            .replace(start, "the app"),
    }
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
