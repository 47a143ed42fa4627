//! P12 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn wrong_clocks_are_harmless() {
    check("P12", Path::new(env!("CARGO_BIN_EXE_soak")));
}
