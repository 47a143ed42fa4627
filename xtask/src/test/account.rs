//! What each step came to, and the closing lines.

use std::fmt;
use std::time::Duration;

/// The steps that were entered so far.
#[derive(Default)]
pub struct Account {
    entries: Vec<(&'static str, Duration, Result<String, String>)>,
}

impl Account {
    /// Enters a step: a note on success, the reason on failure.
    pub fn enter(&mut self, name: &'static str, took: Duration, outcome: Result<String, String>) {
        self.entries.push((name, took, outcome));
    }

    /// Whether the step of this name was entered as failed.
    pub fn has_failed(&self, name: &str) -> bool {
        self.entries
            .iter()
            .any(|(entry, _, outcome)| *entry == name && outcome.is_err())
    }

    /// How many steps failed.
    pub fn failed(&self) -> usize {
        self.entries
            .iter()
            .filter(|(_, _, outcome)| outcome.is_err())
            .count()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, took, outcome) in &self.entries {
            let (word, note) = match outcome {
                Ok(note) => ("ok", note),
                Err(reason) => ("FAILED", reason),
            };
            let line = format!("{name:<12} {:>7.1} s  {word:<7} {note}", took.as_secs_f64());
            writeln!(f, "{}", line.trim_end())?;
        }
        // The form that this line has is one that CI systems read.
        let failed = self.failed();
        writeln!(f, "{} passed, {failed} failed", self.entries.len() - failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_and_every_step_has_its_own() {
        let mut account = Account::default();
        account.enter("fmt", Duration::from_millis(1234), Ok(String::new()));
        account.enter(
            "rust",
            Duration::from_secs(61),
            Err("cargo test failed".into()),
        );
        assert_eq!(
            account.to_string(),
            "fmt              1.2 s  ok\nrust            61.0 s  FAILED  cargo test failed\n1 passed, 1 failed\n"
        );
        assert!(account.has_failed("rust") && !account.has_failed("fmt"));
    }
}
