//! No secret in logs, errors or panics.
//!
//! The transient faults, and everything else that handles a secret, run in a child process that keeps
//! its log as the app does, with `RUST_LOG=trace`; see [`crate::children::logging`]. Its standard
//! streams and files are searched for every password, code and token of the whole run, raw and in
//! several encodings. The control: a text and a code that were logged on purpose, in each of these
//! encodings, have to be found.
//!
//! The sessions of the transient faults keep their tokens in memory. To cover the log of the keyring and of its bus, one
//! more session uses the real ones, while that keyring is open, locked and dead.

pub mod captured;
pub mod needles;

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use vestibule_harness::child::command;

use crate::children::logging::{self, LoggingProtocol};
use crate::registry::{Form, Setting};
use crate::report::Row;
use needles::Needles;

/// Longer than the long form takes.
const CHILD_RUN_TIMEOUT: Duration = Duration::from_secs(4 * 3600);

/// What the child process hands over besides its output.
#[derive(Debug, Serialize, Deserialize)]
pub struct Account {
    /// How many runs there were.
    pub runs: u64,
    /// How many of them failed for another reason.
    pub losses: u64,
    /// Every secret that was used.
    pub secrets: Vec<String>,
    /// What was logged on purpose in all encodings.
    pub planted: Vec<String>,
}

/// Each fault at two moments, without those that take as long as the core's own limits.
pub async fn short(setting: &Setting) -> Row {
    row(setting, Form::Short).await
}

/// Each fault at each moment, several times.
pub async fn long(setting: &Setting) -> Row {
    row(setting, Form::Long).await
}

async fn row(setting: &Setting, form: Form) -> Row {
    let mut row = Row {
        what: "everything at TRACE while every transient fault happens".into(),
        runs: 0,
        losses: 1,
        bound: "0 secrets said",
        holds: false,
    };
    match listen(setting, form).await {
        Ok((account, found, bytes)) => {
            for place in found.iter().take(20) {
                eprintln!("secrecy lost: {place}");
            }
            row.what = format!(
                "{} secrets looked for in {} kB said at TRACE while every transient fault happens and the keyring fails: raw, base64, percent, hex, decimal",
                account.secrets.len(),
                bytes / 1000,
            );
            row.runs = account.runs;
            row.losses = found.len() as u64 + account.losses;
            row.holds = row.losses == 0;
        }
        Err(error) => eprintln!("secrecy lost: {error}"),
    }
    row
}

/// Runs the child process and searches its output. Returns the places with a secret, and how much
/// was searched.
async fn listen(setting: &Setting, form: Form) -> Result<(Account, Vec<String>, usize), String> {
    let unusable = |error: std::io::Error| format!("no folder: {error}");
    let folder = tempfile::tempdir().map_err(unusable)?;
    let said = folder.path().join("said");
    let logs = said.join("logs");
    fs::create_dir_all(&logs).map_err(unusable)?;
    let kept = folder.path().join("account.json");
    let stream = |name: &str| File::create(said.join(name)).map_err(unusable);
    let arguments = logging::Arguments {
        is_short: form == Form::Short,
        logs,
        account: kept.clone(),
    };
    let mut command = command::<LoggingProtocol>(&setting.program, &arguments)?;
    // The bus must outlive the process.
    #[cfg(target_os = "linux")]
    let _bus = {
        let bus = vestibule_bus::Bus::start().map_err(unusable)?;
        bus.apply_environment(&mut command);
        bus
    };
    let mut command = Command::from(command);
    command
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null())
        .stdout(stream("stdout")?)
        .stderr(stream("stderr")?)
        .kill_on_drop(true);
    let ended = tokio::time::timeout(CHILD_RUN_TIMEOUT, command.status()).await;
    let status = ended
        .map_err(|_| "the process does not end")?
        .map_err(unusable)?;
    if !status.success() {
        let stderr = fs::read(said.join("stderr")).unwrap_or_default();
        let tail = &stderr[stderr.len().saturating_sub(2000)..];
        return Err(format!(
            "the process ended with {status}: {}",
            String::from_utf8_lossy(tail)
        ));
    }
    let account = fs::read(&kept).map_err(unusable)?;
    let account: Account = serde_json::from_slice(&account).map_err(|e| e.to_string())?;
    let (found, bytes) = search(&said, &account)?;
    Ok((account, found, bytes))
}

fn search(folder: &Path, account: &Account) -> Result<(Vec<String>, usize), String> {
    let needles = Needles::of(&account.secrets);
    let controls = account.planted.chunks(1).map(Needles::of);
    let controls: Vec<_> = controls.collect();
    let (mut found, mut bytes) = (Vec::new(), 0);
    for file in files(folder)? {
        let name = file.strip_prefix(folder).unwrap_or(&file).display();
        let said = fs::read(&file).map_err(|error| format!("{name}: {error}"))?;
        bytes += said.len();
        // The newest log file and the stream contain what was logged on purpose last.
        if file.ends_with("stderr") || file.ends_with("vestibule.log") {
            for control in &controls {
                let seen = control.forms_in(&said);
                if seen != needles::FORMS {
                    return Err(format!(
                        "what was put into {name} is found only as {seen:?}"
                    ));
                }
            }
        }
        let places = needles.lines_in(&said).into_iter();
        found.extend(places.map(|place| format!("{name}: {place}")));
    }
    Ok((found, bytes))
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| error.to_string())?;
        for entry in entries.flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => files.push(path),
            }
        }
    }
    Ok(files)
}
