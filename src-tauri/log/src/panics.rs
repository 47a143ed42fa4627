//! Logs panics with their place. The message is logged only where it is a fixed text in the source:
//! a message that is formatted at run time may hold anything, such as a token in an `unwrap`.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::time::Duration;

use crate::Log;

/// The thread whose panic ends the process in any build.
const MAIN: &str = "main";
const NAMELESS: &str = "a thread without a name";

/// How long the process waits at its end until the report of the panic that ends it is sent.
const PANIC_REPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends panics to the log and nowhere else from now on.
pub(crate) fn tell(log: Log) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string);
        let place = place.as_deref().unwrap_or("an unknown place");
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or(NAMELESS);
        // A backtrace has names and lines of functions and no values. RUST_BACKTRACE turns it on.
        let stack = Backtrace::capture();
        match stack.status() {
            BacktraceStatus::Captured => {
                tracing::error!(place, thread, kind = kind(info), %stack, "a panic");
            }
            _ => tracing::error!(place, thread, kind = kind(info), "a panic"),
        }
        if cfg!(panic = "abort") || thread == MAIN {
            log.flush(PANIC_REPORT_TIMEOUT);
        }
    }));
}

/// The message where it is a fixed text of the program, or else what kind of value it is.
fn kind(info: &PanicHookInfo<'_>) -> &'static str {
    let payload = info.payload();
    match payload.downcast_ref::<&'static str>() {
        Some(text) => text,
        None if payload.is::<String>() => {
            "a message that was made at run time; it is not logged because it may hold a secret"
        }
        None => "a value that is no text",
    }
}
