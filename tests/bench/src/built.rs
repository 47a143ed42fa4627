//! Where the measured builds are. `cargo xtask bench` makes them and sets a variable for each;
//! without the variable, a build is expected where that command puts it.

use std::env;
use std::path::{Path, PathBuf};

use vestibule_acceptance::repository;

use crate::registry::Outcome;

/// The variable with the path of the shipped app, stripped.
pub const SHIPPED: &str = "VESTIBULE_BENCH_SHIPPED";
/// The variable with the path of the blank window, built with the same profile; `vestibule-bare` is
/// in the same folder.
pub const BLANK: &str = "VESTIBULE_BENCH_BLANK";

/// The path of the shipped app.
///
/// # Errors
/// If it does not exist.
pub fn shipped() -> Outcome<PathBuf> {
    file(SHIPPED, "bench/vestibule")
}

/// The path of the blank window.
///
/// # Errors
/// If it does not exist.
pub fn blank_window() -> Outcome<PathBuf> {
    file(BLANK, "bench/vestibule-blank")
}

/// The path of the window with an empty command and an empty event.
///
/// # Errors
/// If it does not exist.
pub fn bare_window() -> Outcome<PathBuf> {
    let path = blank_window()?.with_file_name("vestibule-bare");
    exists(&path, Path::is_file)
}

/// The static export of the app's frontend.
///
/// # Errors
/// If it does not exist.
pub fn export() -> Outcome<PathBuf> {
    folder("frontend/out")
}

/// The static export of a blank Next app.
///
/// # Errors
/// If it does not exist.
pub fn blank_export() -> Outcome<PathBuf> {
    folder("tests/bench/next/blank/out")
}

/// The paths of Next and of the built web arrangement.
///
/// # Errors
/// If it is not built.
pub fn web() -> Outcome<(PathBuf, PathBuf)> {
    folder("tests/bench/next/web/.next")?;
    let next = folder("tests/bench/next/node_modules/next")?;
    Ok((next.join("dist/bin/next"), folder("tests/bench/next/web")?))
}

fn file(variable: &str, otherwise: &str) -> Outcome<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let otherwise = Path::new(&target).join(otherwise);
    let named = env::var_os(variable).map_or(otherwise, PathBuf::from);
    exists(&repository().join(named), Path::is_file)
}

fn folder(path: &str) -> Outcome<PathBuf> {
    exists(&repository().join(path), Path::is_dir)
}

fn exists(path: &Path, is_it: fn(&Path) -> bool) -> Outcome<PathBuf> {
    if is_it(path) {
        return Ok(path.to_owned());
    }
    let path = path.strip_prefix(repository()).unwrap_or(path);
    Err(format!(
        "{} is not there: `cargo xtask bench` makes it",
        path.display()
    ))
}
