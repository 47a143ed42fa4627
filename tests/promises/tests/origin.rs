//! P10 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn credentials_stay_with_their_origin() {
    check("P10", Path::new(env!("CARGO_BIN_EXE_soak")));
}
