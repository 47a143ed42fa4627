//! Declares every command to Tauri's access control: one that is not here cannot be called,
//! and one that no capability names is refused.

use std::path::Path;
use std::{env, fs};

fn main() {
    embed_profile();
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
    ]);
    let attributes = tauri_build::Attributes::new()
        .app_manifest(commands)
        .capabilities_path_pattern("./src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration is not valid: {error:#}");
    }
}

/// Where `plugins.vestibule.profile` names a file, the app carries its text.
fn embed_profile() {
    const CONFIG: &str = "tauri.conf.json";
    println!("cargo:rerun-if-changed={CONFIG}");
    let text = fs::read_to_string(CONFIG).expect("tauri.conf.json can be read");
    let config: serde_json::Value = serde_json::from_str(&text).expect("tauri.conf.json is JSON");
    let chosen = config["plugins"]["vestibule"]["profile"].as_str();
    let is_file = |name: &&str| name.ends_with(".toml") || name.ends_with(".json");
    let embedded = chosen.filter(is_file).map(|name| {
        println!("cargo:rerun-if-changed={name}");
        let text = fs::read_to_string(name);
        let text = text.unwrap_or_else(|error| {
            panic!("plugins.vestibule.profile in {CONFIG} names {name}: {error}")
        });
        (name, text)
    });
    let code = format!(
        "/// The profile that the app was built with, where it is a file.\n\
         const BUILT_IN: Option<(&str, &str)> = {embedded:?};\n"
    );
    let folder = env::var_os("OUT_DIR").expect("cargo says where");
    let path = Path::new(&folder).join("profile.rs");
    fs::write(path, code).expect("the build's own folder can be written");
}
