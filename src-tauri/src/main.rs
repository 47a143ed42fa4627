//! The app's entry.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    #[allow(unsafe_code)]
    // SAFETY: the first statement of `main`; there is no other thread.
    unsafe {
        vestibule_lib::harden();
    }
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "doctor") {
        std::process::exit(vestibule_lib::doctor(arguments).into());
    }
    if let Err(error) = vestibule_lib::run() {
        eprintln!("Vestibule cannot start: {error}");
        std::process::exit(1);
    }
}
