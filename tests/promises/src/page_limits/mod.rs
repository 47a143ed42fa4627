//! The shell limits what a page can ask for.
//!
//! A script in the real window, with an administrator signed in, asks without waiting and without
//! end for everything that a page can ask for: large messages by every way to the shell, pieces of
//! bodies, commands of every kind, refreshes and calls that are always refused, dialogs, exports,
//! sign-ins in the system's browser and by codes, windows. After each attack the peak memory of the app's own process is compared with its memory
//! when idle, and the other effects are counted where they arrive: at the backend, on the disk, on
//! the screen. Every refusal must name the bound, for the author of the page.
//!
//! Each instrument has a control: the peak of a process that takes as much as the bound is seen, a
//! refresh by a page is counted, an export is found, and windows and pages of the browser do open.

mod attacks;
mod browser;
mod memory;
mod page_script;

use vestibule_acceptance::{
    ADMIN, ADMIN_NAME, App, PASSWORD, Role, Stage, SystemBrowser, containing, issuer_profile,
};
use vestibule_backend::Config;
use vestibule_harness::Lost;

use crate::registry::Setting;
use crate::report::Row;
use attacks::{Attack, Came};

/// How much more memory than when idle the app's own process may use.
const MEMORY_KIB: u64 = 64 * 1024;

/// How much the attacks ask for.
#[derive(Clone, Copy)]
struct Plan {
    rounds: u64,
    /// How many commands of each kind, and how many refreshes.
    asks: u64,
    /// The size of a message that is too large, in bytes.
    large: u64,
}

/// Each attack once.
pub async fn short(setting: &Setting) -> Row {
    let plan = Plan {
        rounds: 1,
        asks: 200,
        large: 100_000_000,
    };
    run(setting, plan).await
}

/// Each attack many times, with messages of the sizes that have used much memory before.
pub async fn long(setting: &Setting) -> Row {
    let plan = Plan {
        rounds: 10,
        asks: 2_000,
        large: 800_000_000,
    };
    run(setting, plan).await
}

async fn run(setting: &Setting, plan: Plan) -> Row {
    let mut row = Row {
        what: "a script in the window asks without end".into(),
        runs: 0,
        losses: 1,
        bound: "the app ≤ 64 MiB over idle, ≤ 10 windows, ≤ 1 prompt, ≤ 1 refresh per 5 s, ≤ 100 \
                exports, ≤ 10 sign-ins in the browser in a row, then ≤ 1 a minute",
        holds: false,
    };
    let (setting, runtime) = (setting.clone(), tokio::runtime::Handle::current());
    // The window's driver must stay on one thread.
    let playing = tokio::task::spawn_blocking(move || runtime.block_on(play(&setting, plan)));
    match playing.await {
        Ok(Ok(told)) => {
            row.runs = told.asked;
            row.losses = told.losses;
            row.holds = told.losses == 0;
            row.what = format!(
                "a script asks for messages, pieces, commands, refreshes, prompts, exports, sign-ins in \
                 the browser and windows without end: at most {} MiB over idle, {} windows of at most {} MiB",
                told.most_kib / 1024,
                told.windows,
                told.largest_window_kib / 1024,
            );
        }
        Ok(Err(lost)) => eprintln!("\rpage limits lost: {lost}"),
        Err(broken) => eprintln!("\rpage limits lost: {broken}"),
    }
    row
}

/// What all rounds together came to.
#[derive(Default)]
struct Told {
    asked: u64,
    losses: u64,
    /// The most memory over idle that the app's process took in an attack.
    most_kib: u64,
    /// The most windows, and the most memory of one.
    windows: usize,
    largest_window_kib: u64,
}

/// Each round has an app of its own, because the engine ends a page that holds more than 16 GB, and
/// what a page holds is not tested here.
async fn play(setting: &Setting, plan: Plan) -> Result<Told, Lost> {
    memory::sees_what_a_process_takes()?;
    let mut told = Told::default();
    let of = plan.rounds * Attack::ALL.len() as u64;
    let mut done = 0;
    for round in 0..plan.rounds {
        let stage = Stage::new("page_limits", Config::default()).await;
        let _ = std::fs::remove_file(stage.log());
        let browser = SystemBrowser::new();
        let (_profile, profile) = issuer_profile(&stage, false, "");
        let app = signed_in(&stage, &browser, profile).await;
        let process = the_app(&stage)?;
        for attack in Attack::ALL {
            let idle = memory::begin(process)?;
            let Came { asked, lost } = attack
                .play(&stage, &app, &browser, plan, round == 0)
                .await?;
            let grown = memory::most(process)?.saturating_sub(idle);
            eprintln!("\rpage limits: {attack:?}: {asked} asked, {grown} KiB over {idle} KiB idle");
            told.asked += asked;
            let too_much = (grown > MEMORY_KIB).then(|| format!("{grown} KiB more"));
            for lost in lost.into_iter().chain(too_much) {
                eprintln!("\rpage limits lost: {attack:?}: {lost}");
                told.losses += 1;
            }
            told.most_kib = told.most_kib.max(grown);
            done += 1;
            setting.progress("page limits", done, of);
        }
        let windows = windows(&stage);
        for (process, kib) in &windows {
            eprintln!(
                "page limits: the window's process {process} has {} MiB",
                kib / 1024
            );
        }
        told.windows = told.windows.max(windows.len());
        let largest = windows.into_iter().map(|(_, kib)| kib).max();
        told.largest_window_kib = told.largest_window_kib.max(largest.unwrap_or_default());
        let _ = std::fs::remove_file(stage.log());
    }
    Ok(told)
}

async fn signed_in(stage: &Stage, browser: &SystemBrowser, profile: String) -> App {
    let profile = ("VESTIBULE_PROFILE", profile);
    let app = stage.start_with(&[browser.path(), profile]).await;
    app.open("/auth/login/").await;
    app.fill("E-mail", ADMIN).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    app.arrives("/dashboard/").await;
    app.find(Role::Button, containing(ADMIN_NAME)).await;
    app
}

fn the_app(stage: &Stage) -> Result<u32, Lost> {
    match stage.desktop.processes(&vestibule_acceptance::app())[..] {
        [process] => Ok(process),
        _ => Err("there is not exactly one process of the app".into()),
    }
}

/// The web engine's process of each window, and how much memory belongs to it alone.
fn windows(stage: &Stage) -> Vec<(u32, u64)> {
    let running = stage.desktop.running().into_iter();
    let pages = running.filter(|(_, program)| program.ends_with("WebKitWebProcess"));
    pages
        .filter_map(|(process, _)| Some((process, memory::share(process).ok()?)))
        .collect()
}
