//! What a hostile environment gets: nothing. No core dump keeps what was in memory, and no
//! variable lets another program drive or inspect the window, or choose who is trusted.
//!
//! It does not make the process undumpable (`PR_SET_DUMPABLE`): the desktop portals refuse
//! whoever they cannot look up in `/proc`, and from them comes the system's dark theme. That
//! would also keep out a debugger of the same user, from whom this app does not protect.

use crate::program::Program;

/// They open the window to WebDriver. Only the build for tests heeds them.
#[cfg(not(feature = "e2e"))]
const DRIVEN_BY: &[&str] = &["TAURI_WEBVIEW_AUTOMATION"];
#[cfg(feature = "e2e")]
const DRIVEN_BY: &[&str] = &[];

/// They open it to the web engine's inspector, or to another engine in its place. WebDriver
/// needs the first, and who develops may want them all.
#[cfg(not(any(debug_assertions, feature = "e2e")))]
const INSPECTED_BY: &[&str] = &[
    "WEBKIT_INSPECTOR_SERVER",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS",
    "WEBVIEW2_BROWSER_EXECUTABLE_FOLDER",
    "WEBVIEW2_PIPE_FOR_SCRIPT_DEBUGGER",
    "WEBVIEW2_USER_DATA_FOLDER",
    "WEBVIEW2_WAIT_FOR_SCRIPT_DEBUGGER",
];
#[cfg(any(debug_assertions, feature = "e2e"))]
const INSPECTED_BY: &[&str] = &[];

/// They name the authorities whose certificates are good, in the place of the system's. With a
/// proxy, whoever sets them reads each password. Who develops may have an authority of their own.
#[cfg(not(any(debug_assertions, feature = "e2e")))]
const TRUSTED_BY: &[&str] = &["SSL_CERT_FILE", "SSL_CERT_DIR"];
#[cfg(any(debug_assertions, feature = "e2e"))]
const TRUSTED_BY: &[&str] = &[];

/// Hardens the process, and readies its environment for the web engine.
///
/// # Safety
/// Among the first things that `main` does: no other thread may read the environment meanwhile.
#[allow(unsafe_code)]
pub unsafe fn harden(program: Program) {
    leave_no_dump();
    let trusted_by = match program {
        Program::App => TRUSTED_BY,
        // In a terminal it is for who types there to say whom it trusts.
        Program::Doctor | Program::Help | Program::Version => &[],
    };
    for name in DRIVEN_BY.iter().chain(INSPECTED_BY).chain(trusted_by) {
        // SAFETY: the caller promises that there is no other thread.
        unsafe { std::env::remove_var(name) }
    }
    #[cfg(target_os = "linux")]
    if program == Program::App {
        // SAFETY: as above.
        unsafe { crate::graphics::avoid_a_blank_window() }
    }
}

/// The web engine's processes inherit it.
#[cfg(unix)]
#[allow(unsafe_code)]
fn leave_no_dump() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls get a valid pointer to a limit.
    let done = unsafe {
        libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit);
        limit.rlim_max = if cfg!(target_os = "linux") {
            // At 0 Linux writes no file, but still feeds a program that takes cores through a
            // pipe, as many distributions have one. At 1 it does neither. Lower only: the
            // system may have forbidden more.
            limit.rlim_max.min(1)
        } else {
            0
        };
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_CORE, &raw const limit)
    };
    debug_assert_eq!(done, 0, "a limit can be lowered");
}

/// Windows reports a crash with a dump of the memory, unless a process says that it handles
/// its crashes itself.
#[cfg(windows)]
#[allow(unsafe_code)]
fn leave_no_dump() {
    const FAIL_CRITICAL_ERRORS: u32 = 0x0001;
    const NO_FAULT_REPORT: u32 = 0x0002;
    unsafe extern "system" {
        fn SetErrorMode(mode: u32) -> u32;
    }
    // SAFETY: takes any set of flags and always succeeds.
    unsafe { SetErrorMode(FAIL_CRITICAL_ERRORS | NO_FAULT_REPORT) };
}

#[cfg(not(any(unix, windows)))]
fn leave_no_dump() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_crash_leaves_no_dump() {
        leave_no_dump();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits.lines().find(|line| line.contains("core file"));
        let words: Vec<_> = line.unwrap().split_whitespace().collect();
        assert!(
            matches!(words[4..6], ["1", "1"] | ["0", "0"]),
            "neither a file nor a pipe: {words:?}"
        );
    }
}
