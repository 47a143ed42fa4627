//! P6 in its short form.

#![cfg(target_os = "linux")]

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn the_keyring_daemon_may_die() {
    check("P6", Path::new(env!("CARGO_BIN_EXE_soak")));
}
