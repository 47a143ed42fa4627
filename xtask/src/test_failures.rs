//! Keeps what the tests that failed have said, to be printed once more at the end: where nobody watches,
//! the end of the output is what is read.

use std::fmt;

/// The most lines of one failure, and characters of a line, that are kept.
const LINES: usize = 12;
const CHARACTERS: usize = 600;

/// The failures that cargo's test runner has reported so far.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct TestFailures {
    ended: Vec<Failed>,
    /// The test whose output is being read.
    current: Option<Failed>,
}

#[derive(Default, PartialEq, Eq, Debug)]
struct Failed {
    test: String,
    lines: Vec<String>,
    /// Its words are complete; a backtrace follows.
    is_whole: bool,
}

impl TestFailures {
    /// Reads one line of output.
    pub fn read(&mut self, line: &str) {
        let begun = line.strip_prefix("---- ");
        if let Some(test) = begun.and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.end();
            self.current = Some(Failed {
                test: test.to_owned(),
                ..Failed::default()
            });
            return;
        }
        if line == "failures:" || line.starts_with("test result: ") {
            self.end();
        }
        let Some(current) = &mut self.current else {
            return;
        };
        if line.contains(" panicked at ") {
            // What the test wrote before is above, in the whole output.
            current.lines.clear();
        }
        current.is_whole |= line == "stack backtrace:";
        if !current.is_whole && !line.trim().is_empty() && current.lines.len() < LINES {
            current.lines.push(line.chars().take(CHARACTERS).collect());
        }
    }

    /// Adds what was read elsewhere.
    pub fn add(&mut self, mut others: Self) {
        others.end();
        self.ended.append(&mut others.ended);
    }

    fn end(&mut self) {
        self.ended.extend(self.current.take());
    }
}

impl fmt::Display for TestFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Failed { test, lines, .. } in self.ended.iter().chain(&self.current) {
            writeln!(f, "{test}:")?;
            for line in lines {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut failures = TestFailures::default();
        text.lines().for_each(|line| failures.read(line));
        failures.to_string()
    }

    #[test]
    fn what_a_test_has_said_last_is_kept() {
        let output = "\
test first ... ok
test module::second ... FAILED
test third ... FAILED

failures:

---- module::second stdout ----
it does this and that

thread 'module::second' (7) panicked at tests/x.rs:3:5:
at \"/account/\": [\"refused\"]
stack backtrace:
   0: __rustc::rust_begin_unwind

---- third stdout ----
Error: \"no such file\"

failures:
    module::second
    third

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
        assert_eq!(
            read(output),
            "\
module::second:
    thread 'module::second' (7) panicked at tests/x.rs:3:5:
    at \"/account/\": [\"refused\"]
third:
    Error: \"no such file\"
"
        );
        assert_eq!(read("test first ... ok\ntest result: ok. 1 passed;"), "");
    }

    #[test]
    fn a_failure_without_end_is_cut() {
        let long = format!("---- a stdout ----\n{}\n", "x".repeat(10_000)) + &"line\n".repeat(100);
        let kept = read(&long);
        assert_eq!(kept.lines().count(), 1 + LINES);
        assert!(kept.len() < 2 * CHARACTERS, "{}", kept.len());
    }
}
