//! What accounts cost that no window shows, whose people are signed in: the time of a start, and memory.
//! Each number of accounts has a desktop, a keyring and a backend of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vestibule_acceptance::{Stage, until};
use vestibule_backend::Config;

use crate::counts::Counts;
use crate::instruments::keyring_calls::KeyringCalls;
use crate::instruments::paint::PaintWatch;
use crate::launch::{Launch, idle, name_backend};
use crate::registry::Outcome;
use crate::row::{Point, Row};
use crate::setting::Setting;
use crate::summary::{Summary, median};
use crate::target::Target;
use crate::unit::Unit;
use crate::{accounts, built, memory};

const COUNTS: [usize; 3] = [1, 10, 50];
const COUNTS_OF_SHORT: [usize; 2] = [1, 3];

const STARTS: usize = 30;
/// How many times the start with one account a start with more may take.
const TIMES: f64 = 1.10;

/// Few rounds, since sizes scatter little.
const ROUNDS: usize = 5;
/// How long the app is idle before its memory is measured: longer than it leaves the accounts alone
/// that no window shows.
const IDLE: Duration = Duration::from_secs(20);
/// How many bytes an account may take.
const MOST: f64 = 256.0 * 1024.0;

/// The shipped app on a desktop of its own, with people signed in.
pub struct Home {
    stage: Stage,
    app: PathBuf,
    screen: PaintWatch,
    accounts: usize,
}

impl Home {
    /// Signs them in.
    ///
    /// # Errors
    /// If the app is not built, or a sign-in fails.
    pub async fn with(accounts: usize, program: &Path) -> Outcome<Self> {
        let app = built::shipped()?;
        let name = format!("bench-accounts-{accounts}");
        let stage = Stage::new(name, Config::default()).await;
        accounts::sign_in(&stage, program, accounts).await?;
        name_backend(&stage)?;
        let screen = PaintWatch::of(&stage.desktop)?;
        screen.empty()?;
        Ok(Self {
            stage,
            app,
            screen,
            accounts,
        })
    }

    async fn with_each(counts: &[usize], setting: &Setting) -> Outcome<Vec<Self>> {
        let mut homes = Vec::new();
        for accounts in counts {
            homes.push(Self::with(*accounts, &setting.program).await?);
        }
        Ok(homes)
    }

    fn launch(&self) -> Launch {
        Launch::of(&self.app, &self.stage.desktop)
    }
}

fn counts(setting: &Setting) -> &'static [usize] {
    match setting.is_short() {
        true => &COUNTS_OF_SHORT,
        false => &COUNTS,
    }
}

/// Starts with one account and with more, in turns.
pub async fn start(setting: &Setting) -> Outcome<Vec<Row>> {
    let homes = Home::with_each(counts(setting), setting).await?;
    let mut times = vec![Vec::new(); homes.len()];
    for round in setting.rounds_of_seconds(STARTS) {
        for turn in 0..homes.len() {
            // They take turns in going first, so that none always follows the same one.
            let which = (round + turn) % homes.len();
            let home = &homes[which];
            let mut launch = home.launch();
            let time = launch.to_content(&home.screen)?;
            launch.end(&home.screen).await?;
            if round > 0 {
                times[which].push(time);
            }
        }
        setting.progress("starts with accounts", round, STARTS);
    }
    let counts = counts_of_start(&homes[homes.len() - 1]).await?;
    let one = Summary::of("one account", times[0].clone());
    let point = |(home, times): (&Home, Vec<f64>)| {
        Some(Point {
            x: home.accounts as f64,
            this: Summary::of("the app", times)?,
            floor: one.clone(),
        })
    };
    let points = homes.iter().zip(times).filter_map(point).collect();
    let figure = "process start to painted content, with 50 accounts";
    let row = Row::new("accounts-start", figure, Unit::Ms)
        .grows("accounts", points)
        .in_turns()
        .target(Target::TimesFloor(TIMES));
    Ok(vec![Row {
        counts: counts.told(),
        ..row
    }])
}

/// The requests and the calls of the keyring of a start, until the session of the account that is shown
/// is renewed and in the keyring again.
///
/// # Errors
/// If the app shows no content.
pub async fn counts_of_start(home: &Home) -> Outcome<Counts> {
    let calls = KeyringCalls::hear(&home.stage.desktop).await?;
    let before = home.stage.backend.all_requests();
    let mut launch = home.launch();
    launch.to_content(&home.screen)?;
    until(
        "the renewed session to be in the keyring",
        async || match calls.so_far() {
            counts if counts.writes > 0 => Ok(()),
            counts => Err(format!("{counts:?}")),
        },
    )
    .await;
    launch.end(&home.screen).await?;
    Ok(Counts {
        requests: home.stage.backend.all_requests() - before,
        ..calls.so_far()
    })
}

/// The memory of the app's own process with one account and with many, which are idle side by side.
pub async fn memory(setting: &Setting) -> Outcome<Vec<Row>> {
    let counts = counts(setting);
    let counts = [counts[0], counts[counts.len() - 1]];
    let homes = Home::with_each(&counts, setting).await?;
    let further = (counts[1] - counts[0]) as f64;
    let (mut each, mut whole) = (Vec::new(), [Vec::new(), Vec::new()]);
    let rounds = if setting.is_short() { 1 } else { ROUNDS };
    for round in 0..rounds {
        let mut launches = Vec::new();
        for home in &homes {
            let mut launch = home.launch();
            launch.to_content(&home.screen)?;
            launches.push(launch);
        }
        idle(IDLE, setting.is_short()).await;
        let mut weights = Vec::new();
        for launch in &mut launches {
            let weight = memory::pss(launch.process());
            weights.push(weight.ok_or("the app has ended")? as f64);
        }
        for (launch, home) in launches.into_iter().zip(&homes) {
            launch.end(&home.screen).await?;
        }
        each.push((weights[1] - weights[0]) / further);
        for (all, weight) in whole.iter_mut().zip(weights) {
            all.push(weight);
        }
        setting.progress("rounds of idling with accounts", round + 1, rounds);
    }
    let [one, many] = whole.map(|whole| Unit::Bytes.show(median(&whole).unwrap_or_default()));
    let figure = "memory of an account that no window shows, in the app's own process (PSS)";
    let row = Row::new("accounts-memory", figure, Unit::Bytes)
        .this(
            "what the app weighs more with 50 accounts than with one, for each",
            each,
        )
        .target(Target::AtMost(MOST))
        .note(format!("with one account {one}, with {} {many}", counts[1]));
    Ok(vec![row])
}
