//! The app's entry.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    // A shipped app must not open itself to WebDriver because its environment says so.
    #[cfg(not(feature = "e2e"))]
    #[allow(unsafe_code)]
    // SAFETY: the first statement of `main`; no other thread exists that could read it.
    unsafe {
        std::env::remove_var("TAURI_WEBVIEW_AUTOMATION");
    }
    if let Err(error) = vestibule_lib::run() {
        eprintln!("Vestibule cannot start: {error}");
        std::process::exit(1);
    }
}
