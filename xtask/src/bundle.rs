//! The packages that a Linux user installs, made by the Tauri CLI.

use std::fs;
use std::path::PathBuf;

use crate::app::{CONFIG, Profile};
use crate::failure::{Outcome, io};
use crate::{root, tauri};

/// Where the Tauri CLI puts the packages, one folder for each kind.
pub fn folder(profile: Profile) -> PathBuf {
    root::target().join(profile.name()).join("bundle")
}

/// Makes the .deb and the .rpm; the export must be up to date.
pub fn linux(profile: Profile) -> Outcome<PathBuf> {
    let folder = folder(profile);
    // A package left from another version would be taken for this one.
    if folder.is_dir() {
        fs::remove_dir_all(&folder).map_err(io(format_args!("emptying {}", folder.display())))?;
    }
    let wanted = ["build", "--ci", "--bundles", "deb,rpm", "--config", CONFIG];
    let compiled = ["--", "--profile", profile.name()];
    let arguments: Vec<_> = wanted.into_iter().chain(compiled).map(Into::into).collect();
    tauri::run(&arguments)?;
    Ok(folder)
}
