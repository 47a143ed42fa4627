//! A panic is told by its place. Its message is told only where it is a text of the source:
//! one that was put together at run time may hold anything, a token in an `unwrap` included.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::time::Duration;

use crate::Log;

/// Its end is the end of the process.
const MAIN: &str = "main";
const NAMELESS: &str = "a thread without a name";

/// How long the end of the process waits for the report of what ended it.
const PATIENCE: Duration = Duration::from_secs(2);

/// From now on panics go to the log, and nowhere else.
pub(crate) fn tell(log: Log) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string);
        let place = place.as_deref().unwrap_or("somewhere");
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or(NAMELESS);
        // Names and lines of functions, no values; wanted by RUST_BACKTRACE.
        let stack = Backtrace::capture();
        match stack.status() {
            BacktraceStatus::Captured => {
                tracing::error!(place, thread, kind = kind(info), %stack, "a panic");
            }
            _ => tracing::error!(place, thread, kind = kind(info), "a panic"),
        }
        if thread == MAIN {
            log.flush(PATIENCE);
        }
    }));
}

/// The message if it is part of the program, else of what type it is.
fn kind(info: &PanicHookInfo<'_>) -> &'static str {
    let payload = info.payload();
    match payload.downcast_ref::<&'static str>() {
        Some(text) => text,
        None if payload.is::<String>() => "a message made at run time, which is not shown",
        None => "a value that is no text",
    }
}
