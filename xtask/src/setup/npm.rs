//! The npm packages of the frontend, which include the Tauri CLI, and of any other folder.
//!
//! Whether they are up to date is read from npm's own record of what it installed. A stamp of this
//! tool would be wrong after somebody runs npm directly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, Outcome, io, said};
use crate::{console, process, root};

/// The example for authors of backends, which tests start.
pub const EXAMPLE: &str = "docs/example-backend";

/// Where the Tauri CLI's entry script is once the packages are installed.
pub fn tauri_cli() -> PathBuf {
    root::frontend().join("node_modules/@tauri-apps/cli/tauri.js")
}

/// Installs the packages unless those of the lock file are installed.
pub fn ready() -> Outcome {
    if installed()? {
        return Ok(());
    }
    console::step("installing the frontend's npm packages (about half a minute)");
    install(&root::frontend())?;
    if !installed()? {
        return Err(others("frontend"));
    }
    Ok(())
}

/// Does the same in a folder of the repository; `takes` is how long that takes, in words.
pub fn ready_in(folder: &str, takes: &str) -> Outcome {
    let path = root::root().join(folder);
    if installed_in(&path)? {
        return Ok(());
    }
    console::step(format_args!(
        "installing the npm packages of {folder} ({takes})"
    ));
    install(&path)?;
    if !installed_in(&path)? {
        return Err(others(folder));
    }
    Ok(())
}

/// Whether every package of the frontend's lock file is installed in its version.
pub fn installed() -> Outcome<bool> {
    Ok(installed_in(&root::frontend())? && tauri_cli().is_file())
}

/// Installs the packages of a folder's lock file.
pub fn install(folder: &Path) -> Outcome {
    let mut npm = Command::new(process::npm());
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        // Without a network, npm's own pauses between retries add up to minutes.
        .args([
            "--fetch-retry-mintimeout=1000",
            "--fetch-retry-maxtimeout=4000",
        ])
        .current_dir(folder);
    process::quiet(&mut npm)
}

fn others(folder: &str) -> Failure {
    said(format!(
        "npm installed other packages than {folder}/package-lock.json names. Remove {folder}/node_modules and run this again."
    ))
}

fn installed_in(folder: &Path) -> Outcome<bool> {
    let file = folder.join("package-lock.json");
    let lock = fs::read_to_string(&file).map_err(io(format_args!("reading {}", file.display())))?;
    let Ok(record) = fs::read_to_string(folder.join("node_modules/.package-lock.json")) else {
        return Ok(false);
    };
    let lock: Value = serde_json::from_str(&lock)
        .map_err(|error| said(format!("{} is not JSON: {error}", file.display())))?;
    // A half-written record counts as none.
    let record: Value = serde_json::from_str(&record).unwrap_or(Value::Null);
    Ok(holds(&record, &lock))
}

/// Whether npm's record holds every package that the lock file requires. Optional packages may be
/// for another platform, and what nothing depends on any more (`extraneous`) is not installed.
fn holds(record: &Value, lock: &Value) -> bool {
    let Some(wanted) = lock["packages"].as_object() else {
        return false;
    };
    wanted
        .iter()
        .filter(|(path, package)| {
            let flag = |name: &str| package[name].as_bool().unwrap_or(false);
            let is_left_out = ["optional", "devOptional", "extraneous"];
            !path.is_empty() && !is_left_out.into_iter().any(flag)
        })
        .all(|(path, package)| {
            let have = &record["packages"][path];
            have.is_object()
                && have["version"] == package["version"]
                && have["integrity"] == package["integrity"]
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn lock() -> Value {
        json!({"packages": {
            "": {"name": "app"},
            "node_modules/a": {"version": "1.0.0", "integrity": "x"},
            "node_modules/b-darwin": {"version": "2.0.0", "integrity": "y", "optional": true},
        }})
    }

    #[test]
    fn optional_packages_of_other_platforms_may_be_absent() {
        let record =
            json!({"packages": {"node_modules/a": {"version": "1.0.0", "integrity": "x"}}});
        assert!(holds(&record, &lock()));
    }

    #[test]
    fn what_nothing_depends_on_is_not_asked_for() {
        let mut lock = lock();
        lock["packages"]["node_modules/c"] =
            json!({"version": "3.0.0", "integrity": "z", "extraneous": true});
        let record =
            json!({"packages": {"node_modules/a": {"version": "1.0.0", "integrity": "x"}}});
        assert!(holds(&record, &lock));
    }

    #[test]
    fn a_package_that_is_missing_or_another_version_or_another_build_is_noticed() {
        for record in [
            json!({"packages": {}}),
            json!({"packages": {"node_modules/a": {"version": "1.0.1", "integrity": "x"}}}),
            json!({"packages": {"node_modules/a": {"version": "1.0.0", "integrity": "z"}}}),
            Value::Null,
        ] {
            assert!(!holds(&record, &lock()), "{record}");
        }
    }

    #[test]
    fn a_lock_file_without_packages_is_never_satisfied() {
        assert!(!holds(&json!({"packages": {}}), &json!({})));
    }

    /// `npm ci` refuses a lock file that names a package for another platform and does not hold it,
    /// and installs a package without a hash unchecked. npm writes such lock files when its
    /// registry lacks that package.
    #[test]
    fn the_committed_lock_files_hold_the_packages_of_every_platform() {
        let servers = crate::real_servers::SERVERS;
        let servers = servers.iter().filter_map(crate::real_servers::Server::npm);
        let ours = ["frontend", EXAMPLE, crate::bench::NEXT];
        for folder in ours.into_iter().chain(servers) {
            let file = root::root().join(folder).join("package-lock.json");
            let text = fs::read_to_string(file).unwrap();
            let lock: Value = serde_json::from_str(&text).unwrap();
            let packages = lock["packages"].as_object().unwrap();
            let absent = absent(packages);
            assert!(
                absent.is_empty(),
                "{folder}: named but not held: {absent:?}"
            );
            let unsealed = unsealed(packages);
            assert!(
                unsealed.is_empty(),
                "{folder}: without a hash: {unsealed:?}"
            );
        }
    }

    fn absent(packages: &Map<String, Value>) -> Vec<(&String, &String)> {
        packages
            .iter()
            .filter_map(|(path, package)| {
                Some((path, package["optionalDependencies"].as_object()?))
            })
            .flat_map(|(path, named)| named.keys().map(move |name| (path, name)))
            .filter(|(path, name)| {
                let hoisted = format!("node_modules/{name}");
                !packages.contains_key(&hoisted)
                    && !packages.contains_key(&format!("{path}/{hoisted}"))
            })
            .collect()
    }

    fn unsealed(packages: &Map<String, Value>) -> Vec<&String> {
        packages
            .iter()
            .filter(|(path, package)| {
                // A package inside another package is covered by that package's hash.
                let inside = package["inBundle"] == true;
                !path.is_empty() && !inside && !package["integrity"].is_string()
            })
            .map(|(path, _)| path)
            .collect()
    }
}
