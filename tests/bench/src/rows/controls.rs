//! Controls: what the instruments of a window measure of a planted delay, with it and without it in
//! turns. A run of the suite plants 20 ms for each and shows the result in the table; the tests
//! plant more where a whole page is involved, since other tests run at the same time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use vestibule_acceptance::{Desktop, Stage};
use vestibule_backend::{Config, Effect, Fault};

use crate::built;
use crate::in_page::{HEADER, InPage};
use crate::instruments::paint::PaintWatch;
use crate::launch::Launch;
use crate::registry::Outcome;
use crate::row::Row;
use crate::rows::switch::Switched;
use crate::rows::{click, windows};
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

/// The planted delay.
const PLANTED: Duration = Duration::from_millis(20);
/// By how many milliseconds the measured delay may differ: starts of one window scatter by 20, and
/// so the median of thirty differences by 5.
const MAX_DEVIATION_MS: f64 = 15.0;
const PAIRS: usize = 30;
/// Few pairs, since each takes seconds.
const CLICKS: usize = 20;

/// Samples without the planted delay, and with it, taken in turns.
pub type Pairs = [Vec<f64>; 2];

/// The resolution of the webview's clock, in milliseconds.
const TICK: f64 = 1.0;

/// How long the planted delay is, by the milliseconds of the first sample without it.
type PlantedBy = fn(f64) -> Duration;

/// The delay of the suite's own run, which is as short as what is measured.
const fn short(_: f64) -> Duration {
    PLANTED
}

/// The delay that a test plants where a whole page is involved: longer than the page takes by itself on
/// this machine at this moment. Otherwise a busy machine's own delays would hide it.
#[must_use]
pub fn longer_than_it_takes(first_ms: f64) -> Duration {
    const LEAST: Duration = Duration::from_secs(1);
    LEAST.max(Duration::from_secs_f64(2.0 * first_ms / 1e3))
}

/// The delay of a sample: of the first kind, which comes first, none; of the second, the planted one.
fn delay(which: usize, planted: PlantedBy, [without, _]: &Pairs) -> Duration {
    match which {
        0 => Duration::ZERO,
        _ => planted(without.first().copied().unwrap_or_default()),
    }
}

/// Checks what holds at any load: every sample with a delay contains all of it, and at least one
/// sample without is shorter than those. A busy machine only ever adds to a time, so this does not
/// check a difference.
///
/// # Errors
/// If the delay was not measured; the error has all samples.
pub fn held(planted: Duration, [without, with]: &Pairs) -> Outcome<()> {
    let shortest = |samples: &[f64]| samples.iter().copied().reduce(f64::min);
    let heard = shortest(with)
        .zip(shortest(without))
        .is_some_and(|(with, without)| {
            with >= planted.as_secs_f64() * 1e3 - TICK && without < with
        });
    match heard {
        true => Ok(()),
        false => Err(format!(
            "{planted:?} were planted: {without:?} ms without, {with:?} ms with"
        )),
    }
}

/// Plants 20 ms for each instrument.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let pairs = setting.rounds(PAIRS);
    let starts = {
        let desktop = Desktop::open();
        let pairs = setting.rounds_of_seconds(PAIRS);
        let heard = starts(&desktop, built::blank_window()?, PLANTED, *pairs.end()).await?;
        setting.progress("controls", 1, 4);
        heard
    };
    let clicks = {
        let stage = Stage::new("bench-control-click", Config::default()).await;
        let pairs = setting.rounds_of_seconds(CLICKS);
        let heard = clicks(&stage, short, *pairs.end()).await?;
        setting.progress("controls", 2, 4);
        heard
    };
    let stage = Stage::new("bench-control-header", Config::default()).await;
    let headers = headers(&stage, short, pairs).await?;
    setting.progress("controls", 3, 4);
    let reloads = {
        let stage = Stage::new("bench-control-switch", Config::default()).await;
        let heard = reloads(&stage, &setting.program, short, pairs).await?;
        setting.progress("controls", 4, 4);
        heard
    };
    let row = |which: &str, figure: &str, [without, with]: Pairs| {
        let planted = PLANTED.as_secs_f64() * 1e3;
        let target = Target::Hears {
            planted,
            within: MAX_DEVIATION_MS,
        };
        Row::new(format!("controls/{which}"), figure, Unit::Ms)
            .this("with 20 ms planted", with)
            .floor("without", without)
            .in_turns()
            .target(target)
    };
    Ok(vec![
        row(
            "start",
            "control: a blank window that starts 20 ms late",
            starts,
        ),
        row(
            "click",
            "control: a click with a backend 20 ms late",
            clicks,
        ),
        row(
            "header",
            "control: a header in a page busy for 20 ms",
            headers,
        ),
        row(
            "switch",
            "control: a reload that begins 20 ms late",
            reloads,
        ),
    ])
}

/// Starts a window and waits for its content: directly, and by a process that waits before it
/// executes the window's program.
///
/// # Errors
/// If the window shows no content.
pub async fn starts(
    desktop: &Desktop,
    window: PathBuf,
    planted: Duration,
    pairs: usize,
) -> Outcome<Pairs> {
    let screen = PaintWatch::of(desktop)?;
    screen.empty()?;
    let mut times = [Vec::new(), Vec::new()];
    for pair in 0..pairs {
        let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let wait = planted.as_secs_f64() * which as f64;
            let late: Command = {
                let mut shell = desktop.command("sh");
                shell
                    .args(["-c", "sleep \"$1\"; exec \"$0\""])
                    .arg(&window)
                    .arg(wait.to_string());
                shell
            };
            let mut launch = Launch::by(late);
            times[which].push(launch.to_content(&screen)?);
            launch.end(&screen).await?;
        }
    }
    Ok(times)
}

/// Clicks on "Sign in", with a slow backend and with a fast one.
///
/// # Errors
/// If the dashboard does not appear.
pub async fn clicks(stage: &Stage, planted: PlantedBy, pairs: usize) -> Outcome<Pairs> {
    let page = InPage::start(stage, "", &[]).await?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..pairs {
        for which in [0, 1] {
            let delay = Effect::Delay {
                ms: millis(delay(which, planted, &times)),
            };
            let faults = stage.backend.faults();
            faults.add(Fault::on("POST", "/login", delay).times(1));
            times[which].push(click::click(&page).await?);
            page.invoke("plugin:vestibule|logout", json!({})).await?;
        }
    }
    Ok(times)
}

/// Receives the changes of the session before the page does, and blocks for the given time.
const BUSY: &str = "
    (() => {
      const hear = () => {
        const shell = window.__TAURI_INTERNALS__;
        if (!shell?.callbacks) return setTimeout(hear);
        const { callbacks } = shell;
        const got = callbacks.get.bind(callbacks);
        callbacks.get = (id) => {
          const callback = got(id);
          return callback && ((sent) => {
            const until = performance.now() + (window.benchBusy ?? 0);
            while (sent?.message?.state && performance.now() < until);
            callback(sent);
          });
        };
      };
      hear();
    })();
";

/// Changes of the session until they are in the header: in a page that is busy when a change
/// arrives, and in one that is not.
///
/// # Errors
/// If a change does not arrive.
pub async fn headers(stage: &Stage, planted: PlantedBy, pairs: usize) -> Outcome<Pairs> {
    let page = windows::page(stage, &format!("{BUSY}{HEADER}")).await?;
    let mut times = [Vec::new(), Vec::new()];
    let mut seen = 0;
    for _ in 0..pairs {
        for which in [0, 1] {
            let busy = millis(delay(which, planted, &times));
            page.app.run(&format!("window.benchBusy = {busy}")).await;
            times[which].extend(windows::changed(stage, &page, 1, 1, &mut seen).await?);
        }
    }
    let _ = std::fs::remove_file(stage.log());
    Ok(times)
}

/// Reloads a page until its account is painted again: at once, and after the page was busy.
///
/// # Errors
/// If the account does not appear.
pub async fn reloads(
    stage: &Stage,
    program: &Path,
    planted: PlantedBy,
    pairs: usize,
) -> Outcome<Pairs> {
    let window = Switched::open(stage, program).await?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..pairs {
        for which in [0, 1] {
            let delay = delay(which, planted, &times);
            times[which].push(window.reload(delay).await?);
        }
    }
    Ok(times)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
