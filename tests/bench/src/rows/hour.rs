//! An hour of use: whether the memory of the core, in a child process, grows.

use std::time::{Duration, Instant};

use crate::child::User;
use crate::fixture::{Connection, Fixture};
use crate::registry::Outcome;
use crate::row::{Point, Row};
use crate::setting::Setting;
use crate::summary::Summary;
use crate::target::Target;
use crate::unit::Unit;

const HOUR: Duration = Duration::from_secs(3600);
/// How often the process's memory is measured.
const EVERY: Duration = Duration::from_secs(10);
/// Uses before the first measurement, so that one-time allocations are not counted.
const WARM_UP: usize = 20;
/// What counts as no growth in an hour, in bytes: less than the scatter of the allocator.
const STEADY: f64 = 500e3;

/// Signs in, refreshes, calls and signs out for an hour, without a pause.
pub async fn core(setting: &Setting) -> Outcome<Vec<Row>> {
    let fixture = Fixture::start(Connection::Tls, &setting.folder).await?;
    let folder = fixture.folder().join("user");
    let mut user = User::start(&setting.program, &fixture.url(), &folder).await?;
    for _ in 0..setting.rounds(WARM_UP) {
        user.some_use().await?;
    }
    let (whole, every) = match setting.is_short() {
        true => (Duration::ZERO, Duration::ZERO),
        false => (HOUR, EVERY),
    };
    let begun = Instant::now();
    let (mut points, mut uses) = (Vec::new(), 0);
    while begun.elapsed() < whole || points.len() < 3 {
        user.some_use().await?;
        uses += 1;
        if begun.elapsed() >= every * points.len() as u32 {
            points.push(Point {
                x: begun.elapsed().as_secs_f64() / 3600.0,
                this: Summary::single("core", user.weight()?),
                floor: None,
            });
            if !setting.is_short() {
                let seconds = begun.elapsed().as_secs().min(whole.as_secs());
                setting.progress("seconds of use", seconds as usize, whole.as_secs() as usize);
            }
        }
    }
    let row = Row::new(
        "hour/core",
        "memory of the core after an hour of use",
        Unit::Bytes,
    )
    .grows("hours of use", points)
    .target(Target::SteadyWithin(STEADY))
    .note(format!(
        "{uses} sign-ins and sign-outs, with refreshes and calls between"
    ));
    Ok(vec![row])
}
