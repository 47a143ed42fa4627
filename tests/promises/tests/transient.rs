//! P1 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn a_transient_failure_signs_no_one_out() {
    check("P1", Path::new(env!("CARGO_BIN_EXE_soak")));
}
