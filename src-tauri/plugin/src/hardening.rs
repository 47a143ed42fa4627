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
/// certificate authorities are trusted. It must be the first line of `main`, because it changes the
/// environment, which any thread that the app has started by then may be reading.
///
/// # Panics
/// On another thread than the one of `main`.
#[allow(unsafe_code)]
pub fn harden() {
    assert_eq!(
        std::thread::current().name(),
        Some("main"),
        "tauri_plugin_vestibule::harden() must be the first line of main"
    );
    leave_no_dump();
    // The person at a terminal chooses which authorities the doctor trusts.
    let is_for_terminal = crate::is_for_terminal();
    let trusted_by = match is_for_terminal {
        true => &[],
        false => TRUSTED_BY,
    };
    for name in DRIVEN_BY.iter().chain(INSPECTED_BY).chain(trusted_by) {
        // SAFETY: the app has started no thread yet. WebKit starts one while it is loaded, which
        // does not read the environment.
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
    let is_hardened = IS_HARDENED.load(Ordering::Relaxed);
    may_start(is_hardened, cfg!(debug_assertions))
}

fn may_start(is_hardened: bool, is_debug: bool) -> Result<(), StartError> {
    const MISSING: &str = "the process is not hardened: make tauri_plugin_vestibule::harden() the \
                           first line of main";
    match (is_hardened, is_debug) {
        (true, _) => Ok(()),
        (false, true) => {
            tracing::warn!("{MISSING}; a release does not start without it");
            Ok(())
        }
        (false, false) => {
            // A panic of the app on this error is logged without its text.
            tracing::error!("{MISSING}");
            Err(MISSING.into())
        }
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
    fn a_release_does_not_start_unhardened() {
        assert!(may_start(true, false).is_ok());
        assert!(may_start(false, true).is_ok());
        let refused = may_start(false, false).expect_err("not hardened");
        assert!(refused.to_string().contains("harden()"), "{refused}");
    }

    #[test]
    #[should_panic(expected = "first line of main")]
    fn another_thread_is_refused() {
        // The test harness runs this on a thread of its own.
        harden();
    }

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
