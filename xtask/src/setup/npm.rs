//! The frontend's npm packages, among them the Tauri CLI.
//!
//! Whether they are right is read from npm's own record of what it installed,
//! not from a stamp: a stamp lies as soon as somebody runs npm by hand.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::failure::{Outcome, said};
use crate::{process, root, say};

/// Where the Tauri CLI's entry script is once the packages are installed.
pub fn tauri_cli() -> PathBuf {
    root::frontend().join("node_modules/@tauri-apps/cli/tauri.js")
}

/// Installs the packages if what is installed is not what the lock file says.
pub fn ready() -> Outcome {
    if installed()? {
        return Ok(());
    }
    say::step("installing the frontend's npm packages (about half a minute)");
    let mut npm = Command::new(process::npm());
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(root::frontend());
    process::quiet(&mut npm)?;
    if !installed()? {
        return Err(said(
            "npm installed other packages than frontend/package-lock.json names. Remove frontend/node_modules and run this again.",
        ));
    }
    Ok(())
}

/// Whether every package of the lock file is installed in its version.
pub fn installed() -> Outcome<bool> {
    let frontend = root::frontend();
    let lock = fs::read_to_string(frontend.join("package-lock.json"))
        .map_err(crate::failure::io("reading frontend/package-lock.json"))?;
    let Ok(record) = fs::read_to_string(frontend.join("node_modules/.package-lock.json")) else {
        return Ok(false);
    };
    let lock: Value = serde_json::from_str(&lock)
        .map_err(|error| said(format!("frontend/package-lock.json is not JSON: {error}")))?;
    // A half-written record is as good as none.
    let record: Value = serde_json::from_str(&record).unwrap_or(Value::Null);
    Ok(holds(&record, &lock) && tauri_cli().is_file())
}

/// Whether npm's record holds every package that the lock file requires.
/// Optional ones may be for another platform.
fn holds(record: &Value, lock: &Value) -> bool {
    let Some(wanted) = lock["packages"].as_object() else {
        return false;
    };
    wanted
        .iter()
        .filter(|(path, package)| {
            let flag = |name: &str| package[name].as_bool().unwrap_or(false);
            !path.is_empty() && !flag("optional") && !flag("devOptional")
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
    use serde_json::json;

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

    /// `npm ci` refuses a lock file that names a package for another platform
    /// and does not hold it, and takes one without a hash as it comes. npm
    /// writes such files when its registry lacks that package.
    #[test]
    fn the_committed_lock_file_holds_the_packages_of_every_platform() {
        let text = fs::read_to_string(root::frontend().join("package-lock.json")).unwrap();
        let lock: Value = serde_json::from_str(&text).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let absent: Vec<_> = packages
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
            .collect();
        assert!(absent.is_empty(), "named but not held: {absent:?}");
        let unsealed: Vec<_> = packages
            .iter()
            .filter(|(path, package)| {
                // What comes inside another package is under that one's hash.
                let inside = package["inBundle"] == true;
                !path.is_empty() && !inside && !package["integrity"].is_string()
            })
            .map(|(path, _)| path)
            .collect();
        assert!(unsealed.is_empty(), "without a hash: {unsealed:?}");
    }
}
