//! P14 in its short form.

#![cfg(target_os = "linux")]

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn a_sign_out_is_final() {
    check("P14", Path::new(env!("CARGO_BIN_EXE_soak")));
}
