//! `cargo-fuzz`, which builds and runs the fuzz targets. Like the driver it lives in the
//! target folder.

use std::fs;
use std::path::PathBuf;

use crate::failure::Outcome;
use crate::{process, root, say};

/// The minor version whose options we use; a later one may build for another sanitiser.
const VERSION: &str = "0.13";

/// Where the program is once installed.
pub fn path() -> PathBuf {
    root::target()
        .join("tools/bin")
        .join(format!("cargo-fuzz{}", std::env::consts::EXE_SUFFIX))
}

/// Installs it unless the right one is there.
pub fn ready() -> Outcome {
    let record = fs::read_to_string(root::target().join("tools/.crates.toml")).unwrap_or_default();
    if path().is_file() && records(&record) {
        return Ok(());
    }
    say::step("compiling cargo-fuzz (about a minute)");
    let mut cargo = root::cargo();
    cargo
        .args(["install", "cargo-fuzz", "--locked", "--quiet", "--version"])
        .arg(format!("~{VERSION}"))
        .arg("--root")
        .arg(root::target().join("tools"));
    process::quiet(&mut cargo)
}

/// Whether cargo's record of installed programs names our version.
fn records(record: &str) -> bool {
    record.contains(&format!("\"cargo-fuzz {VERSION}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_not_the_one_we_want() {
        assert!(records("[v1]\n\"cargo-fuzz 0.13.2 (registry+x)\" = []\n"));
        assert!(!records("[v1]\n\"cargo-fuzz 0.14.0 (registry+x)\" = []\n"));
        assert!(!records(""));
    }
}
