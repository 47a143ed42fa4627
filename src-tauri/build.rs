//! Declares the commands of `src/command_list.rs` to Tauri's access control, and lets pages call
//! them: a command that is not in that list cannot be called. Builds the profile and the names of
//! the rights into the app.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, io};

use serde_json::Value;

#[path = "src/command_list.rs"]
mod command_list;
// The build checks the profile's name with the same code as the app when it starts, so that a
// wrong name fails the build.
#[path = "core/src/profile/mistake.rs"]
mod mistake;
#[path = "core/src/profile/name.rs"]
mod name;
#[path = "core/src/profile/shipped.rs"]
#[expect(dead_code, reason = "the build asks for names alone")]
mod shipped;

use command_list::command_list;
use mistake::Mistake;
use name::ProfileName;

const CONFIG: &str = "tauri.conf.json";

const COMMANDS: &[&str] = &command_list!(names);
/// The permission set that the capability `windows` gives to pages.
const PAGE_COMMANDS: &str = "page-commands";

fn main() {
    println!("cargo:rerun-if-changed={CONFIG}");
    let text = fs::read_to_string(CONFIG).expect("tauri.conf.json can be read");
    let config: Value = serde_json::from_str(&text).expect("tauri.conf.json is JSON");
    let section = &config["plugins"]["vestibule"];
    embed_profile(section);
    name_rights(section);
    allow_commands().expect("the folder of permissions can be written");
    let commands = tauri_build::AppManifest::new().commands(COMMANDS);
    let attributes = tauri_build::Attributes::new()
        .app_manifest(commands)
        .capabilities_path_pattern("./src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration is not valid: {error:#}");
    }
}

/// Writes the permission set of all commands into the folder in which Tauri looks for it.
fn allow_commands() -> io::Result<()> {
    let allow = |command: &&str| format!("  \"allow-{}\",\n", command.replace('_', "-"));
    let allowed: String = COMMANDS.iter().map(allow).collect();
    let text = format!(
        "# Written by src-tauri/build.rs from src-tauri/src/command_list.rs.\n\n[[set]]\n\
         identifier = \"{PAGE_COMMANDS}\"\n\
         description = \"Every command of the app.\"\n\
         permissions = [\n{allowed}]\n"
    );
    let folder = Path::new("permissions");
    let path = folder.join(format!("{PAGE_COMMANDS}.toml"));
    // Cargo runs this script again after a file that it reads has changed.
    if fs::read_to_string(&path).is_ok_and(|held| held == text) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::write(path, text)
}

/// Builds the text of the file into the app that `plugins.vestibule.profile` names.
fn embed_profile(section: &Value) {
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
        println!("cargo:rerun-if-changed={name}");
        let text = fs::read_to_string(name);
        let text = text.unwrap_or_else(|error| {
            let reason = format!("names {name}, which cannot be read: {error}");
            refuse(Mistake::new("profile", reason))
        });
        (name, text)
    });
    let code = format!(
        "/// The profile that the app was built with, where it is a file.\n\
         const BUILT_IN: Option<(&str, &str)> = {embedded:?};\n"
    );
    write("profile.rs", &code);
}

/// Writes a constant for each right in `plugins.vestibule.roles`, so that a command that asks
/// for a right which is not listed there does not compile.
fn name_rights(section: &Value) {
    let roles = section["roles"].as_object();
    let lists = roles.into_iter().flat_map(|roles| roles.values());
    let names: BTreeSet<&str> = lists
        .flat_map(|list| list.as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let mut code = format!(
        "/// Every right of this app.\npub const ALL: [&str; {}] = {:?};\n",
        names.len(),
        names.iter().collect::<Vec<_>>(),
    );
    for name in names {
        let constant = name.replace('.', "_").to_uppercase();
        code += &format!("/// `{name}`\npub const {constant}: &str = {name:?};\n");
    }
    write("rights.rs", &code);
}

fn write(name: &str, code: &str) {
    let folder = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let path = Path::new(&folder).join(name);
    fs::write(path, code).expect("OUT_DIR can be written");
}
