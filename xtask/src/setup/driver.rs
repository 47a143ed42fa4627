//! `tauri-driver`, the WebDriver server in front of the webview's own one.
//! It lives in the target folder: nothing is put into the developer's home.

use std::fs;
use std::path::PathBuf;

use crate::failure::Outcome;
use crate::{process, root, say};

/// The major version that the tests are written for; 3.x is an alpha.
const MAJOR: &str = "2";

/// Where the driver's binary is once installed.
pub fn path() -> PathBuf {
    root::target()
        .join("tools/bin")
        .join(format!("tauri-driver{}", std::env::consts::EXE_SUFFIX))
}

/// Installs the driver unless the right one is there.
pub fn ready() -> Outcome {
    if installed() {
        return Ok(());
    }
    say::step("compiling tauri-driver for the window tests (about a minute)");
    let mut cargo = root::cargo();
    cargo
        .args([
            "install",
            "tauri-driver",
            "--locked",
            "--quiet",
            "--version",
        ])
        .arg(format!("^{MAJOR}"))
        .arg("--root")
        .arg(root::target().join("tools"));
    process::quiet(&mut cargo)
}

/// Whether the right driver is there.
pub fn installed() -> bool {
    let record = fs::read_to_string(root::target().join("tools/.crates.toml")).unwrap_or_default();
    path().is_file() && records(&record)
}

/// Whether cargo's record of installed programs names a driver of our version.
fn records(record: &str) -> bool {
    record.contains(&format!("\"tauri-driver {MAJOR}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_major_version_is_not_the_driver_we_want() {
        assert!(records(
            "[v1]\n\"tauri-driver 2.1.0 (registry+x)\" = [\"tauri-driver\"]\n"
        ));
        assert!(!records(
            "[v1]\n\"tauri-driver 3.0.0-alpha.1 (registry+x)\" = [\"tauri-driver\"]\n"
        ));
        assert!(!records(""));
    }
}
