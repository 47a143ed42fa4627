//! Hardens the process against its environment. No core dump keeps what was in memory, and no
//! variable lets another program drive or inspect the window, or choose which certificate
//! authorities are trusted.
//!
//! The process stays dumpable (`PR_SET_DUMPABLE`). The desktop portals refuse a process that they
//! cannot look up in `/proc`, and the system's dark theme comes from them. An undumpable process
//! would also refuse a debugger of the same user, but the app does not protect from that user.

use crate::cli::CliCommand;

/// Variables that let WebDriver drive the window. Only the build for tests keeps them.
#[cfg(not(feature = "e2e"))]
const DRIVEN_BY: &[&str] = &["TAURI_WEBVIEW_AUTOMATION"];
#[cfg(feature = "e2e")]
const DRIVEN_BY: &[&str] = &[];

/// Variables that start the web engine's inspector or replace the engine. WebDriver needs the first
/// one, and developers may need all, so builds for tests and debug builds keep them.
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

/// Variables that replace the system's certificate authorities. A program that sets them and runs a
/// proxy could read every password. Developers may have an authority of their own, so builds for
/// tests and debug builds keep them.
#[cfg(not(any(debug_assertions, feature = "e2e")))]
const TRUSTED_BY: &[&str] = &["SSL_CERT_FILE", "SSL_CERT_DIR"];
#[cfg(any(debug_assertions, feature = "e2e"))]
const TRUSTED_BY: &[&str] = &[];

/// Hardens the process and prepares its environment for the web engine.
///
/// # Safety
/// No other thread may read the environment at the same time, so `main` must call this first.
#[allow(unsafe_code)]
pub unsafe fn harden(command: CliCommand) {
    leave_no_dump();
    let trusted_by = match command {
        CliCommand::App => TRUSTED_BY,
        // The person at a terminal chooses which authorities the doctor trusts.
        CliCommand::Doctor | CliCommand::Help | CliCommand::Version => &[],
    };
    for name in DRIVEN_BY.iter().chain(INSPECTED_BY).chain(trusted_by) {
        // SAFETY: the caller promises that there is no other thread.
        unsafe { std::env::remove_var(name) }
    }
    #[cfg(target_os = "linux")]
    if command == CliCommand::App {
        // SAFETY: as above.
        unsafe { crate::graphics::avoid_a_blank_window() }
    }
}

/// Switches core dumps off. The web engine's processes inherit the limit.
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
            // With a limit of 0 Linux writes no core file, but still pipes the dump to a program
            // where the distribution has set one. With 1 it does neither. The limit is only
            // lowered, because a process may not raise it.
            limit.rlim_max.min(1)
        } else {
            0
        };
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_CORE, &raw const limit)
    };
    debug_assert_eq!(done, 0, "a limit can be lowered");
}

/// Tells Windows not to report crashes: its reports contain a dump of the memory.
#[cfg(windows)]
#[allow(unsafe_code)]
fn leave_no_dump() {
    const FAIL_CRITICAL_ERRORS: u32 = 0x0001;
    const NO_FAULT_REPORT: u32 = 0x0002;
    unsafe extern "system" {
        fn SetErrorMode(mode: u32) -> u32;
    }
    // SAFETY: the function accepts any flags and always succeeds.
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
