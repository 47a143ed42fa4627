//! Commands and events without content: `vestibule-bare WINDOWS RINGS BATCHES CALLS` opens so many
//! windows, sends so many events to all of them, and lets the first make so many calls in each of
//! so many batches. It prints one line of JSON: the milliseconds of a call, batch by batch, and of
//! an event, from before it is emitted until each window has received it.
//!
//! The wall clock times both ends of an event. The page reads it in whole milliseconds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tauri::{
    AppHandle, Emitter as _, Manager as _, State, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    command,
};

const FIRST: &str = "window-0";

/// The arguments and the results.
#[derive(Default)]
struct Run {
    windows: usize,
    rings: usize,
    batches: usize,
    calls: usize,
    listening: AtomicUsize,
    all_listen: tokio::sync::Notify,
    heard_now: tokio::sync::Notify,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    calls: Value,
    /// For each event, when it was sent and when each window received it.
    rung: Vec<f64>,
    heard: Vec<Vec<f64>>,
}

fn main() -> tauri::Result<()> {
    let mut asked = std::env::args()
        .skip(1)
        .map(|word| word.parse().unwrap_or(0));
    let mut next = || asked.next().unwrap_or_default();
    let run = Run {
        windows: next(),
        rings: next(),
        batches: next(),
        calls: next(),
        ..Run::default()
    };
    tauri::Builder::default()
        .manage(run)
        .invoke_handler(tauri::generate_handler![
            nothing, plan, listening, ring, heard, told, done
        ])
        .setup(|app| {
            for number in 0..app.state::<Run>().windows {
                let page = WebviewUrl::App("bare.html".into());
                WebviewWindowBuilder::new(app, format!("window-{number}"), page).build()?;
            }
            Ok(())
        })
        .run(tauri::generate_context!())
}

#[command]
async fn nothing() {}

#[command]
async fn plan(window: WebviewWindow, run: State<'_, Run>) -> Result<Value, ()> {
    let first = window.label() == FIRST;
    Ok(json!({
        "first": first, "rings": run.rings, "batches": run.batches, "calls": run.calls
    }))
}

/// Returns when every window listens.
#[command]
async fn listening(run: State<'_, Run>) -> Result<(), ()> {
    if run.listening.fetch_add(1, Ordering::SeqCst) + 1 == run.windows {
        run.all_listen.notify_waiters();
    }
    loop {
        let all = run.all_listen.notified();
        if run.listening.load(Ordering::SeqCst) == run.windows {
            return Ok(());
        }
        all.await;
    }
}

/// Sends one event, and returns when every window has received it.
#[command]
async fn ring(app: AppHandle, run: State<'_, Run>, ring: usize) -> Result<(), ()> {
    {
        let mut found = run.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.heard.push(Vec::new());
        found.rung.push(now());
    }
    app.emit("rung", ring).map_err(drop)?;
    loop {
        let more = run.heard_now.notified();
        {
            let found = run.found.lock().unwrap_or_else(PoisonError::into_inner);
            if found.heard[ring].len() == run.windows {
                return Ok(());
            }
        }
        more.await;
    }
}

#[command]
async fn heard(run: State<'_, Run>, ring: usize, at: f64) -> Result<(), ()> {
    let mut found = run.found.lock().unwrap_or_else(PoisonError::into_inner);
    let since = at - found.rung[ring];
    found.heard[ring].push(since);
    run.heard_now.notify_waiters();
    Ok(())
}

#[command]
async fn told(run: State<'_, Run>, value: Value) -> Result<(), ()> {
    run.found
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .calls = value;
    Ok(())
}

#[command]
async fn done(app: AppHandle, run: State<'_, Run>) -> Result<(), ()> {
    {
        let found = run.found.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{}", json!({ "calls": found.calls, "heard": found.heard }));
    }
    app.exit(0);
    Ok(())
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}
