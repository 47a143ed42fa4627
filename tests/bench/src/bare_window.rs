//! Windows with commands and messages and nothing behind them: what the web engine and Tauri cost by
//! themselves.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use vestibule_acceptance::Stage;

use crate::built;
use crate::registry::Outcome;

/// How long the bare windows may take in all.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What bare windows do.
#[derive(Default)]
pub struct Plan {
    /// How many there are.
    pub windows: usize,
    /// How many messages go to all of them.
    pub rings: usize,
    /// How many batches of calls the first one makes.
    pub batches: usize,
    /// How many calls a batch has.
    pub calls: usize,
    /// How many bytes the answers of a call have in all. Without any it is a command that does nothing.
    pub bytes: usize,
    /// How many bytes one of those answers has at most.
    pub piece: usize,
}

/// What bare windows found, in milliseconds.
#[derive(Deserialize)]
pub struct Found {
    /// The mean of the calls of each batch.
    #[serde(default)]
    pub calls: Option<Vec<f64>>,
    /// For each message, the time until each window received it.
    pub heard: Vec<Vec<f64>>,
}

/// Opens bare windows on a desktop, and waits until they have done this.
///
/// # Errors
/// If they are not built, or do not end.
pub async fn run(stage: &Stage, plan: &Plan) -> Outcome<Found> {
    let mut command = stage.desktop.command(built::bare_window()?);
    let Plan {
        windows,
        rings,
        batches,
        calls,
        bytes,
        piece,
    } = plan;
    command
        .args([windows, rings, batches, calls, bytes, piece].map(ToString::to_string))
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let running = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(TIMEOUT, running).await;
    let ended = ended.map_err(|_| "the bare windows do not end")?;
    let ended = ended.map_err(|error| format!("the bare window: {error}"))?;
    serde_json::from_slice(&ended.stdout)
        .map_err(|error| format!("the bare window ({}): {error}", ended.status))
}
