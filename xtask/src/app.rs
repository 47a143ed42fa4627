//! Builds the app that WebDriver can drive. It differs by one feature from the shipped app, which
//! the Tauri CLI builds with the packages. The two must not be confused, so this one is put into a
//! folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Outcome, io};
use crate::setup::{self, For};
use crate::{compile, console, export, root};

const BIN: &str = "vestibule";

/// How much is optimised; the profiles are defined in the workspace's `Cargo.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As the app ships: for measurements.
    Release,
    /// Only the packages that the workspace's `Cargo.toml` names are optimised: for tests.
    Tested,
}

impl Profile {
    /// The name for cargo, and of the folder below the target folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Tested => "tested",
        }
    }
}

/// Where the build for WebDriver is put.
pub fn e2e_path(profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Release => "e2e-release",
        Profile::Tested => "e2e",
    };
    let name = format!("{BIN}{}", std::env::consts::EXE_SUFFIX);
    root::target().join(folder).join(name)
}

/// Prepares the machine, builds for WebDriver and prints the path.
pub fn build_e2e_from_scratch() -> Outcome {
    setup::ready(For::Development)?;
    export::ready()?;
    let built = build_e2e(Profile::Tested, &mut root::cargo())?;
    println!("{}", built.display());
    Ok(())
}

/// Builds for WebDriver with this cargo command; the export must be up to date.
pub fn build_e2e(profile: Profile, cargo: &mut Command) -> Outcome<PathBuf> {
    console::step("building the app for WebDriver (some minutes the first time)");
    // With `devUrl` configured, the window loads the export instead of the development server only
    // with `custom-protocol`.
    let features = ["--features", "e2e,tauri/custom-protocol"];
    let how = ["--package", BIN, "--profile", profile.name()];
    as_the_cli_builds(cargo);
    let built = compile::binary_by(cargo, BIN, &[&how[..], &features].concat())?;
    let path = e2e_path(profile);
    place(&built, &path)?;
    Ok(path)
}

/// What [`crate::bundle`] tells the Tauri CLI beside `tauri.conf.json`: the export was made just before and
/// need not be made again.
pub const CONFIG: &str = r#"{"build":{"beforeBuildCommand":null}}"#;

/// Sets the variables that the Tauri CLI sets when it makes a package. Because of
/// `build.removeUnusedCommands` the commands that no capability allows are left out of Tauri and its
/// plugins. Builds that share their dependencies must agree in each of them: else every one of them
/// compiles Tauri again.
pub fn as_the_cli_builds(cargo: &mut Command) {
    cargo
        .env("REMOVE_UNUSED_COMMANDS", root::root())
        .env("TAURI_CONFIG", CONFIG);
}

/// Copies a build for WebDriver to its own path.
pub fn place(built: &Path, path: &Path) -> Outcome {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io(format_args!("creating {}", folder.display())))?;
    }
    // A running program cannot be overwritten, but it can be replaced.
    let fresh = path.with_extension("new");
    fs::copy(built, &fresh).map_err(io("copying the build for WebDriver"))?;
    fs::rename(&fresh, path).map_err(io("placing the build for WebDriver"))
}
