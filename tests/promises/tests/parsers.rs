//! P17 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn no_seed_breaks_a_parser() {
    check("P17", Path::new(env!("CARGO_BIN_EXE_soak")));
}
