//! Processes never race a rotation.
//!
//! Four processes, each with the real core, share one folder, one item in one keyring and one
//! session at a backend without a grace window, and rotate as fast as they can: because the token
//! expires by the clock, because a call needs one, because somebody clicks. If two of them sent
//! the same token the backend would end the session, which its own record shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vestibule_backend::Backend;
use vestibule_bus::Bus;
use vestibule_harness::{Lost, account, is_fresh, why};

use crate::app::{App, AppHome, AppReport, Command};
use crate::carrier::Carrier;
use crate::crash::{DaemonMonitor, backend, bus};
use crate::registry::Setting;
use crate::report::Row;

const PROCESSES: usize = 4;
/// The longest time without a rotation.
const ROTATION_TIMEOUT: Duration = Duration::from_secs(120);
/// How often the backend's record is read.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A few hundred rotations.
pub async fn short(setting: &Setting) -> Row {
    run(setting, [(Carrier::Cookie, 120), (Carrier::Provider, 40)]).await
}

/// The long form: many rotations.
pub async fn long(setting: &Setting) -> Row {
    let races = [(Carrier::Cookie, 10_000), (Carrier::Provider, 10_000)];
    run(setting, races).await
}

#[derive(Default)]
struct Race {
    rotations: u64,
    /// How often a rotation followed one of another process.
    handovers: u64,
}

async fn run(setting: &Setting, races: [(Carrier, u64); 2]) -> Row {
    let mut row = Row {
        what: String::new(),
        runs: 0,
        losses: 0,
        bound: "0 reuse, nobody signed out",
        holds: true,
    };
    let (mut handovers, mut of_browser, mut broken) = (0, 0, String::new());
    for (carrier, rotations) in races {
        let raced = match bus() {
            Ok(bus) => {
                let monitor = DaemonMonitor::new("process race", &bus);
                let raced = race(setting, &bus, carrier, rotations, &monitor).await;
                broken += &monitor.broken();
                raced
            }
            Err(lost) => Err(lost),
        };
        let race = raced.unwrap_or_else(|lost| {
            eprintln!("\rprocess race lost: {carrier:?}: {lost}");
            row.losses += 1;
            Race::default()
        });
        row.runs += race.rotations;
        row.holds &= row.losses == 0 && race.rotations >= rotations;
        handovers += race.handovers;
        if carrier == Carrier::Provider {
            of_browser = race.rotations;
        }
    }
    row.what = format!(
        "{PROCESSES} processes rotate one session, strict backend, {handovers} times after another one, \
         {of_browser} times a session of the browser{broken}"
    );
    row
}

/// The race; repeated from its start if the keyring daemon broke.
async fn race(
    setting: &Setting,
    bus: &Arc<Bus>,
    carrier: Carrier,
    rotations: u64,
    monitor: &DaemonMonitor,
) -> Result<Race, Lost> {
    while !monitor.is_given_up() {
        let race = one_race(setting, bus, carrier, rotations);
        if let Some(race) = monitor.watch(race, "the race").await {
            return race;
        }
    }
    Err("the race needs a keyring, and no daemon starts".into())
}

async fn one_race(
    setting: &Setting,
    bus: &Arc<Bus>,
    carrier: Carrier,
    rotations: u64,
) -> Result<Race, Lost> {
    let backend = backend(Duration::ZERO, carrier).await?;
    let email = account(&backend)?;
    let home = AppHome::new(setting, bus, backend.url(), carrier.word(), email);
    let mut apps = vec![home.start(bus)?];
    apps[0].ask(Command::SignIn(None)).await?;
    for _ in 1..PROCESSES {
        apps.push(home.start(bus)?);
    }
    for app in &mut apps {
        app.until("a session", |heard| heard.is(is_fresh)).await?;
    }
    for app in &mut apps {
        app.tell(&Command::RotateMixed).await?;
    }
    let race = watch(setting, &backend, &home, &apps, rotations).await;
    for app in &mut apps {
        if let Err(failures) = app.ask(Command::Rest).await {
            // Such as a process that never got the lock. Whether anything was lost is checked
            // below.
            eprintln!("\rprocess race: {failures}");
        }
    }
    let rotations = race?;
    for app in &mut apps {
        let well = |heard: &AppReport| heard.is(is_fresh);
        app.until("a session that is well", well).await?;
    }
    let mut by = BTreeMap::new();
    for (number, app) in apps.iter().enumerate() {
        let kept = app.heard().generations.clone();
        by.extend(kept.into_iter().map(|generation| (generation, number)));
    }
    let rotators: Vec<_> = by.into_values().collect();
    let changes = rotators.windows(2).filter(|pair| pair[0] != pair[1]);
    let handovers = changes.count() as u64;
    for mut app in apps {
        app.kill().await?;
    }
    let mut next = home.start(bus)?;
    let heard = next.until_started().await?;
    if !heard.is(is_fresh) {
        return Err(format!("the start after it: {:?}", heard.state));
    }
    Ok(Race {
        rotations,
        handovers,
    })
}

/// Waits for this many rotations. Returns how many there were.
async fn watch(
    setting: &Setting,
    backend: &Backend,
    home: &AppHome,
    apps: &[App],
    wanted: u64,
) -> Result<u64, Lost> {
    let (mut before, mut since) = (0, Instant::now());
    loop {
        let sessions = backend.sessions(home.email());
        let [session] = &*sessions else {
            return Err(format!("not one session but {sessions:?}"));
        };
        let rotations = u64::from(session.tokens) - 1;
        if let Some(ended) = &session.ended {
            return Err(format!(
                "the backend ends the session after {rotations}: {ended}"
            ));
        }
        if apps
            .iter()
            .any(|app| app.heard().is(|now| why(now).is_some()))
        {
            return Err(format!(
                "a process is signed out after {rotations} rotations"
            ));
        }
        setting.progress("process race", rotations.min(wanted), wanted);
        if rotations >= wanted {
            return Ok(rotations);
        }
        if rotations > before {
            (before, since) = (rotations, Instant::now());
        } else if since.elapsed() > ROTATION_TIMEOUT {
            return Err(format!("no rotation follows after {rotations}"));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
