//! What is logged when `RUST_LOG` asks for everything. The test runs in a process of its own,
//! because the log and `RUST_LOG` belong to the whole process.

use std::fs;
use std::process::Command;

/// Set in the process that logs at every level.
const FOLDER: &str = "VESTIBULE_LOG_TEST_FOLDER";

#[test]
fn others_are_not_heard_below_a_warning_whatever_is_asked_for() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return say_everything(folder.as_ref());
    }
    for asked in ["trace", "cookie_store=trace,reqwest=trace,log=trace,info"] {
        let folder = tempfile::tempdir().expect("a folder");
        let this = std::env::current_exe().expect("this program");
        let status = Command::new(this)
            .args([
                "--exact",
                "others_are_not_heard_below_a_warning_whatever_is_asked_for",
            ])
            .env(FOLDER, folder.path())
            .env("RUST_LOG", asked)
            .status();
        assert!(status.expect("a process").success());
        let told = fs::read_to_string(folder.path().join("vestibule.log")).expect("a log");
        for quiet in ["a value", "an argument", "a header"] {
            assert!(!told.contains(quiet), "{asked}: {told}");
        }
        for heard in ["of ours", "a warning of theirs", "a warning by log"] {
            assert!(told.contains(heard), "{asked}: {told}");
        }
        assert_eq!(told.contains("a detail"), asked == "trace", "{told}");
    }
}

fn say_everything(folder: &std::path::Path) {
    let log = vestibule_log::start();
    log.keep_in(folder).expect("a file");
    log::debug!(target: "cookie_store::cookie_store", "a value");
    log::info!(target: "cookie_store", "a value");
    log::warn!(target: "cookie_store", "a warning by log");
    tracing::trace!(target: "reqwest::connect", "a header");
    tracing::warn!(target: "reqwest::connect", "a warning of theirs");
    let span = tracing::info_span!(target: "zbus::connection", "call", what = "an argument");
    let _within = span.enter();
    tracing::info!(target: "vestibule_core::session", "of ours");
    tracing::trace!(target: "vestibule_core::session", "a detail");
}
