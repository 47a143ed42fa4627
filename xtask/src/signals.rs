//! Ctrl+C and similar signals, as a flag that every waiting loop checks.
//!
//! The handler only sets the flag. The loop that waits ends its children in order and returns, so
//! that no process is left behind.

use crate::failure::{Failure, Outcome};

#[cfg(unix)]
mod imp {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};

    static SEEN: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

    pub fn listen() {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let seen = SEEN.get_or_init(Arc::default);
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let value = usize::try_from(signal).unwrap_or_default();
            // Fails only for signals that may not be handled; these may be.
            let _ = signal_hook::flag::register_usize(signal, Arc::clone(seen), value);
        }
    }

    pub fn seen() -> Option<i32> {
        let value = SEEN.get()?.load(Ordering::Relaxed);
        i32::try_from(value).ok().filter(|signal| *signal != 0)
    }
}

#[cfg(not(unix))]
mod imp {
    // Windows sends Ctrl+C to every process of the console, and each ends by default, so nothing
    // has to be passed on.
    pub fn listen() {}

    pub fn seen() -> Option<i32> {
        None
    }
}

/// Starts listening for the signals that ask a process to end.
pub fn listen() {
    imp::listen();
}

/// The signal that asked this tool to end, if one did.
pub fn seen() -> Option<i32> {
    imp::seen()
}

/// Fails once a signal has arrived.
pub fn check() -> Outcome {
    seen().map_or(Ok(()), |signal| Err(Failure::Interrupted(signal)))
}
