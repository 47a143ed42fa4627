//! P8 in its short form: it stands here, where the app has been built.

#![cfg(target_os = "linux")]

use std::path::Path;

use vestibule_promises::registry::check;

#[test]
fn no_token_reaches_the_webview() {
    // No process of the promises' own is needed: it drives the app.
    check("P8", Path::new(""));
}
