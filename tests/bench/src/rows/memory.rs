//! The memory of all processes, idle a minute after the start, signed in: the shipped app and a
//! blank window, each alone, in turns.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::launch::{Launch, Shipped, idle, sum};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::{Form, Setting};
use crate::target::Target;
use crate::unit::Unit;

/// Few rounds: each takes two minutes, and sizes scatter little.
const ROUNDS: usize = 3;
const ROUNDS_OF_LONG: usize = 30;
/// How long it is idle before its memory is measured.
const IDLE: Duration = Duration::from_secs(60);
/// How many bytes more than a blank window the app may use.
const MOST_OVER: f64 = 20e6;

/// Measures both.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let shipped = setting.shipped().await?;
    let screen = shipped.screen()?;
    let Shipped { stage, app, blank } = shipped;
    let programs = [app, blank];
    let mut sizes = [Vec::new(), Vec::new()];
    let mut processes: [BTreeMap<String, f64>; 2] = Default::default();
    let rounds = match setting.form {
        Form::Short => 1,
        Form::Usual => ROUNDS,
        Form::Long => ROUNDS_OF_LONG,
    };
    for round in 0..rounds {
        for which in [0, 1] {
            let mut launch = Launch::of(programs[which], &stage.desktop);
            launch.to_content(&screen)?;
            idle(IDLE, setting.is_short()).await;
            let weights = launch.weights()?;
            launch.end(&screen).await?;
            sizes[which].push(sum(&weights));
            for (name, bytes) in weights {
                *processes[which].entry(name).or_default() += bytes / rounds as f64;
            }
        }
        setting.progress("rounds of idling", round + 1, rounds);
    }
    let [app, blank] = sizes;
    let [of_app, of_blank] = processes.map(|processes| told(&processes));
    let figure = "memory of all processes (PSS), idle at 60 s";
    let row = Row::new("memory", figure, Unit::Bytes)
        .this("the app, signed in", app)
        .floor("a blank window", blank)
        .in_turns()
        .target(Target::OverFloor(MOST_OVER))
        .note(format!("the app: {of_app}; blank: {of_blank}"));
    Ok(vec![row])
}

fn told(processes: &BTreeMap<String, f64>) -> String {
    let told = processes
        .iter()
        .map(|(name, bytes)| format!("{name} {}", Unit::Bytes.show(*bytes)));
    told.collect::<Vec<_>>().join(", ")
}
