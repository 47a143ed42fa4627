//! Programs of other projects that are compiled here: the WebDriver server in front of the
//! webview's own one, and cargo subcommands that check licences and fuzz. They are installed into
//! the target folder; nothing is put into the developer's home.
//!
//! They are built without optimisation and in one folder, so that shared dependencies are compiled
//! once: their own release profiles would cost minutes and save milliseconds.

use std::fs;
use std::path::PathBuf;

use crate::failure::Outcome;
use crate::{console, process, root};

/// A program: its package's name and the accepted versions.
pub struct Tool {
    package: &'static str,
    /// The beginning of every accepted version number; ends with a dot.
    versions: &'static str,
    what_for: &'static str,
}

/// Version 3 is an alpha.
pub const WEBDRIVER: Tool = Tool {
    package: "tauri-driver",
    versions: "2.",
    what_for: "for the tests of the window",
};

/// The minor version for whose format `.cargo/deny.toml` is written.
pub const DENY: Tool = Tool {
    package: "cargo-deny",
    versions: "0.20.",
    what_for: "to look at licences and sources",
};

/// The minor version whose options are used; a later one may build for another sanitiser.
pub const FUZZER: Tool = Tool {
    package: "cargo-fuzz",
    versions: "0.13.",
    what_for: "to build and run the fuzz targets",
};

impl Tool {
    /// Where the program is installed.
    pub fn path(&self) -> PathBuf {
        let name = format!("{}{}", self.package, std::env::consts::EXE_SUFFIX);
        folder().join("bin").join(name)
    }

    /// Installs the program unless an accepted version is installed.
    pub fn ready(&self) -> Outcome {
        if self.is_installed() {
            return Ok(());
        }
        let Self {
            package, what_for, ..
        } = self;
        console::step(format_args!(
            "compiling {package} {what_for} (about a minute)"
        ));
        let mut cargo = root::cargo();
        cargo
            .args(["install", package, "--locked", "--quiet", "--debug"])
            .args(["--version", &self.requirement(), "--root"])
            .arg(folder())
            .arg("--target-dir")
            .arg(folder().join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "false");
        process::quiet(&mut cargo)
    }

    /// Whether an accepted version is installed.
    pub fn is_installed(&self) -> bool {
        let record = fs::read_to_string(folder().join(".crates.toml")).unwrap_or_default();
        self.path().is_file() && self.is_named_in(&record)
    }

    /// The accepted versions in cargo's syntax: `2.` becomes `2.*`.
    fn requirement(&self) -> String {
        format!("{}*", self.versions)
    }

    /// Whether cargo's record of installed programs names an accepted version.
    fn is_named_in(&self, record: &str) -> bool {
        record.contains(&format!("\"{} {}", self.package, self.versions))
    }
}

fn folder() -> PathBuf {
    root::target().join("tools")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_that_will_do_counts_as_installed() {
        let named = |tool: &Tool, line: &str| tool.is_named_in(&format!("[v1]\n\"{line}\" = []\n"));
        assert!(named(&WEBDRIVER, "tauri-driver 2.1.0 (registry+x)"));
        assert!(!named(
            &WEBDRIVER,
            "tauri-driver 3.0.0-alpha.1 (registry+x)"
        ));
        assert!(named(&DENY, "cargo-deny 0.20.2 (registry+x)"));
        assert!(!named(&DENY, "cargo-deny 0.21.0 (registry+x)"));
        assert!(!named(&DENY, "cargo-fuzz 0.20.2 (registry+x)"));
        assert!(!FUZZER.is_named_in(""));
    }

    #[test]
    fn a_range_of_versions_is_asked_for() {
        assert_eq!(WEBDRIVER.requirement(), "2.*");
        assert_eq!(FUZZER.requirement(), "0.13.*");
    }
}
