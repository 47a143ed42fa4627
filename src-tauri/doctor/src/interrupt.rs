//! Ctrl-C and the other signals that ask a program to end. After the first one the doctor signs out
//! what it has signed in; at the second one the program ends at once.

use std::time::Duration;

use tokio::sync::watch;

use crate::prompter::print;

/// Some callers pass on the Ctrl-C that the terminal has sent to the doctor already. A signal that
/// follows so soon is taken for that copy, not for a second Ctrl-C.
const ECHO: Duration = Duration::from_millis(400);
/// The exit status that shells use for a program that Ctrl-C has ended: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

const FIRST: &str = "\n  … stopping: the exchange under way ends, then what was signed in is signed out.\n    \
                     That may take up to 45 s where the backend is slow (Ctrl-C again: at once)";
const SECOND: &str = "\n  … ended at once: sessions of the doctor may still be signed in";

/// Stops the examination at the first signal, and ends the program at the second.
pub(crate) async fn listen(stop: watch::Sender<bool>) {
    if signalled().await.is_err() {
        return;
    }
    // Before the message: a terminal that was closed takes none.
    stop.send_replace(true);
    print(FIRST);
    tokio::time::sleep(ECHO).await;
    if signalled().await.is_ok() {
        print(SECOND);
        std::process::exit(INTERRUPTED.into());
    }
}

/// Waits for a signal.
#[cfg(unix)]
async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut closed = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
        _ = closed.recv() => {}
    }
    Ok(())
}

/// Waits for a signal.
#[cfg(not(unix))]
async fn signalled() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
