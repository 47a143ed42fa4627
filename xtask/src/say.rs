//! How this tool speaks: one line per thing it does, on standard error.
//!
//! Standard output belongs to the tools it runs and to answers that a script
//! may read (a path, a summary).

use std::fmt::Display;

/// Says in one line what happens now.
pub fn step(line: impl Display) {
    eprintln!("xtask: {line}");
}

/// Says what stopped the command.
pub fn failure(line: impl Display) {
    eprintln!("xtask: error: {line}");
}
