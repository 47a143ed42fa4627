//! What this tool prints: one line for each thing it does, on standard error.
//!
//! Standard output is for the tools it runs and for results that a script may read (a path, a
//! summary).

use std::fmt::Display;
use std::io::Write;

/// Prints what happens now.
pub fn step(line: impl Display) {
    eprintln!("xtask: {line}");
}

/// Passes on a line of a tool's output.
pub fn pass_on(line: impl Display) {
    // The reader may have closed the pipe (`| head`); that is no failure.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints why the command stopped.
pub fn failure(line: impl Display) {
    eprintln!("xtask: error: {line}");
}
