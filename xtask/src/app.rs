//! Builds of the app itself without its development server: the one that ships and the one
//! that WebDriver drives. They differ in features and must never be mistaken for each other, so
//! the second is put into a folder of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Outcome, io};
use crate::setup::{self, For};
use crate::{compile, export, root, say};

const BIN: &str = "vestibule";
/// The profile of what tests drive, the packages that they install among it.
pub const TESTED: &str = "tested";

/// Where the build for WebDriver is put.
pub fn e2e_path() -> PathBuf {
    root::target()
        .join("e2e")
        .join(format!("{BIN}{}", std::env::consts::EXE_SUFFIX))
}

/// Makes everything ready, builds for WebDriver and prints the path.
pub fn build_e2e_from_scratch() -> Outcome {
    setup::ready(For::Development)?;
    export::ready()?;
    println!("{}", build_e2e(Clippy::IsNotAsked)?.display());
    Ok(())
}

/// Whether clippy looks at a build for WebDriver.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clippy {
    /// It does, and stops it at any warning.
    Looks,
    /// It does not: somebody wants the app.
    IsNotAsked,
}

/// Builds for WebDriver from the export that is there.
pub fn build_e2e(clippy: Clippy) -> Outcome<PathBuf> {
    say::step("building the app for WebDriver (some minutes the first time)");
    let mut cargo = root::cargo();
    if clippy == Clippy::Looks {
        compile::under_clippy(&mut cargo);
    }
    let built = build(&mut cargo, TESTED, "e2e,tauri/custom-protocol")?;
    let path = e2e_path();
    let folder = root::target().join("e2e");
    fs::create_dir_all(&folder).map_err(io(format_args!("creating {}", folder.display())))?;
    // A running copy cannot be written over, but it can be replaced.
    let fresh = path.with_extension("new");
    fs::copy(&built, &fresh).map_err(io("copying the build for WebDriver"))?;
    fs::rename(&fresh, &path).map_err(io("placing the build for WebDriver"))?;
    Ok(path)
}

/// Builds what ships, from the export that is there.
pub fn build_shipped() -> Outcome<PathBuf> {
    say::step("building the app as it ships");
    build(&mut root::cargo(), "release", "tauri/custom-protocol")
}

fn build(cargo: &mut Command, profile: &str, features: &str) -> Outcome<PathBuf> {
    // With `devUrl` configured, only custom-protocol makes the window load the
    // export instead of the development server.
    let arguments = [
        "--package",
        BIN,
        "--profile",
        profile,
        "--features",
        features,
    ];
    compile::binary_by(cargo, BIN, &arguments)
}
