//! The paths of the app under test, of the driver, and of the evidence of failed tests.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const HOW: &str = "build both with `cargo xtask build --e2e`, or run `cargo xtask test`";

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The app built for WebDriver: `VESTIBULE_APP`, or where `cargo xtask build --e2e` puts it.
///
/// # Panics
/// If it is not there; the message says how to build it.
#[must_use]
pub fn app() -> PathBuf {
    let otherwise = target().join("e2e/vestibule");
    let path = found("VESTIBULE_APP", otherwise, "app", HOW);
    static IS_FOR_TESTS: OnceLock<bool> = OnceLock::new();
    // Any other build refuses WebDriver, which would look like a hang.
    let is_for_tests = IS_FOR_TESTS.get_or_init(|| {
        let name = b"VESTIBULE_E2E_SCRIPT";
        let binary = std::fs::read(&path).unwrap_or_default();
        binary.windows(name.len()).any(|window| window == name)
    });
    assert!(
        is_for_tests,
        "{} was not built for WebDriver: {HOW}",
        path.display()
    );
    path
}

/// The app of `tests/adopter`, built for WebDriver: `VESTIBULE_ADOPTER`, or where
/// `cargo xtask test --only adopter` puts it.
///
/// # Panics
/// If it is not there; the message says how to build it.
#[must_use]
pub fn adopter() -> PathBuf {
    found(
        "VESTIBULE_ADOPTER",
        target().join("e2e/adopter"),
        "adopter's app",
        "build it with `cargo xtask test --only adopter`",
    )
}

/// `tauri-driver`: `VESTIBULE_TAURI_DRIVER`, or where `cargo xtask` installs it.
pub(crate) fn driver() -> PathBuf {
    found(
        "VESTIBULE_TAURI_DRIVER",
        target().join("tools/bin/tauri-driver"),
        "driver",
        HOW,
    )
}

/// Where the packages are: `VESTIBULE_BUNDLES`, or where `cargo xtask test` puts them.
///
/// # Panics
/// If they are not there; the message says how to make them.
#[must_use]
pub fn bundles() -> PathBuf {
    let otherwise = target().join("tested/bundle");
    let folder = env::var_os("VESTIBULE_BUNDLES").map_or(otherwise, PathBuf::from);
    assert!(
        folder.is_dir(),
        "there are no packages at {}: `cargo xtask test --only bundle` makes them",
        folder.display()
    );
    folder
}

/// Where a failed test leaves its screenshot and its log.
#[must_use]
pub fn artifacts() -> PathBuf {
    made(target().join("acceptance"))
}

/// Where `screens` writes its pictures.
#[must_use]
pub fn screens() -> PathBuf {
    made(target().join("screens"))
}

/// Mesa's cache of compiled shaders, shared by all private desktops. With a cache in each empty
/// home, compiling would take longer than a test.
pub(crate) fn shaders() -> PathBuf {
    made(target().join("shaders"))
}

fn made(folder: PathBuf) -> PathBuf {
    let _ = std::fs::create_dir_all(&folder);
    folder
}

fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(target) => repository().join(target),
        None => repository().join("target"),
    }
}

fn found(variable: &str, otherwise: PathBuf, what: &str, how: &str) -> PathBuf {
    let path = env::var_os(variable).map_or(otherwise, |path| repository().join(path));
    assert!(
        path.is_file(),
        "the {what} is not at {} (the variable {variable} names another place): {how}",
        path.display()
    );
    path
}
