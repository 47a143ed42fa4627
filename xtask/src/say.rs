//! How this tool speaks: one line per thing it does, on standard error.
//!
//! Standard output belongs to the tools it runs and to answers that a script
//! may read (a path, a summary).

use std::fmt::Display;
use std::io::Write;

/// Says in one line what happens now.
pub fn step(line: impl Display) {
    eprintln!("xtask: {line}");
}

/// Passes a line of a tool's own output on.
pub fn pass_on(line: impl Display) {
    // Whoever read it may have gone (`| head`); that is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Says what stopped the command.
pub fn failure(line: impl Display) {
    eprintln!("xtask: error: {line}");
}
