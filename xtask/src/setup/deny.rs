//! `cargo-deny`, which looks at what the app is made of. Like the driver it lives in the target
//! folder.

use std::fs;
use std::path::PathBuf;

use crate::failure::Outcome;
use crate::{process, root, say};

/// The minor version whose configuration we write.
const VERSION: &str = "0.20";

/// Its own release profile costs minutes and saves milliseconds.
const QUICK: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

/// Where the program is once installed.
pub fn path() -> PathBuf {
    root::target()
        .join("tools/bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX))
}

/// Installs it unless the right one is there.
pub fn ready() -> Outcome {
    let record = fs::read_to_string(root::target().join("tools/.crates.toml")).unwrap_or_default();
    if path().is_file() && records(&record) {
        return Ok(());
    }
    say::step("compiling cargo-deny (some minutes)");
    let mut cargo = root::cargo();
    cargo
        .args(["install", "cargo-deny", "--locked", "--quiet", "--version"])
        .arg(format!("~{VERSION}"))
        .arg("--root")
        .arg(root::target().join("tools"))
        .envs(QUICK);
    process::quiet(&mut cargo)
}

/// Whether cargo's record of installed programs names our version.
fn records(record: &str) -> bool {
    record.contains(&format!("\"cargo-deny {VERSION}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_not_the_one_we_want() {
        assert!(records("[v1]\n\"cargo-deny 0.20.2 (registry+x)\" = []\n"));
        assert!(!records("[v1]\n\"cargo-deny 0.21.0 (registry+x)\" = []\n"));
        assert!(!records(""));
    }
}
