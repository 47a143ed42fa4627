//! Hardens the process against its environment. No core dump keeps what was in memory, and no
//! variable lets another program drive or inspect the window, or choose which certificate
//! authorities are trusted.
//!
//! The process stays dumpable (`PR_SET_DUMPABLE`). The desktop portals refuse a process that they
//! cannot look up in `/proc`, and the system's dark theme comes from them. An undumpable process
//! would also refuse a debugger of the same user, but the app does not protect from that user.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::StartError;

/// Whether [`harden`] has run.
static IS_HARDENED: AtomicBool = AtomicBool::new(false);

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

/// Hardens the process and prepares its environment for the web engine: no core dump keeps what was
/// in memory, and no variable lets another program drive or inspect the window, or choose which
/// certificate authorities are trusted. The first line of `main`.
///
/// # Panics
/// If another thread runs already, since threads may read the environment at any time.
#[allow(unsafe_code)]
pub fn harden() {
    assert!(
        is_only_thread(),
        "tauri_plugin_vestibule::harden() must be the first line of main: another thread runs already"
    );
    leave_no_dump();
    // The person at a terminal chooses which authorities the doctor trusts.
    let is_for_terminal = crate::is_for_terminal();
    let trusted_by = match is_for_terminal {
        true => &[],
        false => TRUSTED_BY,
    };
    for name in DRIVEN_BY.iter().chain(INSPECTED_BY).chain(trusted_by) {
        // SAFETY: there is no other thread.
        unsafe { std::env::remove_var(name) }
    }
    #[cfg(target_os = "linux")]
    if !is_for_terminal {
        // SAFETY: as above.
        unsafe { crate::graphics::avoid_a_blank_window() }
    }
    IS_HARDENED.store(true, Ordering::Relaxed);
}

/// Warns in a debug build, and refuses in a release, if [`harden`] has not run.
///
/// # Errors
/// In a release, with the name of that function.
pub(crate) fn require() -> Result<(), StartError> {
    if IS_HARDENED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let words = "the process is not hardened: make tauri_plugin_vestibule::harden() the first line \
                 of main";
    if cfg!(debug_assertions) {
        tracing::warn!("{words}; a release does not start without it");
        return Ok(());
    }
    Err(words.into())
}

#[cfg(target_os = "linux")]
fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").map_or(true, |threads| threads.count() == 1)
}

#[cfg(target_os = "macos")]
#[allow(unsafe_code)]
fn is_only_thread() -> bool {
    unsafe extern "C" {
        fn pthread_is_threaded_np() -> std::ffi::c_int;
    }
    // SAFETY: the function takes nothing and always answers.
    unsafe { pthread_is_threaded_np() == 0 }
}

/// Windows guards the environment itself, so other threads do no harm.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn is_only_thread() -> bool {
    true
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
