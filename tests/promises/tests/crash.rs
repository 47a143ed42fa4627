//! P5 in its short form.

#![cfg(target_os = "linux")]

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn a_crash_loses_nothing_that_could_be_kept() {
    check("P5", Path::new(env!("CARGO_BIN_EXE_soak")));
}
