//! The TypeScript of the wire types, written by the core's own test.

use crate::failure::{Outcome, said};
use crate::tally::Tally;
use crate::{process, root};

/// Writes the TypeScript file anew. That the committed one is right is checked
/// by the same test in every ordinary run.
pub fn write() -> Outcome {
    let mut cargo = root::cargo();
    cargo
        .args(["test", "--package", "vestibule-core", "wire_types"])
        .env("VESTIBULE_WRITE_TYPES", "1");
    let mut tally = Tally::default();
    process::follow(&mut cargo, |line| tally.read(line))?;
    if tally.passed == 0 {
        return Err(said(
            "the core has no test named `wire_types`, so nothing was written",
        ));
    }
    Ok(())
}
