//! The result of each step, and the closing lines.

use std::fmt;
use std::time::Duration;

/// The result of one step.
struct StepOutcome {
    name: &'static str,
    took: Duration,
    budget: Duration,
    outcome: Result<String, String>,
}

/// The results so far.
#[derive(Default)]
pub struct Summary {
    entries: Vec<StepOutcome>,
}

impl Summary {
    /// Adds a step with its budget in seconds: a note on success, the reason on failure.
    pub fn add(
        &mut self,
        name: &'static str,
        took: Duration,
        budget: u64,
        outcome: Result<String, String>,
    ) {
        self.entries.push(StepOutcome {
            name,
            took,
            budget: Duration::from_secs(budget),
            outcome,
        });
    }

    /// Whether the step of this name has failed.
    pub fn has_failed(&self, name: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.name == name && entry.outcome.is_err())
    }

    /// How many steps failed.
    pub fn failed(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.outcome.is_err())
            .count()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            let (word, note) = match &entry.outcome {
                Ok(note) => ("ok", note),
                Err(reason) => ("FAILED", reason),
            };
            let over = match entry.took > entry.budget {
                true => "over its budget",
                false => "",
            };
            let line = format!(
                "{:<12} {:>7.1} s of {:>3}  {word:<7} {over:<16}{note}",
                entry.name,
                entry.took.as_secs_f64(),
                entry.budget.as_secs(),
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let took: Duration = self.entries.iter().map(|entry| entry.took).sum();
        let budget: Duration = self.entries.iter().map(|entry| entry.budget).sum();
        writeln!(
            f,
            "{:<12} {:>7.1} s of {:>3}",
            "all steps",
            took.as_secs_f64(),
            budget.as_secs()
        )?;
        // CI systems parse this line's form.
        let failed = self.failed();
        writeln!(f, "{} passed, {failed} failed", self.entries.len() - failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_and_every_step_has_its_own() {
        let mut account = Summary::default();
        account.add("fmt", Duration::from_millis(1234), 5, Ok(String::new()));
        account.add(
            "rust",
            Duration::from_secs(61),
            60,
            Err("cargo test failed".into()),
        );
        assert_eq!(
            account.to_string(),
            "fmt              1.2 s of   5  ok\n\
             rust            61.0 s of  60  FAILED  over its budget cargo test failed\n\
             all steps       62.2 s of  65\n\
             1 passed, 1 failed\n"
        );
        assert!(account.has_failed("rust") && !account.has_failed("fmt"));
    }
}
