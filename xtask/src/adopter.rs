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
    app::as_the_cli_builds(&mut cargo);
    cargo.arg("--config").arg(profiles()?);
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

/// A file with the workspace's profiles alone, which are the end of its `Cargo.toml`: an adopter has nothing
/// else of it.
fn profiles() -> Outcome<PathBuf> {
    const FIRST: &str = "[profile.";
    let manifest = root::root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(io("reading Cargo.toml"))?;
    let begin = text
        .find(&format!("\n{FIRST}"))
        .ok_or_else(|| said("Cargo.toml has no profile"))?;
    let file = root::records().join("profiles.toml");
    fs::create_dir_all(root::records()).map_err(io("creating the folder for records"))?;
    fs::write(&file, &text[begin..]).map_err(io("writing the profiles"))?;
    Ok(file)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    /// The most lines that an adopter may have to write, without empty ones.
    const MOST_LINES: usize = 150;

    /// Files that nobody writes by hand.
    const NOT_WRITTEN: [&str; 2] = ["Cargo.lock", "package-lock.json"];

    /// The lines that the guide need not show, by file: a project has them, or others in their place,
    /// before it follows the guide.
    const UNSHOWN: [(&str, &str); 8] = [
        (
            "package.json",
            r#"
{
  "private": true,
  "type": "module",
  "scripts": {
    "dev": "vite",
    "build": "tsc && vite build"
  },
  "dependencies": {
  },
  "devDependencies": {
    "typescript": "6.0.3",
    "vite": "8.3.8"
  }
}
"#,
        ),
        (
            "tsconfig.json",
            r#"
{
  "compilerOptions": { "noEmit": true, "skipLibCheck": true },
  "include": ["src"]
}
"#,
        ),
        (
            "src-tauri/Cargo.toml",
            r#"
[package]
name = "adopter"
version = "0.1.0"
edition = "2024"
tauri-build = { version = "2", features = [] }
tauri = { version = "2", features = [] }
"#,
        ),
        (
            "src-tauri/build.rs",
            "
    tauri_build::build();
}
",
        ),
        (
            "src-tauri/src/lib.rs",
            r#"
pub fn run() {
    tauri::Builder::default()
        .run(tauri::generate_context!())
        .expect("error while running tauri application");
}
"#,
        ),
        (
            "src-tauri/src/main.rs",
            r#"
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]
    adopter::run();
}
"#,
        ),
        (
            "src-tauri/tauri.conf.json",
            r#"
{
  "productName": "Adopter",
  "identifier": "com.example.adopter",
  "build": {
    "beforeDevCommand": "npm run dev",
    "devUrl": "http://localhost:5173",
    "beforeBuildCommand": "npm run build",
    "frontendDist": "../dist"
  },
  "app": {
  },
}
"#,
        ),
        (
            "src-tauri/capabilities/default.json",
            r#"
{
  "identifier": "default",
}
"#,
        ),
    ];

    /// The files of the app that somebody has written, by name, without empty lines: the guide shows a
    /// file in parts, between which such lines are.
    fn written() -> BTreeMap<String, Vec<String>> {
        let folder = root::root().join(FOLDER);
        let files = export::sources(&folder).unwrap();
        let texts = files.iter().filter_map(|file| {
            let name = file.strip_prefix(&folder).unwrap();
            let is_written = NOT_WRITTEN.iter().all(|other| !name.ends_with(other))
                && !name.starts_with("src-tauri/icons");
            let name = name.to_str().unwrap().replace('\\', "/");
            is_written.then(|| (name, fs::read_to_string(file).unwrap()))
        });
        texts.map(|(name, text)| (name, lines(&text))).collect()
    }

    fn lines(text: &str) -> Vec<String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(str::to_owned).collect()
    }

    /// The guide's blocks by the file that each names, put together. A block of commands names none.
    fn shown(guide: &str) -> BTreeMap<String, Vec<String>> {
        let mut files = BTreeMap::<String, Vec<String>>::new();
        for block in guide.split("\n```").skip(1).step_by(2) {
            let (info, text) = block.split_once('\n').unwrap();
            match info.split_once(' ') {
                Some((_, file)) => files
                    .entry(file.to_owned())
                    .or_default()
                    .extend(lines(text)),
                None => assert_eq!(info, "sh", "this block names no file:\n{text}"),
            }
        }
        files
    }

    /// Whether the guide shows a file: all its lines in their order, but for those of [`UNSHOWN`].
    fn is_shown(name: &str, written: &[String], shown: &[String]) -> bool {
        let mut shown = shown.iter().peekable();
        let rest = written
            .iter()
            .filter(|line| shown.next_if_eq(line).is_none());
        let unshown = UNSHOWN.iter().find(|(file, _)| *file == name);
        let unshown = unshown.map_or_else(Vec::new, |(_, text)| lines(text));
        rest.eq(&unshown) && shown.next().is_none()
    }

    fn guide() -> String {
        fs::read_to_string(root::root().join("docs/guides/existing-app.md")).unwrap()
    }

    #[test]
    fn the_guide_is_the_app() {
        let (written, shown) = (written(), shown(&guide()));
        for name in shown.keys() {
            assert!(written.contains_key(name), "the app has no {name}");
        }
        for (name, text) in &written {
            let shown = shown.get(name).map_or(&[][..], Vec::as_slice);
            assert!(
                is_shown(name, text, shown),
                "{name} is {text:#?}, and the guide shows {shown:#?}"
            );
        }
    }

    #[test]
    fn a_difference_between_the_guide_and_the_app_is_seen() {
        let is_shown_by = |guide: &str, name: &str| {
            let shown = shown(guide);
            is_shown(name, &written()[name], &shown[name])
        };
        let main = "src-tauri/src/main.rs";
        let changed = guide().replacen("- `harden()` must", "- `harden()` may", 1);
        assert_ne!(changed, guide());
        assert!(is_shown_by(&changed, main), "prose may say what it likes");
        for (name, line) in [
            (main, "    tauri_plugin_vestibule::harden();"),
            ("src/main.ts", "auth.start();"),
            ("src-tauri/src/lib.rs", "#[global_allocator]"),
            ("src-tauri/Cargo.toml", "serde_json = \"1\""),
            (
                "src-tauri/tauri.conf.json",
                "        \"default-src\": \"'self'\",",
            ),
            (
                "src-tauri/tauri.conf.json",
                "        \"img-src\": \"'self' data:\",",
            ),
            (
                "src-tauri/tauri.conf.json",
                "        \"connect-src\": \"'self' ipc: http://ipc.localhost\"",
            ),
            (
                "src-tauri/capabilities/default.json",
                "  \"windows\": [\"main\", \"window-*\"],",
            ),
        ] {
            let without = guide().replacen(&format!("\n{line}\n"), "\n", 1);
            assert_ne!(without, guide(), "the guide has no line {line}");
            assert!(!is_shown_by(&without, name), "{line} is missing");
        }
    }

    #[test]
    fn a_line_that_only_the_app_has_is_seen() {
        let shown = shown(&guide());
        for (name, mut written) in written() {
            let shown = shown.get(&name).map_or(&[][..], Vec::as_slice);
            written.push("one more".to_owned());
            assert!(!is_shown(&name, &written, shown), "{name}");
        }
    }

    #[test]
    fn an_adopter_has_little_to_write() {
        let all: usize = written().values().map(Vec::len).sum();
        assert!((1..MOST_LINES).contains(&all), "{all} lines");
    }

    #[test]
    fn it_knows_only_the_crates_and_the_packed_package() {
        let folder = root::root().join(FOLDER);
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let manifest = read("src-tauri/Cargo.toml");
        let paths = manifest
            .lines()
            .filter_map(|line| line.split_once("path = "));
        let paths: Vec<_> = paths.map(|(_, path)| path.trim_end_matches(" }")).collect();
        let crates = [
            "\"../../../src-tauri/build\"",
            "\"../../../src-tauri/plugin\"",
        ];
        assert_eq!(paths, crates);
        let package: serde_json::Value = serde_json::from_str(&read("package.json")).unwrap();
        let needs = package["dependencies"].as_object().unwrap();
        let tarball = needs["vestibule"].as_str().unwrap();
        assert!(
            tarball.starts_with("file:packed/") && tarball.ends_with(".tgz"),
            "{tarball}"
        );
        assert_eq!(needs.len(), 1);
    }

    /// The lock file does not bind the packed package, whose bytes change with every edit of it.
    #[test]
    fn the_lock_file_takes_the_package_as_it_is() {
        let lock = fs::read(root::root().join(FOLDER).join("package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
        let package = &lock["packages"]["node_modules/vestibule"];
        assert!(package.is_object());
        assert!(
            package["integrity"].is_null(),
            "remove `integrity` from {package}"
        );
    }

    #[test]
    fn a_crate_has_the_licence_of_the_repository() {
        let licence = |folder: &Path| fs::read_to_string(folder.join("LICENSE")).unwrap();
        for name in ["build", "core", "doctor", "log", "plugin"] {
            let folder = root::root().join("src-tauri").join(name);
            assert_eq!(licence(&folder), licence(root::root()), "{name}");
        }
    }
}
