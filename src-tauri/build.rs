//! Builds the profile and the names of the permissions into the app, and declares every command to
//! Tauri's access control: a command that is not listed here cannot be called, and one that no
//! capability names is refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;

// The build checks the profile's name with the same code as the app when it starts, so that a
// wrong name fails the build.
#[path = "core/src/profile/mistake.rs"]
mod mistake;
#[path = "core/src/profile/name.rs"]
mod name;
#[path = "core/src/profile/shipped.rs"]
#[expect(dead_code, reason = "the build asks for names alone")]
mod shipped;

use mistake::Mistake;
use name::Named;

const CONFIG: &str = "tauri.conf.json";

fn main() {
    println!("cargo:rerun-if-changed={CONFIG}");
    let text = fs::read_to_string(CONFIG).expect("tauri.conf.json can be read");
    let config: Value = serde_json::from_str(&text).expect("tauri.conf.json is JSON");
    let section = &config["plugins"]["vestibule"];
    embed_profile(section);
    name_permissions(section);
    let commands = tauri_build::AppManifest::new().commands(&[
        "session",
        "login",
        "register",
        "verify_otp",
        "resend_otp",
        "cancel_otp",
        "refresh",
        "unlock_keyring",
        "logout",
        "backend_fetch",
        "backend_upload",
        "backend_write",
        "backend_answer",
        "backend_read",
        "backend_cancel",
        "window_ready",
        "new_window",
        "app_info",
        "theme",
        "set_theme",
        "set_reports",
        "open_log_folder",
        "export_people",
    ]);
    let attributes = tauri_build::Attributes::new()
        .app_manifest(commands)
        .capabilities_path_pattern("./src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration is not valid: {error:#}");
    }
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
    let is_file = |name: &&String| match name::named("profile", name) {
        Ok(named) => named == Named::File,
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

/// Writes a constant for each permission in `plugins.vestibule.roles`, so that a command that asks
/// for a permission which is not listed there does not compile.
fn name_permissions(section: &Value) {
    let roles = section["roles"].as_object();
    let lists = roles.into_iter().flat_map(|roles| roles.values());
    let names: BTreeSet<&str> = lists
        .flat_map(|list| list.as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let mut code = format!(
        "/// Every permission of this app.\npub const ALL: [&str; {}] = {:?};\n",
        names.len(),
        names.iter().collect::<Vec<_>>(),
    );
    for name in names {
        let constant = name.replace('.', "_").to_uppercase();
        code += &format!("/// `{name}`\npub const {constant}: &str = {name:?};\n");
    }
    write("permissions.rs", &code);
}

fn write(name: &str, code: &str) {
    let folder = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let path = Path::new(&folder).join(name);
    fs::write(path, code).expect("OUT_DIR can be written");
}
