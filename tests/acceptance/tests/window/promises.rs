//! The promises that need the app, in their short forms.

use std::path::Path;

use vestibule_promises::registry;

fn check(subject: &str) {
    // These drive the app and need no child process of the promises' program.
    registry::check(subject, Path::new(""));
}

#[test]
fn no_token_reaches_the_webview() {
    check("canaries");
}

#[test]
fn a_page_meets_bounds() {
    check("page_limits");
}

#[test]
fn one_process_owns_the_windows() {
    check("launches");
}
