//! The release build of the app that WebDriver drives. It differs in features
//! from the one that ships, which the Tauri CLI builds with the packages, and
//! must never be mistaken for it: so it is put into a folder of its own.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Outcome, io};
use crate::setup::{self, For};
use crate::{compile, export, root, say};

const BIN: &str = "vestibule";

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
    println!("{}", build_e2e()?.display());
    Ok(())
}

/// Builds for WebDriver from the export that is there.
pub fn build_e2e() -> Outcome<PathBuf> {
    say::step("building the app for WebDriver, in release mode (many minutes the first time)");
    let built = release("e2e,tauri/custom-protocol")?;
    let path = e2e_path();
    let folder = root::target().join("e2e");
    fs::create_dir_all(&folder).map_err(io(format_args!("creating {}", folder.display())))?;
    // A running copy cannot be written over, but it can be replaced.
    let fresh = path.with_extension("new");
    fs::copy(&built, &fresh).map_err(io("copying the build for WebDriver"))?;
    fs::rename(&fresh, &path).map_err(io("placing the build for WebDriver"))?;
    Ok(path)
}

fn release(features: &str) -> Outcome<PathBuf> {
    // With `devUrl` configured, only custom-protocol makes the window load the
    // export instead of the development server.
    compile::binary(
        BIN,
        &["--package", BIN, "--release", "--features", features],
    )
}
