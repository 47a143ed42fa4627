//! How long a change of the session takes to the header of one window and of many, and how much
//! memory each additional window takes.
//!
//! The change is one of the user's roles, which a new sign-in brings: the header gets a link, or
//! loses it. The time begins when the app sends the change, which its log shows, and ends when the
//! last window's header has the link in its document. The floor is a message without content, to
//! as many windows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::WindowHandle;
use vestibule_acceptance::{DEMO, DEMO_NAME, Role, Stage, app, containing, until};
use vestibule_backend::Config;

use crate::bare_window::{self, Plan};
use crate::in_page::{HEADER, InPage};
use crate::instruments::sent;
use crate::launch;
use crate::registry::Outcome;
use crate::row::{Point, Row};
use crate::setting::Setting;
use crate::summary::Summary;
use crate::target::Target;
use crate::unit::Unit;

const COUNTS: [usize; 6] = [1, 2, 3, 5, 7, 10];
const COUNTS_OF_SHORT: [usize; 2] = [1, 2];
/// The numbers of windows that have a row of their own.
const TOLD: [usize; 3] = [1, 5, 10];
const CHANGES: usize = 30;
/// Within this many milliseconds 19 of 20 changes must be in the last of ten windows.
const MOST: f64 = 8.0;

/// A change as a page recorded it.
#[derive(Debug, Deserialize)]
struct Change {
    revision: u64,
    shown: Option<f64>,
}

/// The results with this many windows.
struct Found {
    windows: usize,
    header: Vec<f64>,
    bare: Vec<f64>,
    weight: f64,
}

/// Measures with more and more windows.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let stage = Stage::new("bench-windows", Config::default()).await;
    let page = page(&stage, HEADER).await?;
    let changes = setting.rounds(CHANGES);
    let counts = match setting.is_short() {
        true => &COUNTS_OF_SHORT[..],
        false => &COUNTS[..],
    };
    let mut found = Vec::new();
    let mut seen = 0;
    for (nth, windows) in counts.iter().enumerate() {
        found.push(Found {
            windows: *windows,
            header: changed(&stage, &page, *windows, changes, &mut seen).await?,
            bare: bare(&stage, *windows, changes).await?,
            weight: weight(&stage)?,
        });
        setting.progress("numbers of windows", nth + 1, counts.len());
    }
    let _ = std::fs::remove_file(stage.log());
    Ok(rows(&found))
}

/// The app, signed in, with this script in each of its pages.
///
/// # Errors
/// If the sign-in fails.
pub async fn page(stage: &Stage, script: &str) -> Outcome<InPage> {
    let _ = std::fs::remove_file(stage.log());
    let log = (sent::LOG.0, sent::LOG.1.to_owned());
    let page = InPage::start(stage, script, &[log]).await?;
    page.sign_in().await?;
    Ok(page)
}

/// How many milliseconds each of the changes takes to the header of the last window. `seen` counts
/// the changes before.
///
/// # Errors
/// If a change does not arrive.
pub async fn changed(
    stage: &Stage,
    page: &InPage,
    windows: usize,
    changes: usize,
    seen: &mut usize,
) -> Outcome<Vec<f64>> {
    let handles = open(page, windows).await?;
    for _ in 0..changes {
        change(stage, page, &handles, seen).await?;
    }
    header(stage, page, &handles, changes).await
}

fn rows(found: &[Found]) -> Vec<Row> {
    let mut rows = Vec::new();
    for Found {
        windows,
        header,
        bare,
        ..
    } in found
    {
        if !TOLD.contains(windows) {
            continue;
        }
        let figure = match windows {
            1 => "a session change to the header of the window".to_owned(),
            many => format!("a session change to the header of the last of {many} windows"),
        };
        let target = match windows {
            10 => Target::P95AtMost(MOST),
            _ => Target::Told,
        };
        let row = Row::new(format!("windows/header-{windows}"), figure, Unit::Ms)
            .this("until it is in the document", header.clone())
            .floor("a message with nothing behind it", bare.clone())
            .target(target)
            .note("a page's clock ticks in whole milliseconds, of which half a one is added");
        rows.push(row);
    }
    let point = |windows: usize, this: Option<Summary>, floor: Option<Summary>| {
        Some(Point {
            x: windows as f64,
            this: this?,
            floor,
        })
    };
    let headers = found.iter().filter_map(|found| {
        let this = Summary::of("header", found.header.clone());
        point(
            found.windows,
            this,
            Summary::of("bare message", found.bare.clone()),
        )
    });
    let weights = found.iter().filter_map(|found| {
        point(
            found.windows,
            Some(Summary::single("the app", found.weight)),
            None,
        )
    });
    let figure = "growth of a session change with windows";
    rows.push(
        Row::new("windows/header-growth", figure, Unit::Ms)
            .grows("windows", headers.collect())
            .target(Target::NoWorseThanLinear),
    );
    let figure = "growth of memory with windows";
    rows.push(
        Row::new("windows/memory-growth", figure, Unit::Bytes)
            .grows("windows", weights.collect())
            .target(Target::NoWorseThanLinear),
    );
    rows
}

/// Opens windows until there are this many, each signed in; the first stays first.
async fn open(page: &InPage, windows: usize) -> Outcome<Vec<WindowHandle>> {
    let driver = page.app.driver();
    let told = |error: thirtyfour::error::WebDriverError| error.to_string();
    let first = driver.window().await.map_err(told)?;
    loop {
        let handles = driver.windows().await.map_err(told)?;
        let mut others: Vec<_> = handles.into_iter().filter(|one| *one != first).collect();
        if others.len() + 1 >= windows {
            for other in &others {
                driver.switch_to_window(other.clone()).await.map_err(told)?;
                page.app.find(Role::Button, containing(DEMO_NAME)).await;
            }
            driver.switch_to_window(first.clone()).await.map_err(told)?;
            others.insert(0, first);
            return Ok(others);
        }
        let wanted = others.len() + 2;
        page.invoke("plugin:vestibule|new_window", json!({}))
            .await?;
        until("one window more", async || {
            let handles = driver.windows().await.map_err(told)?;
            match handles.len() == wanted {
                true => Ok(()),
                false => Err(format!("there are {}", handles.len())),
            }
        })
        .await;
    }
}

/// Makes one change, and waits until every window shows it.
async fn change(
    stage: &Stage,
    page: &InPage,
    handles: &[WindowHandle],
    seen: &mut usize,
) -> Outcome<()> {
    *seen += 1;
    let roles: &[&str] = if *seen % 2 == 1 { &["admin"] } else { &[] };
    if !stage.backend.set_roles(DEMO, roles) {
        return Err("the backend does not know the demo account".into());
    }
    // A page may cause a refresh only once in five seconds, but a sign-in at any time.
    page.log_in().await?;
    let shown = if roles.is_empty() { "false" } else { "true" };
    let script = format!(
        "const last = window.benchHeader.at(-1);
         return last !== undefined && last.may === {shown} && last.shown !== null;"
    );
    // The window that was opened last gets the change last.
    let last = &handles[handles.len() - 1];
    turn_to(page, last).await?;
    until("the change in the header", async || {
        match page.app.run(&script).await {
            Value::Bool(true) => Ok(()),
            other => Err(format!("the page shows {other}")),
        }
    })
    .await;
    turn_to(page, &handles[0]).await
}

async fn turn_to(page: &InPage, window: &WindowHandle) -> Outcome<()> {
    let turned = page.app.driver().switch_to_window(window.clone()).await;
    turned.map_err(|error| error.to_string())
}

/// For each of the last `changes`, the time until the last window showed it.
async fn header(
    stage: &Stage,
    page: &InPage,
    handles: &[WindowHandle],
    changes: usize,
) -> Outcome<Vec<f64>> {
    let sent = sent::times(&stage.log())?;
    let mut last: BTreeMap<u64, f64> = BTreeMap::new();
    for handle in handles {
        turn_to(page, handle).await?;
        let noted = page.app.run("return window.benchHeader").await;
        let noted: Vec<Change> =
            serde_json::from_value(noted).map_err(|error| error.to_string())?;
        let from = noted.len().checked_sub(changes);
        let from = from.ok_or_else(|| format!("a window received {} changes", noted.len()))?;
        for Change { revision, shown } in &noted[from..] {
            let sent = sent.get(revision);
            let sent =
                sent.ok_or_else(|| format!("the log has no line for revision {revision}"))?;
            let shown = shown.ok_or_else(|| format!("revision {revision} was not shown"))?;
            let took = last.entry(*revision).or_insert(f64::MIN);
            *took = took.max(sent::since(*sent, shown));
        }
    }
    turn_to(page, &handles[0]).await?;
    match last.len() == changes {
        true => Ok(last.into_values().collect()),
        false => Err(format!("{} changes in place of {changes}", last.len())),
    }
}

/// For each of the messages, the time until the last window received it.
async fn bare(stage: &Stage, windows: usize, rings: usize) -> Outcome<Vec<f64>> {
    let plan = Plan {
        windows,
        rings,
        ..Plan::default()
    };
    let found = bare_window::run(stage, &plan).await?;
    let last = |heard: &Vec<f64>| heard.iter().copied().fold(f64::MIN, f64::max);
    Ok(found.heard.iter().map(last).collect())
}

/// The memory of all of the app's processes.
fn weight(stage: &Stage) -> Outcome<f64> {
    let shell = stage.desktop.processes(&app());
    let shell = shell.first().ok_or("the app has ended")?;
    Ok(launch::sum(&launch::weights(*shell)?))
}
