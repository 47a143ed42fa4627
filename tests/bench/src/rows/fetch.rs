//! `auth.fetch` from a page, over TLS on loopback. Its floor is a command that does nothing and a
//! bare request; the alternative is the fetch of `tauri-plugin-http`, which has no session.
//!
//! A large body has to cross to the page, whoever sends it: WebKit reads an answer of the app's own
//! scheme in pieces of 8 KiB, one for each turn of the main thread. So its floor has as many bytes too, in
//! as many pieces as the core hands out, from a bare command.
//!
//! All fetch the same bytes from the same server, and read them to the end.

use std::time::Instant;

use serde_json::json;
use vestibule_acceptance::{Stage, app};
use vestibule_backend::Config;
use vestibule_core::backend::CHUNK;

use crate::bare::Bare;
use crate::bare_window::{self, Plan};
use crate::in_page::InPage;
use crate::instruments::peak::Peak;
use crate::launch;
use crate::memory;
use crate::origin::{self, Origin};
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;

/// How many bytes are fetched, and how often.
struct Size {
    id: &'static str,
    figure: &'static str,
    bytes: usize,
    rounds: usize,
    /// How many calls a batch has.
    calls: usize,
    /// Whether the body comes in pieces of its own, and not within the answer.
    is_large: bool,
}

impl Size {
    /// A short form only shows that it works, for which a megabyte is enough.
    fn bytes(&self, setting: &Setting) -> usize {
        match setting.is_short() {
            true => self.bytes.min(1_000_000),
            false => self.bytes,
        }
    }
}

const SIZES: [Size; 3] = [
    Size {
        id: "fetch/1kB",
        figure: "auth.fetch of 1 KB",
        bytes: 1_000,
        rounds: 30,
        calls: 20,
        is_large: false,
    },
    Size {
        id: "fetch/1MB",
        figure: "auth.fetch of 1 MB",
        bytes: 1_000_000,
        rounds: 30,
        calls: 3,
        is_large: true,
    },
    Size {
        id: "fetch/100MB",
        figure: "auth.fetch of 100 MB",
        bytes: 100_000_000,
        rounds: 5,
        calls: 1,
        is_large: true,
    },
];
/// How many times the floor it may take.
const TIMES: f64 = 1.15;
/// How many times faster than the plugin it must be for small bodies.
const FASTER: f64 = 5.0;
/// By how much the app's process may grow while 100 MB pass through it.
const MORE_MEMORY: f64 = 8.0 * 1024.0 * 1024.0;
/// How many commands a batch has, since one is faster than the page's clock can show.
const COMMANDS: usize = 50;

/// Measures each size, and the memory at the largest.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let stage = Stage::new("bench-fetch", Config::default()).await;
    let origin = Origin::before(stage.backend.address()).await?;
    let page = page(&stage, &origin).await?;
    let bare = Bare::new(&origin.url())?;
    let mut rows = Vec::new();
    for size in &SIZES {
        rows.push(one(setting, size, &stage, &page, &bare, &origin).await?);
    }
    rows.push(peak(setting, &stage, &page).await?);
    Ok(rows)
}

/// A page of the app, signed in at this server, that may fetch bytes from it.
///
/// # Errors
/// If the sign-in fails.
pub async fn page(stage: &Stage, origin: &Origin) -> Outcome<InPage> {
    let profile = stage.desktop.home().join("bench.toml");
    std::fs::write(&profile, origin::PROFILE).map_err(|error| error.to_string())?;
    let variables = [
        ("VESTIBULE_BACKEND", origin.url()),
        ("VESTIBULE_PROFILE", profile.display().to_string()),
    ];
    InPage::signed_in(stage, &variables).await
}

async fn one(
    setting: &Setting,
    size: &Size,
    stage: &Stage,
    page: &InPage,
    bare: &Bare,
    origin: &Origin,
) -> Outcome<Row> {
    let (bytes, calls) = (size.bytes(setting), size.calls);
    let path = origin::path(bytes);
    let public = format!("{}{}", origin.named_url(), origin::public_path(bytes));
    let mut series: [Vec<f64>; 4] = Default::default();
    let [this, commands, requests, plugin] = &mut series;
    let rounds = setting.rounds(size.rounds);
    let crossing = match size.is_large {
        true => Some(crossing(stage, bytes, rounds, calls).await?),
        false => None,
    };
    for round in 0..=rounds {
        let fetched = page
            .figures("authFetch", json!([path, bytes, 1, calls]))
            .await?;
        let nothing = page.figures("nothing", json!([1, COMMANDS])).await?;
        let begun = Instant::now();
        for _ in 0..calls {
            bare.fetch(&path, "").await?;
        }
        let request = begun.elapsed().as_secs_f64() * 1e3 / calls as f64;
        let by_plugin = page
            .figures("pluginFetch", json!([public, bytes, 1, calls]))
            .await?;
        // The first round opens the connections.
        if round > 0 {
            this.extend(fetched);
            commands.extend(nothing);
            requests.push(request);
            plugin.extend(by_plugin);
        }
        setting.progress(size.figure, round, rounds);
    }
    let [this, commands, requests, plugin] = series;
    let times = Target::TimesFloor(TIMES);
    let target = match size.is_large {
        false => Target::All(vec![times, Target::FasterThanAlternative(FASTER)]),
        true => times,
    };
    let row = Row::new(size.id, size.figure, Unit::Ms)
        .this("in the page", this)
        .floor("a command that does nothing", commands)
        .floor("bare reqwest", requests)
        .alternative("tauri-plugin-http in the page", plugin)
        .target(target);
    Ok(match crossing {
        Some(crossing) => row.floor("a bare command with the bytes", crossing),
        None => row.in_turns(),
    })
}

/// How long as many bytes take from a bare command to its page, batch by batch. The first batch warms
/// the page up.
async fn crossing(stage: &Stage, bytes: usize, batches: usize, calls: usize) -> Outcome<Vec<f64>> {
    let plan = Plan {
        windows: 1,
        batches: batches + 1,
        calls,
        bytes,
        piece: CHUNK,
        ..Plan::default()
    };
    let found = bare_window::run(stage, &plan).await?;
    let all = found.calls.ok_or("the bare window made no calls")?;
    Ok(all.into_iter().skip(1).collect())
}

/// By how much the app's own process grows while 100 MB pass through it. The growth of the page's
/// process is in the row's note.
async fn peak(setting: &Setting, stage: &Stage, page: &InPage) -> Outcome<Row> {
    let bytes = SIZES[2].bytes(setting);
    let shell = stage.desktop.processes(&app());
    let &[shell] = &shell[..] else {
        return Err(format!("{} processes of the app", shell.len()));
    };
    let (mut more, mut in_page) = (Vec::new(), Vec::new());
    for _ in 0..setting.rounds(3) {
        let engine = engine_of(shell)?;
        let peaks = [Peak::begin(shell)?, Peak::begin(engine)?];
        page.figures("authFetch", json!([origin::path(bytes), bytes, 1, 1]))
            .await?;
        more.push(peaks[0].more()?);
        in_page.push(peaks[1].more()?);
    }
    let most = in_page.into_iter().fold(0.0, f64::max);
    let figure = "more memory of the app's process during auth.fetch of 100 MB";
    Ok(Row::new("fetch/memory", figure, Unit::Bytes)
        .this("the most at a time", more)
        .target(Target::AtMost(MORE_MEMORY))
        .note(format!(
            "the page's process, which reads and lets go: {} at most",
            Unit::Bytes.show(most)
        )))
}

/// The process that runs the app's page.
fn engine_of(shell: u32) -> Outcome<u32> {
    let mut processes = memory::tree(shell).into_iter();
    let engine = processes.find(|id| launch::name(*id).starts_with("WebKitWebProc"));
    engine.ok_or_else(|| "no process of the app runs a page".into())
}
