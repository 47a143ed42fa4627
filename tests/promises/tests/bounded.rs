//! P11 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn a_hostile_answer_is_bounded() {
    check("P11", Path::new(env!("CARGO_BIN_EXE_soak")));
}
