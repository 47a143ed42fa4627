//! Ctrl+C and the like, as a flag that every waiting loop looks at.
//!
//! Nothing is done in the handler: whoever waits ends its children in order
//! and returns, so that no process is left behind.

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
            // Fails only for signals that may not be handled; these may.
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
    // Windows sends Ctrl+C to every process of the console, and its default
    // ends each of them: there is nothing to pass on.
    pub fn listen() {}

    pub fn seen() -> Option<i32> {
        None
    }
}

/// Starts listening for the signals that ask a process to end.
pub fn listen() {
    imp::listen();
}

/// The signal that asked us to end, if one did.
pub fn seen() -> Option<i32> {
    imp::seen()
}

/// Stops the caller once a signal has been seen.
pub fn check() -> Outcome {
    seen().map_or(Ok(()), |signal| Err(Failure::Interrupted(signal)))
}
