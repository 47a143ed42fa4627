//! The promises that need the app, in their short forms.

use std::path::Path;

use vestibule_promises::registry;

fn check(name: &str) {
    // These drive the app and need no child process of the promises' program.
    registry::check(name, Path::new(""));
}

#[test]
fn no_token_reaches_the_webview() {
    check("P8");
}

#[test]
fn a_page_meets_bounds() {
    check("P21");
}

#[test]
fn one_process_owns_the_windows() {
    check("P15");
}
