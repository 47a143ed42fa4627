//! Controls of what is measured inside a page: a delay that is planted on the way of each figure
//! shows in it, and so does a request. With and without take turns. Where a figure takes a whole
//! page more is planted, since other tests run beside these. Runs where the app has been built.

use std::time::Duration;

use serde_json::json;
use vestibule_acceptance::Stage;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_bench::in_page::{HEADER, InPage};
use vestibule_bench::origin::{self, Origin};
use vestibule_bench::registry::{Outcome, runtime};
use vestibule_bench::rows::{click, windows};
use vestibule_bench::summary::median;

/// What is planted, in milliseconds.
const PLANTED: u64 = 20;
const PLANTED_IN_A_PAGE: u64 = 400;
/// How much of it must be seen.
const SEEN: f64 = 0.75;
const ROUNDS: usize = 5;

fn shows(what: &str, planted: u64, [without, with]: &[Vec<f64>; 2]) -> Outcome<()> {
    let more = median(with)
        .zip(median(without))
        .map(|(with, without)| with - without);
    match more {
        Some(more) if more >= SEEN * planted as f64 => Ok(()),
        _ => Err(format!("{what}: {without:?} without, {with:?} with")),
    }
}

#[test]
fn a_delay_shows_in_the_pages_clock_and_in_a_fetch_and_a_request_is_counted() {
    let done = runtime().block_on(async {
        let stage = Stage::new("bench-control-fetch", Config::default()).await;
        let origin = Origin::plain(stage.backend.address()).await?;
        let profile = stage.desktop.home().join("bench.toml");
        std::fs::write(&profile, origin::PROFILE).map_err(|error| error.to_string())?;
        let variables = [
            ("VESTIBULE_BACKEND", origin.url()),
            ("VESTIBULE_PROFILE", profile.display().to_string()),
        ];
        let page = InPage::signed_in(&stage, &variables).await?;
        let mut pauses = [Vec::new(), Vec::new()];
        let mut fetches = [Vec::new(), Vec::new()];
        // The first round opens the connections.
        for round in 0..=ROUNDS {
            for which in [0, 1] {
                let planted = PLANTED * which as u64;
                let pause = page.figures("pause", json!([1, 5, planted])).await?;
                origin.delay(Duration::from_millis(planted));
                let fetch = json!([origin::path(1000), 1000, 1, 3]);
                let fetch = page.figures("authFetch", fetch).await?;
                if round > 0 {
                    pauses[which].extend(pause);
                    fetches[which].extend(fetch);
                }
            }
        }
        shows("the page's clock", PLANTED, &pauses)?;
        shows("auth.fetch", PLANTED, &fetches)?;

        let before = stage.backend.all_requests();
        page.figures("getSession", json!([1, 10])).await?;
        let none = stage.backend.all_requests() - before;
        page.invoke("refresh", json!({})).await?;
        let one = stage.backend.all_requests() - before - none;
        match (none, one) {
            (0, 1) => Ok(()),
            counted => Err(format!("0 and 1 requests are counted as {counted:?}")),
        }
    });
    assert_eq!(done, Ok(()));
}

#[test]
fn a_slow_backend_shows_in_the_click() {
    let done = runtime().block_on(async {
        let stage = Stage::new("bench-control-click", Config::default()).await;
        let page = InPage::start(&stage, "", &[]).await?;
        let mut series = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (which, times) in series.iter_mut().enumerate() {
                let delay = Effect::Delay {
                    ms: PLANTED_IN_A_PAGE * which as u64,
                };
                stage
                    .backend
                    .faults()
                    .add(Fault::on("POST", "/login", delay).times(1));
                times.push(click::click(&page).await?);
                page.invoke("logout", json!({})).await?;
            }
        }
        shows("the click", PLANTED_IN_A_PAGE, &series)
    });
    assert_eq!(done, Ok(()));
}

/// Another listener in the page, asked before the page's own, that takes the time it is told to.
const BUSY: &str = "
    (() => {
      const hear = () => {
        const shell = window.__TAURI_INTERNALS__;
        if (!shell?.callbacks) return setTimeout(hear);
        const handler = shell.transformCallback(() => {
          const until = performance.now() + (window.benchBusy ?? 0);
          while (performance.now() < until);
        });
        const target = { kind: 'Any' };
        shell.invoke('plugin:event|listen', { event: 'session-changed', target, handler });
      };
      hear();
    })();
";

#[test]
fn a_busy_page_shows_in_the_header() {
    let done = runtime().block_on(async {
        let stage = Stage::new("bench-control-header", Config::default()).await;
        let page = windows::page(&stage, &format!("{BUSY}{HEADER}")).await?;
        let mut series = [Vec::new(), Vec::new()];
        let mut seen = 0;
        for _ in 0..ROUNDS {
            for (which, times) in series.iter_mut().enumerate() {
                let busy = PLANTED_IN_A_PAGE * which as u64;
                page.app.run(&format!("window.benchBusy = {busy}")).await;
                times.extend(windows::changed(&stage, &page, 1, 1, &mut seen).await?);
            }
        }
        let _ = std::fs::remove_file(stage.log());
        shows("the header", PLANTED_IN_A_PAGE, &series)
    });
    assert_eq!(done, Ok(()));
}
