//! An hour of use of the app: whether its memory, with all its processes, grows.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_acceptance::{DEMO_NAME, Role, Stage, app, containing};
use vestibule_backend::Config;

use crate::in_page::InPage;
use crate::launch;
use crate::registry::Outcome;
use crate::row::{Point, Row};
use crate::setting::Setting;
use crate::summary::Summary;
use crate::target::Target;
use crate::unit::Unit;

const HOUR: Duration = Duration::from_secs(3600);
/// How often its memory is measured.
const EVERY: Duration = Duration::from_secs(20);
/// Rounds of use before the first measurement, after which the engine's caches are full.
const WARM_UP: usize = 100;
/// What counts as no growth in an hour, in bytes: less than the 5 MB that the control plants, and
/// more than the scatter of the engine's memory in an hour without growth.
const STEADY: f64 = 2.5e6;
/// The pages that are visited.
const PAGES: [&str; 4] = ["/", "/dashboard/", "/payment/", "/account/"];

/// Opens pages and refreshes for an hour, without a pause.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let stage = Stage::new("bench-hour", Config::default()).await;
    let page = InPage::start(&stage, "", &[]).await?;
    page.sign_in().await?;
    let shell = stage.desktop.processes(&app());
    let shell = *shell.first().ok_or("the app has ended")?;
    let mut uses = 0;
    for _ in 0..setting.rounds(WARM_UP) {
        some_use(&page, &mut uses).await?;
    }
    let (whole, every) = match setting.is_short() {
        true => (Duration::ZERO, Duration::ZERO),
        false => (HOUR, EVERY),
    };
    let (mut all, mut own) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < whole || all.len() < 3 {
        some_use(&page, &mut uses).await?;
        if begun.elapsed() < every * u32::try_from(all.len()).unwrap_or(u32::MAX) {
            continue;
        }
        let weights = launch::weights(shell)?;
        let point = |name: &str, bytes: f64| Point {
            x: begun.elapsed().as_secs_f64() / 3600.0,
            this: Summary::single(name, bytes),
            floor: None,
        };
        own.push(point(
            "the app's own process",
            weights.first().map_or(0.0, |(_, bytes)| *bytes),
        ));
        all.push(point("all processes", launch::sum(&weights)));
        let seconds = begun.elapsed().as_secs().min(whole.as_secs());
        setting.progress(
            "seconds of use of the app",
            seconds as usize,
            whole.as_secs() as usize,
        );
    }
    // A page may ask for a refresh each time; one is sent in five seconds.
    let refreshes = stage.backend.requests("POST", "/refresh-token");
    let row = |id: &str, figure: &str, points: Vec<Point>| {
        Row::new(id, figure, Unit::Bytes)
            .grows("hours of use", points)
            .target(Target::SteadyWithin(STEADY))
            .note(format!(
                "{uses} pages opened, some with calls of their own, and {refreshes} refreshes"
            ))
    };
    Ok(vec![
        row(
            "app-hour/all",
            "memory of all processes over an hour of use",
            all,
        ),
        row(
            "app-hour/own",
            "memory of the app's own process over an hour of use",
            own,
        ),
    ])
}

async fn some_use(page: &InPage, uses: &mut usize) -> Outcome<()> {
    page.app.open(PAGES[*uses % PAGES.len()]).await;
    page.app.find(Role::Button, containing(DEMO_NAME)).await;
    page.invoke("plugin:vestibule|refresh", json!({})).await?;
    *uses += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The control: 5 MB that are kept in the course of an hour differ from the engine's scatter.
    #[test]
    fn five_megabytes_in_an_hour_are_told() {
        let weighings = HOUR.as_secs() / EVERY.as_secs();
        let hour = |planted: f64| {
            let point = |nth: u64| {
                let x = nth as f64 / weighings as f64;
                // A scatter of 4 MB, without a period that the hour would cut.
                let scatter = 4e6 * ((nth * 7919 % 360) as f64).to_radians().sin();
                Point {
                    x,
                    this: Summary::single("the app", 320e6 + scatter + planted * x),
                    floor: None,
                }
            };
            let mut row = Row::new("app-hour/all", "an hour", Unit::Bytes)
                .grows("hours of use", (0..weighings).map(point).collect())
                .target(Target::SteadyWithin(STEADY));
            row.judge();
            row.holds
        };
        assert_eq!(hour(0.0), Some(true));
        assert_eq!(hour(5e6), Some(false));
    }
}
