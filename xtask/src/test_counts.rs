//! Counts the tests that cargo's test runner reports, so that a run without tests is never taken
//! for success.

/// The sums of all `test result:` lines of a run.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct TestCounts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that are marked `#[ignore]`.
    pub ignored: usize,
}

impl TestCounts {
    /// Adds the counts of one line of output, if it has some.
    pub fn read(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return;
        };
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<usize>() else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    /// The sums in words.
    pub fn words(self) -> String {
        let mut words = format!("{} tests", self.passed + self.failed);
        if self.ignored > 0 {
            words.push_str(&format!(", {} ignored", self.ignored));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_several_binaries() {
        let mut counts = TestCounts::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.01s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            counts.read(line);
        }
        assert_eq!(
            counts,
            TestCounts {
                passed: 7,
                failed: 2,
                ignored: 1
            }
        );
        assert_eq!(counts.words(), "9 tests, 1 ignored");
    }

    #[test]
    fn other_lines_count_nothing() {
        let mut counts = TestCounts::default();
        counts.read("test passes_3_times ... 3 passed");
        assert_eq!(counts, TestCounts::default());
    }
}
