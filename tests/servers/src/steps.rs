//! Prints the further steps at a server, each with its result.

use std::fmt::Display;

/// The steps that were printed.
#[derive(Debug, Default)]
pub struct Steps {
    count: usize,
}

impl Steps {
    /// Prints one step that holds.
    pub fn did(&mut self, what: &str, came: impl Display) {
        self.count += 1;
        eprintln!("  {what:<34} {came}");
    }

    /// How many steps were printed.
    pub fn count(&self) -> usize {
        self.count
    }
}
