//! The app's entry.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    #[allow(unsafe_code)]
    // SAFETY: the first statement of `main`; there is no other thread.
    unsafe {
        vestibule_lib::harden();
    }
    if let Err(error) = vestibule_lib::run() {
        eprintln!("Vestibule cannot start: {error}");
        std::process::exit(1);
    }
}
