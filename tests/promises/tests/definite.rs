//! P2 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn a_definite_rejection_ends_the_session_and_says_why() {
    check("P2", Path::new(env!("CARGO_BIN_EXE_soak")));
}
