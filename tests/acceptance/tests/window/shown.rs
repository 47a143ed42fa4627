//! When and how a window is shown: hidden until its page is ready, visible after a limit in any
//! case, closed by the menu's shortcut, and at its last size again.

use std::process::Stdio;
use std::time::{Duration, Instant};

use thirtyfour::common::types::Rect;
use vestibule_acceptance::{App, ProcessGroup, Role, Screen, Stage, app, scenario, until};

const TITLE: &str = "Vestibule";
/// After this time a window is shown even if its page is not ready.
const ANYWAY: Duration = Duration::from_millis(1500);
/// How often each kind of page is started. The fastest start counts, since it depends least on how
/// busy the machine is.
const STARTS: usize = 3;

/// A page that never reports that it is ready.
const MUTE: &str = "
    const fetched = window.fetch;
    window.fetch = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input, location.href);
      const asks = url.protocol === 'ipc:' && url.pathname.endsWith('window_ready');
      return asks ? new Promise(() => undefined) : fetched(input, init);
    };";
/// A page that reports at once that it is ready, however busy the machine is.
const EAGER: &str = "
    const speak = () => {
      const shell = window.__TAURI_INTERNALS__;
      shell ? shell.invoke('plugin:vestibule|window_ready') : setTimeout(speak);
    };
    speak();";

/// How long after its start the window of an app with this script in its page is visible.
async fn seen_after(stage: &Stage, script: &str) -> Duration {
    let file = stage.desktop.home().join("page.js");
    std::fs::write(&file, script).expect("the script");
    let screen = Screen::of(&stage.desktop);
    let mut command = stage.desktop.command(app());
    command
        .env("VESTIBULE_BACKEND", stage.backend.url())
        .env("VESTIBULE_E2E_SCRIPT", file)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut app = ProcessGroup::start(&mut command);
    until("a window on the screen", async || {
        assert!(app.ended().is_none(), "the app has ended");
        let shown = screen.shows(TITLE);
        shown.then_some(()).ok_or_else(|| "there is none".into())
    })
    .await;
    started.elapsed()
}

async fn fastest(stage: &Stage, script: &str) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..STARTS {
        best = best.min(seen_after(stage, script).await);
    }
    best
}

#[test]
fn a_window_waits_for_its_page_but_not_for_ever() {
    scenario(async |stage| {
        let eager = fastest(stage, EAGER).await;
        let mute = fastest(stage, MUTE).await;
        println!("seen after {eager:?}; with a page that is silent after {mute:?}");
        assert!(
            mute >= ANYWAY,
            "the window was not hidden: visible after {mute:?}"
        );
        // If the page had no influence, or the window were never hidden, both times would be equal.
        let waited = mute.saturating_sub(eager);
        assert!(
            waited > Duration::from_millis(200),
            "a page that is ready is shown at once: {eager:?} against {mute:?}"
        );
    });
}

async fn size(app: &App) -> (i64, i64) {
    let Rect { width, height, .. } = app.driver().get_window_rect().await.expect("a size");
    (width, height)
}

#[test]
fn a_window_is_back_at_its_size_after_the_app_was_quit() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        let before = size(&app).await;
        let resized = app.driver().set_window_rect(40, 30, 941, 653).await;
        resized.expect("the window takes this size");
        let chosen = size(&app).await;
        assert_ne!(chosen, before, "the window has another size");
        let keyboard = stage.keyboard();
        keyboard.focus(TITLE).await;
        keyboard.press(&["ctrl+q"]);
        until("the end of the app", async || {
            match stage.desktop.processes(&vestibule_acceptance::app()).len() {
                0 => Ok(()),
                left => Err(format!("{left} processes are left")),
            }
        })
        .await;
        drop(app);
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        assert_eq!(size(&app).await, chosen);
    });
}

/// Rows at the top that belong to the menu with any font.
const MENU: u16 = 12;

#[test]
fn the_menu_can_be_read_in_each_theme_and_from_the_start() {
    scenario(async |stage| {
        let screen = Screen::of(&stage.desktop);
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        for (theme, wanted) in [("dark", 0..100), ("light", 150..256), ("dark", 0..100)] {
            app.run_async(
                "await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|set_theme', { theme: argument });
                 done(true);",
                theme.into(),
            )
            .await;
            ground(&screen, wanted).await;
        }
        app.kill();
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        ground(&screen, 0..100).await;
    });
}

/// Waits until the brightness of the menu's background is within this range.
async fn ground(screen: &Screen, wanted: std::ops::Range<u16>) {
    until("the menu in the theme's colours", async || {
        let light = screen.lightness_on_top(TITLE, MENU).map(u16::from);
        match light {
            Some(light) if wanted.contains(&light) => Ok(()),
            light => Err(format!(
                "the brightness of its background is {light:?} of 255"
            )),
        }
    })
    .await;
}
