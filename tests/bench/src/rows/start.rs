//! The time from the start of the process to content on the screen, signed in, on the home page:
//! the shipped app and a blank window, in turns. Each start is a new process; the file cache is
//! warm.

use crate::launch::{Launch, Shipped};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

const ROUNDS: usize = 30;
/// How many times a blank window's start the app's may take.
const TIMES: f64 = 1.10;

/// Measures both.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let shipped = setting.shipped().await?;
    let screen = shipped.screen()?;
    let Shipped { stage, app, blank } = shipped;
    let programs = [app, blank];
    let mut times = [Vec::new(), Vec::new()];
    for round in setting.rounds_of_seconds(ROUNDS) {
        // They alternate in going first, so that neither always follows the other.
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
