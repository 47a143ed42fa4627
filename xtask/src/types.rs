//! Has the core's own tests write what is generated: the TypeScript of the wire types, the commands and
//! the rights, the groups of permissions, and the JSON Schema of profiles.

use crate::failure::{Outcome, said};
use crate::test_counts::TestCounts;
use crate::{process, root};

/// The tests that write; each writes one file.
const WRITERS: [&str; 5] = [
    "wire_types",
    "right_types",
    "command_functions",
    "command_permissions",
    "profile_schema",
];

/// Writes the files again. Every ordinary test run checks with the same tests that the committed
/// ones are current.
pub fn write() -> Outcome {
    let mut cargo = root::cargo();
    cargo
        .args(["test", "--package", "vestibule-core", "--"])
        .args(WRITERS)
        .env("VESTIBULE_WRITE_TYPES", "1");
    let mut counts = TestCounts::default();
    process::stream_lines(&mut cargo, |line| counts.read(line))?;
    if counts.passed < WRITERS.len() {
        let names = WRITERS.join("` and `");
        return Err(said(format!(
            "the core does not have all of the tests `{names}`, so not everything was written"
        )));
    }
    Ok(())
}
