//! Ctrl-C, and what else asks a program to end. The first time all that was signed in is signed
//! out; the second time the program ends at once.

use std::time::Duration;

use tokio::sync::watch;

use crate::ask::tell;

/// Some callers pass on what the terminal has sent already: so soon it is no second wish.
const ECHO: Duration = Duration::from_millis(400);
/// What a shell calls a program that was interrupted.
pub const INTERRUPTED: u8 = 130;

const FIRST: &str = "\n  … stopping: the exchange under way ends, then what was signed in is signed out.\n    \
                     That may take up to 45 s where the backend is slow (Ctrl-C again: at once)";
const SECOND: &str = "\n  … ended at once: what was signed in may still be so";

/// Asks to stop, and ends the program if it is asked twice.
pub async fn listen(stop: watch::Sender<bool>) {
    if wish().await.is_err() {
        return;
    }
    // Before a word: whoever has closed the terminal cannot be told.
    stop.send_replace(true);
    tell(FIRST);
    tokio::time::sleep(ECHO).await;
    if wish().await.is_ok() {
        tell(SECOND);
        std::process::exit(INTERRUPTED.into());
    }
}

/// Waits for one.
#[cfg(unix)]
async fn wish() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut typed = signal(SignalKind::interrupt())?;
    let mut told = signal(SignalKind::terminate())?;
    let mut closed = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = typed.recv() => {}
        _ = told.recv() => {}
        _ = closed.recv() => {}
    }
    Ok(())
}

/// Waits for one.
#[cfg(not(unix))]
async fn wish() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
