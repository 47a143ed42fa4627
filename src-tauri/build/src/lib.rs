//! What an app's build script does for Vestibule, in one line:
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     vestibule_build::build();
//!     tauri_build::build();
//! }
//! # mod tauri_build { pub fn build() {} }
//! ```
//!
//! It checks `plugins.vestibule` of `tauri.conf.json`, and writes `vestibule.rs` into `OUT_DIR` with
//!
//! - `PROFILE`, the text of the file that `plugins.vestibule.profile` names, for
//!   `tauri_plugin_vestibule::Builder::profile`;
//! - a module `rights` with a constant for each right that some role has.
//!
//! The app includes it: `mod built { include!(concat!(env!("OUT_DIR"), "/vestibule.rs")); }`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

// The build checks the profile's name with the same code as the app when it starts, so that a
// wrong name fails the build.
#[path = "../../core/src/profile/mistake.rs"]
mod mistake;
#[path = "../../core/src/profile/name.rs"]
mod name;
#[path = "../../core/src/profile/shipped.rs"]
#[expect(dead_code, reason = "the build asks for names alone")]
mod shipped;

use mistake::Mistake;
use name::ProfileName;

const CONFIG: &str = "tauri.conf.json";

/// Builds the profile and the names of the rights into the app, from the `tauri.conf.json` beside the
/// package's `Cargo.toml`.
///
/// # Panics
/// If the configuration or the profile that it names is not valid; the message names the file and
/// the key.
pub fn build() {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this"));
    let path = folder.join(CONFIG);
    println!("cargo:rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{CONFIG} cannot be read: {error}"));
    let config: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{CONFIG} is not JSON: {error}"));
    let section = &config["plugins"]["vestibule"];
    let code = embed_profile(&folder, section) + &name_rights(section);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo runs this"));
    fs::write(out.join("vestibule.rs"), code).expect("OUT_DIR can be written");
}

/// Builds the text of the file into the app that `plugins.vestibule.profile` names.
fn embed_profile(folder: &Path, section: &Value) -> String {
    let refuse = |mistake: Mistake| -> ! {
        panic!(
            "{}",
            mistake.in_place(format!("{CONFIG} (plugins.vestibule)"))
        )
    };
    let chosen = match &section["profile"] {
        Value::Null => None,
        Value::String(name) => Some(name),
        _ => refuse(Mistake::new("profile", "must be a text")),
    };
    let is_file = |name: &&String| match name::resolve("profile", name) {
        Ok(named) => named == ProfileName::File,
        Err(mistake) => refuse(mistake),
    };
    let embedded = chosen.filter(is_file).map(|name| {
        let path = folder.join(name);
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(path);
        let text = text.unwrap_or_else(|error| {
            let reason = format!("names {name}, which cannot be read: {error}");
            refuse(Mistake::new("profile", reason))
        });
        (name, text)
    });
    format!(
        "/// The profile that the app was built with, where it is a file: for \
         `tauri_plugin_vestibule::Builder::profile`.\n\
         pub const PROFILE: Option<(&str, &str)> = {embedded:?};\n"
    )
}

/// A constant for each right in `plugins.vestibule.roles`, so that a command that asks for a right
/// which is not listed there does not compile.
fn name_rights(section: &Value) -> String {
    let roles = section["roles"].as_object();
    let lists = roles.into_iter().flat_map(|roles| roles.values());
    let names: BTreeSet<&str> = lists
        .flat_map(|list| list.as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let constant = |name: &str| {
        let constant = name.replace('.', "_").to_uppercase();
        format!("    /// `{name}`\n    pub const {constant}: &str = {name:?};\n")
    };
    let constants: String = names.into_iter().map(constant).collect();
    format!("/// The names of this app's rights.\npub mod rights {{\n{constants}}}\n")
}
