//! P7 in its short form.

#![cfg(target_os = "linux")]

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn a_silent_keyring_keeps_nobody_waiting() {
    check("P7", Path::new(env!("CARGO_BIN_EXE_soak")));
}
