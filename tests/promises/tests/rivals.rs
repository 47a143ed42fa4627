//! P3 in its short form.

#![cfg(target_os = "linux")]

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn processes_never_race_a_rotation() {
    check("P3", Path::new(env!("CARGO_BIN_EXE_soak")));
}
