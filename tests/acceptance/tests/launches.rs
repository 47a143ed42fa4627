//! P15 in its short form: it stands here, where the app has been built.

#![cfg(target_os = "linux")]

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn one_process_owns_the_windows() {
    // No process of the promises' own is needed: it launches the app.
    check("P15", Path::new(""));
}
