//! Controls of the measurements inside a page: a delay that is planted in the path of each figure
//! is measured, and so is a request, with and without in turns. Other tests run at the same time,
//! so these check only what holds at any load: no measured time is shorter than the delay planted
//! in it. `cargo xtask bench controls` plants 20 ms on an otherwise idle machine and compares the
//! result with a target. Runs where the app has been built.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use vestibule_acceptance::{Stage, until};
use vestibule_backend::Config;
use vestibule_bench::origin::{self, Origin};
use vestibule_bench::registry::{Outcome, runtime};
use vestibule_bench::rows::controls::{self, Pairs};
use vestibule_bench::rows::fetch;

/// The planted delay.
const PLANTED: Duration = Duration::from_millis(20);
const ROUNDS: usize = 3;

/// Checks that a delay that is longer than what is measured takes by itself was measured.
fn held(heard: &Pairs) -> Outcome<()> {
    let planted = controls::longer_than_it_takes(heard[0][0]);
    controls::held(planted, heard)
}

#[test]
fn a_delay_shows_in_the_pages_clock_and_in_a_fetch_and_a_request_is_counted() {
    let done = runtime().block_on(async {
        let stage = Stage::new("bench-control-fetch", Config::default()).await;
        let origin = Origin::plain(stage.backend.address()).await?;
        let page = fetch::page(&stage, &origin).await?;
        let mut pauses = [Vec::new(), Vec::new()];
        let mut fetches = [Vec::new(), Vec::new()];
        // The first round opens the connections.
        for round in 0..=ROUNDS {
            for which in [0_u32, 1] {
                let planted = PLANTED * which;
                let pause = json!([1, 5, planted.as_millis() as u64]);
                let pause = page.figures("pause", pause).await?;
                origin.delay(planted);
                let fetch = json!([origin::path(1000), 1000, 1, 3]);
                let fetch = page.figures("authFetch", fetch).await?;
                if round > 0 {
                    pauses[which as usize].extend(pause);
                    fetches[which as usize].extend(fetch);
                }
            }
        }
        controls::held(PLANTED, &pauses).map_err(|heard| format!("the page's clock: {heard}"))?;
        controls::held(PLANTED, &fetches).map_err(|heard| format!("auth.fetch: {heard}"))?;

        let before = stage.backend.all_requests();
        page.figures("getSession", json!([1, 10])).await?;
        let none = stage.backend.all_requests() - before;
        // A page may cause a refresh only once in five seconds.
        let one = until("a refresh to go out", async || {
            page.invoke("plugin:vestibule|refresh", json!({})).await?;
            match stage.backend.all_requests() - before - none {
                0 => Err("none does".to_owned()),
                some => Ok(some),
            }
        })
        .await;
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
        let heard = controls::clicks(&stage, controls::longer_than_it_takes, ROUNDS).await?;
        held(&heard)
    });
    assert_eq!(done, Ok(()));
}

#[test]
fn a_busy_page_shows_in_the_header() {
    let done = runtime().block_on(async {
        let stage = Stage::new("bench-control-header", Config::default()).await;
        let heard = controls::headers(&stage, controls::longer_than_it_takes, ROUNDS).await?;
        held(&heard)
    });
    assert_eq!(done, Ok(()));
}

#[test]
fn a_late_reload_shows_in_what_is_painted() {
    let done = runtime().block_on(async {
        let stage = Stage::new("bench-control-switch", Config::default()).await;
        let program = Path::new(env!("CARGO_BIN_EXE_bench"));
        let heard =
            controls::reloads(&stage, program, controls::longer_than_it_takes, ROUNDS).await?;
        held(&heard)
    });
    assert_eq!(done, Ok(()));
}
