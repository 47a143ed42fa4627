//! P9 in its short form.

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn no_secret_is_said() {
    check("P9", Path::new(env!("CARGO_BIN_EXE_soak")));
}
