//! From the start of the process to the first drawn frame, against a blank window.
//!
//! No WebDriver takes part: a script that runs before the page's own tells the moment of
//! the first frame by a request of the app to the backend. The blank window is the same
//! binary, with its Tauri, keyring and session, whose page is stopped and emptied at its
//! first line: what is left is the price of any Tauri window, and the difference is what
//! the frontend adds. "Cold" is a new process; the file cache is warm.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use vestibule_acceptance::{DEMO, DEMO_NAME, Group, PASSWORD, Role, Stage, app, containing, until};
use vestibule_backend::Config;

use crate::figures::{Times, line, ms, told};

const STARTS: usize = 15;
const REPORT: &str = "/plans/first-frame/purchase";

/// What the script tells: milliseconds since the epoch.
#[derive(Deserialize)]
struct Frame {
    script: f64,
    frame: f64,
    text: String,
}

const TELL: &str = r#"
(() => {
  if (window !== window.top) return;
  const script = performance.timeOrigin + performance.now();
  const tell = () => {
    const frame = performance.timeOrigin + performance.now();
    const text = document.documentElement?.innerText ?? "";
    window.__TAURI_INTERNALS__.invoke("backend_fetch", {
      request: {
        path: "/plans/first-frame/purchase",
        method: "POST",
        headers: [["content-type", "application/json"]],
        body: JSON.stringify({ script, frame, text }),
      },
    });
  };
  const begin = () => {
    if (!window.__TAURI_INTERNALS__?.invoke) return setTimeout(begin);
    PAGE
  };
  begin();
})();
"#;

// The first frame that shows the app itself: it has a header. On a machine at leisure it is
// the first of all; a busy one may draw the neutral look before it.
const WHOLE: &str = r#"
    const look = () => document.querySelector("header") ? tell() : requestAnimationFrame(look);
    requestAnimationFrame(look);
"#;
const BLANK: &str = r#"
    window.stop();
    document.documentElement.replaceChildren();
    window.__TAURI_INTERNALS__.invoke("window_ready");
    requestAnimationFrame(tell);
"#;

pub async fn measure() {
    println!("\nCold start to first paint: from the start of the process, {STARTS} times each");
    let stage = Stage::new("bench-start", Config::default()).await;
    let app = stage.start_at("/auth/login/").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    app.find(Role::Button, containing(DEMO_NAME)).await;
    app.kill();

    let mut whole = (Times::default(), Times::default());
    let mut blank = (Times::default(), Times::default());
    for _ in 0..STARTS {
        let text = one(&stage, WHOLE, &mut whole).await;
        assert!(text.contains(DEMO_NAME), "the first frame reads {text:?}");
        let text = one(&stage, BLANK, &mut blank).await;
        assert_eq!(text, "", "the blank window is blank");
    }
    told("the app, signed in: the page begins", &whole.0);
    told("the app, signed in: first frame", &whole.1);
    told("blank Tauri window: the page begins", &blank.0);
    told("blank Tauri window: first frame", &blank.1);
    let over = whole.1.median().saturating_sub(blank.1.median());
    line("over a blank window", &format!("median {:>12}", ms(over)));
    let _ = fs::remove_file(stage.log());
}

/// One start; answers what the first frame read.
async fn one(stage: &Stage, page: &str, times: &mut (Times, Times)) -> String {
    let script = stage.desktop.home().join("first-frame.js");
    fs::write(&script, TELL.replace("PAGE", page)).expect("the script");
    let told = || stage.backend.recent_requests("POST", REPORT);
    let seen = told().len();
    let mut command = stage.desktop.command(app());
    command
        .env("VESTIBULE_BACKEND", stage.backend.url())
        .env("VESTIBULE_E2E_SCRIPT", &script)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begun = SystemTime::now().duration_since(UNIX_EPOCH);
    let begun = begun.expect("a clock").as_secs_f64() * 1000.0;
    let _app = Group::start(&mut command);
    let frame = until("the first frame", async || {
        let frame = told().into_iter().nth(seen).ok_or("nothing was told yet")?;
        serde_json::from_slice::<Frame>(&frame.body).map_err(|error| error.to_string())
    })
    .await;
    let since = |moment: f64| Duration::from_secs_f64((moment - begun).max(0.0) / 1000.0);
    times.0.add(since(frame.script));
    times.1.add(since(frame.frame));
    frame.text
}
