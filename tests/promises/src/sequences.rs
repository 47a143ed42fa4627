//! The state machine under transient failures: the core's own property tests, over far more sequences of events than
//! the test command tries.

use crate::cargo::{Ended, cargo};
use crate::registry::Setting;
use crate::report::Row;

const CASES: u64 = 100_000;

/// Runs the core's test `state_machine`; its usual number of sequences is part of the test command.
pub async fn long(_: &Setting) -> Row {
    let cases = CASES.to_string();
    let arguments = [
        "test",
        "--release",
        "--quiet",
        "--package",
        "vestibule-core",
        "--test",
        "state_machine",
    ];
    let ended = cargo(&arguments, &[("VESTIBULE_CASES", &cases)]).await;
    let (passed, failed) = match ended.map(|ended| counted(&ended)) {
        Ok(Some(counts)) => counts,
        Ok(None) => {
            eprintln!("sequences: the core's test `state_machine` did not run");
            (0, 1)
        }
        Err(error) => {
            eprintln!("sequences: {error}");
            (0, 1)
        }
    };
    Row {
        what: format!("{passed} properties of the state machine, {CASES} sequences of events each"),
        runs: passed * CASES,
        losses: failed,
        bound: "0 sign-outs",
        holds: passed > 0 && failed == 0,
    }
}

/// How many tests passed and failed, according to the test runner's output.
fn counted(ended: &Ended) -> Option<(u64, u64)> {
    let line = ended
        .text
        .lines()
        .find_map(|line| line.strip_prefix("test result:"))?;
    let of = |what: &str| {
        let part = line.split([';', '.']).find(|part| part.ends_with(what))?;
        part.split_whitespace().next()?.parse::<u64>().ok()
    };
    let counts = (of(" passed")?, of(" failed")?);
    (ended.ok == (counts.1 == 0)).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_last_line_is_read() {
        let ended = |ok, text: &str| Ended {
            ok,
            text: text.into(),
        };
        let good = "running 8 tests\ntest result: ok. 8 passed; 0 failed; 0 ignored\n";
        assert_eq!(counted(&ended(true, good)), Some((8, 0)));
        let bad = "test result: FAILED. 7 passed; 1 failed; 0 ignored\n";
        assert_eq!(counted(&ended(false, bad)), Some((7, 1)));
        assert_eq!(counted(&ended(false, good)), None);
        assert_eq!(counted(&ended(true, "")), None);
    }
}
