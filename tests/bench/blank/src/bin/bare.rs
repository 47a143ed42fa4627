//! Commands and messages with nothing behind them: `vestibule-bare WINDOWS RINGS BATCHES CALLS BYTES
//! PIECE` opens so many windows, sends so many messages to all of them by the channels that their pages
//! open, and lets the first make so many calls in each of so many batches. A call is one command without
//! content, or as many as bring BYTES in answers of at most PIECE bytes. It prints one line of JSON: the
//! milliseconds of a call, batch by batch, and of a message, from before it is sent until each window
//! has received it.
//!
//! The wall clock times both ends of a message. The page reads it in whole milliseconds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tauri::ipc::{Channel, Response};
use tauri::{
    AppHandle, Manager as _, State, WebviewUrl, WebviewWindow, WebviewWindowBuilder, command,
};

const FIRST: &str = "window-0";

/// The arguments and the results.
#[derive(Default)]
struct Run {
    windows: usize,
    rings: usize,
    batches: usize,
    calls: usize,
    bytes: usize,
    piece: usize,
    channels: Mutex<Vec<Channel<usize>>>,
    all_listen: tokio::sync::Notify,
    heard_now: tokio::sync::Notify,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    calls: Value,
    /// For each message, when it was sent and when each window received it.
    rung: Vec<f64>,
    heard: Vec<Vec<f64>>,
}

impl Run {
    fn channels(&self) -> MutexGuard<'_, Vec<Channel<usize>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        bytes: next(),
        piece: next(),
        ..Run::default()
    };
    tauri::Builder::default()
        .manage(run)
        .invoke_handler(tauri::generate_handler![
            nothing, bytes, plan, listening, ring, heard, told, done
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
async fn bytes(bytes: usize) -> Response {
    Response::new(vec![b'x'; bytes])
}

#[command]
async fn plan(window: WebviewWindow, run: State<'_, Run>) -> Result<Value, ()> {
    let first = window.label() == FIRST;
    Ok(json!({
        "first": first, "rings": run.rings, "batches": run.batches, "calls": run.calls,
        "bytes": run.bytes, "piece": run.piece,
    }))
}

/// Takes the channel of a window, and returns when every window has given one.
#[command]
async fn listening(run: State<'_, Run>, channel: Channel<usize>) -> Result<(), ()> {
    let all = || run.channels().len() == run.windows;
    run.channels().push(channel);
    if all() {
        run.all_listen.notify_waiters();
    }
    loop {
        let more = run.all_listen.notified();
        if all() {
            return Ok(());
        }
        more.await;
    }
}

/// Sends one message to every window, and returns when every window has received it.
#[command]
async fn ring(run: State<'_, Run>, ring: usize) -> Result<(), ()> {
    {
        let mut found = run.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.heard.push(Vec::new());
        found.rung.push(now());
    }
    for channel in run.channels().iter() {
        channel.send(ring).map_err(drop)?;
    }
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
