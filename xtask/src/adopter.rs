//! Builds the app of `tests/adopter` for WebDriver. It is what an adopter writes: an app outside this
//! workspace, made of the crates and of what `npm pack` makes of the npm package.
//! `docs/guides/existing-app.md` is its text, step by step.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::app::Profile;
use crate::failure::{Outcome, io, said};
use crate::setup::npm;
use crate::{app, compile, console, export, process, root};

const FOLDER: &str = "tests/adopter";
const BIN: &str = "adopter";

/// Where the build for WebDriver is put.
pub fn path() -> PathBuf {
    app::e2e_path(Profile::Tested).with_file_name(format!("{BIN}{}", std::env::consts::EXE_SUFFIX))
}

/// Checks the app and builds it. Whatever is up to date is not made again.
pub fn build() -> Outcome<PathBuf> {
    check_format()?;
    make_page()?;
    let mut cargo = root::cargo();
    compile::under_clippy(&mut cargo);
    cargo.arg("--config").arg(root::root().join("Cargo.toml"));
    let manifest = format!("{FOLDER}/src-tauri/Cargo.toml");
    let target = root::target().display().to_string();
    let built = compile::binary_by(
        &mut cargo,
        BIN,
        &[
            // The workspace's profile, target folder and features of Tauri: then the libraries that the
            // example app is made of are not compiled again.
            "--profile",
            Profile::Tested.name(),
            "--target-dir",
            &target,
            "--features",
            "e2e,tauri/custom-protocol",
            "--manifest-path",
            &manifest,
        ],
    )?;
    let path = path();
    app::place(&built, &path)?;
    Ok(path)
}

/// Checks the format of the files that the checks of the workspace and of the frontend do not reach.
fn check_format() -> Outcome {
    let folder = root::root().join(FOLDER);
    let mut cargo = root::cargo();
    cargo
        .args(["fmt", "--check"])
        .current_dir(folder.join("src-tauri"));
    process::run(&mut cargo)?;
    let mut biome = Command::new("node");
    biome
        .arg(root::frontend().join("node_modules/@biomejs/biome/bin/biome"))
        .args(["check", "--error-on-warnings", "--config-path"])
        .arg(root::frontend().join("biome.json"))
        .args(["index.html", "package.json", "tsconfig.json", "src"])
        .args(["src-tauri/tauri.conf.json", "src-tauri/capabilities"])
        .current_dir(folder);
    process::quiet(&mut biome)
}

/// Packs the npm package, installs it in the app, and builds the app's page.
fn make_page() -> Outcome {
    let folder = root::root().join(FOLDER);
    let package = root::frontend().join("vestibule");
    let page = folder.join("dist/index.html");
    let stamp = root::records().join("adopter.stamp");
    let sources = export::digest(&package)? + &export::digest(&folder)?;
    if page.is_file() && fs::read_to_string(&stamp).is_ok_and(|known| known == sources) {
        return Ok(());
    }
    console::step("packing the npm package and building the adopter's page (some seconds)");
    // Without the stamp, an interrupted build counts as not made.
    let _ = fs::remove_file(&stamp);
    let packed = folder.join("packed");
    fs::create_dir_all(&packed).map_err(io("creating the folder for the packed package"))?;
    let mut pack = Command::new(process::npm());
    pack.args(["pack", "--silent", "--pack-destination"])
        .arg(&packed)
        .current_dir(&package);
    process::quiet(&mut pack)?;
    npm::install(&folder)?;
    let mut build = Command::new(process::npm());
    build
        .args(["run", "--silent", "build"])
        .current_dir(&folder);
    process::quiet(&mut build)?;
    if !page.is_file() {
        return Err(said(format!(
            "the page was built but {} is not there",
            page.display()
        )));
    }
    fs::create_dir_all(root::records()).map_err(io("creating the folder for records"))?;
    fs::write(&stamp, sources).map_err(io("recording the page"))
}
