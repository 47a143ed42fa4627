//! Prints each step at a server and its result as a line.

use std::fmt::Display;

/// The printed steps of one server.
pub struct Report {
    steps: usize,
}

impl Report {
    /// Prints the server's name.
    pub fn of(server: &impl Display) -> Self {
        println!("{server}");
        Self { steps: 0 }
    }

    /// Prints one step that holds.
    pub fn did(&mut self, what: &str, came: impl Display) {
        self.steps += 1;
        println!("  {what:<34} {came}");
    }

    /// How many steps were printed.
    pub fn steps(&self) -> usize {
        self.steps
    }
}
