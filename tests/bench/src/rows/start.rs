//! From the start of the process to content on the screen, signed in, on the home page: the app as
//! it ships and a blank window, in turns. "Start" is of a new process; the file cache is warm.

use crate::launch::{Launch, Shipped};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

const ROUNDS: usize = 30;
/// The most that a start may take, times a blank window's.
const TIMES: f64 = 1.10;

/// Measures it.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let shipped = setting.shipped().await?;
    let screen = shipped.screen()?;
    let Shipped { stage, app, blank } = shipped;
    let programs = [app, blank];
    let mut times = [Vec::new(), Vec::new()];
    for round in setting.rounds_of_seconds(ROUNDS) {
        // Who is first in a round changes, so that neither is always after the other.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let mut launch = Launch::of(programs[which], &stage.desktop);
            let time = launch.to_content(&screen)?;
            launch.end(&screen).await?;
            if round > 0 {
                times[which].push(time);
            }
        }
        setting.progress("starts", round, ROUNDS);
    }
    let [app, blank] = times;
    let figure = "process start to painted content, home";
    let row = Row::new("start", figure, Unit::Ms)
        .this("the app, signed in", app)
        .floor("a blank window", blank)
        .in_turns()
        .target(Target::TimesFloor(TIMES));
    Ok(vec![row])
}
