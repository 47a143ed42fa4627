//! The names of the app's rights, for the page.

use vestibule_core::Roles;

use crate::{keep, root};

/// Every right that the app's configuration lets some role have.
fn rights() -> String {
    let config = std::fs::read_to_string(root().join("tauri.conf.json")).expect("a configuration");
    let config: serde_json::Value = serde_json::from_str(&config).expect("it is JSON");
    let roles = config["plugins"]["vestibule"].get("roles").cloned();
    let roles: Roles = roles.map_or_else(Roles::default, |roles| {
        serde_json::from_value(roles).expect("a table of roles")
    });
    let names: Vec<String> = roles
        .rights()
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let union = match names.is_empty() {
        true => "never".to_owned(),
        false => names.join(" | "),
    };
    format!(
        "// Generated from `plugins.vestibule.roles` in tauri.conf.json by `cargo xtask types`. Do \
         not edit.\n\n/** What a role may let someone do in this app. */\nexport type Right = \
         {union};\n"
    )
}

#[test]
fn right_types() {
    keep("frontend/lib/rights.ts", &rights(), "tauri.conf.json");
}
