//! P4 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn a_thousand_callers_make_one_refresh() {
    check("P4", Path::new(env!("CARGO_BIN_EXE_soak")));
}
