//! What was done at a server and what came of it, line by line.

use std::fmt::Display;

/// Lines of one server.
pub struct Told {
    steps: usize,
}

impl Told {
    /// Names the server.
    pub fn of(server: &impl Display) -> Self {
        println!("{server}");
        Self { steps: 0 }
    }

    /// One thing that holds.
    pub fn did(&mut self, what: &str, came: impl Display) {
        self.steps += 1;
        println!("  {what:<34} {came}");
    }

    /// How many there were.
    pub fn steps(&self) -> usize {
        self.steps
    }
}
